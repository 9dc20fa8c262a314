"""The built front end: made from the sources beside it, small, and fit for the strict content security policy."""

from __future__ import annotations

import gzip
import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from aqqua.app.server import STATIC

UI = Path(__file__).parents[2] / "ui"
FILES = ("LICENSES.txt", "app.css", "app.js", "icon.svg", "index.html")
MOST_BYTES = 100_000


def fingerprint() -> str:
    """The same sum over the sources as `ui/build.mjs` writes into the bundle."""
    total = hashlib.sha256()
    sources = [f"src/{file.name}" for file in sorted((UI / "src").iterdir(), key=lambda file: file.name)]
    for name in [*sources, "build.mjs", "package-lock.json"]:
        total.update(f"{name}\0".encode() + (UI / name).read_bytes() + b"\0")
    return total.hexdigest()[:16]


def test_the_bundle_was_built_from_these_sources() -> None:
    if not UI.is_dir():
        pytest.fail("no ui/ beside the tests: they belong to the repository, not to the installed package")
    stamp = re.search(r"sources ([0-9a-f]{16})", (STATIC / "app.js").read_text(encoding="utf-8")[:400])
    assert stamp is not None
    assert stamp[1] == fingerprint(), "the sources have changed since: make ui, and commit what it builds"


@pytest.mark.network  # node_modules comes from the npm registry; the stamp above is checked without it
def test_building_again_gives_the_same_bytes(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None or not (UI / "node_modules" / "esbuild").is_dir():
        pytest.skip("no ui/node_modules: make ui (needs node and the npm registry)")
    subprocess.run([node, "build.mjs", "--out", str(tmp_path)], cwd=UI, check=True, capture_output=True)
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(FILES)
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (STATIC / name).read_bytes(), name


@pytest.mark.network
def test_types_and_units_of_the_front_end(tmp_path: Path) -> None:
    npm = shutil.which("npm")
    if npm is None or not (UI / "node_modules" / "typescript").is_dir():
        pytest.skip("no ui/node_modules: make ui (needs node and the npm registry)")
    for task in ("check", "test"):
        done = subprocess.run([npm, "run", "--silent", task], cwd=UI, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_page_is_small_and_whole() -> None:
    assert sorted(file.name for file in STATIC.iterdir()) == sorted(FILES)
    assert sum(len(gzip.compress((STATIC / name).read_bytes())) for name in FILES) < MOST_BYTES


def test_the_page_needs_no_exception_from_the_policy() -> None:
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=", page) == []
    assert re.findall(r'(?:src|href)="(?!app\.|icon\.)', page) == []
    script = (STATIC / "app.js").read_text(encoding="utf-8")
    assert re.findall(r"\beval\(|new Function\(|innerHTML\s*=(?!=)[^;]{0,40}\+", script) == []


def test_nothing_is_fetched_from_elsewhere() -> None:
    for name in ("app.js", "app.css", "index.html"):
        addresses = set(re.findall(r"https?://[^\s\"'`)]+", (STATIC / name).read_text(encoding="utf-8")))
        known = {"http://www.w3.org/2000/svg", "http://www.w3.org/1998/Math/MathML", "http://www.w3.org/1999/xhtml"}
        assert addresses <= known, name
