from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from aqqua.errors import MissingExtraError
from aqqua.train import log
from aqqua.train.log import Log
from aqqua.train.objective import Objective
from aqqua.train.state import Run


def write(path: Path, first: int, steps: int, board: Path | None = None) -> None:
    run = Run(*(None,) * 4)  # type: ignore[arg-type]
    with Log(path, first, board) as lines:
        for run.step in range(first + 1, first + 1 + steps):
            torch.manual_seed(run.step)
            lines.write(run, Objective(slices=4)(torch.randn(2, 8, 3)), 0.001)


def steps(path: Path) -> list[int]:
    return [int(line.split(",")[0]) for line in path.read_text().splitlines()[1:]]


def test_lines_after_the_saved_state_are_written_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "_LOG_SECONDS", 0)
    path = tmp_path / "log.csv"
    write(path, 0, 5)
    write(path, 3, 4)
    assert steps(path) == [1, 2, 3, 4, 5, 6, 7]
    write(path, 0, 1)
    assert steps(path) == [1], "begun anew"


def test_the_last_line_is_always_there(tmp_path: Path) -> None:
    write(tmp_path / "log.csv", 0, 3)
    assert steps(tmp_path / "log.csv") == [3]


def test_tensorboard_sees_the_same_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    monkeypatch.setattr(log, "_LOG_SECONDS", 0)
    path, board = tmp_path / "log.csv", tmp_path / "board"
    write(path, 0, 3, board)
    write(path, 2, 2, board)
    found = events.EventAccumulator(str(board))
    found.Reload()
    header, *lines = (line.split(",") for line in path.read_text().splitlines())
    assert [line[0] for line in lines] == ["1", "2", "3", "4"]
    assert sorted(found.Tags()["scalars"]) == sorted(header[1:])
    for column, name in enumerate(header[1:], 1):
        told = {event.step: event.value for event in found.Scalars(name)}
        assert told == pytest.approx({int(line[0]): float(line[column]) for line in lines}, rel=1e-5)


def test_missing_tensorboard_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(MissingExtraError) as told:
        Log(tmp_path / "log.csv", 0, tmp_path / "board")
    assert str(told.value) == "logging to TensorBoard needs tensorboard: pip install 'aqqua[tensorboard]'"
