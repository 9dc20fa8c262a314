"""Mistakes put into the raw sources on purpose, and written into the truth: readers must find exactly these."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aqqua.ocean.chance import named_rng

__all__ = ["FLAWS", "Flaw", "FlawKind", "choose", "cut_short"]

Row = dict[str, Any]


@dataclass(frozen=True)
class FlawKind:
    """One kind of mistake.

    Args:
        name: short name.
        instrument: in whose source it is made.
        field: field of Converted Metadata that suffers, or "image".
        expected: what a good reader does: "rejected" or "repaired".
        told: what was done.
        spoil: changes the row of the table, if that is where the mistake is.
    """

    name: str
    instrument: str
    field: str
    expected: str
    told: str
    spoil: Callable[[Row], None] | None = None


@dataclass(frozen=True)
class Flaw:
    """A mistake that was made.

    Args:
        kind: which.
        source: name of the source.
        object_id: of the object concerned.
        image_path: of its image, within the source.
    """

    kind: FlawKind
    source: str
    object_id: str
    image_path: str


def _swap_depths(row: Row) -> None:
    row["object_depth_min"], row["object_depth_max"] = row["object_depth_max"], row["object_depth_min"]


FLAWS = (
    FlawKind("missing_latitude", "isiis", "latitude", "rejected", "the cell of the latitude is empty",
             lambda row: row.update(latitude=None)),
    FlawKind("corrupt_image", "isiis", "image", "rejected", "the file of the image ends after 60 % of its bytes"),
    FlawKind("swapped_depths", "zooscan", "depth_min_m", "repaired", "minimum and maximum depth are exchanged",
             _swap_depths),
    FlawKind("impossible_date", "planktoscope", "time_utc", "rejected", "the date is the 31st of February",
             lambda row: row.update(object_date="2024-02-31")),
    FlawKind("not_in_table", "spc", "latitude", "rejected", "the image has no row in the table"),
)  # fmt: skip


def choose(kind: FlawKind, objects: Sequence[str], seed: int) -> str | None:
    """The object that a mistake is made with; None if there are too few (less than four)."""
    if len(objects) < 4:
        return None
    return str(objects[int(named_rng(seed, "flaw", kind.name).integers(len(objects)))])


def cut_short(path: Path) -> None:
    """Leave 60 % of a file."""
    data = path.read_bytes()
    path.write_bytes(data[: int(0.6 * len(data))])
