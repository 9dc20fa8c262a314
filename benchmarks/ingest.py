"""Ingest against Pillow decoding alone (the floor), and against a loop by hand; CPU time of one core, in one run.

    python -m benchmarks ingest

Three sources: a folder of JPEG files (of the real ISIIS set), an EcoTaxa export (the same images as PNG in a zip, with
a table of 60 columns), and IFCB bins (the real ROIs and their mirror images, again and again).

- *floor*: `numpy.asarray(Image.open(…))` of each image, from memory; for IFCB, whose pixels are not packed, of the same
  ROIs as PNG.
- *by hand*: what a short script would do: read each image, Pillow, PNG, LMDB. No metadata, no checks, nothing is
  read back.
- *aqqua*: `ingest`, from the raw files to a committed dataset: reading, harmonising, encoding, tables, sealing, reading
  everything back.

The three take turns, three rounds; medians. Environment: AQQUA_BENCH_IMAGES (20000).
"""

from __future__ import annotations

import io
import os
import shutil
import statistics
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks._machine import machine
from benchmarks._sources import ecotaxa_zip, ifcb_folder, jpeg_folder, real_isiis, real_rois

ROUNDS = 3


@dataclass(frozen=True)
class Case:
    """A raw source, and its images as files in memory.

    Args:
        name: in words.
        source: to be ingested.
        files: for the floor and the loop by hand.
        read: yields the same images from the source, decoded.
    """

    name: str
    source: Path
    files: list[bytes]
    read: Callable[[], Iterator[np.ndarray]]


def main() -> None:
    """Print a table in Markdown."""
    count = int(os.environ.get("AQQUA_BENCH_IMAGES", "20000"))
    os.environ["AQQUA_QUIET"] = "1"
    print("| source | | images/s | µs per image | times the floor |\n|---|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for case in _cases(folder, count):
            _measure(case, folder)
    told = f"CPU time of one core, median of {ROUNDS} rounds in turn"
    print(f"\n{machine('pillow', 'zstandard', 'lmdb', 'polars', 'numpy')}; {told}")


def _cases(folder: Path, count: int) -> Iterator[Case]:
    jpegs = real_isiis(count)
    kind = "real ISIIS"
    source = jpeg_folder(folder / "isiis", jpegs)
    yield Case(f"JPEG folder, {kind}", source, jpegs, lambda: _files(source))
    pngs = [_png(np.asarray(Image.open(io.BytesIO(data)))) for data in jpegs]
    package = ecotaxa_zip(folder / "export.zip", pngs)
    yield Case(f"EcoTaxa zip, PNG of {kind}", package, pngs, lambda: _members(package))
    rois = real_rois(count // 2)
    bins = ifcb_folder(folder / "ifcb", rois)
    files = [_png(roi) for roi in rois]
    yield Case("IFCB bins, real ROIs (floor: as PNG)", bins, files, lambda: _rois(bins, rois))


def _measure(case: Case, folder: Path) -> None:
    from aqqua.sources.ingest import ingest

    times: dict[str, list[float]] = {"floor": [], "hand": [], "aqqua": []}
    for _ in range(ROUNDS + 1):  # the first one warms up
        times["floor"].append(_cpu(lambda: _decode(case.files)))
        times["hand"].append(_cpu(lambda: _by_hand(case.read(), folder / "hand.mdb")))
        times["aqqua"].append(_cpu(lambda: ingest([case.source], folder / "data")))
        (folder / "hand.mdb").unlink()
        shutil.rmtree(folder / "data")
    names = {"floor": "Pillow decoding alone", "hand": "by hand: Pillow, PNG, LMDB", "aqqua": "**aqqua ingest**"}
    count, size = len(case.files), statistics.mean(map(len, case.files))
    for key, name in names.items():
        each = statistics.median(times[key][1:]) / count
        ratio = statistics.median(t / f for t, f in zip(times[key][1:], times["floor"][1:], strict=True))
        first = f"{case.name}: {count:,}, {size / 1000:.1f} kB each" if key == "floor" else ""
        print(f"| {first} | {name} | {1 / each:,.0f} | {each * 1e6:.0f} | {ratio:.2f} |", flush=True)


def _cpu(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _decode(files: Sequence[bytes]) -> None:
    for data in files:
        np.asarray(Image.open(io.BytesIO(data)))


def _by_hand(images: Iterator[np.ndarray], path: Path) -> None:
    import lmdb

    environment = lmdb.open(str(path), subdir=False, map_size=1 << 33, lock=False)
    with environment, environment.begin(write=True) as transaction:
        for number, image in enumerate(images):
            transaction.put(f"{number:08}".encode(), _png(image))


def _files(folder: Path) -> Iterator[np.ndarray]:
    for path in sorted(folder.rglob("*.jpg")):
        yield np.asarray(Image.open(path))


def _members(path: Path) -> Iterator[np.ndarray]:
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith(".png"):
                yield np.asarray(Image.open(io.BytesIO(archive.read(name))))


def _rois(folder: Path, rois: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
    """Cut out of the bins; where they lie is known beforehand."""
    shapes = iter([roi.shape for roi in rois])
    for path in sorted(folder.glob("*.roi")):
        data, at = path.read_bytes(), 0
        while at < len(data):
            height, width = next(shapes)
            yield np.frombuffer(data, np.uint8, height * width, at).reshape(height, width)
            at += height * width


def _png(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


if __name__ == "__main__":
    main()
