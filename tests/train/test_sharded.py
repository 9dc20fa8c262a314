"""One process alone; what two do together is shown in test_distributed.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from aqqua.errors import FormatError
from aqqua.train import sharded
from aqqua.train.distributed import World


def tensors() -> dict[str, Tensor]:
    return {"matrix": torch.rand(3, 4), "step": torch.tensor(7.0), "bytes": torch.arange(5, dtype=torch.uint8)}


def empty() -> dict[str, Tensor]:
    return {name: torch.zeros_like(value) for name, value in tensors().items()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(1)
    sharded.write(tmp_path / "state", tensors(), {"run": {"step": 7}}, World())
    return tmp_path / "state"


def test_what_was_written_is_read(folder: Path) -> None:
    torch.manual_seed(1)
    wanted = tensors()
    found = sharded.read(folder, empty() | {"another": torch.ones(2)})
    assert found.keys() == wanted.keys()
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)
    assert sharded.notes(folder)["run"] == {"step": 7}
    assert sorted(path.suffix for path in folder.iterdir()) == [".json", ".safetensors"], "nothing is pickled"


def test_a_new_state_takes_the_place_of_the_old(folder: Path) -> None:
    sharded.write(folder, tensors(), {"run": {"step": 8}}, World())
    assert sharded.notes(folder)["run"] == {"step": 8}
    assert [path.name for path in folder.parent.iterdir()] == ["state"]


def test_between_two_moves_the_old_state_counts(folder: Path) -> None:
    old = folder.rename(folder.with_name("state.old"))
    assert sharded.find(folder) == old
    sharded.remove(folder)
    assert sharded.find(folder) is None


@pytest.mark.parametrize("content", ["{", "[1]", '{"run": {}}'])
def test_damaged_notes_are_told(folder: Path, content: str) -> None:
    (folder / "run.json").write_text(content)
    with pytest.raises(FormatError, match="remove it to begin anew"):
        sharded.read(folder, empty())


def test_missing_and_damaged_pieces_are_told(folder: Path) -> None:
    (piece,) = folder.glob("*.safetensors")
    piece.write_bytes(b"nothing")
    with pytest.raises(FormatError, match="remove it to begin anew"):
        sharded.read(folder, empty())
    piece.unlink()
    with pytest.raises(FormatError, match="remove it to begin anew"):
        sharded.read(folder, empty())


def test_a_state_of_another_network_is_told(folder: Path) -> None:
    about = json.loads((folder / "run.json").read_text())
    with pytest.raises(FormatError, match="remove it to begin anew"):
        sharded.read(folder, empty() | {"matrix": torch.zeros(4, 4)})
    (folder / "run.json").write_text(json.dumps(about | {"names": ["other"]}))
    with pytest.raises(FormatError, match="remove it to begin anew"):
        sharded.read(folder, empty())
