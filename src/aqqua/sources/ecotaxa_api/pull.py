"""Bring projects of an EcoTaxa server into a dataset, with no more than the right to view (verb `aqqua ecotaxa pull`).

Viewers may not export (403), so objects come through queries and images from the vault (where the account may export,
many images come by an export job instead). They are put into folders that
look like an export, and go the way of every other source: `ingest`. The dataset itself is the journal: an object whose
id stands in its Raw Metadata, or among its rejected rows, is not fetched again; of a known object only what people have
decided since is asked for.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from aqqua.errors import AqquaError, ConfigError, RemoteError
from aqqua.metadata.card import Card
from aqqua.metadata.check import Finding
from aqqua.metadata.mapping import instrument_of
from aqqua.progress import say
from aqqua.sources.ecotaxa_api.batch import Batch, Parents
from aqqua.sources.ecotaxa_api.by_export import ExportedImages, may_export
from aqqua.sources.ecotaxa_api.client import EcotaxaClient
from aqqua.sources.ecotaxa_api.links import links, rejected_objects
from aqqua.sources.ecotaxa_api.listing import list_objects, state_frame
from aqqua.sources.ecotaxa_api.models import Project, User
from aqqua.sources.ecotaxa_api.news import label_news
from aqqua.sources.ingest import ingest
from aqqua.sources.summary import merge_findings
from aqqua.store.dataset import Dataset

__all__ = ["ProjectPulled", "PullReport", "card_of", "pull"]

_CACHE = "ecotaxa"
_BATCH = 20_000
_PAGE = 5000
_EXPORT_FROM = 2000
_ACCESS = {
    "0": "private: members only",
    "1": "public: every logged-in user of EcoTaxa may look at it",
    "2": "open: every logged-in user of EcoTaxa may export it",
}


@dataclass(frozen=True)
class ProjectPulled:
    """What became of one project.

    Args:
        projid: its id.
        title: its title.
        objects: how many the server has.
        images: how many images came into the dataset.
        rejected: how many rows did not.
        labels: how many images of known objects got another label.
        findings: what looked odd.
        failure: why it could not be pulled, if so.
    """

    projid: int
    title: str = ""
    objects: int = 0
    images: int = 0
    rejected: int = 0
    labels: int = 0
    findings: list[Finding] = field(default_factory=list)
    failure: AqquaError | None = None

    def __str__(self) -> str:
        """One line, and what to look at."""
        if self.failure is not None:
            return f"project {self.projid}: not pulled: {self.failure}"
        told = f"project {self.projid} “{self.title}”: {self.objects:,} objects there; {self.images:,} new images, "
        told += f"{self.labels:,} new labels"
        told += f", {self.rejected:,} rows did not get in (rejected.parquet says why)" if self.rejected else ""
        odd = [finding for finding in self.findings if finding.severity != "info"]
        return "\n".join([told, *(f"  {finding.count:,} × {finding.message}" for finding in odd)])


@dataclass(frozen=True)
class PullReport:
    """What became of all projects, and the dataset, None if nothing came of it."""

    projects: list[ProjectPulled]
    dataset: Dataset | None

    @property
    def failed(self) -> bool:
        """Whether a project could not be pulled."""
        return any(project.failure is not None for project in self.projects)

    def __str__(self) -> str:
        """The report in plain text."""
        size = f"{self.dataset.path.name}/ now has {len(self.dataset):,} images" if self.dataset is not None else ""
        return "\n".join([*map(str, self.projects), *([size] if size else [])])


def pull(
    projects: Sequence[int],
    dataset: str | Path,
    *,
    client: EcotaxaClient,
    card: Card | str | Path | None = None,
    retry: bool = False,
    batch: int = _BATCH,
    page: int = _PAGE,
    export_from: int = _EXPORT_FROM,
) -> PullReport:
    """Bring projects into a dataset, which is made if it is not there; the right to view suffices.

    Run it again to go on after an interruption, and to get what is new. A project that fails does not stop the others.

    Args:
        projects: ids of projects.
        dataset: the dataset to make or to add to.
        client: a server and a login.
        card: what EcoTaxa does not know: licence, citation, constants for missing metadata.
        retry: try objects again whose rows were rejected before.
        batch: so many objects are fetched and then ingested at a time.
        page: so many objects are listed with one request.
        export_from: from so many new objects on, images come by an export job of the server, where that is allowed.

    Raises:
        ConfigError: no project, or a wrong card.
        RefusedError: the login is not valid.
        StorageError: the disk is full.
    """
    if not projects or min(batch, page) < 1:
        raise ConfigError("pull needs the id of a project", do="aqqua ecotaxa projects lists them")
    own = card if isinstance(card, Card) else Card.load(card) if card is not None else Card()
    me = client.me()
    how = _How(retry, batch, page, export_from)
    told = [_pull_one(projid, client, me, Path(dataset), own, how) for projid in dict.fromkeys(projects)]
    return PullReport(told, Dataset.open(dataset) if Dataset.is_at(dataset) else None)


def card_of(project: Project, server: str, me: User) -> Card:
    """What a project says about itself, and on what grounds it may be looked at.

    EcoTaxa has no licence per project: it stays unknown until the owner is asked. Nobody's name or address is copied.
    """
    right = project.right_of(me.id)
    granted = f"; right of the account that pulled: {right.value}" if right else ""
    name = project.instrument or ""
    defaults = {"project": f"EcoTaxa {project.projid}: {project.title}"}
    if instrument_of(name) is not None:
        defaults["instrument"] = name
    return Card(
        title=project.title,
        project=defaults["project"],
        instruments=(name,) if name else (),
        access=f"{_ACCESS.get(project.access, project.access)}{granted}",
        source=f"{server} project {project.projid}",
        defaults=defaults,
    )


@dataclass(frozen=True)
class _How:
    """What was asked for: see `pull`."""

    retry: bool
    batch: int
    page: int
    export_from: int


def _pull_one(projid: int, client: EcotaxaClient, me: User, path: Path, own: Card, how: _How) -> ProjectPulled:
    try:
        project = client.project(projid)
        card = _merged(card_of(project, client.server, me), own)
        store = _opened(path, card)
        how = how if may_export(project, me) else replace(how, export_from=sys.maxsize)
        return _Work(client, project, store, card, store.path / _CACHE / str(projid), how).run()
    except RemoteError as error:
        say(f"[red]project {projid}: {error.what}[/]")
        return ProjectPulled(projid, failure=error)


@dataclass
class _Work:
    """One project on its way into a dataset; `folder` holds what was fetched and is not ingested yet."""

    client: EcotaxaClient
    project: Project
    store: Dataset
    card: Card
    folder: Path
    how: _How
    exported: ExportedImages | None = None
    images: int = 0
    rejected: int = 0
    findings: list[Finding] = field(default_factory=list)

    def run(self) -> ProjectPulled:
        how, parents = self.how, Parents(self.client)
        if (self.folder / "export.json").is_file():
            self.exported = ExportedImages.fetch(self.client, self.project.projid, self.folder)
        for unfinished in self._unfinished():
            self._finish(unfinished, parents)
        listed = list_objects(self.client, self.project, self.folder / "pages", page=how.page)
        known = self._known()
        settled = known if how.retry else known | rejected_objects(self.store, self.client.server, self.project.projid)
        new = listed.filter(~pl.col("obj.objid").is_in([str(one) for one in settled]))
        if len(new) >= how.export_from and self.exported is None:
            self.exported = ExportedImages.fetch(self.client, self.project.projid, self.folder)
        for start in range(0, len(new), how.batch):
            rows = new[start : start + how.batch]
            started = self._batch(f"ecotaxa_{self.project.projid}_{rows['obj.objid'][0]}_{self.store.snapshot}")
            started.begin(rows)
            self._finish(started, parents)
        labels = self._add_labels(listed)
        self._note_gone(known, listed)
        shutil.rmtree(self.folder)
        told = merge_findings(self.findings)
        return ProjectPulled(
            self.project.projid, self.project.title, len(listed), self.images, self.rejected, labels, told
        )

    def _known(self) -> set[int]:
        """Objects of the project that are in the dataset, removed ones too."""
        found = links(self.store, self.client.server, removed=True).filter(pl.col("projid") == self.project.projid)
        return set(found["objid"].to_list())

    def _unfinished(self) -> Iterator[Batch]:
        folders = sorted(self.folder.glob("ecotaxa_*")) if self.folder.is_dir() else []
        yield from (self._batch(folder.name) for folder in folders)

    def _batch(self, name: str) -> Batch:
        return Batch(self.folder / name, self.project.projid, self.client.server)

    def _finish(self, batch: Batch, parents: Parents) -> None:
        """Fetch what is missing of a batch, ingest it, and remove it."""
        known = self._known()
        rows = batch.rows
        if not rows.is_empty() and not {int(one) for one in rows["obj.objid"]} <= known:
            lost = batch.fetch(self.client, parents, without=known, exported=self.exported)
            if lost:
                message = "an image is not in the vault"
                self.findings.append(Finding("warning", "image_lost", message, f"project {batch.projid}", lost))
            report = ingest([batch.folder], self.store.path, source="ecotaxa_export", card=self.card)
            self.store = report.dataset
            self.images += report.images
            self.rejected += report.rejected
            self.findings += report.findings
        shutil.rmtree(batch.folder)

    def _add_labels(self, listed: pl.DataFrame) -> int:
        fields = ("obj.objid", "obj.classif_id", "obj.classif_qual", "obj.classif_score", "obj.classif_when",
                  "txo.display_name")  # fmt: skip
        number = {"obj.objid": pl.Int64, "obj.classif_id": pl.Int64, "obj.classif_score": pl.Float64}
        states = state_frame(listed.select(fields).cast(number).rows())  # type: ignore[arg-type]
        mine = links(self.store, self.client.server).filter(pl.col("projid") == self.project.projid)
        news = label_news(self.store, mine, states).drop("_before")
        if len(news):
            self.store.add_labels(news)
        return len(news)

    def _note_gone(self, known: set[int], listed: pl.DataFrame) -> None:
        gone = known - {int(one) for one in listed["obj.objid"]}
        if gone:
            message = "an object of the dataset is no longer in EcoTaxa; the dataset keeps it"
            do = "if the owner has withdrawn it, take it out with Dataset.add_tombstones"
            self.findings.append(Finding("warning", "gone", message, f"first: {min(gone)}", len(gone), do))


def _merged(found: Card, own: Card) -> Card:
    """The project's card, with what the user's own says in its place."""
    given = {name: getattr(own, name) for name in own.to_dict()}
    return replace(found, **{**given, "defaults": {**found.defaults, **own.defaults}})


def _opened(path: Path, card: Card) -> Dataset:
    """The dataset, with the project noted on its card: the strictest access counts for the whole."""
    if not Dataset.is_at(path):
        return Dataset.create(path, replace(card, defaults={}, overrides={}, table=None))
    store = Dataset.open(path)
    old = store.card
    if card.source in old.source.split("; ") and old.access == _stricter(old.access, card.access):
        return store
    sources = dict.fromkeys([*filter(None, old.source.split("; ")), card.source])
    instruments = tuple(dict.fromkeys([*old.instruments, *card.instruments]))
    access = _stricter(old.access, card.access)
    replace(old, source="; ".join(sources), access=access, instruments=instruments).save(path / "card.yaml")
    return Dataset.open(path)


def _stricter(one: str, other: str) -> str:
    """The stricter of two accesses; what a person has written in own words stays."""
    order = ["private", "public", "open"]
    words = [access.partition(":")[0] for access in (one, other)]
    if not one or not other or not set(words) <= set(order):
        return one or other
    return min((one, other), key=lambda access: order.index(access.partition(":")[0]))
