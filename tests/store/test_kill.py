"""kill -9 at many random moments of a real ingest: nothing is lost, and at most the shard being built is redone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def killed(moments: int, seed: int) -> list[dict[str, float]]:
    """What the program tells; in memory, where there is such a folder: a killed process loses no disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as home:
        return run(Path(home), moments, seed)


def run(home: Path, moments: int, seed: int) -> list[dict[str, float]]:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1", "AQQUA_QUIET": "1"}
    command = [sys.executable, "-m", "tests.store.kill_ingest", str(home), str(moments), str(seed)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=1200, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_killed_at_a_few_moments() -> None:
    *moments, last = killed(4, seed=1)
    assert len(moments) == last["moments"] == 4


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_killed_at_sixty_moments() -> None:
    *moments, last = killed(60, seed=2)
    assert len(moments) == last["moments"] == 60
    assert sum(moment["killed"] for moment in moments) >= 40, "most of them were still at work"
    assert len({moment["sealed"] for moment in moments}) >= 4, "at moments from the beginning to the end"
