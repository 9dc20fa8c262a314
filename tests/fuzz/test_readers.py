"""A moment of fuzzing for each reader: no crash but `AqquaError`, no hang, nothing written, memory bounded."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tests.fuzz.attack import Misbehaviour, attack
from tests.fuzz.mutate import Change, changes, mutated, mutated_source
from tests.fuzz.targets import TARGETS, Target

EXAMPLES = 12


def run(target: Target, folder: Path, todo: list[Change]) -> str:
    """Attack a reader with a changed miniature; returns what became of it."""
    path = target.copy(folder)
    if target.only != "*" or target.mend:
        files = sorted(one for one in path.rglob(target.only) if one.is_file()) if path.is_dir() else [path]
        for change in todo:
            chosen = files[int(change.file * len(files))]
            data = mutated(chosen.read_bytes(), change)
            chosen.write_bytes(target.mend(data) if target.mend else data)
    else:
        mutated_source(path, todo)
    return attack(lambda: target.read(path), folder)


@pytest.mark.parametrize("name", TARGETS)
def test_a_valid_miniature_is_read(name: str, tmp_path: Path) -> None:
    assert run(TARGETS[name], tmp_path, []) == "read"


@pytest.mark.parametrize("name", TARGETS)
def test_whatever_comes_is_read_or_refused(name: str) -> None:
    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(changes())
    def attacked(todo: list[Change]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            run(TARGETS[name], Path(folder), todo)

    attacked()


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda folder: int(folder.name), "ValueError"),
        (lambda folder: (folder.parent / "escaped").write_text("x"), "must not"),
        (lambda folder: (folder.parent / "made").mkdir(), "must not"),
        (lambda folder: __import__("pickle").loads(b"cos\nsystem\n."), "must not"),
        (lambda folder: __import__("os").system("true"), "must not"),
    ],
)
def test_misbehaviour_is_noticed(tmp_path: Path, harm: object, words: str) -> None:
    folder = tmp_path / "target"
    folder.mkdir()
    with pytest.raises(Misbehaviour, match=words):
        attack(lambda: harm(folder), folder)  # type: ignore[operator]
    assert attack(lambda: (folder / "inside").write_text("x"), folder) == "read"


def test_a_hang_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.fuzz.attack.SECONDS", 0.05)

    def forever() -> None:
        while True:
            pass

    with pytest.raises(Misbehaviour, match="no answer"):
        attack(forever, tmp_path)
