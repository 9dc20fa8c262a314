"""Training on a real SLURM, by the batch script of the docs: signalled, saved, requeued, finished."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aqqua.models.checkpoint import load
from tests.conftest import ROOT
from tests.make.trainable import make_dataset

PAGE = ROOT / "docs" / "howto" / "train_cluster.md"
CONFIG = "size: pico\nminutes: 0.2\nbatch: 20\nparts: 2\nshard: {}\nslices: 16\nembedding: 8\nhidden: 16\ndevice: cpu\n"


def batch_script() -> str:
    """The script of the page, for one node of two cores without GPUs."""
    found = re.search(r"```text\n# file: train\.sbatch\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert found
    script = re.sub(r"#SBATCH --(gpus-per-node|cpus-per-task)=.*\n", "", found[1])
    script, count = re.subn(r"--nodes=2\n#SBATCH --ntasks-per-node=4", "--nodes=1\n#SBATCH --ntasks-per-node=2", script)
    assert count == 1
    return script.replace("$SLURM_CPUS_PER_TASK", "1")


def ask(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.strip()


def wait_for(what: str, seconds: float, ready: object) -> None:
    assert callable(ready)
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, what
        time.sleep(0.2)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("shard", [False, True])
def test_signalled_saved_requeued_finished(tmp_path: Path, slurm: Path, shard: bool) -> None:
    make_dataset(tmp_path / "mydata", 40)
    (tmp_path / "run.yaml").write_text(CONFIG.format(str(shard).lower()))
    (tmp_path / "train.sbatch").write_text(batch_script())
    environment = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "AQQUA_QUIET": ""}
    job = subprocess.run(
        ["sbatch", "--parsable", "--output=log.txt", "train.sbatch"],
        cwd=tmp_path,
        env=os.environ | environment,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    log, model = tmp_path / "log.txt", tmp_path / "model"

    def said() -> str:
        return log.read_text() if log.is_file() else ""

    curve = model / "log.csv"
    wait_for("a first line of the log", 240, lambda: curve.is_file() and len(curve.read_text().splitlines()) > 1)
    ask("scancel", "--signal=USR1", job)
    wait_for("a pause", 120, lambda: "asked to stop at step" in said())
    wait_for("the job in the queue again", 120, lambda: ask("squeue", "-h", "-j", job, "-o", "%T") == "PENDING")
    assert (model / "state").is_dir() == shard
    assert not (model / "model.json").exists()
    step = int(re.findall(r"asked to stop at step ([\d,]+)", said())[0].replace(",", ""))
    ask("scontrol", "update", f"JobId={job}", "StartTime=now")  # SLURM lets requeued jobs wait for two minutes
    wait_for("the end of the job", 240, lambda: not ask("squeue", "-h", "-j", job, "-t", "PENDING,RUNNING,COMPLETING"))
    info = load(model).info["training"]
    assert info["hardware"]["processes"] == 2
    assert info["steps"] > step
    steps = [int(line.split(",")[0]) for line in curve.read_text().splitlines()[1:]]
    assert steps == sorted(set(steps))
    assert min(steps) <= step < max(steps)
    assert said().count("asked to stop at step") == 1, "only the first process speaks"
    assert said().count("40 images of 1 dataset") == 2, "once in each start"
