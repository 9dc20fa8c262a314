"""Flags that the owner has overruled: `overrules.jsonl`, one line each, to which lines are only added.

A finding that is overruled is shown as information with its reason; nothing is forgotten, and it can be upheld again.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from aqqua.errors import ConfigError, FormatError, UnknownNameError
from aqqua.metadata.check import Finding, sample_names
from aqqua.store.atomic import storage
from aqqua.store.identity import now_text

__all__ = ["Overrule", "apply_overrules", "overrule", "read_overrules"]

_FILE = "overrules.jsonl"
_MAX_BYTES = 16 << 20


@dataclass(frozen=True)
class Overrule:
    """What an owner says about a flag.

    Args:
        code: of the finding.
        sample: the sample it concerns; None for the whole dataset.
        reason: why the flag does not hold.
        by: role of who says so, never a name or an address.
        recorded_utc: when.
        overruled: False: the flag holds again.
    """

    code: str
    sample: str | None
    reason: str
    by: str = "owner"
    recorded_utc: str = ""
    overruled: bool = True


def read_overrules(root: Path) -> list[Overrule]:
    """All overrules, oldest first; a last line that was cut off by a crash is passed over.

    Raises:
        FormatError: the file is damaged.
    """
    path = root / _FILE
    if not path.is_file():
        return []
    if path.stat().st_size > _MAX_BYTES:
        raise FormatError("the file of overruled flags is too large", where=path)
    lines = path.read_bytes().split(b"\n")
    entries = []
    for number, line in enumerate(lines, 1):
        if line:
            try:
                entries.append(Overrule(**json.loads(line)))
            except (ValueError, TypeError) as error:
                if number == len(lines):
                    break
                raise FormatError(f"line {number} is no overruled flag ({error})", where=path) from error
    return entries


def overrule(root: Path, entry: Overrule, findings: Sequence[Finding]) -> Overrule:
    """Record that a flag does not hold, or holds again.

    Args:
        root: the dataset.
        entry: code, sample, reason and role.
        findings: what the checks find now; only what is among them can be overruled.

    Raises:
        ConfigError: there is no reason, or it has an e-mail address in it.
        UnknownNameError: the checks find nothing of this code, or not in this sample.
    """
    if not entry.reason.strip():
        raise ConfigError("a flag is overruled for a reason", do='add  --because "…"')
    if "@" in entry.reason + entry.by:
        raise ConfigError("an e-mail address does not belong here", do="name a role and a reason, not a person")
    codes = {finding.code for finding in findings} | {old.code for old in read_overrules(root)}
    if entry.code not in codes:
        raise UnknownNameError("finding of this dataset", entry.code, codes, where=root)
    samples = {name for finding in findings if finding.code == entry.code for name, _ in finding.samples}
    samples |= {old.sample for old in read_overrules(root) if old.code == entry.code and old.sample}
    if entry.sample is not None and entry.sample not in samples:
        raise UnknownNameError(f"sample with the finding {entry.code}", entry.sample, samples, where=root)
    written = replace(entry, recorded_utc=now_text())
    _append(root / _FILE, json.dumps(asdict(written), ensure_ascii=False))
    return written


def _append(path: Path, line: str) -> None:
    """Add one line in one write; what a crash left behind the last whole line goes."""
    with storage(path):
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            old = os.pread(descriptor, _MAX_BYTES, 0)
            os.ftruncate(descriptor, old.rfind(b"\n") + 1)
            os.write(descriptor, line.encode() + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def apply_overrules(findings: Iterable[Finding], entries: Sequence[Overrule]) -> list[Finding]:
    """The findings, those parts of them that are overruled as information with the reason.

    Args:
        findings: of the metadata; what is wrong with files cannot be overruled.
        entries: oldest first; the last one about a code and a sample counts.
    """
    last = {(entry.code, entry.sample): entry for entry in entries}
    told = []
    for finding in findings:
        told += _split(finding, last)
    return told


def _split(finding: Finding, last: dict[tuple[str, str | None], Overrule]) -> list[Finding]:
    whole = last.get((finding.code, None))
    groups: dict[Overrule | None, list[tuple[str, int]]] = {}
    for sample, count in finding.samples:
        entry = last.get((finding.code, sample), whole)
        groups.setdefault(entry if entry and entry.overruled else None, []).append((sample, count))
    if not finding.samples:
        groups = {whole if whole and whole.overruled else None: []}
    if set(groups) == {None}:
        return [finding]
    rest = finding.count - sum(count for _, count in finding.samples)
    return [_part(finding, entry, tuple(samples), rest, whole) for entry, samples in groups.items()]


def _part(
    finding: Finding, entry: Overrule | None, samples: tuple[tuple[str, int], ...], rest: int, whole: Overrule | None
) -> Finding:
    """The samples of a finding that one overrule speaks of; rows without sample go with the whole dataset."""
    own = sum(count for _, count in samples)
    unnamed = max(rest, 0) if entry is (whole if whole and whole.overruled else None) else 0
    part = replace(finding, samples=samples, count=own + unnamed if samples else finding.count)
    part = replace(part, where=sample_names(samples)) if samples else part
    if entry is None:
        return part
    when = entry.recorded_utc[:10]
    return replace(
        part,
        severity="info",
        message=f"{finding.message} (overruled by the {entry.by}: {entry.reason})",
        do=f"{when}; to undo:  aqqua check DATASET --uphold {finding.code}".removeprefix("; "),
    )
