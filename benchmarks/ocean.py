"""How fast the virtual ocean is drawn: each organism anew, and few organisms again and again.

    python -m benchmarks ocean

CPU time of one core, everything counted: drawing, truth, masks, raw files, seal.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl

from benchmarks._machine import machine

REUSE = 100


def main() -> None:
    """Print a table in Markdown."""
    from aqqua.ocean import write_ocean
    from aqqua.ocean.many import write_many

    os.environ["AQQUA_QUIET"] = "1"
    print("| virtual ocean | images | kB of pixels each | images/s of one core |\n|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        seconds, images = _cpu(lambda: write_ocean(folder / "all", images=600, samples=3).images)
        seen = pl.read_parquet(folder / "all" / "truth" / "sightings.parquet").drop_nulls("width")
        area = float((seen["width"] * seen["height"]).mean() or 0)  # type: ignore[arg-type]
        print(
            f"| six instruments, every organism drawn anew | {images:,} | {area / 1000:.0f} | {images / seconds:,.0f} |"
        )
        seconds, images = _cpu(lambda: write_many(folder / "many", images=20_000, reuse=REUSE).images)
        area = sum(path.stat().st_size for path in (folder / "many").rglob("*.roi")) / images
        told = f"IFCB only, {REUSE} organisms again and again"
        print(f"| {told} | {images:,} | {area / 1000:.0f} | {images / seconds:,.0f} |")
    print(f"\n{machine('numpy', 'pillow')}; kB are of one channel")


def _cpu(work: Callable[[], int]) -> tuple[float, int]:
    start = time.process_time()
    count = work()
    return time.process_time() - start, count


if __name__ == "__main__":
    main()
