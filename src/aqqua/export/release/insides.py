"""The `data` folder of a release: files under the names that releases have, and what makes them a dataset again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from aqqua.export.release.facts import Facts
from aqqua.export.release.shards import names_of
from aqqua.metadata.check import Finding
from aqqua.metadata.private import without, without_addresses
from aqqua.store.atomic import link_whole
from aqqua.store.dataset import Dataset
from aqqua.store.identity import new_identity, write_identity
from aqqua.store.labels import write_labels
from aqqua.store.manifest import Manifest, Shard, write_manifest
from aqqua.store.masks import SOURCE_MASKS, MaskFile, mask_path, write_mask_info
from aqqua.store.rejects import add_findings
from aqqua.store.sealing import MASKS
from aqqua.store.shard import SealedShard

__all__ = ["fill_data"]

_ROLE = r"^[a-z0-9][a-z0-9_.:-]{0,63}$"
_PATH = re.compile(r"(?<![\w.:/])(?:[A-Za-z]:)?[/\\](?:[^/\\\s:'\"]+[/\\])+")
"""Folders of somebody's disk in front of a file's name."""


def fill_data(
    dataset: Dataset,
    data: Path,
    cuts: Sequence[Path],
    uids: pl.DataFrame,
    facts: Facts,
    findings: Sequence[Finding],
) -> None:
    """Put cut images and tables into their places, with labels, findings, manifest and identity.

    Args:
        dataset: where they come from.
        data: the folder of data.
        cuts: folders of the cuts.
        uids: `old` and `new` uid of each image.
        facts: of the release.
        findings: of the checks.
    """
    made_utc = f"{facts.terms.on.isoformat()}T00:00:00Z"
    shards = tuple(_place(data, number, folder, len(cuts), made_utc) for number, folder in enumerate(cuts))
    _write_labels(dataset, data, uids)
    add_findings(data, 1, [_public(finding, dataset) for finding in findings])
    write_manifest(data, Manifest(1, shards), created_utc=made_utc)
    identity = {**new_identity(), "uuid": facts.uuid, "created_utc": made_utc}
    write_identity(data, identity, counts={"snapshot": 1, "shards": len(shards), "images": facts.images})


def _names(number: int, several: bool) -> dict[str, str]:
    """Where the files of a cut belong: one table beside one images file; of several each has its own."""
    tables = {"converted": "metadata", "raw": "raw"}
    return {"images": f"images/{number:03}.lmdb"} | {
        kind: f"{name}/{number:03}.parquet" if several else f"{name}.parquet" for kind, name in tables.items()
    }


def _place(data: Path, number: int, folder: Path, count: int, made_utc: str) -> Shard:
    sealed = SealedShard.load(folder)
    assert sealed is not None  # map_shards gave the folder its name when it was whole
    names = _names(number, count > 1)
    for kind, path in sealed.files.items():
        link_whole(path, data / names[kind])
    if masks := MaskFile.of(folder / MASKS):
        target = mask_path(data, SOURCE_MASKS, number)
        link_whole(masks.path, target)
        replace(masks, path=target).write()
        write_mask_info(data, SOURCE_MASKS, {"what": "objects as the sources outline them", "created_utc": made_utc})
    return Shard.from_row(data, {**sealed.summary, **names, "number": number})


def _write_labels(dataset: Dataset, data: Path, uids: pl.DataFrame) -> None:
    """The current label of each image; who made it is told as a role or program, never as a name."""
    labels = dataset.labels().join(uids, left_on="uid", right_on="old").drop("uid").rename({"new": "uid"})
    if len(labels):
        by = pl.when(pl.col("by").str.contains(_ROLE)).then("by").alias("by")
        labels = without(labels.with_columns(by).select("uid", pl.exclude("uid")), names_of(dataset))
        write_labels(data / "labels", labels, 1)


def _public(finding: Finding, dataset: Dataset) -> Finding:
    """A finding without paths of the disk and addresses of people."""

    def plain(text: str) -> str:
        text = text.replace(f"{dataset.path}/", "").replace(str(dataset.path), dataset.path.name)
        return without_addresses(_PATH.sub("", text))

    return replace(finding, message=plain(finding.message), where=plain(finding.where), do=plain(finding.do))
