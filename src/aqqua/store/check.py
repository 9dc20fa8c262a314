"""The verb `check`: whatever is wrong or odd with datasets, from metadata to the last bit of an image."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from aqqua.errors import AqquaError, ConfigError
from aqqua.metadata.check import CHECKED, Finding, Limits, check_rows
from aqqua.metadata.rejects import RejectGroup, group_rejects, missing_table
from aqqua.store.atomic import whole
from aqqua.store.dataset import Dataset
from aqqua.store.moves import read_withdrawn
from aqqua.store.overrules import Overrule, apply_overrules, overrule, read_overrules
from aqqua.store.rows import reading
from aqqua.store.verify import verify

__all__ = ["check", "grouped", "overrule_flag", "reject_summary", "write_missing"]

_GRAVITY = {"error": 0, "warning": 1, "info": 2}
_QUOTED_OR_NUMBER = re.compile(r"'[^']*'|\"[^\"]*\"|\S*[/\\]\S+|\b\d[\d,.×]*")


def check(
    datasets: Sequence[Path | str] | Path | str,
    *,
    level: int = 1,
    limits: Limits | Path | str | None = None,
    bathymetry: Path | str | None = None,
) -> list[Finding]:
    """Say whatever is wrong or odd with datasets: what the ingests found, what the metadata show, what the files are.

    Args:
        datasets: folders of datasets.
        level: how deep the files are verified: 0 sizes, 1 structure, 2 every checksum, 3 decode every image.
        limits: thresholds, or a YAML file with some of them; they win over those of the card.
        bathymetry: a grid of heights (ETOPO, GEBCO) to compare depths with.

    Returns:
        Findings, the gravest first; with several datasets each says in which one. What the owner has overruled is info.

    Raises:
        NotFoundError: there is no dataset, bathymetry or file of thresholds at a path.
        ConfigError: there is no such level, or a threshold has a wrong value.
    """
    paths = [datasets] if isinstance(datasets, str | Path) else list(datasets)
    findings: list[Finding] = []
    for path in paths:
        dataset = Dataset.open(path)
        found = _unique(_findings(dataset, level, limits, bathymetry))
        findings += found if len(paths) == 1 else [_in(dataset, finding) for finding in found]
    return sorted(findings, key=lambda finding: _GRAVITY[finding.severity])


def overrule_flag(
    dataset: Path | str, code: str, reason: str, *, sample: str | None = None, by: str = "owner", uphold: bool = False
) -> Overrule:
    """Record that a finding of the checks does not hold, for a sample or the whole dataset.

    Args:
        dataset: its folder.
        code: of the finding.
        reason: why.
        sample: only for this sample.
        by: role of who decides; no name, no address.
        uphold: instead, let it hold again.

    Raises:
        UnknownNameError: the checks find nothing of the kind.
        ConfigError: there is no reason.
    """
    opened = Dataset.open(dataset)
    findings = [*opened.findings(), *_of_rows(opened, _limits(opened, None), None)]
    entry = Overrule(code, sample, reason, by, overruled=not uphold)
    return overrule(opened.path, entry, findings)


def still_rejected(dataset: Dataset) -> pl.DataFrame:
    """Rejected rows without those that came in later, with a correction or a better card, or were withdrawn since."""
    rejects = dataset.rejected()
    if rejects.is_empty():
        return rejects
    rows = ["source_path", "source_row", "object_id"]
    with reading(dataset.path):
        inside = [pl.read_parquet(shard.converted, columns=rows).select(rows) for shard in dataset.shards]
        gone = read_withdrawn(dataset.path, dataset.snapshot).select(rows[:2])
    came = pl.concat([rejects.select(rows).clear(), *inside]).unique()
    rest = rejects.join(came, on=rows, how="anti", nulls_equal=True, maintain_order="left")
    return rest.join(gone, on=rows[:2], how="anti", nulls_equal=True, maintain_order="left")


def reject_summary(dataset: Dataset | Path | str) -> list[RejectGroup]:
    """What did not get in and still is not there, by reason: how many, the first rows, what to do."""
    opened = dataset if isinstance(dataset, Dataset) else Dataset.open(dataset)
    return group_rejects(still_rejected(opened))


def write_missing(dataset: Path | str, path: Path | str) -> int:
    """Write a CSV table of what the rejected rows lack, to fill in and give to `aqqua ingest --fix`.

    Args:
        dataset: its folder.
        path: of the table; a file of this name is not overwritten.

    Returns:
        Number of rows; 0, and no file, if nothing is missing.

    Raises:
        ConfigError: there is such a file already; it may hold somebody's work.
    """
    target = Path(path)
    if target.exists():
        raise ConfigError("there is such a file already", where=target, do="choose another name, or move it away")
    table = missing_table(still_rejected(Dataset.open(dataset)))
    if len(table):
        with whole(target) as part:
            table.write_csv(part)
    return len(table)


def grouped(findings: Sequence[Finding]) -> list[Finding]:
    """One finding per kind: those that differ only in names, paths and numbers become one, with the sum of counts."""
    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in findings:
        key = (finding.severity, finding.code, _QUOTED_OR_NUMBER.sub("…", finding.message))
        groups.setdefault(key, []).append(finding)
    return [_merged(group) for group in groups.values()]


def _merged(group: Sequence[Finding]) -> Finding:
    first = group[0]
    if len(group) == 1:
        return first
    more = f"and {len(group) - 1} more like it"
    where = f"{first.where} {more}" if first.where else more
    samples = tuple(sample for finding in group for sample in finding.samples)
    return replace(first, count=sum(finding.count for finding in group), where=where, samples=samples)


def _findings(
    dataset: Dataset, level: int, limits: Limits | Path | str | None, bathymetry: Path | str | None
) -> list[Finding]:
    of_files = verify(dataset, level)
    chosen = _limits(dataset, limits)
    findings = [*of_files]
    findings += _rejected(dataset)
    entries = read_overrules(dataset.path)
    findings += apply_overrules(dataset.findings(), entries)
    try:
        return [*findings, *apply_overrules(_of_rows(dataset, chosen, bathymetry), entries)]
    except AqquaError as error:
        if bathymetry is not None and str(bathymetry) == error.where:
            raise
        if any(finding.severity == "error" for finding in of_files):
            return findings  # the files already say why
        return [*findings, Finding("error", "metadata_unreadable", error.what, error.where or "", 1, error.do or "")]


def _rejected(dataset: Dataset) -> list[Finding]:
    """One finding for each reason for which rows did not get in."""
    told = "rows did not get in: "
    return [
        Finding("info", "rejected_rows", told + group.reason, "; ".join(group.examples), group.count, group.do)
        for group in reject_summary(dataset)
    ]


def _limits(dataset: Dataset, given: Limits | Path | str | None) -> Limits:
    """The thresholds given, else those of the card, else the usual ones."""
    if given is None:
        return Limits.of(dataset.card.checks, where=dataset.path / "card.yaml")
    return given if isinstance(given, Limits) else Limits.load(given)


def _of_rows(dataset: Dataset, limits: Limits, bathymetry: Path | str | None) -> list[Finding]:
    """What the metadata show."""
    frame = dataset.metadata(list(CHECKED))
    labels = dataset.labels()
    return check_rows(frame, labels=labels, limits=limits, habitat=dataset.card.habitat, bathymetry=bathymetry)


def _unique(findings: Iterable[Finding]) -> list[Finding]:
    """Once each: the ingest may have said the same before."""
    return list({(finding.code, finding.where, finding.message): finding for finding in findings}.values())


def _in(dataset: Dataset, finding: Finding) -> Finding:
    if str(dataset.path) in finding.where:
        return finding
    return replace(finding, where=f"{dataset.path}: {finding.where}" if finding.where else str(dataset.path))
