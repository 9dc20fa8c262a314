"""`import aqqua` is quick, and offers exactly the names it lists."""

from __future__ import annotations

import subprocess
import sys

import pytest

import aqqua

HEAVY = ["torch", "polars", "pyarrow", "numpy", "blosc2", "lmdb", "fastapi", "sklearn"]


def test_all_is_sorted() -> None:
    assert aqqua.__all__ == sorted(aqqua.__all__)


@pytest.mark.parametrize("name", [n for n in aqqua.__all__ if n != "__version__"])
def test_every_public_name_is_there(name: str) -> None:
    thing = getattr(aqqua, name)
    assert callable(thing)
    assert thing.__name__.rpartition(".")[2] == name
    assert thing.__doc__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'ingst'"):
        aqqua.ingst  # noqa: B018


@pytest.mark.parametrize("statement", ["import aqqua", "import aqqua.cli"])
def test_importing_brings_nothing_heavy(statement: str) -> None:
    code = f"{statement}\nimport sys; print(*[m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
