from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from aqqua.errors import AqquaError, NotFoundError, SourceError
from aqqua.scale import map_shards
from aqqua.scale.slurm import _groups
from aqqua.scale.tasks import Task
from tests.scale import work


def test_an_array_of_eight_then_only_the_one_that_is_missing(tmp_path: Path, slurm: Path) -> None:
    calls = tmp_path / "calls"
    calls.mkdir()
    outs = [tmp_path / "out" / f"{n}.bin" for n in range(8)]
    shards = [(n, calls) for n in range(8)]
    options: dict[str, Any] = {"logs": tmp_path / "logs", "poll_s": 0.2}
    assert map_shards(work.log_and_write, shards, outs, where="slurm", **options) == outs
    assert [out.read_bytes() for out in outs] == [bytes([n]) * 1000 for n in range(8)]
    assert sorted((tmp_path / "out").iterdir()) == outs
    assert len(list(calls.iterdir())) == 8
    array = next((tmp_path / "logs").glob("*/*_submission.sh")).read_text()
    assert "--array=0-7%8" in array

    outs[5].unlink()
    map_shards(work.log_and_write, shards, outs, where="slurm", workers=1, **options)
    assert sum(path.name.startswith("5-") for path in calls.iterdir()) == 2
    assert len(list(calls.iterdir())) == 9
    assert not list((tmp_path / "logs").glob("*/stop-*"))


def test_a_failure_is_named_and_stops_the_rest(tmp_path: Path, slurm: Path) -> None:
    outs = [tmp_path / f"{n}.bin" for n in range(4)]
    with pytest.raises(SourceError, match="shard 1 is odd") as error:
        map_shards(work.fail_odd, [1, 2, 4, 6], outs, where="slurm", workers=1, logs=tmp_path / "logs", poll_s=0.2)
    assert str(outs[0]) in str(error.value)
    assert not list(tmp_path.glob("*.part"))


def test_a_killed_element_is_a_failure_not_a_hang(tmp_path: Path, slurm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aqqua.scale.slurm._GRACE_S", 1.0)
    with pytest.raises(AqquaError, match="ended without a result") as error:
        map_shards(work.die, [1], [tmp_path / "out"], where="slurm", logs=tmp_path / "logs", poll_s=0.2)
    assert "logs" in str(error.value), "it says where the log is"
    assert not (tmp_path / "out.part").exists()


def test_jobs_find_the_modules_and_have_one_thread(tmp_path: Path, slurm: Path) -> None:
    out = tmp_path / "out"
    map_shards(
        work.environment,
        ["OMP_NUM_THREADS"],
        [out],
        where="slurm",
        logs=tmp_path / "logs",
        partition="debug",
        time_min=5,
        mem_gb=0.25,
        cpus=1,
        setup=["export OMP_NUM_THREADS=5"],
        extra={"nice": 5},
        poll_s=0.2,
    )
    assert json.loads(out.read_text())["value"] == "1"
    script = next((tmp_path / "logs").glob("*/*_submission.sh")).read_text()
    for line in ("--partition=debug", "--time=5", "--mem=256MB", "--cpus-per-task=1", "--nice=5"):
        assert f"#SBATCH {line}" in script


def test_a_refused_job_says_what_slurm_said(tmp_path: Path, slurm: Path) -> None:
    with pytest.raises(AqquaError, match="invalid partition specified: nowhere"):
        map_shards(work.write, [1], [tmp_path / "out"], where="slurm", logs=tmp_path / "logs", partition="nowhere")


SCRIPT = """
from pathlib import Path
from aqqua.scale import map_shards
from tests.scale.work import slow
map_shards(slow, [60.0, 60.0, 60.0], [Path(name).absolute() for name in "abc"], where="slurm", poll_s=0.2)
"""


def test_ctrl_c_cancels_the_job(tmp_path: Path, slurm: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    run = subprocess.Popen([sys.executable, "script.py"], cwd=tmp_path, env=environment, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 90
    while not list(tmp_path.glob("*.part")) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert list(tmp_path.glob("*.part"))
    run.send_signal(signal.SIGINT)
    _, stderr = run.communicate(timeout=60)
    assert stderr.rstrip().endswith(b"KeyboardInterrupt")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["script.py", "slurm-logs"]
    assert not subprocess.run(["squeue", "-h"], capture_output=True, check=True).stdout


def test_thousands_of_shards_fit_into_one_array(tmp_path: Path) -> None:
    tasks = [Task(work.write, n, tmp_path / str(n)) for n in range(2500)]
    groups = _groups(tasks, 1001, tmp_path / "stop")
    assert len(groups) == 1001
    assert {len(group.tasks) for group in groups} == {2, 3}
    assert sorted(task.shard for group in groups for task in group.tasks) == list(range(2500))


def test_a_group_stops_when_another_failed(tmp_path: Path) -> None:
    group = _groups([Task(work.write, n, tmp_path / str(n)) for n in range(2)], 1, tmp_path / "stop")[0]
    (tmp_path / "stop").touch()
    assert group() == []
    (tmp_path / "stop").unlink()
    assert [outcome.out.name for outcome in group()] == ["0", "1"]


def test_without_slurm_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotFoundError, match="sbatch is not found"):
        map_shards(work.write, [1], [tmp_path / "out"], where="slurm")
