"""What `aqqua check` prints: findings by kind, what was rejected, what was overruled."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aqqua.metadata.check import Finding

__all__ = ["missing_rows", "overruled", "print_findings", "report"]

_COLOURS = {"error": "red", "warning": "yellow", "info": "cyan"}


def report(
    datasets: Sequence[Path],
    level: int,
    limits: Path | None,
    bathymetry: Path | None,
    file: Path | None,
    *,
    everything: bool,
) -> bool:
    """Check datasets and print what is found.

    Args:
        datasets: the datasets.
        level: how deep.
        limits: file of thresholds.
        bathymetry: grid of heights.
        file: for the findings as JSON.
        everything: each finding with all its samples, instead of one line per kind.

    Returns:
        Whether there are errors.
    """
    from aqqua.store.check import check, grouped

    findings = check(datasets, level=level, limits=limits, bathymetry=bathymetry)
    if file is not None:
        from aqqua.store.atomic import write_json

        write_json(file, {"datasets": [str(path) for path in datasets], "findings": _plain(findings)})
    print_findings(findings if everything else grouped(findings), everything=everything)
    return any(finding.severity == "error" for finding in findings)


def overruled(datasets: Sequence[Path], code: str, sample: str | None, because: str, by: str, *, uphold: bool) -> None:
    """Record for each dataset that a flag does not hold, or holds again."""
    from aqqua.store.check import overrule_flag

    for path in datasets:
        entry = overrule_flag(path, code, because, sample=sample, by=by, uphold=uphold)
        of = f" of sample {entry.sample}" if entry.sample else ""
        print(f"{path.name}: {code}{of} {'holds again' if uphold else 'is overruled'}: {entry.reason}")


def missing_rows(datasets: Sequence[Path], table: Path) -> None:
    """Print what was rejected and why, and write the table to fill in."""
    from aqqua.errors import ConfigError
    from aqqua.store.check import reject_summary, write_missing

    if len(datasets) != 1:
        raise ConfigError("a table of what is missing is for one dataset", do="aqqua check DATASET --missing fix.csv")
    for group in reject_summary(datasets[0]):
        print(f"{group.count:,} × {group.reason}\n    → {group.do}\n    first: {'; '.join(group.examples)}")
    rows = write_missing(datasets[0], table)
    if not rows:
        print("nothing is missing that a table could supply")
    else:
        print(f"{table}: {rows:,} rows to fill in; then  aqqua ingest SOURCE… {datasets[0].name} --fix {table}")


def print_findings(findings: Sequence[Finding], *, everything: bool = False) -> None:
    """Print findings, the gravest first.

    Args:
        findings: to print.
        everything: name all samples.
    """
    from rich.console import Console
    from rich.markup import escape

    out = Console(highlight=False, soft_wrap=True)
    if not findings:
        out.print("[green]Nothing to complain about.[/]")
    for finding in findings:
        where = f"  [dim]{escape(finding.where)}[/]" if finding.where else ""
        many = f" (×{finding.count:,})" if finding.count > 1 else ""
        code = f"  [dim]{escape(finding.code)}[/]"
        colour = _COLOURS[finding.severity]
        out.print(f"[{colour}]{finding.severity:8}[/] {escape(finding.message)}{many}{where}{code}")
        if finding.do:
            out.print(f"         [dim]→ {escape(finding.do)}[/]")
        for name, count in finding.samples if everything else ():
            out.print(f"           {escape(name)} ×{count:,}")


def _plain(findings: Sequence[Finding]) -> list[dict[str, object]]:
    told = [finding.to_dict() for finding in findings]
    return [json.loads(json.dumps(entry)) for entry in told]
