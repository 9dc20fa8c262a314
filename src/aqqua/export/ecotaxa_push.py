"""Send predictions to the objects they are of, with their true scores (verb `aqqua ecotaxa push`).

EcoTaxa keeps what people have validated or called dubious, whatever is sent; aqqua does not send it in the first place,
and reads everything back afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from aqqua.errors import AqquaError, ConfigError, RefusedError, RemoteError
from aqqua.export.ecotaxa_candidates import best_of_objects, candidates, read_taxa, taxon_ids
from aqqua.export.ecotaxa_rows import Head
from aqqua.progress import job
from aqqua.sources.ecotaxa_api.client import EcotaxaClient
from aqqua.sources.ecotaxa_api.links import links
from aqqua.sources.ecotaxa_api.listing import read_states
from aqqua.sources.ecotaxa_api.models import Right, User
from aqqua.store.dataset import Dataset

__all__ = ["ProjectPushed", "PushReport", "push"]

_BATCH = 1000
_SAME = 1e-4
"""Scores that differ less are the same: they travel as 32-bit numbers."""


@dataclass(frozen=True)
class ProjectPushed:
    """What became of one project, or would.

    Args:
        projid: its id.
        predicted: objects with a prediction whose taxon EcoTaxa has.
        judged: those that people have judged, which stay as they are.
        same: those that have this very prediction already.
        sent: those whose prediction is, or would be, sent.
        verified: those that read back as they were sent.
        meanwhile: those that somebody judged while they were sent.
        differ: those that are neither; something is wrong.
        gone: those that are no longer in EcoTaxa.
        failure: why it stopped, if it did.
    """

    projid: int
    predicted: int = 0
    judged: int = 0
    same: int = 0
    sent: int = 0
    verified: int = 0
    meanwhile: int = 0
    differ: int = 0
    gone: int = 0
    failure: AqquaError | None = None

    def told(self, *, sent: bool) -> str:
        """One line."""
        if self.failure is not None:
            return f"project {self.projid}: stopped: {self.failure}"
        left = f"{self.judged:,} judged by people stay, {self.same:,} are the same already"
        left += f", {self.gone:,} are gone from EcoTaxa" if self.gone else ""
        if not sent:
            return f"project {self.projid}: {self.sent:,} predictions to send; {left}"
        back = f"{self.verified:,} read back as sent"
        back += f", {self.meanwhile:,} were judged by people meanwhile" if self.meanwhile else ""
        back += f", {self.differ:,} ARE NOT AS SENT" if self.differ else ""
        return f"project {self.projid}: {self.sent:,} predictions sent, {back}; {left}"


@dataclass(frozen=True)
class PushReport:
    """What became of all projects.

    Args:
        projects: one by one.
        model: id of the model whose predictions these are.
        unknown: predicted names without a taxon in EcoTaxa, and how many objects have them.
        applied: whether anything was sent.
    """

    projects: list[ProjectPushed]
    model: str
    unknown: dict[str, int] = field(default_factory=dict)
    applied: bool = False

    @property
    def failed(self) -> bool:
        """Whether a project stopped, or is not as it was sent."""
        return any(one.failure is not None or one.differ for one in self.projects)

    def __str__(self) -> str:
        """The report in plain text."""
        lines = [f"predictions of {self.model}", *(one.told(sent=self.applied) for one in self.projects)]
        if self.unknown:
            lines.append("not sent, because EcoTaxa's id of the taxon is not known (give it in a table: --taxa):")
            lines += [f"  {count:,} × {name}" for name, count in sorted(self.unknown.items(), key=lambda one: -one[1])]
        if not self.applied:
            lines.append("Nothing was sent. To send: --apply")
        return "\n".join(lines)


def push(
    dataset: Dataset | Path | str,
    *,
    client: EcotaxaClient,
    model: str | None = None,
    head: Head = "best",
    taxa: Mapping[str, int] | Path | str | None = None,
    projects: Sequence[int] | None = None,
    apply: bool = False,
    batch: int = _BATCH,
) -> PushReport:
    """Send predictions with their scores to the objects that images of a dataset were pulled from.

    Args:
        dataset: with pulled images and predictions.
        client: a server and a login with the right to annotate.
        model: whose predictions; the newest, if not said.
        head: whose taxon counts: "linear", "knn", or "best": the linear head's where there is one.
        taxa: EcoTaxa ids of names that are not known here, or a table of them (`name`, `ecotaxa_id`).
        projects: only these.
        apply: send them; without it everything is only looked at.
        batch: objects per request.

    Raises:
        ConfigError: no image was pulled from this server.
        NotFoundError: there are no predictions.
        RefusedError: the login is not valid.
    """
    ds = dataset if isinstance(dataset, Dataset) else Dataset.open(dataset)
    objects = best_of_objects(
        links(ds, client.server).join(candidates(ds, model, head), on="uid").drop_nulls("taxon"), ["projid", "objid"]
    )
    if projects is not None:
        objects = objects.filter(pl.col("projid").is_in(list(projects)))
    if objects.is_empty():
        do = "pull the project and predict first; aqqua export --to ecotaxa makes new objects"
        raise ConfigError("no image with a prediction was pulled from this server", where=client.server, do=do)
    own = read_taxa(taxa) if isinstance(taxa, (str, Path)) else taxa
    ids = _valid_ids(client, taxon_ids(ds, _names(objects), own))
    objects = _with_ids(objects, ids)
    unknown = objects.filter(pl.col("id").is_null())["taxon"].value_counts()
    me = client.me()
    ready = objects.drop_nulls("id").partition_by("projid", maintain_order=True, as_dict=True)
    told = [_push_one(client, me, int(key[0]), rows, apply=apply, batch=batch) for key, rows in ready.items()]
    used = model or ds.prediction_models()[0]
    return PushReport(told, used, dict(unknown.iter_rows()), apply)


def _names(objects: pl.DataFrame) -> list[str]:
    return pl.concat([objects["taxon"], objects["taxon_2"]]).drop_nulls().unique().to_list()


def _with_ids(objects: pl.DataFrame, ids: Mapping[str, int]) -> pl.DataFrame:
    def lookup(name: str) -> pl.Expr:
        return pl.col(name).replace_strict(dict(ids), default=None, return_dtype=pl.Int64)

    found = objects.with_columns(id=lookup("taxon"), id_2=lookup("taxon_2"))
    return found.with_columns(id_2=pl.when(pl.col("id_2") != pl.col("id")).then("id_2"))


def _valid_ids(client: EcotaxaClient, ids: Mapping[str, int]) -> dict[str, int]:
    """Only ids that the server has: an unknown one would make it refuse the whole request."""
    numbers = sorted(set(ids.values()))
    known = {taxon.id for start in range(0, len(numbers), 100) for taxon in client.taxa(numbers[start : start + 100])}
    return {name: number for name, number in ids.items() if number in known}


def _push_one(
    client: EcotaxaClient, me: User, projid: int, rows: pl.DataFrame, *, apply: bool, batch: int
) -> ProjectPushed:
    try:
        project = client.project(projid)
        right = project.right_of(me.id)
        if apply and (right is None or right.rank < Right.ANNOTATE.rank) and 2 not in me.can_do:
            do = "ask a manager of the project for the right to annotate"
            raise RefusedError("predictions need the right to annotate", where=f"project {projid}", do=do)
        there = rows.join(read_states(client, projid), on="objid", how="inner")
        todo, judged, same = _sorted_out(there)
        gone = len(rows) - len(there)
        told = ProjectPushed(projid, len(rows), judged=judged, same=same, sent=len(todo), gone=gone)
        if not apply or todo.is_empty():
            return told
        _send(client, projid, todo, batch)
        verified, meanwhile = _read_back(client, projid, todo)
        differ = len(todo) - verified - meanwhile
        return replace(told, verified=verified, meanwhile=meanwhile, differ=differ)
    except RemoteError as error:
        return ProjectPushed(projid, predicted=len(rows), failure=error)


def _sorted_out(now: pl.DataFrame) -> tuple[pl.DataFrame, int, int]:
    """The objects to send, and how many people have judged, and how many are the same already."""
    open_ = pl.col("qual").is_null() | (pl.col("qual") == "P")
    alike = (pl.col("qual") == "P") & (pl.col("taxon_id") == pl.col("id")) & _close()
    same = open_ & alike.fill_null(value=False)
    return now.filter(open_ & ~same), now.filter(~open_).height, now.filter(same).height


def _close() -> pl.Expr:
    return (pl.col("score_right") - pl.col("score")).abs() < _SAME


def _send(client: EcotaxaClient, projid: int, todo: pl.DataFrame, batch: int) -> None:
    with job(f"Sending predictions to project {projid}", len(todo), unit="objects") as advance:
        for start in range(0, len(todo), batch):
            part = todo[start : start + batch]
            taxa, scores = [], []
            for first, p, second, p_2 in part.select("id", "score", "id_2", "score_2").iter_rows():
                taxa.append([first] if second is None else [first, second])
                scores.append([p] if second is None else [p, p_2])
            client.classify_auto(part["objid"].to_list(), taxa, scores)
            advance(len(part))


def _read_back(client: EcotaxaClient, projid: int, sent: pl.DataFrame) -> tuple[int, int]:
    """How many objects are as they were sent, and how many somebody has judged meanwhile."""
    now = sent.select("objid", "id", "score").join(read_states(client, projid), on="objid", how="left")
    as_sent = (pl.col("qual") == "P") & (pl.col("taxon_id") == pl.col("id")) & _close()
    judged = pl.col("qual").is_in(["V", "D", "X"])
    return now.filter(as_sent).height, now.filter(judged).height
