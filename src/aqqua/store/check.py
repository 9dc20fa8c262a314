"""The verb `check`: whatever is wrong or odd with datasets, from metadata to the last bit of an image."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from aqqua.errors import AqquaError
from aqqua.metadata.check import Finding, check_rows
from aqqua.store.dataset import Dataset
from aqqua.store.verify import verify

__all__ = ["check"]

_GRAVITY = {"error": 0, "warning": 1, "info": 2}


def check(datasets: Sequence[Path | str] | Path | str, *, level: int = 1) -> list[Finding]:
    """Say whatever is wrong or odd with datasets: what the ingests found, what the metadata show, what the files are.

    Args:
        datasets: folders of datasets.
        level: how deep the files are verified: 0 sizes, 1 structure, 2 every checksum, 3 decode every image.

    Returns:
        Findings, the gravest first; with several datasets each says in which one.

    Raises:
        NotFoundError: there is no dataset at a path.
        ConfigError: there is no such level.
    """
    paths = [datasets] if isinstance(datasets, str | Path) else list(datasets)
    findings: list[Finding] = []
    for path in paths:
        dataset = Dataset.open(path)
        found = _unique(_findings(dataset, level))
        findings += found if len(paths) == 1 else [_in(dataset, finding) for finding in found]
    return sorted(findings, key=lambda finding: _GRAVITY[finding.severity])


def _findings(dataset: Dataset, level: int) -> list[Finding]:
    of_files = verify(dataset, level)
    findings = [*of_files, *dataset.findings()]
    rejected = dataset.rejected()
    if len(rejected):
        message = f"{len(rejected)} rows of the sources did not get in; the reasons are in rejected.parquet"
        do = "read the reasons, mend the source or its card, and ingest again"
        findings.append(Finding("info", "rejected_rows", message, str(dataset.path), len(rejected), do))
    try:
        return [*findings, *check_rows(dataset.metadata())]
    except AqquaError as error:
        if any(finding.severity == "error" for finding in of_files):
            return findings  # the files already say why
        return [*findings, Finding("error", "metadata_unreadable", error.what, error.where or "", 1, error.do or "")]


def _unique(findings: Iterable[Finding]) -> list[Finding]:
    """Once each: the ingest may have said the same before."""
    return list({(finding.code, finding.where, finding.message): finding for finding in findings}.values())


def _in(dataset: Dataset, finding: Finding) -> Finding:
    if str(dataset.path) in finding.where:
        return finding
    return replace(finding, where=f"{dataset.path}: {finding.where}" if finding.where else str(dataset.path))
