"""Ray core tasks: for clouds and workstations that already have Ray; Ray Data is not needed."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections import deque
from collections.abc import Generator, Sequence
from typing import Any

from aqqua.errors import AqquaError, MissingExtraError
from aqqua.scale.pool import SINGLE_THREADED, processors
from aqqua.scale.tasks import Failure, Outcome, Task, finish, remove

__all__ = ["run"]


def run(
    tasks: Sequence[Task], workers: int | None, *, address: str | None = None, cpus: float = 1, gpus: float = 0
) -> Generator[Outcome, None, None]:
    """Do the tasks on Ray; after a failure start nothing new.

    Args:
        tasks: one per shard.
        workers: how many shards at once.
        address: a running cluster ("auto", "ray://…"); without it Ray is started on this machine, and ended again.
        cpus: processors one shard needs.
        gpus: graphics processors one shard needs.

    Yields:
        Outcomes as they come.
    """
    ray = _ray()
    own = None if ray.is_initialized() else _start(ray, address, workers)
    todo, running = deque(tasks), dict[Any, Task]()
    most = workers or max(1, int(ray.cluster_resources().get("CPU", 1) // max(cpus, 1e-9)))
    remote = ray.remote(num_cpus=cpus, num_gpus=gpus, max_retries=0)(finish)
    try:
        while todo or running:
            while todo and len(running) < most:
                task = todo.popleft()
                running[remote.remote(task)] = task
            ready, _ = ray.wait(list(running), num_returns=1)
            outcome = _outcome(ray, ready[0], running.pop(ready[0]))
            if outcome.failure:
                todo.clear()
            yield outcome
    finally:
        _end(ray, running, own)


def _ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # tells nobody that it runs here
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # the default from 2.50 on; unset, Ray warns
    try:
        import ray
    except ImportError as error:
        raise MissingExtraError("running on Ray", "ray", "ray") from error
    return ray


def _start(ray: Any, address: str | None, workers: int | None) -> str:
    """Connect to a cluster, or start one here; returns the folder of its temporary files ("" if not ours)."""
    environment = SINGLE_THREADED | {"AQQUA_QUIET": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    common = {"runtime_env": {"env_vars": environment}, "log_to_driver": False, "configure_logging": False}
    if address:
        ray.init(address=address, **common)
        return ""
    folder = tempfile.mkdtemp(prefix="aqqua-ray-")
    try:
        ray.init(num_cpus=workers or processors(), include_dashboard=False, _temp_dir=folder, **common)
    except Exception as error:
        shutil.rmtree(folder, ignore_errors=True)
        do = "see whether memory or /tmp is full, or say where='pool'"
        raise AqquaError(f"Ray did not start: {error}", do=do) from error
    return folder


def _outcome(ray: Any, reference: Any, task: Task) -> Outcome:
    try:
        outcome = ray.get(reference)
        assert isinstance(outcome, Outcome)
        return outcome
    except ray.exceptions.RayError as error:  # finish itself raises nothing: the worker died, or cannot import the work
        remove(task.part, quietly=True)
        what = str(error).strip().splitlines()[0]
        do = "if it was memory: fewer workers, or smaller shards"
        return Outcome(task.out, Failure("AqquaError", f"{type(error).__name__}: {what}", do=do, trace=str(error)))


def _end(ray: Any, running: dict[Any, Task], own: str | None) -> None:
    """Stop what still runs (Ctrl-C), and Ray itself if it was started here."""
    for reference in running:
        ray.cancel(reference, force=True)
    if own is not None:
        ray.shutdown()
    for task in running.values():
        remove(task.part, quietly=True)
    if own:
        shutil.rmtree(own, ignore_errors=True)
