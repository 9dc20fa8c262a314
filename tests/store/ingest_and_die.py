"""A small ingest that dies (kill -9) at a moment of one's choice; run it as a program.

    python -m tests.store.ingest_and_die DATASET MOMENT

It dies before the MOMENT-th call that changes names or waits for the disk; 0 for never. It prints the number of
such calls. Like the real ingest it takes up what a former run left: sealed shards are not built again.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from aqqua.metadata.check import Finding
from aqqua.store.dataset import Dataset
from aqqua.store.shard import SealedShard
from tests.make.datasets import sealed_shard

COUNTS = (9, 14, 5)
CALLS = ("fsync", "replace", "rename", "link", "unlink", "rmdir", "mkdir")


def ingest(root: Path) -> Dataset:
    """The first two sources in one commit, the third in another."""
    dataset = Dataset.open(root) if Dataset.is_at(root) else Dataset.create(root)
    for seeds in ((0, 1), (2,)):
        known = {shard.fingerprint for shard in dataset.shards}
        shards = [sealed(root, seed) for seed in seeds if f"print_{seed}" not in known]
        reasons = [f"no position in source {seed}" for seed in seeds]
        rejects = pl.DataFrame({"source_path": ["a"] * len(seeds), "reason": reasons})
        findings = [Finding("warning", "odd", reason) for reason in reasons]
        dataset = dataset.commit(shards, rejects=rejects, findings=findings)
    return dataset


def sealed(root: Path, seed: int) -> SealedShard:
    folder = root / "jobs" / f"source_{seed}"
    return SealedShard.load(folder) or sealed_shard(folder, COUNTS[seed], seed)


class Countdown:
    """Counts calls of the system and ends the process before one of them."""

    def __init__(self, moment: int) -> None:
        self.moment, self.calls = moment, 0

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **options: Any) -> Any:
            self.calls += 1
            if self.calls == self.moment:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*args, **options)

        return counted


if __name__ == "__main__":
    countdown = Countdown(int(sys.argv[2]))
    for name in CALLS:
        setattr(os, name, countdown.around(getattr(os, name)))
    ingest(Path(sys.argv[1]))
    print(countdown.calls)
