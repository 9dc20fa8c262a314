"""Encode and decode one image at a time: the dataset's records against PNG files by Pillow, CPU time of one thread.

    python -m benchmarks codec

On the first 3,000 images of the real ISIIS set, and on the 8-bit images (gray and RGB) of a small virtual ocean,
drawn anew. Encoding and decoding of the two take turns, five rounds; the median counts.
"""

from __future__ import annotations

import io
import statistics
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from aqqua.store import codec
from benchmarks._machine import machine, shared_data

ROUNDS = 5


def main() -> None:
    """Print a table in Markdown."""
    print("| images | | encode µs | decode µs | bytes | decode, times PNG's speed |\n|---|---|---:|---:|---:|---:|")
    sets = {"virtual ocean, 8 bit": _ocean()}
    real = shared_data("images/isiis_planktonset/isiis_planktonset.zip")
    if real:
        sets["ISIIS (real)"] = _isiis(real)
    for name, images in sets.items():
        _measure(name, images)
    print(f"\n{machine('blosc2', 'zstandard', 'pillow', 'numpy')}; CPU time per image, median of {ROUNDS} rounds")


def _measure(name: str, images: Sequence[np.ndarray]) -> None:
    ours = [codec.encode(image) for image in images]
    theirs = [_png(image) for image in images]
    rounds = [
        (
            _cpu(codec.encode, images),
            _cpu(_png, images),
            _cpu(codec.decode, ours),
            _cpu(_from_png, theirs),
        )
        for _ in range(ROUNDS)
    ]
    encode, png, decode, from_png = (statistics.median(column) for column in zip(*rounds, strict=True))
    ratio = statistics.median(r[3] / r[2] for r in rounds)
    print(f"| {name}, {len(images):,} | aqqua | {encode:.0f} | {decode:.1f} | {_mean(ours):,.0f} | **{ratio:.1f}** |")
    print(f"| | Pillow PNG | {png:.0f} | {from_png:.1f} | {_mean(theirs):,.0f} | 1 |")


def _cpu(work: Callable[[Any], object], items: Sequence[Any]) -> float:
    start = time.process_time()
    for item in items:
        work(item)
    return (time.process_time() - start) / len(items) * 1e6


def _mean(records: Sequence[bytes]) -> float:
    return sum(map(len, records)) / len(records)


def _png(image: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(image).save(out, "PNG")
    return out.getvalue()


def _from_png(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def _isiis(archive: Path) -> list[np.ndarray]:
    with zipfile.ZipFile(archive) as files:
        names = islice((n for n in files.namelist() if n.endswith(".jpg")), 0, None, 10)
        return [_from_png(files.read(name)) for name in islice(names, 3000)]


def _ocean() -> list[np.ndarray]:
    from aqqua.ocean import write_ocean
    from aqqua.sources.ingest import ingest
    from aqqua.store.dataset import Dataset

    with tempfile.TemporaryDirectory() as folder:
        sources = write_ocean(Path(folder) / "raw", images=600, seed=0).sources
        ingest(sources, Path(folder) / "data")
        dataset = Dataset.open(Path(folder) / "data")
        images = [pixels for shard in dataset.shards for _, pixels in dataset.iter_images(shard)]
    return [image for image in images if image.dtype == np.uint8]


if __name__ == "__main__":
    main()
