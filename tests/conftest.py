"""Fixtures for all tests. What is not there is skipped with a reason; in CI only gpu, live and network may skip.

(And tests on real data where there is none beside the checkout.) Elsewhere any skip is a failure in CI, so that
a part that is missing there is noticed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parents[1]
MAY_SKIP_IN_CI = {"gpu", "live", "network"}
IN_CI = os.environ.get("CI", "").lower() in {"1", "true"}


def pytest_configure() -> None:
    os.environ.setdefault("AQQUA_QUIET", "1")
    # A busy machine is no error; and the same commit gives the same answer in CI.
    settings.register_profile("aqqua", deadline=None, derandomize=IN_CI)
    settings.load_profile("aqqua")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a skip is a failure, but where a marker or missing real data allows it."""
    report = yield
    allowed = any(item.get_closest_marker(name) for name in MAY_SKIP_IN_CI)
    real_data = "shared_data" in getattr(item, "fixturenames", ())
    if IN_CI and report.skipped and not hasattr(report, "wasxfail") and not allowed and not real_data:
        _fail(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """In CI no whole file may skip itself either."""
    report = yield
    if IN_CI and report.skipped:
        _fail(report)
    return report


def _fail(report: pytest.TestReport | pytest.CollectReport) -> None:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
    report.outcome = "failed"
    report.longrepr = (
        f"{reason}\n(in CI nothing but {', '.join(sorted(MAY_SKIP_IN_CI))} and missing real data may skip)"
    )


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
    if IN_CI:
        pytest.fail(reason)
    pytest.skip(reason)
