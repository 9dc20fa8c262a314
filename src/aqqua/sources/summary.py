"""What an ingest says at the end: how many came in, and what an owner can do about the rest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from aqqua.metadata.check import Finding
from aqqua.metadata.rejects import FILLABLE, group_rejects

if TYPE_CHECKING:
    from aqqua.store.dataset import Dataset

__all__ = ["IngestReport", "merge_findings", "reject_groups"]

_MOST = 12
_SEVERITIES = ("error", "warning", "info")


@dataclass(frozen=True)
class IngestReport:
    """What became of the sources.

    Args:
        images: number of images that came in.
        rejected: number of rows that did not.
        findings: what looked odd, the gravest first.
        shards: number of shards that were added.
        dataset: the dataset, as it is now.
        groups: rejected rows by reason: how many, why, what to do, and the first of them.
        skipped: sources that were in the dataset already.
    """

    images: int
    rejected: int
    findings: list[Finding]
    shards: int
    dataset: Dataset
    groups: list[Finding] = field(default_factory=list)
    skipped: list[Path] = field(default_factory=list)

    def __str__(self) -> str:
        """The report in plain text: what came in, what did not and why, what looks odd."""
        lines = [f"{self.images:,} images in {_many(self.shards, 'new shard')}: {self.dataset.path.name}/ now has "
                 f"{len(self.dataset):,} images"]  # fmt: skip
        lines += [f"{path.name} was ingested before: nothing to do" for path in self.skipped]
        if self.rejected:
            none = "no image came in: " if not self.images else ""
            lines.append(f"{none}{_many(self.rejected, 'row')} did not get in (all of them: rejected.parquet)")
            lines += _told(self.groups)
            if any(group.code.removeprefix("rejected_") in FILLABLE for group in self.groups):
                lines.append(
                    f"  a table to fill in what is missing: aqqua check {self.dataset.path.name} --missing fix.csv"
                )
        odd = [finding for finding in self.findings if finding.severity != "info"]
        if odd:
            lines += ["Please look at:", *_told(odd)]
        return "\n".join(lines)


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"


def _told(findings: Sequence[Finding]) -> list[str]:
    lines = []
    for finding in findings[:_MOST]:
        lines.append(f"  {finding.count:,} × {finding.message}")
        lines += [f"      → {finding.do}"] if finding.do else []
        lines += [f"      {finding.where}"] if finding.where else []
    if len(findings) > _MOST:
        lines.append(f"  and {len(findings) - _MOST} more: aqqua check")
    return lines


def reject_groups(rejects: pl.DataFrame) -> list[Finding]:
    """Group rejected rows by field and reason, the largest first.

    Reasons that differ only in names and numbers ("there is no image 'a.png'") are one group; the first is its example.
    """
    return [
        Finding(
            "warning", f"rejected_{group.field}", group.reason, f"first: {group.examples[0]}", group.count, group.do
        )
        for group in group_rejects(rejects, examples=1)
    ]


def merge_findings(findings: Iterable[Finding]) -> list[Finding]:
    """Say what several tables have in common only once, with the sum of their counts; the gravest first."""
    merged: dict[tuple[str, str, str], Finding] = {}
    places: dict[tuple[str, str, str], dict[str, None]] = {}
    for finding in findings:
        key = (finding.severity, finding.code, finding.message)
        places.setdefault(key, {})[finding.where] = None
        count = finding.count + (merged[key].count if key in merged else 0)
        merged[key] = replace(merged.get(key, finding), count=count)
    told = [
        replace(finding, where=_places([place for place in places[key] if place])) for key, finding in merged.items()
    ]
    return sorted(told, key=lambda finding: _SEVERITIES.index(finding.severity))


def _places(places: Sequence[str]) -> str:
    if len(places) < 2:
        return "".join(places)
    return f"{places[0]} and {len(places) - 1} more"
