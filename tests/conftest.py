"""Fixtures for all tests. What is not there is skipped with a reason; in CI only gpu, live and network may skip."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAY_SKIP_IN_CI = {"gpu", "live", "network"}
SYSTEM_PARTS_IN_CI = os.environ.get("CI") == "true"


def pytest_configure() -> None:
    os.environ.setdefault("AQQUA_QUIET", "1")
    os.environ.setdefault("NUMBA_CACHE_DIR", str(ROOT / ".pytest_cache" / "numba"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the checkout, or skip."""
    folder = Path(os.environ.get("AQQUA_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder} (set AQQUA_SHARED_DATA)")
    return folder


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Debian's Chromium, or skip (in CI: fail)."""
    path = shutil.which("chromium")
    if path is None:
        missing_system_part("Chromium is not installed: scripts/system-packages installs it")
    assert path is not None
    return path


def missing_system_part(reason: str) -> None:
    """Skip on a bare machine; fail in CI, where every system part must be there."""
    if SYSTEM_PARTS_IN_CI:
        pytest.fail(reason)
    pytest.skip(reason)
