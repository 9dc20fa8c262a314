"""Flags an owner overrules: recorded, shown, never forgotten."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aqqua.errors import ConfigError, FormatError, UnknownNameError
from aqqua.metadata.check import Finding
from aqqua.store.check import check, overrule_flag
from aqqua.store.overrules import Overrule, apply_overrules, overrule, read_overrules
from tests.make.datasets import miniature

FLAG = Finding("error", "gps_on_land", "on land", "a, b", 5, "correct it", (("a", 2), ("b", 3)))
WHOLE = Finding("warning", "odd", "strange", count=7)


@pytest.fixture(autouse=True)
def all_land(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aqqua.metadata.land.sea_within", lambda latitude, *_: np.zeros(len(latitude), dtype=bool))


def shown(findings: list[Finding]) -> list[tuple[str, str, int]]:
    return [(one.severity, one.where, one.count) for one in findings]


def test_one_sample_of_a_flag() -> None:
    told = apply_overrules(
        [FLAG, WHOLE], [Overrule("gps_on_land", "b", "a fjord", recorded_utc="2026-01-02T00:00:00Z")]
    )
    assert shown(told) == [("error", "a", 2), ("info", "b", 3), ("warning", "", 7)]
    assert "overruled by the owner: a fjord" in told[1].message
    assert told[1].do.startswith("2026-01-02")


def test_a_whole_flag_and_back() -> None:
    entries = [Overrule("gps_on_land", None, "a lake"), Overrule("odd", None, "as it is")]
    assert shown(apply_overrules([FLAG, WHOLE], entries)) == [("info", "a, b", 5), ("info", "", 7)]
    entries.append(Overrule("gps_on_land", "a", "was wrong", overruled=False))
    assert shown(apply_overrules([FLAG], entries)) == [("error", "a", 2), ("info", "b", 3)]
    entries.append(Overrule("gps_on_land", None, "all wrong", overruled=False))
    assert shown(apply_overrules([FLAG], entries)) == [("error", "a, b", 5)]


def test_lines_are_only_added(tmp_path: Path) -> None:
    for reason in ("one", "zwei ü"):
        overrule(tmp_path, Overrule("gps_on_land", "a", reason), [FLAG])
    path = tmp_path / "overrules.jsonl"
    assert [entry.reason for entry in read_overrules(tmp_path)] == ["one", "zwei ü"]
    path.write_bytes(path.read_bytes() + b'{"code": "torn')
    assert len(read_overrules(tmp_path)) == 2
    overrule(tmp_path, Overrule("gps_on_land", "a", "three"), [FLAG])
    assert [entry.reason for entry in read_overrules(tmp_path)] == ["one", "zwei ü", "three"]
    path.write_bytes(path.read_bytes() + b'{"code": "torn\n{}\n')
    with pytest.raises(FormatError, match="line 4"):
        read_overrules(tmp_path)


@pytest.mark.parametrize(
    ("entry", "error", "told"),
    [
        (Overrule("gps_on_land", "c", "why"), UnknownNameError, "sample"),
        (Overrule("gps_on_lan", None, "why"), UnknownNameError, "gps_on_land"),
        (Overrule("gps_on_land", None, " "), ConfigError, "reason"),
        (Overrule("gps_on_land", None, "ask me@example.org"), ConfigError, "e-mail"),
        (Overrule("gps_on_land", None, "why", by="me@example.org"), ConfigError, "e-mail"),
    ],
)
def test_what_cannot_be_overruled(tmp_path: Path, entry: Overrule, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        overrule(tmp_path, entry, [FLAG])
    assert read_overrules(tmp_path) == []


def test_in_a_dataset(tmp_path: Path) -> None:
    dataset = miniature(tmp_path / "one", (12,))
    flags = [one for one in check(dataset.path) if one.code == "gps_on_land"]
    assert shown(flags) == [("error", "sample_0, sample_1", 12)]
    overrule_flag(dataset.path, "gps_on_land", "in a fjord", sample="sample_1", by="data manager")
    flags = [one for one in check(dataset.path) if one.code == "gps_on_land"]
    assert shown(flags) == [("error", "sample_0", 10), ("info", "sample_1", 2)]
    overrule_flag(dataset.path, "gps_on_land", "no, it was not", sample="sample_1", uphold=True)
    assert [one.severity for one in check(dataset.path) if one.code == "gps_on_land"] == ["error"]
    with pytest.raises(UnknownNameError):
        overrule_flag(dataset.path, "file_missing", "damage stays damage")
