"""A pool of processes on this machine.

Workers are spawned, not forked: no inherited locks, LMDB handles or threads. A worker that dies (for want of
memory, say) is a failure of the shard it was at, not a hang.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from aqqua.errors import ConfigError
from aqqua.scale.tasks import Failure, Outcome, Task, finish, remove

__all__ = ["SINGLE_THREADED", "processors", "run"]

_THREADS = ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "NUMBA", "RAYON")
SINGLE_THREADED = {f"{name}_NUM_THREADS": "1" for name in _THREADS} | {"POLARS_MAX_THREADS": "1", "BLOSC_NTHREADS": "1"}
"""Environment of a worker: one process per processor, one thread per process."""

_PATIENCE_S = 5.0


@dataclass
class _Worker:
    process: BaseProcess
    pipe: Connection
    task: Task | None = None


def run(tasks: Sequence[Task], workers: int | None) -> Generator[Outcome, None, None]:
    """Do the tasks in `workers` processes; after a failure start nothing new.

    Yields:
        Outcomes as they come.
    """
    todo = deque(tasks)
    crew = _hire(min(workers or processors(), len(todo)))
    try:
        for worker in crew:
            _give(worker, todo)
        while busy := [worker for worker in crew if worker.task]:
            for worker in _ready(busy):
                outcome = _take(worker)
                if outcome.failure:
                    todo.clear()
                _give(worker, todo)
                yield outcome
    finally:
        _dismiss(crew)


def processors() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _hire(n: int) -> list[_Worker]:
    context = multiprocessing.get_context("spawn")
    crew = []
    with _environment(SINGLE_THREADED | {"AQQUA_QUIET": "1"}):
        for _ in range(n):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs,), daemon=True)
            process.start()
            theirs.close()
            crew.append(_Worker(process, ours))
    return crew


def _serve(pipe: Connection) -> None:
    """Run in the worker: do tasks until there are no more, or the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    try:
        while (task := pipe.recv()) is not None:
            pipe.send(finish(task))
    except (EOFError, BrokenPipeError):
        sys.exit(1)


def _give(worker: _Worker, todo: deque[Task]) -> None:
    worker.task = None
    message = _pickled(todo[0] if todo else None)
    worker.task = todo.popleft() if todo else None
    with suppress(BrokenPipeError, ConnectionResetError):  # it died: _take says so
        worker.pipe.send_bytes(message)


def _pickled(task: Task | None) -> bytes:
    try:
        return pickle.dumps(task)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        where = task and task.out
        do = "let shards be paths, numbers and frozen dataclasses, not open files or connections"
        raise ConfigError(f"this shard cannot be sent to another process: {error}", where=where, do=do) from error


def _ready(busy: list[_Worker]) -> list[_Worker]:
    ready = wait([worker.pipe for worker in busy])
    return [worker for worker in busy if worker.pipe in ready]


def _take(worker: _Worker) -> Outcome:
    assert worker.task is not None
    try:
        outcome = worker.pipe.recv()
        assert isinstance(outcome, Outcome)
        return outcome
    except (EOFError, ConnectionResetError):
        worker.process.join(_PATIENCE_S)
        remove(worker.task.part, quietly=True)
        return Outcome(worker.task.out, _died(worker.process.exitcode))


def _died(code: int | None) -> Failure:
    if code is not None and code < 0:
        do = "if it was memory: fewer workers, or smaller shards"
        return Failure("AqquaError", f"the worker was killed by signal {-code} ({signal.Signals(-code).name})", do=do)
    main = getattr(sys.modules.get("__main__"), "__file__", None)
    do = 'in a script, call it under `if __name__ == "__main__":`, and see the messages above'
    return Failure("AqquaError", f"the worker ended with status {code}", main and str(Path(main)), do)


def _dismiss(crew: list[_Worker]) -> None:
    """Idle workers go by themselves; busy ones (Ctrl-C) are stopped, and their half output removed."""
    for worker in crew:
        worker.pipe.close()
        if worker.task:
            worker.process.terminate()
    for worker in crew:
        worker.process.join(_PATIENCE_S)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()
        if worker.task:
            remove(worker.task.part, quietly=True)


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Set environment variables while processes are started, so that they have them before any import."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
