"""Map a function over independent shards: what is done stays done, whatever does it.

A shard is done when its output exists under its final name. So a run after a crash, a time limit or with
another number of workers does only what is missing.
"""

from __future__ import annotations

import functools
import importlib
import inspect
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import aqqua.errors
from aqqua.errors import AqquaError, ConfigError, UnknownNameError
from aqqua.progress import job
from aqqua.scale.tasks import Failure, Outcome, Task, finish, remove

__all__ = ["Where", "map_shards"]

S = TypeVar("S")
Where = Literal["here", "pool", "slurm", "ray"]
Engine = Callable[..., Generator[Outcome, None, None]]

_ENGINES = {"pool": "aqqua.scale.pool", "slurm": "aqqua.scale.slurm", "ray": "aqqua.scale.raycore"}
_MAX_NAMED = 5


def map_shards(
    work: Callable[[S, Path], object],
    shards: Sequence[S],
    outs: Sequence[Path],
    *,
    where: Where = "here",
    workers: int | None = None,
    what: str = "Working",
    **engine_options: Any,
) -> list[Path]:
    """Do `work(shard, part)` for every shard whose output is not there yet.

    `work` writes a file or a folder to `part`, which is synced and renamed to the output when whole. After the
    first failure nothing new is started; shards already under way are finished, then all failures are told at once.

    Args:
        work: an importable function (top level of a module), or a `functools.partial` of one.
        shards: what is to be done; anything that can be pickled.
        outs: one output path per shard.
        where: in this process, in a pool of processes, as a SLURM job array, or on Ray.
        workers: how many shards at once (all processors, if not said; as many as the cluster gives on SLURM).
        what: what happens, in words for the progress display.
        engine_options: options of the engine: see `aqqua.scale.slurm.run` and `aqqua.scale.raycore.run`.

    Returns:
        The outputs, in the order of the shards.

    Raises:
        AqquaError: one or more shards failed; the message names each. If all failures are of one class of
            `aqqua.errors`, it is of that class.
        ConfigError: the function cannot be imported, outputs are not one per shard, or an option is unknown.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from aqqua.scale.examples import write_text
        >>> outs = [Path(tempfile.mkdtemp()) / f"{n}.txt" for n in range(2)]
        >>> [out.read_text() for out in map_shards(write_text, ["copepod", "diatom"], outs)]
        ['copepod', 'diatom']
    """
    outs = [Path(out) for out in outs]
    engine = _engine(where, engine_options)
    _check(work, shards, outs, workers)
    tasks = [Task(work, shard, out) for shard, out in zip(shards, outs, strict=True) if not out.exists()]
    for task in tasks:
        remove(task.part)
    failures: list[Outcome] = []
    if tasks:
        with job(what, len(tasks), unit="shards") as advance, closing(engine(tasks, workers, **engine_options)) as run:
            for outcome in run:
                failures += [outcome] if outcome.failure else []
                advance(note=outcome.out.name)
    if failures:
        raise _error(failures, len(tasks))
    return outs


def _here(tasks: Sequence[Task], workers: int | None) -> Generator[Outcome, None, None]:
    """One after the other, in this process; stops at the first failure."""
    for task in tasks:
        outcome = finish(task)
        yield outcome
        if outcome.failure:
            return


def _engine(where: str, options: dict[str, Any]) -> Engine:
    if where not in get_args(Where):
        raise UnknownNameError("engine", where, get_args(Where))
    run: Callable[..., Generator[Outcome, None, None]] = (
        _here if where == "here" else importlib.import_module(_ENGINES[where]).run
    )
    known = set(list(inspect.signature(run).parameters)[2:])
    for name in options:
        if name not in known:
            raise UnknownNameError(f"option of the engine {where!r}", name, known)
    return run


def _check(work: Callable[..., object], shards: Sequence[object], outs: list[Path], workers: int | None) -> None:
    if len(shards) != len(outs):
        raise ConfigError(f"{len(shards)} shards but {len(outs)} outputs", do="give one output path per shard")
    if workers is not None and workers < 1:
        raise ConfigError(f"{workers} workers cannot work", do="give at least one, or none to use what is there")
    twice = [str(out) for out, n in Counter(outs).items() if n > 1]
    if twice:
        raise ConfigError("two shards have the same output", where=twice[0], do="give each shard its own")
    _check_importable(work)


def _check_importable(work: Callable[..., object]) -> None:
    """Other processes find the function by its name, so it needs one."""
    while isinstance(work, functools.partial):
        work = work.func
    module, name = getattr(work, "__module__", None), getattr(work, "__qualname__", "")
    found: object = None
    if module and "<" not in name:
        found = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part, None)
    if found is not work:
        do = "define it at the top level of a module (no lambda, no function inside a function or method of an object)"
        raise ConfigError(f"{name or work!r} cannot be imported by other processes", where=module, do=do)


def _error(failures: list[Outcome], total: int) -> AqquaError:
    causes = [(outcome.out, outcome.failure) for outcome in failures if outcome.failure]
    kinds = {failure.kind for _, failure in causes}
    cls: type[AqquaError] = getattr(aqqua.errors, kinds.pop()) if len(kinds) == 1 else AqquaError
    lines = [f"{len(causes)} of {total} shards failed"]
    lines += [f"  {out}: {_line(failure)}" for out, failure in causes[:_MAX_NAMED]]
    if len(causes) > _MAX_NAMED:
        lines.append(f"  and {len(causes) - _MAX_NAMED} more: " + ", ".join(o.name for o, _ in causes[_MAX_NAMED:]))
    advice = next((failure.do for _, failure in causes if failure.do), None)
    do = f"{advice + '; then ' if advice else ''}run again: only what is missing will be done"
    error = cls("\n".join(lines), do=do)
    error.add_note(f"In the first of them:\n{causes[0][1].trace}")
    return error


def _line(failure: Failure) -> str:
    return failure.what + (f" ({failure.where})" if failure.where else "")
