"""Real ingests in real processes, killed (SIGKILL) at random moments: what is checked after each, as a program.

    python -m tests.store.kill_ingest FOLDER MOMENTS SEED

Everything is imported once; each ingest runs in a forked child, so that a moment costs tenths of a second. It prints
a JSON line per moment and one at the end.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from aqqua.sources import SOURCES
from aqqua.sources.ingest import ingest
from aqqua.store.dataset import Dataset
from aqqua.store.verify import verify
from tests.make.ecotaxa import FLAVOURS, rows, write_package
from tests.make.folders import write_classes

SHARD_IMAGES = 8


def main(home: Path, moments: int, seed: int) -> None:
    """Kill as often as asked, at moments spread over the time that an undisturbed ingest takes."""
    chance = random.Random(seed)
    for name in (*(path.partition(":")[0] for path in SOURCES.values()), "aqqua.store.commit", "PIL.PngImagePlugin"):
        importlib.import_module(name)  # once, not in each child
    sources = write_sources(home)
    assert run(lambda: ingest_all(sources, home / "whole")) == 0
    begin = time.monotonic()  # the second time: the first warms everything up
    assert run(lambda: ingest_all(sources, home / "again")) == 0
    whole_s = time.monotonic() - begin
    assert run(lambda: check(home / "whole")) == 0
    for number in range(moments):
        root = home / f"d{number}"
        at_s = chance.uniform(0, 1.1 * whole_s)
        begin = time.monotonic()
        status = run(partial(ingest_all, sources, root), at_s)
        if status == 0:  # it was faster than the moment: the machine is not as busy as it was
            whole_s = min(whole_s, time.monotonic() - begin)
        sealed = inodes(root)
        if Dataset.is_at(root):
            assert run(partial(check, root)) == 0, f"moment {number}: not sound after {at_s:.3f} s"
        assert run(partial(ingest_all, sources, root)) == 0, f"moment {number}: the rerun failed"
        redone = sealed - inodes(root)
        assert run(partial(compare, home / "whole", root)) == 0, f"moment {number}: another dataset"
        assert not redone, f"moment {number}: sealed shards were built again"
        print(json.dumps({"killed": status == -signal.SIGKILL, "at_s": at_s, "sealed": len(sealed)}), flush=True)
        shutil.rmtree(root)
    print(json.dumps({"moments": moments, "whole_s": whole_s}))


def write_sources(home: Path) -> list[Path]:
    """Two small sources of several shards each, one with labels and rows that are rejected."""
    table = rows(objects=14, samples=2, ranks=1)
    table[3]["object_lat"] = "999"
    write_package(home / "cruise", FLAVOURS["import"], table)
    write_classes(home / "isiis", images=5)
    return [home / "cruise", home / "isiis"]


def ingest_all(sources: list[Path], root: Path) -> None:
    """The ingest that is killed."""
    ingest(sources, root, shard_images=SHARD_IMAGES)


def run(work: Callable[[], object], kill_after_s: float | None = None) -> int:
    """Run in a child; returns 0, or what ended it."""
    child = os.fork()
    if not child:
        try:
            work()
            os._exit(0)
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(1)
    if kill_after_s is not None:
        time.sleep(kill_after_s)
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def check(root: Path) -> None:
    """A dataset that an interrupted ingest left: whole at its last commit, verified to the last bit."""
    dataset = Dataset.open(root)
    assert [finding for finding in verify(dataset, 3) if finding.severity == "error"] == []
    table = dataset.metadata()
    assert len(table) == len(dataset)
    assert set(dataset.labels()["uid"]) <= set(table["uid"])


def compare(whole: Path, other: Path) -> None:
    """Two datasets are equal: the sealed files byte for byte, the rest but for the times at which things were done."""
    check(other)
    one, two = Dataset.open(whole), Dataset.open(other)
    assert len(one) == len(two) > 0
    sealed = sorted(path.relative_to(whole) for kind in ("images", "meta") for path in (whole / kind).rglob("*.*"))
    assert sealed == sorted(
        path.relative_to(other) for kind in ("images", "meta") for path in (other / kind).rglob("*.*")
    )
    for path in sealed:
        assert (whole / path).read_bytes() == (other / path).read_bytes(), path
    for mine, theirs in zip(one.shards, two.shards, strict=True):
        assert mine.to_row(whole) == theirs.to_row(other)
    assert one.labels().drop("recorded_utc").equals(two.labels().drop("recorded_utc"))
    assert one.rejected().equals(two.rejected())
    assert one.findings() == two.findings()
    uids = one.metadata([])["uid"].to_list()
    assert all(np.array_equal(a, b) for a, b in zip(one.images(uids), two.images(uids), strict=True))
    left = [path for path in other.rglob("*") if path.suffix in {".part", ".spool", ".arrow"} or path.name == "jobs"]
    assert not left, left


def inodes(root: Path) -> set[int]:
    """The image files of shards that are sealed, wherever they lie: moving them into place keeps their number."""
    jobs = [path for path in root.glob("jobs/*/*/*/images.mdb") if (path.parent / "summary.json").is_file()]
    whole = [path for path in jobs if ".part" not in path.parent.parent.name]
    return {path.stat().st_ino for path in (*whole, *root.glob("images/*/*.mdb"))}


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
