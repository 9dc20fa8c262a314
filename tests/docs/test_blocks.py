"""Every code block of the documentation runs.

A page's ```bash and ```python blocks run in order in one fresh folder; a ```yaml or ```text block whose first line is
`# file: NAME` becomes that file first. Blocks that are only to be read are written as ```{code-block} text. The pages
share the small ocean and the dataset of `docs/start.md`, made once.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
START = DOCS / "start.md"
FENCE = re.compile(r"^```(bash|python|yaml|text|csv)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"# file: (\S+)\n")
READ_ONLY = {"_build", "_generated"}


@dataclass(frozen=True)
class Block:
    language: str
    text: str
    line: int

    @property
    def file(self) -> str | None:
        named = NAMED.match(self.text)
        return named[1] if named else None


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text("utf-8")
    for found in FENCE.finditer(text):
        block = Block(found[1], found[2], text[: found.start()].count("\n") + 1)
        if block.language in {"bash", "python"} or block.file:
            yield block


def pages() -> list[Path]:
    return [
        path
        for path in sorted([ROOT / "README.md", *DOCS.rglob("*.md")])
        if path != START and not READ_ONLY & set(path.parts) and any(blocks(path))
    ]


def run(page: Path, folder: Path) -> None:
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "AQQUA_QUIET": "1",
        "OMP_NUM_THREADS": "1",
    }
    for block in blocks(page):
        if block.file:
            target = folder / block.file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text.split("\n", 1)[1], "utf-8")
            continue
        command = ["bash", "-euo", "pipefail"] if block.language == "bash" else [sys.executable, "-W", "error", "-"]
        done = subprocess.run(
            command,
            input=block.text,
            cwd=folder,
            env=environment,
            text=True,
            capture_output=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, f"{page.name}:{block.line}\n{block.text}\n{done.stdout}\n{done.stderr}"


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder as `docs/start.md` leaves it."""
    folder = tmp_path_factory.mktemp("start")
    run(START, folder)
    return folder


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_start_page_runs(started: Path) -> None:
    assert (started / "mydata" / "CURRENT").exists()


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_of_the_page_runs(page: Path, started: Path, tmp_path: Path) -> None:
    folder = tmp_path / "page"
    shutil.copytree(started, folder)
    run(page, folder)
