"""A SLURM job array, through submitit: what marine institutes and the large machines run.

Each array element takes a group of shards. Whether a shard is done says its output, on the shared file system;
so neither accounting (sacct) nor an open port is needed, and a requeued or repeated element does only what is missing.
"""

from __future__ import annotations

import os
import pickle
import re
import shlex
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aqqua.errors import AqquaError, MissingExtraError, NotFoundError
from aqqua.progress import say
from aqqua.scale.pool import SINGLE_THREADED
from aqqua.scale.tasks import Failure, Outcome, Task, finish, remove

if TYPE_CHECKING:
    from submitit import Job

__all__ = ["run"]

_MAX_ARRAY = 1001  # SLURM's own default of MaxArraySize
_GRACE_S = 30.0  # how long a result may take to show on a network file system after its job has ended


@dataclass(frozen=True)
class _Group:
    """The shards of one array element; stops at its first failure, or when the file `stop` says that another failed."""

    tasks: list[Task]
    stop: Path

    def __call__(self) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for task in self.tasks:
            if self.stop.exists():
                break
            outcomes.append(finish(task))
            if outcomes[-1].failure:
                self.stop.touch()
        return outcomes

    def checkpoint(self) -> Any:
        """Say how to go on after preemption or the time limit (submitit asks): start again, what is done is skipped."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


def run(
    tasks: Sequence[Task],
    workers: int | None,
    *,
    logs: Path | str = "slurm-logs",
    partition: str | None = None,
    account: str | None = None,
    time_min: int = 60,
    mem_gb: float | None = None,
    cpus: int = 1,
    setup: Sequence[str] = (),
    extra: dict[str, Any] | None = None,
    poll_s: float = 2.0,
) -> Generator[Outcome, None, None]:
    """Do the tasks as one job array; after a failure cancel what has not begun.

    Args:
        tasks: one per shard; grouped so that the array stays under the cluster's MaxArraySize.
        workers: how many array elements may run at once (no bound of ours, if not said).
        logs: folder for scripts and logs, one folder below it per run, on a file system that the nodes share.
        partition: SLURM partition.
        account: SLURM account to charge.
        time_min: time limit of an array element, in minutes; one that reaches it is requeued and goes on.
        mem_gb: memory of an array element, in GB.
        cpus: processors of an array element.
        setup: shell lines to run first, for example "module load Python".
        extra: further options of sbatch, for example {"constraint": "largedata"}.
        poll_s: how often to look, in seconds.

    Yields:
        Outcomes as their outputs appear.
    """
    # A folder of its own: numbers of jobs come again, on a cluster that was set up anew, and with them old results.
    folder = Path(logs).absolute() / f"{time.strftime('%Y%m%dT%H%M%S')}-{uuid.uuid4().hex[:6]}"
    executor = _executor(folder)
    executor.update_parameters(
        job_name="aqqua",
        time=time_min,
        cpus_per_task=cpus,
        array_parallelism=workers or len(tasks),
        setup=[*setup, *_exports()],
        stderr_to_stdout=True,
        **{key: value for key, value in {"partition": partition, "account": account}.items() if value},
        **({"mem": f"{round(mem_gb * 1024)}MB"} if mem_gb else {}),
        **({"additional_parameters": extra} if extra else {}),
    )
    stop = folder / f"stop-{uuid.uuid4().hex}"
    groups = _groups(tasks, _max_array(), stop)
    jobs = _submit(executor, groups)
    number = jobs[0].job_id.split("_")[0]
    say(f"SLURM job {number}: {len(tasks)} shards in {len(groups)} array elements; logs in {folder}")
    watch = _Watch(number, jobs, groups, poll_s)
    try:
        yield from watch.outcomes()
    finally:
        if watch.open:  # Ctrl-C
            _end(number, tasks)
        stop.unlink(missing_ok=True)


class _Watch:
    """Waits for outputs and results of a job array, and for elements that vanish without one."""

    def __init__(self, number: str, jobs: Sequence[Job[Any]], groups: Sequence[_Group], poll_s: float) -> None:
        self.number, self.poll_s = number, poll_s
        self.open = dict(zip(jobs, groups, strict=True))
        self.told: set[Path] = set()
        self.last_seen = dict.fromkeys(jobs, time.monotonic())
        self.cancelled = False

    def outcomes(self) -> Generator[Outcome, None, None]:
        while self.open:
            alive = _alive(self.number)
            for job in list(self.open):
                for outcome in self._news(job, alive):
                    self.told.add(outcome.out)
                    yield outcome
                    if outcome.failure:
                        self.cancelled = True
                        _ask("scancel", "--state=PENDING", self.number)
            if self.open:
                time.sleep(self.poll_s)

    def _news(self, job: Job[Any], alive: set[str] | None) -> list[Outcome]:
        group = self.open[job]
        if job.paths.result_pickle.exists():
            del self.open[job]
            return [outcome for outcome in _result(job, group) if outcome.out not in self.told]
        done = [Outcome(task.out) for task in group.tasks if task.out not in self.told and task.out.exists()]
        if alive is None or job.job_id in alive or done:
            self.last_seen[job] = time.monotonic()
        elif self.cancelled and not job.paths.stdout.exists():
            del self.open[job]
        elif time.monotonic() - self.last_seen[job] > _GRACE_S:
            del self.open[job]
            return [*done, *self._lost(job, group)]
        return done

    def _lost(self, job: Job[Any], group: _Group) -> list[Outcome]:
        """Name the first shard an element left undone, if it ended without a word: killed, or cancelled by us."""
        undone = [task for task in group.tasks if not task.out.exists()]
        begun = [task for task in undone if task.part.exists()] or undone[: job.paths.stdout.exists()]
        for task in begun:
            remove(task.part, quietly=True)
        do = "see its log; if it was memory or time: more mem_gb or time_min, or smaller shards"
        failure = Failure("AqquaError", "the SLURM job ended without a result", str(job.paths.stdout), do)
        return [Outcome(task.out, failure) for task in begun]


def _executor(folder: Path) -> Any:
    if not shutil.which("sbatch"):
        do = "run it on a login node of the cluster, or say where='pool'"
        raise NotFoundError("there is no SLURM here: the command sbatch is not found", do=do)
    try:
        from submitit import SlurmExecutor
    except ImportError as error:
        raise MissingExtraError("running on SLURM", "submitit", "slurm") from error
    folder.mkdir(parents=True, exist_ok=True)
    return SlurmExecutor(folder=folder)


def _exports() -> list[str]:
    """Let the job find the modules that are found here, and be quiet."""
    values = SINGLE_THREADED | {"AQQUA_QUIET": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return [f"export {name}={shlex.quote(value)}" for name, value in values.items()]


def _groups(tasks: Sequence[Task], most: int, stop: Path) -> list[_Group]:
    """Deal the tasks out to at most `most` array elements."""
    n = min(len(tasks), most)
    return [_Group(list(tasks[k::n]), stop) for k in range(n)]


def _max_array() -> int:
    found = re.search(r"^MaxArraySize\s*=\s*(\d+)", _ask("scontrol", "show", "config") or "", re.MULTILINE)
    return max(1, int(found[1]) if found else _MAX_ARRAY)


def _submit(executor: Any, groups: Sequence[_Group]) -> list[Job[Any]]:
    try:
        with executor.batch():
            jobs = [executor.submit(group) for group in groups]
    except Exception as error:
        do = "check partition, account, time_min and mem_gb; `sbatch --test-only` tells more"
        raise AqquaError(f"SLURM refused the job: {error}", where="sbatch", do=do) from error
    return jobs


def _result(job: Job[Any], group: _Group) -> list[Outcome]:
    kind, value = pickle.loads(job.paths.result_pickle.read_bytes())  # noqa: S301 (our own job wrote it)
    if kind == "success":
        return list(value)
    undone = next((task for task in group.tasks if not task.out.exists()), None)
    done = [Outcome(task.out) for task in group.tasks if task.out.exists()]
    what = str(value).strip().splitlines()[-1]
    failure = Failure("AqquaError", what, str(job.paths.stdout), "see its log", str(value))
    return [*done, *([Outcome(undone.out, failure)] if undone else [])]


def _alive(number: str) -> set[str] | None:
    """Array elements that SLURM still knows as waiting or running; None if it does not answer."""
    listing = _ask("squeue", "--noheader", "--array", "--format=%i", f"--user={os.getuid()}")
    return None if listing is None else {name for name in listing.split() if name.split("_")[0] == number}


def _end(number: str, tasks: Sequence[Task]) -> None:
    """Cancel the job, wait until it is gone, and remove what it left half done."""
    _ask("scancel", number)
    deadline = time.monotonic() + _GRACE_S
    while _alive(number) and time.monotonic() < deadline:
        time.sleep(0.5)
    for task in tasks:
        remove(task.part, quietly=True)


def _ask(*command: str) -> str | None:
    """Output of a SLURM command, or None if it fails (the controller may be busy: ask again later)."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout  # noqa: S603 (fixed words)
    except (OSError, subprocess.SubprocessError):
        return None
