"""The state of a run in shards: each process writes what lies with it, any number of processes reads it again.

`torch.distributed.checkpoint` plans who writes and reads which piece; the files are safetensors with the place of each
piece in their header (no pickle). `run.json` says what they are. A state is written beside the one before and then
takes its place.
"""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.distributed.checkpoint import state_dict_loader, state_dict_saver
from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.checkpoint.hf_storage import HuggingFaceStorageReader, HuggingFaceStorageWriter

from aqqua.errors import FormatError
from aqqua.train.distributed import World

__all__ = ["find", "notes", "read", "remove", "write"]

NOTES = "run.json"


def write(folder: Path, tensors: Mapping[str, Tensor], about: Mapping[str, Any], world: World) -> None:
    """Write the state, whole or not at all; all processes together.

    Args:
        folder: of the state; one in it is replaced.
        tensors: by name, whole or in shards.
        about: what run.json is to say.
        world: the processes.
    """
    part, old = _beside(folder, ".part"), _beside(folder, ".old")
    if world.first:
        shutil.rmtree(part, ignore_errors=True)
    world.wait()
    with _alone_too():
        state_dict_saver.save(_rows(tensors), storage_writer=HuggingFaceStorageWriter(str(part), save_distributed=True))
    if world.first:
        (part / NOTES).write_text(json.dumps({**about, "names": sorted(tensors)}), encoding="utf-8")
        shutil.rmtree(old, ignore_errors=True)
        if folder.exists():
            folder.rename(old)
        part.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    world.wait()


def find(folder: Path) -> Path | None:
    """Where a whole state is: in the folder, or beside it if a process died between the two moves."""
    return next((one for one in (folder, _beside(folder, ".old")) if (one / NOTES).is_file()), None)


def notes(folder: Path) -> dict[str, Any]:
    """What run.json says.

    Raises:
        FormatError: it is damaged.
    """
    try:
        about = json.loads((folder / NOTES).read_text(encoding="utf-8"))
    except ValueError as error:
        raise _damaged(folder) from error
    if not isinstance(about, dict) or not about.keys() >= {"run", "names"}:
        raise _damaged(folder)
    return about


def read(folder: Path, into: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Read a state into tensors, which may lie on other processes than those that wrote it.

    Args:
        folder: of the state.
        into: by name, whole or in shards; they get what was saved under their name.

    Returns:
        Those of them that were saved.

    Raises:
        FormatError: files are damaged or missing, or of another network.
    """
    names = notes(folder)["names"]
    if not set(names) <= into.keys():
        raise _damaged(folder)
    wanted = {name: into[name] for name in names}
    try:
        with _alone_too():
            state_dict_loader.load(_rows(wanted), storage_reader=HuggingFaceStorageReader(str(folder)))
    except (Exception, CheckpointException) as error:  # torch's own is none of the former
        raise _damaged(folder) from error
    return wanted


def remove(folder: Path) -> None:
    """Remove a state."""
    for one in (folder, _beside(folder, ".old")):
        shutil.rmtree(one, ignore_errors=True)


def _rows(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """The same numbers, each tensor with a dimension at least: single ones have no place in the files."""
    return {name: value.detach() if value.ndim else value.detach().reshape(1) for name, value in tensors.items()}


def _damaged(folder: Path) -> FormatError:
    return FormatError("the saved state is damaged", where=folder, do="remove it to begin anew")


@contextmanager
def _alone_too() -> Iterator[None]:
    """Without torch's warning to a single process that it writes and reads alone."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "torch.distributed is disabled")
        yield


def _beside(folder: Path, ending: str) -> Path:
    return folder.with_name(folder.name + ending)
