"""The rule about skips in CI, tried on a small test suite of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

SUITE = """
import pytest
def test_that_skips(): pytest.skip("no such thing")
@pytest.mark.gpu
def test_gpu(): pytest.skip("no GPU")
def test_data(shared_data): assert False
@pytest.mark.xfail(strict=True)
def test_known(): assert False
def test_good(): pass
"""


@pytest.mark.parametrize(
    ("ci", "counts"), [("true", "1 failed, 1 passed, 2 skipped, 1 xfailed"), ("", "1 passed, 3 skipped")]
)
def test_in_ci_a_skip_needs_leave(tmp_path: Path, ci: str, counts: str) -> None:
    (tmp_path / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text())
    (tmp_path / "test_suite.py").write_text(SUITE)
    run = run_pytest(tmp_path, ci, "test_suite.py")
    assert counts in run
    assert ("no such thing" in run) is bool(ci)


def test_in_ci_a_file_must_not_skip_itself(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text())
    (tmp_path / "test_suite.py").write_text("import pytest\npytest.importorskip('no_such_module_at_all')\n")
    assert "1 error" in run_pytest(tmp_path, "true", "test_suite.py")
    assert "1 skipped" in run_pytest(tmp_path, "", "test_suite.py")


def run_pytest(folder: Path, ci: str, *arguments: str) -> str:
    environment = os.environ | {"CI": ci, "AQQUA_SHARED_DATA": str(folder / "nowhere")}
    settings = folder / "pytest.ini"
    settings.write_text("[pytest]\nmarkers = gpu\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", str(settings), *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False).stdout
