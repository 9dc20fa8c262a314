"""`aqqua curate …`: duplicates, quality, copies, splits – written beside the data, which stay as they are."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from aqqua.errors import ConfigError

__all__ = ["app"]

Where = Literal["here", "pool", "slurm", "ray"]
Flag = Annotated[bool, Parameter(negative=())]
Remove = Literal["exact", "all"]
By = Literal["sample", "cruise", "instrument", "time", "cluster"]

app = App(
    name="curate", help="Find duplicates, poor images and copies; split for training. Nothing is deleted unasked."
)


@app.command(sort_key=0)
def duplicates(
    *datasets: Path,
    near: bool = True,
    mirrored: Flag = False,
    remove: Remove | None = None,
    where: Where = "here",
    workers: int | None = None,
) -> None:
    """Find equal images and captures saved twice, within and across datasets.

    Args:
        datasets: the datasets; the first copy in their order is the one to keep.
        near: look for near duplicates, not only for equal pixels.
        mirrored: look for mirrored copies as well.
        remove: take out (tombstones) all but one of exact duplicates, or of all; without it they are only written down.
        where: run here, in a process pool, on SLURM or on Ray.
        workers: how many processes or nodes.
    """
    from aqqua.curate.duplicates import duplicates as run

    print(run(_some(datasets), near=near, mirrored=mirrored, remove=remove, where=where, workers=workers))


@app.command(sort_key=1)
def quality(*datasets: Path, stuck: bool = True, where: Where = "here", workers: int | None = None) -> None:
    """Score focus, contrast, noise, saturation, emptiness, cut-off objects, burnt-in bars, stuck particles.

    Args:
        datasets: the datasets.
        stuck: look for particles stuck to the window, too.
        where: run here, in a process pool, on SLURM or on Ray.
        workers: how many processes or nodes.
    """
    from aqqua.curate.quality import quality as run

    for report in run(_some(datasets), stuck=stuck, where=where, workers=workers):
        print(report)


@app.command(sort_key=2)
def variants(*datasets: Path, remove: Flag = False) -> None:
    """Find copies of one image: processed, compressed, vignettes with a scale bar.

    Args:
        datasets: the datasets.
        remove: take the copies out (tombstones); the raw images stay.
    """
    from aqqua.curate.copies_in_dataset import variants as run

    for report in run(_some(datasets), remove=remove):
        print(report)


@app.command(sort_key=3)
def splits(
    *datasets: Path,
    name: str,
    by: By = "sample",
    fractions: str = "0.8,0.1,0.1",
    seed: int = 0,
    honour: bool = True,
) -> None:
    """Split into training, validation and test sets without leaks.

    Args:
        datasets: the datasets, split together.
        name: of the split.
        by: what must not be torn apart; duplicates never are.
        fractions: shares of train, val and test.
        seed: another seed, another split.
        honour: keep the parts that sources name themselves.
    """
    from aqqua.curate.splits import splits as run

    try:
        shares = [float(share) for share in fractions.split(",")]
    except ValueError as error:
        raise ConfigError(f"--fractions {fractions} are no numbers", do="--fractions 0.8,0.1,0.1") from error
    print(run(_some(datasets), name=name, by=by, fractions=shares, seed=seed, honour=honour))


@app.command(sort_key=4)
def check_split(*datasets: Path, name: str) -> None:
    """Look for leaks between the parts of a split; exit status 1 if there are any.

    Args:
        datasets: all datasets that were split together.
        name: of the split.
    """
    from aqqua.curate.leaks import check_split as run

    findings = run(_some(datasets), name)
    for finding in findings:
        print(f"{finding.severity:8} {finding.message} (×{finding.count:,})  {finding.where}\n         → {finding.do}")
    if any(finding.severity == "error" for finding in findings):
        sys.exit(1)
    print(f"split {name!r}: no leak")


def _some(datasets: tuple[Path, ...]) -> list[Path]:
    if not datasets:
        raise ConfigError("name a dataset", do="aqqua curate … DATASET…")
    return list(datasets)
