"""Taking out what its owner no longer wants to share: a source, a sample, or single images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from aqqua.errors import ConfigError, FormatError, UnknownNameError
from aqqua.store.commit import commit_tombstones
from aqqua.store.dataset import Dataset
from aqqua.store.moves import read_withdrawn
from aqqua.store.rows import reading
from aqqua.store.uid import uid_expr

__all__ = ["WithdrawReport", "chosen", "read_uids", "withdraw"]

_MAX_UIDS_BYTES = 1 << 30


@dataclass(frozen=True)
class WithdrawReport:
    """What was withdrawn.

    Args:
        images: how many images were taken out now.
        before: how many of those meant had been taken out before.
        dataset: the dataset without them.
    """

    images: int
    before: int
    dataset: Dataset

    def __str__(self) -> str:
        """A sentence or two."""
        text = f"{self.images:,} images withdrawn, {len(self.dataset):,} remain (snapshot {self.dataset.snapshot})"
        text += f"; {self.before:,} had been withdrawn before" if self.before else ""
        if not self.images:
            return text
        return f"{text}\nTheir bytes are still in the sealed files: aqqua dataset compact {self.dataset.path}"


def withdraw(
    dataset: Path | str | Dataset,
    *,
    reason: str,
    source: str | None = None,
    sample: str | None = None,
    uids: Path | str | pl.Series | None = None,
) -> WithdrawReport:
    """Take images out of all views of a dataset; from this moment on nobody is shown or given them.

    Args:
        dataset: the dataset.
        reason: why, in words; it is kept.
        source: all images of this raw source (as `shards` name it).
        sample: all images of this sample; with `source`, only those of that source.
        uids: single images: a series, or a Parquet, CSV or text file with one uid a line.

    Raises:
        ConfigError: nothing is chosen, or no reason given.
        UnknownNameError: there is no such source or sample.
        NotFoundError: an image is not in the dataset.
    """
    opened = dataset if isinstance(dataset, Dataset) else Dataset.open(dataset)
    if not reason.strip():
        raise ConfigError("images can only be withdrawn for a reason", do='say why: --reason "the owner asked for it"')
    meant = chosen(opened, source=source, sample=sample, uids=uids)
    there = opened.metadata([])["uid"]
    new = meant.filter(meant.is_in(there.implode()))
    if len(new):
        commit_tombstones(opened.path, new, reason)
        opened = Dataset.open(opened.path)
    return WithdrawReport(len(new), len(meant) - len(new), opened)


def chosen(
    dataset: Dataset,
    *,
    source: str | None = None,
    sample: str | None = None,
    uids: Path | str | pl.Series | None = None,
) -> pl.Series:
    """The uids of a choice, removed images included, in storage order; arguments as for `withdraw`."""
    if (uids is None) == (source is None and sample is None):
        raise ConfigError("nothing is chosen, or too much", do="give --source and/or --sample, or --uids")
    if uids is not None:
        return _existing(dataset, uids if isinstance(uids, pl.Series) else read_uids(Path(uids)))
    sources = sorted({shard.source for shard in dataset.shards})
    gone = read_withdrawn(dataset.path, dataset.snapshot)["source"].unique().to_list()
    if source is not None and source not in sources:
        if source in gone:
            return pl.Series("uid", [], pl.UInt64)
        raise UnknownNameError("source", source, sources, where=dataset.path)
    found = _rows(dataset, source, sample)
    if sample is not None and not len(found):
        known = _rows(dataset, source, None)["sample_id"].drop_nulls().unique().sort().to_list()
        raise UnknownNameError("sample", sample, known, where=dataset.path)
    return found["uid"]


def read_uids(path: Path) -> pl.Series:
    """Uids from a file: Parquet or CSV with a column `uid`, or one number a line.

    Raises:
        FormatError: it has no uids in it.
    """
    try:
        if path.stat().st_size > _MAX_UIDS_BYTES:
            raise FormatError("a list of images larger than 1 GiB", where=path, do="split it")
        if path.suffix == ".parquet":
            return pl.read_parquet(path, columns=["uid"])["uid"].cast(pl.UInt64)
        lines = path.read_text(encoding="utf-8-sig").split()
        words = [line.split(",")[0].strip('"') for line in lines]
        return pl.Series("uid", [int(word) for word in words[words[:1] == ["uid"] :]], pl.UInt64)
    except (OSError, ValueError, TypeError, OverflowError, pl.exceptions.PolarsError) as error:
        do = "give Parquet or CSV whose first column is `uid`, or one uid a line"
        raise FormatError(f"this is no list of images ({error})", where=path, do=do) from error


def _existing(dataset: Dataset, uids: pl.Series) -> pl.Series:
    """The same uids, sorted, once each, after it was made sure that they are or were in the dataset."""
    from aqqua.errors import NotFoundError

    uids = uids.cast(pl.UInt64).unique().sort()
    counts = pl.DataFrame(
        [(shard.number, shard.n_images) for shard in dataset.shards],
        schema={"number": pl.UInt64, "count": pl.UInt64},
        orient="row",
    )
    frame = pl.DataFrame({"uid": uids, "number": uids // (1 << 32), "key": uids % (1 << 32)})
    strange = frame.join(counts, on="number", how="left").filter(pl.col("key") >= pl.col("count").fill_null(0))
    if len(strange):
        raise NotFoundError(f"there is no image {strange['uid'][0]}", where=dataset.path)
    return uids.alias("uid")


def _rows(dataset: Dataset, source: str | None, sample: str | None) -> pl.DataFrame:
    """Uid and sample of images, removed ones included."""
    parts = [pl.LazyFrame(schema={"uid": pl.UInt64, "sample_id": pl.String})]
    for shard in dataset.shards:
        if source is None or shard.source == source:
            parts.append(pl.scan_parquet(shard.converted).select(uid_expr(shard.number), "sample_id"))
    frame = pl.concat(parts)
    with reading(dataset.path):
        return (frame if sample is None else frame.filter(pl.col("sample_id") == sample)).collect()
