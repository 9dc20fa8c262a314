"""What a table was measured on, and how: in one line below each."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["machine", "shared_data"]

ROOT = Path(__file__).parents[1]


def machine(*packages: str) -> str:
    """One line: processor, system, Python, and the versions of the packages named."""
    cpu = "unknown processor"
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line]
        cpu = names[0] if names else cpu
    known = ", ".join(f"{name} {_version(name)}" for name in ("aqqua", *packages))
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"{cpu}, {os.cpu_count()} cores, {system}; {known}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def shared_data(path: str) -> Path | None:
    """A file of the real data beside the checkout, or None where there is none."""
    found = Path(os.environ.get("AQQUA_SHARED_DATA", ROOT.parent / "shared" / "data")) / path
    return found if found.exists() else None
