"""Rows of a part on their way into a shard, with what was read for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import polars as pl

from aqqua.sources.pixels import Picture
from aqqua.store.codec import Record

__all__ = ["Block"]


@dataclass
class Block:
    """Some rows on their way into a shard.

    Args:
        rows: of Converted Metadata, with `_row`.
        raw: of Raw Metadata, the same rows.
        labels: of these rows; `_row` counts from the first one.
        numbers: which rows have an image that was encoded, in order, since the block was last cleared.
        records: their images.
        channel_names: of them.
        masks: of them, encoded; None where there is none.
        nbytes: of all records.
    """

    rows: pl.DataFrame
    raw: pl.DataFrame
    labels: pl.DataFrame
    numbers: list[int] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    channel_names: list[str | None] = field(default_factory=list)
    masks: list[bytes | None] = field(default_factory=list)
    nbytes: int = 0

    @classmethod
    def of(cls, rows: pl.DataFrame, raw: pl.DataFrame, labels: pl.DataFrame) -> Block:
        """Put together what belongs to some rows.

        Args:
            rows: of Converted Metadata; `_row` says which row of `raw` each is.
            raw: the whole table of the part.
            labels: of the whole table, in the order of their `_row`.
        """
        numbers = rows["_row"]
        first, last = labels["_row"].search_sorted(numbers[0]), labels["_row"].search_sorted(numbers[-1], "right")
        return cls(rows, raw[numbers], _renumbered(labels[first:last], numbers))

    def take(self, number: int, encoded: Record, picture: Picture, mask: bytes | None = None) -> None:
        """Remember the image of a row, and its mask."""
        self.numbers.append(number)
        self.records.append(encoded)
        self.masks.append(mask)
        self.channel_names.append(_channel_names(self._given(number), encoded.channels, picture))
        self.nbytes += len(encoded.value)

    def tables(self) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
        """Converted and raw rows of the records, and their labels by position."""
        names = pl.Series("channel_names", self.channel_names, pl.String)
        said = _renumbered(self.labels, pl.Series(self.numbers, dtype=pl.UInt32))
        return self.rows[self.numbers].drop("_row").with_columns(names), self.raw[self.numbers], said

    def clear(self) -> None:
        """Forget what was handed on."""
        self.numbers, self.records, self.channel_names, self.masks, self.nbytes = [], [], [], [], 0

    def _given(self, number: int) -> str | None:
        """What the table says about the channels of a row."""
        return self._names[number] if self._names else None

    @cached_property
    def _names(self) -> list[str | None]:
        return self.raw["channel_names"].to_list() if "channel_names" in self.raw.columns else []


def _renumbered(labels: pl.DataFrame, rows: pl.Series) -> pl.DataFrame:
    """The labels of some rows; `_row` becomes the position among them."""
    place = pl.DataFrame({"_row": rows.cast(pl.UInt32)}).with_row_index("_place")
    found = labels.join(place, on="_row", how="inner", maintain_order="left")
    return found.with_columns(_row=pl.col("_place").cast(pl.UInt32)).drop("_place")


def _channel_names(given: str | None, channels: int, picture: Picture) -> str | None:
    """Names of the channels by the table, if there is one for each, else by the file."""
    return given if given and channels > 1 and given.count(",") == channels - 1 else picture.channel_names
