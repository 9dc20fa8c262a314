"""How far the collection is: images by instrument and on the map, gathered and pledged.

What is gathered is counted in the datasets as they are now, so that whatever was withdrawn is gone from the numbers;
what is pledged is what submissions announce that are not ingested yet. The page needs no JavaScript.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

import polars as pl

from aqqua.collect.charts import STYLE, bars, world
from aqqua.collect.registry import Registry, State, Submission
from aqqua.store.dataset import Dataset

__all__ = ["Gathered", "Pledged", "Progress", "count", "progress_html"]

_PLEDGED = {State.SUBMITTED, State.AGREED, State.TRANSFERRING}


@dataclass(frozen=True)
class Gathered:
    """A dataset that is there.

    Args:
        title: of its card.
        images: that are not withdrawn.
        instruments: instrument → images.
        places: latitude, longitude (rounded to a degree) and images of each place.
        licence: of its card.
    """

    title: str
    images: int
    instruments: dict[str, int]
    places: list[tuple[float, float, int]]
    licence: str


@dataclass(frozen=True)
class Pledged:
    """What a submission announces.

    Args:
        title: as it shall be cited.
        images: about how many.
        instrument: that took them.
        area: south, west, north, east in degrees, if it was said.
    """

    title: str
    images: int
    instrument: str
    area: list[float] | None


@dataclass(frozen=True)
class Progress:
    """The state of the collection.

    Args:
        gathered: datasets that are there.
        pledged: submissions whose images are still to come.
        counted_utc: when it was counted.
    """

    gathered: list[Gathered]
    pledged: list[Pledged]
    counted_utc: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="minutes"))

    @property
    def images(self) -> int:
        """Images that are there."""
        return sum(one.images for one in self.gathered)

    @property
    def instruments(self) -> list[tuple[str, int, int]]:
        """Instrument, images gathered, images pledged; the largest first."""
        found: dict[str, list[int]] = {}
        for one in self.gathered:
            for name, images in one.instruments.items():
                found.setdefault(name, [0, 0])[0] += images
        for pledge in self.pledged:
            found.setdefault(pledge.instrument, [0, 0])[1] += pledge.images
        rows = [(name, there, due) for name, (there, due) in found.items()]
        return sorted(rows, key=lambda row: (-row[1] - row[2], row[0]))

    def to_dict(self) -> dict[str, Any]:
        """All of it, ready for JSON; people are not in it."""
        table = [{"instrument": name, "gathered": there, "pledged": due} for name, there, due in self.instruments]
        return {**asdict(self), "images": self.images, "instruments": table}


def count(registry: Registry | None = None, datasets: Iterable[Path | str] = ()) -> Progress:
    """Count what is there and what is announced.

    Args:
        registry: whose submissions count: their datasets as gathered, the others as pledged.
        datasets: further datasets, and folders with datasets in them.
    """
    submissions = registry.all() if registry else []
    known = {path.resolve() for one in submissions for path in _dataset_of(one)}
    known |= {found.resolve() for path in datasets for found in _datasets_at(Path(path))}
    gathered = [made for path in sorted(known) if (made := _gathered(Dataset.open(path))).images]
    pledged = [_pledged(one) for one in submissions if one.state in _PLEDGED and not _dataset_of(one)]
    return Progress(gathered, pledged)


def progress_html(progress: Progress, *, embed: bool = False, home: str = "") -> str:
    """The progress page: numbers as a table, bars on a plain and a logarithmic scale, a map; no JavaScript.

    Args:
        progress: what was counted.
        embed: without the frame of a page of its own, to be shown within another.
        home: address of the page it belongs to, to go back to.
    """
    rows = progress.instruments
    due = sum(pledge.images for pledge in progress.pledged)
    here, announced = _many(len(progress.gathered), "dataset"), _many(len(progress.pledged), "submission")
    lead = (
        f"<p class=lead><strong>{progress.images:,}</strong> images in {here} are here; "
        f"<strong>{due:,}</strong> in {announced} are pledged.</p>"
    )
    places = [place for one in progress.gathered for place in one.places]
    areas = [pledge.area for pledge in progress.pledged if pledge.area]
    body = (
        f"<main><h1>How far the collection is</h1>{lead}"
        f"<section><h2>Images by instrument</h2>{_scales(rows)}</section>"
        f"<section><h2>Where they come from</h2>{world(places, areas)}<p class=key><span class=here></span> "
        "samples that are here <span class=due></span> areas pledged</p></section>"
        f"<section><h2>The numbers</h2>{_table(rows)}</section>"
        f"<p class=when>Counted {escape(progress.counted_utc[:16].replace('T', ' '))} UTC, in the datasets as "
        "they are: what was withdrawn is not in these numbers.</p></main>"
    )
    kind = " class=embed" if embed else ""
    way_back = f'<nav class=home><a href="{escape(home)}">AqQua data desk</a></nav>' if home and not embed else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset=utf-8><meta name=viewport content="width=device-width">'
        '<link rel=icon href="data:,">'
        f"<title>AqQua: how far the collection is</title><style>{STYLE}</style></head>"
        f"<body{kind}>{way_back}{body}</body></html>"
    )


def _table(rows: Sequence[tuple[str, int, int]]) -> str:
    head = "<tr><th scope=col>Instrument</th><th scope=col>Images here</th><th scope=col>Pledged</th></tr>"
    body = "".join(
        f"<tr><th scope=row>{escape(name)}</th><td>{there:,}</td><td>{due:,}</td></tr>" for name, there, due in rows
    )
    return f"<table><thead>{head}</thead><tbody>{body}</tbody></table>"


def _scales(rows: Sequence[tuple[str, int, int]]) -> str:
    """The bars twice, and a switch that needs no script."""
    if not rows:
        return "<p>Nothing yet: the first dataset makes the first bar.</p>"
    return (
        "<div class=scales><input type=radio name=scale id=plain checked><label for=plain>linear</label>"
        "<input type=radio name=scale id=log><label for=log>logarithmic</label>"
        f"<div class=plain>{bars(rows)}</div><div class=log>{bars(rows, logarithmic=True)}</div></div>"
    )


def _dataset_of(one: Submission) -> list[Path]:
    path = one.facts.get("dataset")
    return [Path(path)] if path and one.state is not State.WITHDRAWN and Dataset.is_at(path) else []


def _datasets_at(path: Path) -> list[Path]:
    if Dataset.is_at(path):
        return [path]
    return sorted(inner for inner in path.iterdir() if Dataset.is_at(inner)) if path.is_dir() else []


def _gathered(dataset: Dataset) -> Gathered:
    frame = dataset.lazy().select("instrument", "latitude", "longitude")
    names = frame.group_by(pl.col("instrument").fill_null("not said")).len().sort("instrument").collect()
    rounded = frame.select(pl.col("latitude").round(0), pl.col("longitude").round(0))
    places = rounded.drop_nulls().group_by("latitude", "longitude").len().sort("latitude", "longitude").collect()
    title = dataset.card.title or dataset.path.name
    return Gathered(title, len(dataset), dict(names.iter_rows()), list(places.iter_rows()), dataset.card.licence)


def _pledged(one: Submission) -> Pledged:
    said = one.answers
    name = said.get("instrument", "not said")
    instrument = str(said.get("instrument_other", "another")) if name == "other" else str(name)
    return Pledged(one.title, int(said.get("images", 0)), instrument, said.get("area"))


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"
