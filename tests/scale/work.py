"""Work for the tests of the engines: importable, as every engine demands."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

from aqqua.errors import SourceError, UnknownNameError


def write(shard: int, part: Path) -> None:
    part.write_bytes(bytes([shard]) * 1000)


def write_folder(shard: int, part: Path) -> None:
    (part / "inner").mkdir(parents=True)
    (part / "inner" / "data.bin").write_bytes(bytes([shard]))
    (part / "n.txt").write_text(str(shard))


def log_and_write(shard: tuple[int, Path], part: Path) -> None:
    """Leave a trace of each call in a folder, then write."""
    number, calls = shard
    (calls / f"{number}-{os.getpid()}-{time.monotonic_ns()}").touch()
    write(number, part)


def environment(shard: str, part: Path) -> None:
    part.write_text(json.dumps({"pid": os.getpid(), "value": os.environ.get(shard)}))


def nothing(shard: int, part: Path) -> None:
    """Forget to write."""


def fail_odd(shard: int, part: Path) -> None:
    part.write_text("half")
    if shard % 2:
        raise SourceError(f"shard {shard} is odd", where=f"row {shard}", do="give even numbers")
    write(shard, part)


def fail_somehow(shard: int, part: Path) -> None:
    if shard == 1:
        raise UnknownNameError("source", "isis", ["isiis"])
    if shard == 2:
        raise ZeroDivisionError("2/0")
    if shard == 3:
        raise OSError(28, "No space left on device", str(part))


def die(shard: int, part: Path) -> None:
    part.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)


def leave(shard: int, part: Path) -> None:
    os._exit(3)


def slow(shard: float, part: Path) -> None:
    part.write_text("half")
    time.sleep(shard)


def interrupted(shard: int, part: Path) -> None:
    part.write_text("half")
    raise KeyboardInterrupt


def node(shard: float, part: Path) -> None:
    """Say on which node of a Ray cluster this runs."""
    import ray

    time.sleep(shard)
    part.write_text(json.dumps({"node": ray.get_runtime_context().get_node_id()}))
