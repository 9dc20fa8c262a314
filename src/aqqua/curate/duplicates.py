"""Duplicates (`aqqua curate duplicates`): found, grouped, written down; taken out only if asked.

Exact ones have equal pixels, within and across datasets. Near ones are one capture saved twice. The first of a group is
the one to keep: of exact ones the first in the order of datasets and uids, of near ones the largest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import xxhash

from aqqua import __version__
from aqqua.curate.exact import ROWS_AT_ONCE, confirmed, equal_hashes
from aqqua.curate.groups import Groups
from aqqua.curate.hashing import HASH_VERSION, MAX_BITS
from aqqua.curate.near import NearPair, near_pairs
from aqqua.curate.signatures import read_signatures, signatures
from aqqua.errors import ConfigError
from aqqua.store.atomic import write_json
from aqqua.store.dataset import Dataset
from aqqua.store.identity import read_identity
from aqqua.store.parquet import write_frame
from aqqua.store.rows import reading

__all__ = ["DUPLICATES_SCHEMA", "DuplicatesReport", "duplicates", "read_duplicates"]

DUPLICATES_SCHEMA: dict[str, Any] = {
    "uid": pl.UInt64,
    "group": pl.UInt64,
    "kind": pl.String,
    "keep": pl.Boolean,
    "kept_dataset": pl.String,
    "kept_uid": pl.UInt64,
    "distance": pl.UInt8,
    "look": pl.Float32,
    "detail": pl.Float32,
    "mirror": pl.String,
}
"""Columns of duplicates.parquet: a row per image and kind of group it belongs to."""

Image = tuple[int, int]


@dataclass(frozen=True)
class DuplicatesReport:
    """What was found.

    Args:
        images: number of images looked at.
        exact: images of which there is an equal one that is kept.
        near: images of which there is another one of the same capture that is kept.
        across: how many of them are in another dataset than the one that is kept.
        removed: how many were taken out.
        files: the tables, one per dataset.
        by_kind: groups by kind.
    """

    images: int
    exact: int
    near: int | None
    across: int
    removed: int = 0
    files: list[Path] = field(default_factory=list)
    by_kind: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        """A line per kind."""
        lines = [f"{self.images:,} images: {self.exact:,} exact copies in {self.by_kind.get('exact', 0):,} groups"]
        if self.near is not None:
            lines.append(f"  {self.near:,} near duplicates in {self.by_kind.get('near', 0):,} groups")
        if self.across:
            lines.append(f"  {self.across:,} of them have their original in another dataset")
        done = f"{self.removed:,} were taken out (tombstones)" if self.removed else "nothing was taken out"
        return "\n".join([*lines, f"  {done}", *(f"  {path}" for path in self.files)])


def duplicates(
    datasets: Sequence[Path | str],
    *,
    near: bool = True,
    mirrored: bool = False,
    remove: str | None = None,
    bits: int = MAX_BITS,
    where: Any = "here",
    workers: int | None = None,
    rows_at_once: int = ROWS_AT_ONCE,
    **options: Any,
) -> DuplicatesReport:
    """Find duplicates within and across datasets and write them into `duplicates/` of each.

    Args:
        datasets: the datasets; in their order the first copy is kept.
        near: look for near duplicates too.
        mirrored: for mirrored ones as well.
        remove: take out all but the one to keep: "exact", or "all" for near ones too; None: only write down.
        bits: hashes of near duplicates may differ in so many bits, up to 7.
        where: run here, in a process pool, on SLURM or on Ray.
        workers: how many at once.
        rows_at_once: rows of exact hashes held in memory.
        options: of the engine.

    Raises:
        NotFoundError: there is no dataset.
        ConfigError: a dataset is named twice, or an option is unknown.
    """
    opened = [Dataset.open(path) for path in datasets]
    if not opened or len({ds.path.resolve() for ds in opened}) < len(opened):
        raise ConfigError("give each dataset once", do="aqqua curate duplicates DATASET…")
    if remove not in {None, "exact", "all"} or not 0 <= bits <= MAX_BITS:
        raise ConfigError(f"remove={remove!r}, bits={bits}", do=f"remove: exact or all; bits: 0 to {MAX_BITS}")
    exact = [group for found in equal_hashes(opened, rows_at_once=rows_at_once) for group in confirmed(opened, found)]
    rows = [row for group in exact for row in _exact_rows(opened, group)]
    if near:
        copies = {image for group in exact for image in group[1:]}
        tables = [read_signatures(ds, signatures(ds, where=where, workers=workers, **options)) for ds in opened]
        table = _together(tables, copies)
        rows += _near_rows(opened, table, list(near_pairs(opened, table, bits=bits, mirrored=mirrored)))
    frames = _by_dataset(opened, rows)
    settings = {"near": near, "mirrored": mirrored, "bits": bits, "hash_version": HASH_VERSION}
    files = [_write(ds, frame, {**settings, "snapshot": ds.snapshot}) for ds, frame in zip(opened, frames, strict=True)]
    removed = sum(_remove(ds, frame, remove) for ds, frame in zip(opened, frames, strict=True)) if remove else 0
    return _report(opened, frames, removed, files, near=near)


def read_duplicates(dataset: Dataset) -> pl.DataFrame:
    """The duplicates that were found in a dataset; none if nobody looked."""
    path = dataset.path / "duplicates" / "duplicates.parquet"
    if not path.is_file():
        return pl.DataFrame(schema=DUPLICATES_SCHEMA)
    with reading(path):
        return pl.read_parquet(path)


def _together(tables: Sequence[pl.DataFrame], copies: set[Image]) -> pl.DataFrame:
    """All images but exact copies."""
    frames = [table.with_columns(dataset=pl.lit(number, pl.UInt16)) for number, table in enumerate(tables)]
    table = pl.concat(frames)
    without = pl.DataFrame(sorted(copies), schema={"dataset": pl.UInt16, "uid": pl.UInt64}, orient="row")
    return table.join(without, on=["dataset", "uid"], how="anti", maintain_order="left")


def _exact_rows(datasets: Sequence[Dataset], group: Sequence[Image]) -> Iterator[tuple[int, dict[str, Any]]]:
    told = _kept(datasets, group[0], "exact") | {"distance": 0, "look": 1.0, "detail": 1.0}
    for image in group:
        yield image[0], {**told, "uid": image[1], "keep": image == group[0]}


def _near_rows(
    datasets: Sequence[Dataset], table: pl.DataFrame, pairs: Sequence[NearPair]
) -> list[tuple[int, dict[str, Any]]]:
    """Rows of the images of each group; how alike an image is to the one of the group it is most alike to."""
    best: dict[int, NearPair] = {}
    for pair in pairs:
        for row in (pair.a, pair.b):
            if row not in best or pair.likeness.detail > best[row].likeness.detail:
                best[row] = pair
    rows: list[tuple[int, dict[str, Any]]] = []
    for members in Groups((pair.a, pair.b) for pair in pairs).all().values():
        images = table[members].with_columns(area=pl.col("width") * pl.col("height"), row=pl.Series(members))
        images = images.sort(["area", "dataset", "uid"], descending=[True, False, False])
        kept = images.row(0, named=True)
        told = _kept(datasets, (kept["dataset"], kept["uid"]), "near")
        for image in images.iter_rows(named=True):
            pair = best[image["row"]]
            how = {"distance": pair.bits, "look": pair.likeness.look, "detail": pair.likeness.detail}
            about = {"mirror": pair.mirror, "uid": image["uid"], "keep": image["row"] == kept["row"]}
            rows.append((int(image["dataset"]), {**told, **how, **about}))
    return rows


def _kept(datasets: Sequence[Dataset], image: Image, kind: str) -> dict[str, Any]:
    """What all images of a group have in common."""
    name = str(read_identity(datasets[image[0]].path)["uuid"])
    group = xxhash.xxh3_64_intdigest(f"{kind}/{name}/{image[1]}".encode())
    return {"group": group, "kind": kind, "kept_dataset": name, "kept_uid": image[1]}


def _by_dataset(datasets: Sequence[Dataset], rows: Sequence[tuple[int, dict[str, Any]]]) -> list[pl.DataFrame]:
    chosen: list[list[dict[str, Any]]] = [[] for _ in datasets]
    for number, row in rows:
        chosen[number].append({"mirror": None, **row})
    return [pl.DataFrame(rows, schema=DUPLICATES_SCHEMA).sort("uid", "kind") for rows in chosen]


def _write(dataset: Dataset, frame: pl.DataFrame, info: dict[str, Any]) -> Path:
    folder = dataset.path / "duplicates"
    write_frame(folder / "duplicates.parquet", frame, kind="duplicates", notes=info)
    write_json(folder / "duplicates.json", {**info, "aqqua_version": __version__})
    return folder / "duplicates.parquet"


def _remove(dataset: Dataset, frame: pl.DataFrame, remove: str) -> int:
    """Tombstones for all but the ones to keep."""
    gone = frame.filter(~pl.col("keep") & ((pl.col("kind") == "exact") | (remove == "all"))).unique("uid", keep="first")
    for kind, kept_dataset, uids in gone.group_by("kind", "kept_dataset").agg("uid").sort("kind").iter_rows():
        own = kept_dataset == read_identity(dataset.path)["uuid"]
        place = "this dataset" if own else f"dataset {kept_dataset}"
        dataset = dataset.add_tombstones(sorted(uids), f"{kind} duplicate of an image of {place}")
    return gone.height


def _report(
    datasets: Sequence[Dataset], frames: Sequence[pl.DataFrame], removed: int, files: list[Path], *, near: bool
) -> DuplicatesReport:
    names = [str(read_identity(ds.path)["uuid"]) for ds in datasets]
    pieces = [frame.with_columns(own=pl.col("kept_dataset") == name) for frame, name in zip(frames, names, strict=True)]
    table = pl.concat(pieces)
    copies = table.filter(~pl.col("keep"))
    count: Counter[str] = Counter(copies["kind"].to_list())
    groups = table.group_by("kind").agg(pl.col("group").n_unique())
    return DuplicatesReport(
        images=sum(map(len, datasets)),
        exact=count["exact"],
        near=count["near"] if near else None,
        across=copies.filter(~pl.col("own")).height,
        removed=removed,
        files=files,
        by_kind=dict(groups.iter_rows()),
    )
