"""Which image is for learning and which for judging: a table that is written beside the report and can be used again.

Samples stay whole where a dataset has some, else copies of one image stay together, else a hash of the image's id
decides; what a source itself calls its test set stays one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aqqua.bench.labelled import Labelled
from aqqua.curate.allot import allot
from aqqua.curate.grouping import BY, grouped, upstream_parts
from aqqua.errors import ConfigError, FormatError, NotFoundError, UnknownNameError

__all__ = ["WAYS", "Parts", "make_parts", "read_parts", "write_parts"]

WAYS = ("auto", "id", *BY)
TEST_SHARE = 0.2
_ENOUGH_SAMPLES = 5
_NAMES = {"train": False, "val": False, "test": True}


@dataclass(frozen=True)
class Parts:
    """A split into what is learnt from and what is judged.

    Args:
        test: (n,) whether the image is judged.
        used: (n,) whether the image is in the split at all.
        group: (n,) what was kept together; intervals are drawn over these.
        by: how it was made.
        told: the same in words.
    """

    test: NDArray[np.bool_]
    used: NDArray[np.bool_]
    group: NDArray[np.int64]
    by: str
    told: str

    @property
    def train_rows(self) -> NDArray[np.int64]:
        """Rows that are learnt from."""
        return np.flatnonzero(self.used & ~self.test)

    @property
    def test_rows(self) -> NDArray[np.int64]:
        """Rows that are judged."""
        return np.flatnonzero(self.used & self.test)

    @property
    def key(self) -> str:
        """Sixteen hex digits that name the split."""
        return hashlib.sha256(self.test.tobytes() + self.used.tobytes() + self.group.tobytes()).hexdigest()[:16]


def make_parts(data: Labelled, *, by: str = "auto", seed: int = 0) -> Parts:
    """Split labelled images 80/20.

    Args:
        data: the images.
        by: "auto", "id" (hash of the image's id), or what must not be torn apart, see `aqqua curate splits`.
        seed: of all but "id".

    Raises:
        UnknownNameError: there is no such way.
        ConfigError: one of the two parts is empty.
    """
    if by not in WAYS:
        raise UnknownNameError("way to split", by, WAYS)
    own = _own_split(data)
    chosen = _best(data, own) if by == "auto" else by
    if chosen == "id":
        return _checked(_by_id(data), data)
    found = grouped(data.images.datasets, chosen, honour=own)
    rows = data.images.table.with_columns(pl.col("dataset").cast(pl.UInt16)).join(
        found.table.select("dataset", "uid", "group"), on=["dataset", "uid"], how="left", maintain_order="left"
    )
    names, group = np.unique(rows["group"].to_numpy(), return_inverse=True)
    group = group.astype(np.int64)
    fixed = np.where(found.fixed[names] == 1, 0, found.fixed[names]).astype(np.int8)
    part = allot(group, data.label, (1 - TEST_SHARE, 0.0, TEST_SHARE), fixed=fixed, seed=seed)[group]
    told = f"80/20 by {'copies of one image' if chosen == 'cluster' else chosen}, {len(names):,} groups"
    told += "; the source's own test set" if own else ""
    return _checked(Parts(part == 2, np.ones(len(part), bool), group, chosen, told), data)


def write_parts(path: Path, parts: Parts, data: Labelled) -> None:
    """Write the split as Parquet: `dataset` (uuid), `uid`, `object_id`, `part`, `group`."""
    from aqqua.store.atomic import whole

    uuids = pl.Series([ds.uuid for ds in data.images.datasets])
    table = data.images.table.select(
        uuids[data.images.table["dataset"].to_list()].alias("dataset"),
        "uid",
        "object_id",
        part=pl.Series(np.where(parts.test, "test", "train")),
        group=pl.Series(parts.group),
    )
    with whole(path) as place:
        table.filter(pl.Series(parts.used)).write_parquet(place)


def read_parts(path: Path | str, data: Labelled) -> Parts:
    """Read a split: Parquet or CSV with `uid` or `object_id`, and `part` or `split` (train, val, test).

    Raises:
        NotFoundError: there is no such file.
        FormatError: it is no such table.
        ConfigError: one of the two parts is empty.
    """
    table = _read(Path(path))
    key = next((name for name in ("uid", "object_id") if name in table.columns), None)
    part = next((name for name in ("part", "split") if name in table.columns), None)
    do = "columns: uid or object_id, and part (train, val or test)"
    if key is None or part is None:
        raise FormatError("this table is no split", where=path, do=do)
    if odd := set(table[part].cast(pl.String).unique().to_list()) - set(_NAMES):
        raise FormatError(f"the split has a part called {sorted(map(str, odd))[0]}", where=path, do=do)
    mine = data.images.table.select(dataset_=pl.col("dataset"), key=pl.col(key).cast(pl.String))
    on = ["key"]
    told = table.select(key=pl.col(key).cast(pl.String), part=pl.col(part).cast(pl.String), **_optional(table))
    if "dataset" in told.columns:
        uuids = pl.Series([ds.uuid for ds in data.images.datasets])
        mine, on = mine.with_columns(dataset=uuids[mine["dataset_"].to_list()]), ["dataset", "key"]
    told = told.unique(on, keep="first", maintain_order=True)
    both = mine.join(told, on=on, how="left", maintain_order="left")
    used = both["part"].is_not_null().to_numpy()
    test = both["part"].fill_null("train").replace_strict(_NAMES, return_dtype=pl.Boolean).to_numpy()
    group = both["group"].rank("dense").cast(pl.Int64).fill_null(-1).to_numpy() if "group" in both.columns else None
    given = np.arange(len(used)) if group is None else group
    return _checked(Parts(test, used, given.astype(np.int64), "given", f"as in {Path(path).name}"), data)


def _optional(table: pl.DataFrame) -> dict[str, pl.Expr]:
    return {name: pl.col(name).cast(pl.String) for name in ("dataset", "group") if name in table.columns}


def _read(path: Path) -> pl.DataFrame:
    if not path.is_file():
        raise NotFoundError("there is no such split", where=path, do="aqqua bench writes one beside its report")
    try:
        return pl.read_csv(path) if path.suffix.lower() == ".csv" else pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise FormatError(f"the split cannot be read: {error}", where=path) from error


def _own_split(data: Labelled) -> bool:
    """Whether the sources have a test set of their own, and something beside it."""
    known = [upstream_parts(ds)["upstream"].unique().to_list() for ds in data.images.datasets]
    parts = {part for some in known for part in some}
    return 2 in parts and 0 in parts


def _best(data: Labelled, own: bool) -> str:
    """Samples where there are some, the source's own test set, copies where they are known, else the id."""
    known = data.sample[data.sample >= 0]
    if not own and len(known) > 0.9 * len(data) and len(np.unique(known)) >= _ENOUGH_SAMPLES:
        return "sample"
    copies = any((ds.path / "duplicates" / "duplicates.parquet").is_file() for ds in data.images.datasets)
    return "cluster" if own or copies else "id"


def _by_id(data: Labelled) -> Parts:
    """A function of the id alone, so that it is the same in every run and on every machine."""
    from xxhash import xxh3_64_intdigest

    fold = np.array([xxh3_64_intdigest(str(name).encode()) % 5 for name in data.column("object_id")])
    everybody = np.arange(len(fold), dtype=np.int64)
    return Parts(fold == 0, np.ones(len(fold), bool), everybody, "id", "80/20 by hash of the image id")


def _checked(parts: Parts, data: Labelled) -> Parts:
    if not len(parts.train_rows) or not len(parts.test_rows):
        where = ", ".join(str(ds.path) for ds in data.images.datasets)
        left = f"{len(parts.train_rows)} images to learn from, {len(parts.test_rows)} to judge"
        told = f"the split ({parts.told}) leaves {left}"
        raise ConfigError(told, where=where, do="try another way: --by id")
    return parts
