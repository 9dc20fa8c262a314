"""What an ingest may do about copies and burnt-in scale bars: the one place where readers meet curation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import polars as pl

from aqqua.curate.content import cut
from aqqua.curate.variants import as_reasons, keep_raw, name_groups
from aqqua.errors import ConfigError
from aqqua.metadata.check import Finding
from aqqua.sources.part import Part
from aqqua.sources.pixels import Picture

__all__ = ["Curation", "Variants"]

Variants = Literal["keep-raw", "all"]
_DO = "nothing: the raw image came in; --variants all takes every copy"


@dataclass(frozen=True)
class Curation:
    """How an ingest treats copies of one image, and footers.

    Args:
        variants: "keep-raw" sets copies aside where it is certain that they are copies, "all" takes every image.
        cut_footers: store the picture without its burnt-in scale bar; else pixels come in bit for bit.
    """

    variants: Variants = "keep-raw"
    cut_footers: bool = False

    def __post_init__(self) -> None:
        if self.variants not in {"keep-raw", "all"}:
            raise ConfigError(f"variants={self.variants!r}", do="say keep-raw or all")

    @property
    def key(self) -> str:
        """Goes into the fingerprint of a source: nothing for what is usual."""
        return "" if self == Curation() else f"{self.variants}/{self.cut_footers}"

    def marked(self, part: Part, frame: pl.DataFrame, findings: list[Finding]) -> pl.DataFrame:
        """Rows of a part, with the reason why where one is a copy of another (see `PROBLEM`).

        Args:
            part: reads the pixels of those that may be copies, by their names.
            frame: its rows.
            findings: what is noticed is added here.
        """
        usable = frame.with_row_index("_place").filter(pl.col("_reason").is_null())
        if self.variants == "all" or "image_path" not in frame.columns or not name_groups(usable):
            return frame
        aside = keep_raw(usable, lambda rows: _pixels(part, usable[list(rows)]))
        findings += aside.findings
        told = as_reasons(aside.variants, usable["image_path"].to_list())
        if not told:
            return frame
        places = usable["_place"].to_list()
        reasons: list[str | None] = frame["_reason"].to_list()
        for row, reason in told.items():
            reasons[places[row]] = reason
        copy = pl.Series([reason != old for reason, old in zip(reasons, frame["_reason"], strict=True)])
        return frame.with_columns(
            pl.when(copy).then(pl.lit("variant")).otherwise("_field").alias("_field"),
            pl.Series("_reason", reasons, pl.String),
            pl.when(copy).then(pl.lit(_DO)).otherwise("_do").alias("_do"),
        )

    def picture(self, picture: Picture) -> Picture:
        """The picture as it is to be stored."""
        return replace(picture, pixels=cut(picture.pixels)) if self.cut_footers else picture

    def told(self, count: int) -> list[Finding]:
        """What to say about `count` images that were cut."""
        told = "images had a scale bar or footer, which was cut off (--cut-footers)"
        return [Finding("info", "footers_cut", told, count=count)] if count else []


def _pixels(part: Part, rows: pl.DataFrame) -> Iterator[object]:
    """Pixels of rows, or the error that says why there are none."""
    for picture in part.pictures(rows):
        yield picture.pixels if isinstance(picture, Picture) else picture
