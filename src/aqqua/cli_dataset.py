"""`aqqua dataset …`: keep a dataset whole: verify it, take images out, see where they went, make room.

Each command parses, calls one public function of the same name, and prints its result.
"""

from __future__ import annotations

import json as json_format
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

__all__ = ["app"]

Where = Literal["here", "pool", "slurm", "ray"]
Flag = Annotated[bool, Parameter(negative=())]
Folders = Annotated[list[Path] | None, Parameter(consume_multiple=True)]

app = App(name="dataset", help="Keep a dataset whole: verify, withdraw, lineage, compact.")


@app.command(sort_key=0)
def verify(dataset: Path, *, level: int = 2) -> None:
    """Say whether the files are still what was written; exit status 1 if not.

    Args:
        dataset: the dataset.
        level: how deep: 0 sizes, 1 structure, 2 every byte, 3 decode every image.
    """
    from aqqua.store.dataset import Dataset
    from aqqua.store.verify import verify as run

    findings = run(Dataset.open(dataset), level)
    for finding in findings:
        print(f"{finding.severity} [{finding.code}] {finding.message}\n  where: {finding.where}")
        if finding.do:
            print(f"  do:    {finding.do}")
    if any(finding.severity == "error" for finding in findings):
        sys.exit(1)
    print(f"all files are as they were written (level {level})")


@app.command(sort_key=1)
def withdraw(
    dataset: Path,
    *,
    reason: str,
    source: str | None = None,
    sample: str | None = None,
    uids: Path | None = None,
) -> None:
    """Take images out of all views; from then on nobody is shown or given them.

    Args:
        dataset: the dataset.
        reason: why, in words; it is kept.
        source: all images of this raw source, as `aqqua dataset lineage` names it.
        sample: all images of this sample; with --source only those of that source.
        uids: the images in this file: Parquet or CSV with a column `uid`, or one uid a line.
    """
    from aqqua.store.withdraw import withdraw as run

    print(run(dataset, reason=reason, source=source, sample=sample, uids=uids))


@app.command(sort_key=2)
def lineage(
    dataset: Path,
    *,
    source: str | None = None,
    sample: str | None = None,
    uids: Path | None = None,
    models: Folders = None,
    releases: Folders = None,
    json: Flag = False,
) -> None:
    """Say which shards, labels, masks, predictions, splits, models and releases contain a source, a sample or images.

    Args:
        dataset: the dataset.
        source: name of the raw source.
        sample: a sample; with --source only of that source.
        uids: the images in this file: Parquet or CSV with a column `uid`, or one uid a line.
        models: folders in which to look for models, at any depth.
        releases: folders in which to look for other datasets and documents, at any depth.
        json: print JSON.
    """
    from aqqua.store.lineage import lineage as run

    found = run(dataset, source=source, sample=sample, uids=uids, models=models or (), releases=releases or ())
    print(json_format.dumps(found.to_dict(), indent=2, ensure_ascii=False) if json else found)


@app.command(sort_key=3)
def compact(dataset: Path, *, where: Where = "here", workers: int | None = None) -> None:
    """Build shards that have withdrawn images anew without them, and delete the old ones: the bytes are gone.

    Args:
        dataset: the dataset; let no other job run on it meanwhile.
        where: build here, in a process pool, on SLURM or on Ray.
        workers: how many processes or nodes.
    """
    from aqqua.store.compact import compact as run

    print(run(dataset, where=where, workers=workers))
