"""What looks wrong or odd in harmonised metadata: findings, never exceptions."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import polars as pl

__all__ = ["Finding", "Severity", "check_rows"]

Severity = Literal["error", "warning", "info"]


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
    """

    severity: Severity
    code: str
    message: str
    where: str = ""
    count: int = 1
    do: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The finding as plain values for JSON."""
        return asdict(self)


def check_rows(frame: pl.DataFrame) -> list[Finding]:
    """Check Converted Metadata, a whole dataset or part of one.

    Args:
        frame: columns of Converted Metadata; checks whose columns are missing are left out.

    Returns:
        Findings, the gravest first.
    """
    return []
