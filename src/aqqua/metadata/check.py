"""What looks wrong or odd in harmonised metadata: findings, never exceptions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import polars as pl

from aqqua.metadata.check_limits import Limits

__all__ = ["CHECKED", "Finding", "Limits", "Severity", "check_rows", "in_samples", "sample_names"]

Severity = Literal["error", "warning", "info"]
_GRAVITY = {"error": 0, "warning": 1, "info": 2}

CHECKED = (
    *("sample_id", "project", "instrument", "instrument_id", "time_utc", "latitude", "longitude"),
    *("depth_min_m", "depth_max_m", "pixel_um", "volume_l", "xxh3"),
)
"""The columns of Converted Metadata that the checks look at."""


@dataclass(frozen=True)
class Finding:
    """One thing that a person should know about a dataset.

    Args:
        severity: "error" stops a release, "warning" asks for a look, "info" is only told.
        code: a stable short name, for example "position_zero".
        message: what it is, in words of the field.
        where: path, sample, row or column.
        count: how many rows it concerns.
        do: what the owner can do.
        samples: name and number of rows of each sample it concerns, where it is about samples.
    """

    severity: Severity
    code: str
    message: str
    where: str = ""
    count: int = 1
    do: str = ""
    samples: tuple[tuple[str, int], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The finding as plain values for JSON; without `samples` where there are none."""
        values = asdict(self)
        if not self.samples:
            del values["samples"]
        return values


def check_rows(
    frame: pl.DataFrame,
    *,
    labels: pl.DataFrame | None = None,
    limits: Limits | None = None,
    habitat: str = "",
    bathymetry: Path | str | None = None,
) -> list[Finding]:
    """Check Converted Metadata, a whole dataset or part of one.

    Args:
        frame: columns of Converted Metadata; checks whose columns are missing are left out. With `labels`, also `uid`.
        labels: current labels: `uid`, `taxon`, `status`; without them nothing is said of artefacts and validation.
        limits: the thresholds; None for the usual ones.
        habitat: of the card; in fresh water a position on land is a warning, not an error.
        bathymetry: a grid of heights; None: depths are not compared with the sea floor.

    Returns:
        Findings, the gravest first.

    Raises:
        NotFoundError: there is no such bathymetry.
    """
    from aqqua.metadata import check_places, check_samples, check_values

    limits = limits or Limits()
    if not frame.height:
        return []
    found = [
        *check_values.findings(frame, limits),
        *check_samples.findings(frame, labels, limits),
        *check_places.findings(frame, limits, habitat=habitat, bathymetry=bathymetry),
    ]
    return sorted(found, key=lambda finding: _GRAVITY[finding.severity])


def in_samples(
    frame: pl.DataFrame, mask: pl.Expr | None, severity: Severity, code: str, told: str, do: str
) -> Iterator[Finding]:
    """A finding where a condition holds, with the samples it holds in.

    Args:
        frame: the rows.
        mask: the condition; None if it holds in all rows.
        severity: of the finding.
        code: of the finding.
        told: message of the finding.
        do: what to do about it.
    """
    hit = frame if mask is None else frame.filter(mask)
    if hit.height:
        samples = _counts(hit)
        yield Finding(severity, code, told, sample_names(samples), hit.height, do, samples)


def _counts(frame: pl.DataFrame) -> tuple[tuple[str, int], ...]:
    if "sample_id" not in frame.columns:
        return ()
    rows = frame.filter(pl.col("sample_id").is_not_null()).group_by("sample_id").len().sort("sample_id")
    return tuple(rows.iter_rows())


def sample_names(samples: tuple[tuple[str, int], ...]) -> str:
    """The first samples in words."""
    more = f" and {len(samples) - 3} more samples" if len(samples) > 3 else ""
    return ", ".join(name for name, _ in samples[:3]) + more
