"""A real SLURM of one node, started for the tests that need one."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT, missing_system_part

SCRIPT = ROOT / "scripts" / "slurm-here"


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a running private SLURM; its commands find it through SLURM_CONF."""
    if not shutil.which("slurmctld", path=os.environ["PATH"] + ":/usr/sbin") or not shutil.which("sbatch"):
        missing_system_part("SLURM is not installed: scripts/system-packages installs it")
    folder = tmp_path_factory.mktemp("slurm")
    before = os.environ.get("SLURM_CONF")
    subprocess.run([SCRIPT, "start", folder], check=True, stdout=subprocess.DEVNULL, timeout=120)
    os.environ["SLURM_CONF"] = str(folder / "slurm.conf")
    try:
        yield folder
    finally:
        subprocess.run([SCRIPT, "stop", folder], check=True, timeout=60)
        if before is None:
            del os.environ["SLURM_CONF"]
        else:
            os.environ["SLURM_CONF"] = before
