"""The release of one dataset: a BagIt bag whose `data` is an AqQua dataset again, without what was withdrawn.

Everything is built in `NAME.part` beside its place and renamed when it is whole. Cut images stay there when it is
interrupted, so that the next run goes on. The same dataset, card, version and day give the same bytes.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl

from aqqua.errors import StorageError
from aqqua.export.release.bag import close_bag, payload_of, sender_of, write_document, write_yaml
from aqqua.export.release.croissant import croissant
from aqqua.export.release.datacite import datacite
from aqqua.export.release.facts import Facts, extent_of, lower_name, public_card, uuid4_of
from aqqua.export.release.ifdo import MAX_ITEMS, ifdo
from aqqua.export.release.insides import fill_data
from aqqua.export.release.rocrate import rocrate
from aqqua.export.release.shards import MAX_BYTES, Cut, plan_cuts, uids_of, write_cut
from aqqua.export.release.terms import Terms, terms_of
from aqqua.export.release.words import citation_cff, license_text, readme, table_schema
from aqqua.metadata.card import Card
from aqqua.metadata.check import Finding
from aqqua.metadata.private import may_name_people
from aqqua.scale import map_shards
from aqqua.store.atomic import make_folder, storage, sync_folder, write_text
from aqqua.store.dataset import Dataset

__all__ = ["Options", "build_bundle"]

_DOCS = {
    "AQQUA.json": "identity and format of the dataset",
    "CURRENT": "snapshot that counts",
    "card.yaml": "title, licence, people and consents",
    "fields.json": "data dictionary (Table Schema)",
    "checks.json": "what looked odd at the ingests and in the checks",
    "README.md": "what is in the bundle, and how to read it",
    "LICENSE": "licence: name, link, plain summary",
}


@dataclass(frozen=True)
class Options:
    """How a release is made.

    Args:
        on: its day.
        licence: of the record; None: the one the owners chose.
        version: of the release; None: that of the card.
        doi: if it has one already.
        model: whose predictions go into the Darwin Core archive; None: the newest.
        max_bytes: no images file is larger.
        max_items: iFDO items are written for so many images at most.
        where: build the images files here, in a process pool, on SLURM or on Ray.
        workers: how many processes or nodes.
    """

    on: date
    licence: str | None = None
    version: str | None = None
    doi: str = ""
    model: str | None = None
    max_bytes: int = MAX_BYTES
    max_items: int = MAX_ITEMS
    where: Any = "here"
    workers: int | None = None


def build_bundle(
    dataset: Dataset, out: Path, options: Options, findings: Sequence[Finding], uids: Sequence[int] | None = None
) -> tuple[Path, Facts]:
    """Build the release of a dataset that may be released (see `require_releasable`).

    Args:
        dataset: the dataset.
        out: folder in which the bundle gets its place.
        options: how.
        findings: of the checks.
        uids: only these images; None for all.

    Returns:
        The bundle and what its documents say.

    Raises:
        StorageError: the disk is full (run it again), or there is another release of this name.
    """
    terms = terms_of(dataset.card, options.licence, options.on)
    card = public_card(dataset.card, terms, options.version or dataset.card.version)
    name = f"{lower_name(dataset.path.name)}-{lower_name(card.version)}"
    cuts = plan_cuts(dataset, uids, max_bytes=options.max_bytes)
    facts = _facts(dataset, cuts, card, terms, name, options)
    key = _key(dataset, facts, options, uids)
    place, work = out / name, out / f"{name}.part"
    if place.exists():
        if sender_of(place) != key:
            do = "choose another --version, or another folder; what was released must not change"
            raise StorageError("there is another release of this name already", where=place, do=do)
        return place, facts
    _begin(work, key)
    folders = [work / "cuts" / f"{number:03}" for number in range(len(cuts))]
    engine = {"where": options.where, "workers": options.workers}
    map_shards(write_cut, cuts, folders, what=f"Releasing {name}", **engine)
    bag = work / name
    shutil.rmtree(bag, ignore_errors=True)  # what an interrupted run wrote besides the images
    make_folder(bag / "data")
    fill_data(dataset, bag / "data", folders, uids_of(cuts), facts, findings)
    facts = _write_documents(bag, facts, options)
    _write_darwin_core(dataset, bag, facts, options, uids)
    write_document(bag / "ro-crate-metadata.json", rocrate(facts))
    owner = facts.card.institution or facts.authors[0].name
    close_bag(bag, identifier=facts.address, sender=key, title=card.title, organization=owner, on=options.on)
    with storage(place):
        bag.rename(place)
        sync_folder(out)
    shutil.rmtree(work, ignore_errors=True)
    return place, facts


def _begin(work: Path, key: str) -> None:
    """Go on in the folder of an interrupted run if it was for the very same release; else begin anew."""
    noted = work / "key"
    if work.exists() and (not noted.is_file() or noted.read_text(encoding="utf-8") != key):
        shutil.rmtree(work)
    make_folder(work)
    write_text(noted, key)


def _key(dataset: Dataset, facts: Facts, options: Options, uids: Sequence[int] | None) -> str:
    """Hash of everything that the bytes of a release depend on."""
    told: list[Any] = [dataset.uuid, dataset.snapshot, facts.uuid, facts.name, facts.card.dump()]
    told += [facts.terms.came_under, options.on.isoformat()]
    told += [options.doi, options.max_bytes, options.max_items, None if uids is None else sorted(uids)]
    told += [sorted(path.name for path in (dataset.path / "labels").glob("*.parquet"))]
    told += [options.model, dataset.prediction_models()]
    return sha256(json.dumps(told, default=str).encode()).hexdigest()


def _facts(dataset: Dataset, cuts: Sequence[Cut], card: Card, terms: Terms, name: str, options: Options) -> Facts:
    columns = ["latitude", "longitude", "time_utc", "depth_min_m", "depth_max_m", "altitude_m", "instrument"]
    wanted = uids_of(cuts)["old"]
    metadata = dataset.metadata([*columns, "project", "sample_id"]).filter(pl.col("uid").is_in(wanted.implode()))
    chosen = sha256(wanted.to_numpy().tobytes()).hexdigest()
    by_shard = dict(metadata.group_by("shard").len().iter_rows())
    sources: dict[tuple[str, str], int] = {}
    for shard in dataset.shards:
        told = (shard.source, shard.fingerprint)
        sources[told] = sources.get(told, 0) + by_shard.get(shard.number, 0)
    dropped = {column for shard in dataset.shards for column in pl.read_parquet_schema(shard.raw)}
    labels = dataset.labels().filter(pl.col("uid").is_in(wanted.implode())).drop_nulls("taxon")
    taxa = labels.group_by("taxon").len().sort(["len", "taxon"], descending=[True, False])
    return Facts(
        name=name,
        uuid=uuid4_of(dataset.uuid, dataset.snapshot, card.version, options.on, chosen),
        card=card,
        terms=terms,
        extent=extent_of(metadata),
        images=len(wanted),
        dataset=(dataset.uuid, dataset.snapshot),
        sources=tuple((*told, count) for told, count in sources.items() if count),
        dropped=tuple(sorted(filter(may_name_people, dropped))),
        taxa=tuple(taxa.iter_rows()),
        doi=options.doi,
        raw_columns=cuts[0].raw_columns if cuts else (),
    )


def _write_documents(bag: Path, facts: Facts, options: Options) -> Facts:
    """What is generated from card, fields and facts; returns the facts with all files of the payload."""
    data = bag / "data"
    facts.card.save(data / "card.yaml")
    write_document(data / "fields.json", table_schema())
    write_text(data / "LICENSE", license_text(facts.terms.licence, facts.terms.came_under))
    files = sorted(path for path in data.rglob("*") if path.is_file())
    facts = replace(facts, files=tuple(payload_of(bag, path, _doc(path, data)) for path in files))
    write_text(data / "README.md", readme(facts))
    facts = replace(facts, files=(*facts.files, payload_of(bag, data / "README.md", _DOCS["README.md"])))
    write_document(bag / "datacite.json", datacite(facts))
    write_document(bag / "croissant.json", croissant(facts))
    write_yaml(bag / "ifdo.yaml", ifdo(facts, data, max_items=options.max_items))
    day, licence = options.on.isoformat(), facts.terms.licence
    write_yaml(bag / "CITATION.cff", citation_cff(facts.card, licence, day, facts.address))
    return facts


def _write_darwin_core(dataset: Dataset, bag: Path, facts: Facts, options: Options, uids: Sequence[int] | None) -> None:
    """The Darwin Core archive: what people, sources and a model named; nothing is written where nobody did."""
    from aqqua.export.darwincore import export_darwincore

    if facts.taxa or dataset.prediction_models():
        export_darwincore(dataset, bag / "dwca.zip", uids=uids, model=options.model, card=facts.card, on=options.on)


def _doc(path: Path, data: Path) -> str:
    kind = path.relative_to(data).parts[0].removesuffix(".parquet")
    kinds = {
        "images": "images: blosc2 in LMDB",
        "metadata": "Converted Metadata: one row per image, harmonised, with units",
        "raw": "Raw Metadata: the columns of the sources, verbatim",
        "labels": "labels: what the images show, and who says so (people, model, source)",
        "masks": "outlines of the objects, as they came with the images",
        "manifest": "which files belong together",
    }
    return _DOCS.get(path.name) or kinds.get(kind, "")
