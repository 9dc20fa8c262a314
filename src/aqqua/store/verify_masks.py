"""Verification of masks, level by level like that of the shards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from aqqua.errors import AqquaError
from aqqua.metadata.check import Finding
from aqqua.store.atomic import digest_of
from aqqua.store.codec import decode
from aqqua.store.manifest import Shard
from aqqua.store.masks import MaskFile, mask_names, mask_path

if TYPE_CHECKING:
    from aqqua.store.dataset import Dataset

__all__ = ["verify_masks"]

_DO = "copy the file again from where the dataset came from, or make the masks again"
_NAMED = 5


def verify_masks(dataset: Dataset, level: int) -> Iterator[Finding]:
    """Check all masks of the shards; of one file the first level at which something is wrong is told."""
    for name in mask_names(dataset.path):
        for shard in dataset.shards:
            path = mask_path(dataset.path, name, shard.number)
            try:
                file = MaskFile.of(path)
            except AqquaError as error:
                yield _error("masks_damaged", error.what, path)
                continue
            if file is not None:
                yield from _first(file, shard, level)


def _first(file: MaskFile, shard: Shard, level: int) -> Iterator[Finding]:
    for check in (_size, _structure, _bytes, _fit)[: level + 1]:
        try:
            message = check(file, shard)
        except (AqquaError, OSError) as error:
            message = error.what if isinstance(error, AqquaError) else str(error)
        if message:
            yield _error("masks_damaged", message, file.path)
            return


def _size(file: MaskFile, shard: Shard) -> str | None:
    """Level 0."""
    if file.shard != shard.identity:
        return "these masks were made for another shard"
    actual = file.path.stat().st_size if file.path.is_file() else 0
    return None if actual == file.nbytes else f"masks are {actual} bytes long, {file.nbytes} were written"


def _structure(file: MaskFile, shard: Shard) -> str | None:
    """Level 1."""
    from lmdb.verify import VerifyError, verify

    try:
        problems = verify(str(file.path), subdir=False)
    except (VerifyError, ValueError) as error:
        problems = [str(error)]
    if problems:
        return f"the LMDB file is damaged: {'; '.join(problems[:_NAMED])}"
    found = len(file.reader())
    return None if found == file.count else f"there are {found} masks, {file.count} were written"


def _bytes(file: MaskFile, shard: Shard) -> str | None:
    """Level 2."""
    return None if digest_of(file.path) == file.xxh3 else "the file of masks is not as it was written (checksum)"


def _fit(file: MaskFile, shard: Shard) -> str | None:
    """Level 3."""
    sides = pl.read_parquet(shard.converted, columns=["height", "width"]).to_numpy()
    for key, value in file.visit():
        if key >= len(sides) or decode(value).shape != tuple(sides[key]):
            return f"a mask does not fit its image: key {key}"
    return None


def _error(code: str, message: str, path: Path) -> Finding:
    return Finding("error", code, message, str(path), 1, _DO)
