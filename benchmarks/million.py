"""A million images of the virtual ocean: drawn, written as raw IFCB bins, ingested; does memory stay flat?

    python -m benchmarks million --images 1000000 --workers 2

First a tenth of the images, then all; each step is a process of its own (with a pool of workers), whose processor time,
wall time and memory are told. Memory is read ten times a second from /proc (Linux) for each process: what it holds
itself (anonymous), and all it has mapped (with files, which the system may take away). At the end the numbers are
carried over to 7.5 · 10⁹ images. Needs about 30 kB of disk per image. What is drawn into --folder stays there, and is
not drawn again.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks._machine import machine

ALL_IMAGES = 7.5e9
NODE_CORES = 128
REUSE = 600


@dataclass(frozen=True)
class Step:
    """What one step took.

    Args:
        wall_s: by the clock.
        cpu_s: of all processes.
        anonymous: largest memory of one process of its own, bytes.
        resident: largest memory of one process, mapped files included, bytes.
    """

    wall_s: float
    cpu_s: float
    anonymous: int
    resident: int


def main() -> None:
    """Print two tables in Markdown."""
    parser = argparse.ArgumentParser("million")
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=None)
    chosen = parser.parse_args()
    os.environ["AQQUA_QUIET"] = "1"
    print("| images | step | images/s | µs of one core | memory of a process | with mapped files | on disk |")
    print("|---:|---|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as temporary:
        for images in (chosen.images // 10, chosen.images):
            folder = (chosen.folder or Path(temporary)) / str(images)
            folder.mkdir(parents=True, exist_ok=True)
            if not (folder / "raw").exists():
                drawn = _step("draw", folder, images, chosen.workers)
                _line(images, "draw, write raw bins", drawn, folder / "raw")
            taken = _step("ingest", folder, images, chosen.workers)
            _line(images, "ingest", taken, folder / "data")
        _carry_over(images, taken, folder / "data")
    told = f"{chosen.workers} workers, {REUSE} organisms drawn"
    print(f"\n{machine('zstandard', 'lmdb', 'polars', 'numpy')}; {told}")


def draw(folder: Path, images: int, workers: int) -> None:
    """Write raw bins."""
    from aqqua.ocean.many import write_many

    write_many(folder / "raw", images=images, reuse=REUSE, where="pool", workers=workers)


def ingest(folder: Path, images: int, workers: int) -> None:
    """Read them into a dataset, and make sure that all came in."""
    from aqqua.sources.ingest import ingest as run

    report = run([folder / "raw" / "ifcb"], folder / "data", where="pool", workers=workers)
    if (report.images, report.rejected) != (images, 0):
        sys.exit(f"{report.images} of {images} images came in, {report.rejected} were rejected")


def _step(name: str, folder: Path, images: int, workers: int) -> Step:
    code = f"from pathlib import Path; from benchmarks.million import {name} as run"
    code += f"\nif __name__ == '__main__': run(Path({str(folder)!r}), {images}, {workers})"
    start, anonymous, resident = time.perf_counter(), 0, 0
    process = subprocess.Popen([sys.executable, "-c", code])
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        for member in _family(process.pid):
            own, whole = _memory(member)
            anonymous, resident = max(anonymous, own), max(resident, whole)
        time.sleep(0.1)
    if status:
        sys.exit(f"the step {name} failed")
    return Step(time.perf_counter() - start, usage.ru_utime + usage.ru_stime, anonymous, resident)


def _family(pid: int) -> list[int]:
    """A process and its descendants."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(member for child in children for member in _family(int(child)))]


def _memory(pid: int) -> tuple[int, int]:
    """Anonymous and all resident memory of a process, in bytes."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0, 0
    told = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith(("RssAnon", "VmRSS"))}
    return 1024 * int(told.get("RssAnon", 0)), 1024 * int(told.get("VmRSS", 0))


def _line(images: int, what: str, step: Step, folder: Path) -> None:
    print(
        f"| {images:,} | {what} | {images / step.wall_s:,.0f} | {step.cpu_s / images * 1e6:,.0f} | "
        f"{step.anonymous / 1e6:,.0f} MB | {step.resident / 1e6:,.0f} MB | {_bytes(folder) / 1e9:.2f} GB |",
        flush=True,
    )


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _carry_over(images: int, step: Step, folder: Path) -> None:
    """What all images would take, if nothing but their number changed."""
    import polars as pl

    from aqqua.store.dataset import Dataset

    dataset = Dataset.open(folder)
    tables = [shard.converted for shard in dataset.shards]
    pixels = pl.scan_parquet(tables).select(pl.col("nbytes").cast(pl.UInt64).sum()).collect().item() / images
    size, cpu_s = _bytes(folder) / images, step.cpu_s / images
    full = ALL_IMAGES / (1 << 20)
    hours = ALL_IMAGES * cpu_s / 3600
    print(f"\nCarried over to {ALL_IMAGES:.1e} images of {pixels / 1000:.1f} kB of pixels like these:\n")
    print("| | |\n|---|---:|")
    print(f"| images/s of one core | {1 / cpu_s:,.0f} |")
    print(f"| hours of one core | {hours:,.0f} |")
    print(f"| hours of one node with {NODE_CORES} cores | {hours / NODE_CORES:,.1f} |")
    print(f"| bytes per image in the dataset, tables included | {size:,.0f} |")
    print(f"| the dataset | {ALL_IMAGES * size / 1e12:,.1f} TB |")
    print(f"| shards of 2²⁰ images (sources of 16 million images or more) | {full:,.0f} |")
    print(f"| shards as here ({len(dataset.shards)} per million) | {ALL_IMAGES / images * len(dataset.shards):,.0f} |")
    print(f"| files, three per shard | {3 * full:,.0f} to {3 * ALL_IMAGES / images * len(dataset.shards):,.0f} |")
    need = NODE_CORES / cpu_s * (pixels + size) / 1e9
    print(f"| GB/s that one node reads and writes at this rate | {need:,.1f} |")


if __name__ == "__main__":
    main()
