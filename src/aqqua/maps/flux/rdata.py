"""Data frames in R's `.Rdata` files, read as data: nothing in them is ever executed.

The format is R's serialization (R Internals, section 1.8) in its binary form, "RDX2" or "RDX3", gzip around it. Only
what a data frame is made of is read: numbers, texts, factors, lists and attributes. Anything else – functions,
environments, promises – is refused.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from aqqua.errors import FormatError, NotFoundError, UnsafeInputError

__all__ = ["read_rdata"]

_MOST_BYTES = 1 << 30
_DEEPEST = 64
_SYMBOL, _PAIRS, _TEXT, _LOGICAL, _INTEGER, _REAL, _TEXTS, _LIST = 1, 2, 9, 10, 13, 14, 16, 19
_NIL, _REFERENCE = 254, 255
_NA_INTEGER = -(2**31)
_DAMAGE = (struct.error, zlib.error, EOFError, OSError, ValueError, LookupError, TypeError, OverflowError)
"""What damaged bytes can end in."""


@dataclass
class _Value:
    """A vector of R with its attributes."""

    data: Any
    attributes: dict[str, Any]


def read_rdata(path: Path | str) -> dict[str, pl.DataFrame]:
    """The data frames of a file, by the names they were saved under.

    Args:
        path: an `.Rdata` (`.rda`) file.

    Returns:
        Name → table; factors are texts, times (POSIXct) are UTC, missing values are null.

    Raises:
        NotFoundError: there is no such file.
        FormatError: it is no such file, or holds other things than data frames.
        UnsafeInputError: it claims more than a gigabyte.
    """
    path = Path(path)
    if not path.is_file():
        raise NotFoundError("there is no such file of R", where=path)
    try:
        saved = _Reader(_unpacked(path), path).saved()
        frames = {name: _frame(value) for name, value in saved.items() if isinstance(value, _Value)}
    except (*_DAMAGE, pl.exceptions.PolarsError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"this is no readable file of R ({error})", where=path) from error
    return {name: frame for name, frame in frames.items() if frame is not None}


def _unpacked(path: Path) -> bytes:
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    with gzip.open(path) if packed else path.open("rb") as file:
        content: bytes = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise UnsafeInputError("the file unpacks to more than a gigabyte", where=path)
    return content


class _Reader:
    """A walk through the bytes, one object after the other."""

    def __init__(self, content: bytes, where: Path) -> None:
        self.content, self.at, self.where = content, 0, where
        self.symbols: list[str] = []

    def saved(self) -> dict[str, Any]:
        """What was saved, by name."""
        head = self._bytes(7)
        if head not in {b"RDX2\nX\n", b"RDX3\nX\n"}:
            raise FormatError("this is no .Rdata file in R's binary form", where=self.where, do="save(…) it again in R")
        version = self._integer()
        self._integer(), self._integer()
        if version == 3:
            self._bytes(self._integer())
        pairs = self._item(0)
        if not isinstance(pairs, dict):
            raise FormatError("this file of R holds one object without a name", where=self.where, do="use save(…) in R")
        return pairs

    def _bytes(self, count: int) -> bytes:
        if count < 0 or self.at + count > len(self.content):
            raise FormatError("the file of R ends too early", where=self.where, do="copy it again")
        part = self.content[self.at : self.at + count]
        self.at += count
        return part

    def _integer(self) -> int:
        return int(struct.unpack(">i", self._bytes(4))[0])

    def _item(self, depth: int) -> Any:
        if depth > _DEEPEST:
            raise UnsafeInputError("the file of R is nested deeper than any table", where=self.where)
        flags = self._integer()
        kind = flags & 0xFF
        if kind == _PAIRS:
            return self._pairs(flags, depth)
        if kind in {_NIL, _SYMBOL, _REFERENCE, _TEXT}:
            return self._name(kind, flags, depth)
        data = self._vector(kind, depth)
        attributes = self._item(depth + 1) if flags & 0x200 else {}
        return _Value(data, attributes if isinstance(attributes, dict) else {})

    def _name(self, kind: int, flags: int, depth: int) -> str | None:
        if kind == _NIL:
            return None
        if kind == _SYMBOL:
            self.symbols.append(str(self._item(depth + 1)))
            return self.symbols[-1]
        if kind == _REFERENCE:
            return self.symbols[(flags >> 8) - 1]
        length = self._integer()
        return None if length == -1 else self._bytes(length).decode("utf-8", "replace")

    def _pairs(self, flags: int, depth: int) -> dict[str, Any]:
        pairs: dict[str, Any] = {}
        while flags & 0xFF == _PAIRS:
            if flags & 0x200:
                self._item(depth + 1)
            name = str(self._item(depth + 1)) if flags & 0x400 else ""
            pairs[name] = self._item(depth + 1)
            flags = self._integer()
        return pairs

    def _vector(self, kind: int, depth: int) -> Any:
        if kind not in {_LOGICAL, _INTEGER, _REAL, _TEXTS, _LIST}:
            what = f"this file of R holds something that is no table (type {kind})"
            raise FormatError(
                what, where=self.where, do="save the data frame alone, without tibble columns of R objects"
            )
        length = self._integer()
        if kind == _REAL:
            return np.frombuffer(self._bytes(8 * length), ">f8").astype(np.float64)
        if kind in {_INTEGER, _LOGICAL}:
            return np.frombuffer(self._bytes(4 * length), ">i4").astype(np.int64)
        if length > len(self.content):
            raise UnsafeInputError("the file of R claims more values than it has bytes", where=self.where)
        return [self._item(depth + 1) for _ in range(length)]


def _frame(value: _Value) -> pl.DataFrame | None:
    """A data frame, None for anything else."""
    names = value.attributes.get("names")
    if "data.frame" not in _texts(value.attributes.get("class")) or not isinstance(names, _Value):
        return None
    return pl.DataFrame([_column(str(name), one) for name, one in zip(names.data, value.data, strict=True)])


def _column(name: str, value: _Value) -> pl.Series:
    classes = _texts(value.attributes.get("class"))
    if "factor" in classes:
        levels = [None, *_texts(value.attributes.get("levels"))]
        return pl.Series(name, [levels[code] if 0 < code < len(levels) else None for code in value.data], pl.String)
    if isinstance(value.data, list):
        return pl.Series(name, value.data, pl.String)
    if value.data.dtype == np.int64:
        series = pl.Series(name, value.data)
        return series.set(series == _NA_INTEGER, None)
    series = pl.Series(name, value.data).fill_nan(None)
    if "POSIXct" in classes:
        sane = pl.when(series.abs() < 1e11).then(series * 1000)  # years 1200 to 5138
        return pl.select(sane.cast(pl.Int64).cast(pl.Datetime("ms", "UTC")).alias(name)).to_series()
    return series


def _texts(value: Any) -> list[str]:
    return [str(one) for one in value.data] if isinstance(value, _Value) else []
