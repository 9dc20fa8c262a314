"""What filters of blosc2 before zstd would save and cost, by camera: why records have none.

    python -m benchmarks filters

Up to 300 real images of each camera. Size against PNG as Pillow writes it; CPU time of decoding, median of five rounds.
"none" is the record as it is written, decoded as aqqua does. The others are decoded by blosc2 itself: bytedelta is a
plug-in that not every build of blosc2 has, and a shuffle of other than the sample's bytes needs c-blosc2 2.23.1.
"""

from __future__ import annotations

import io
import statistics
import struct
import time
from collections.abc import Callable, Sequence
from typing import Any

import blosc2
import numpy as np
import zstandard
from PIL import Image

from aqqua.store.codec import decode, encode
from benchmarks._machine import machine
from benchmarks._real import mixed_set, png

ROUNDS, MOST = 5, 300
SHUFFLE, BYTEDELTA = 1, 35
WIDEST = 255  # a filter's parameter is one byte

Step = tuple[int, int]
"""A filter and its parameter."""


def main() -> None:
    """Print a table in Markdown."""
    mixed = mixed_set()
    if mixed is None:
        print("skipped: there are no shared data (set AQQUA_SHARED_DATA)")
        return
    blosc2.set_nthreads(1)
    print("| camera | images | filters | size, × PNG | decode µs | × PNG's speed |\n|---|---:|---|---:|---:|---:|")
    for camera in sorted(set(mixed.cameras)):
        of_camera = [image for image, name in zip(mixed.images, mixed.cameras, strict=True) if name == camera]
        for kind, dimensions in (("gray", 2), ("RGB", 3)):
            images = [i for i in of_camera if i.ndim == dimensions and i.shape[1] <= WIDEST][:MOST]
            if len(images) >= 30:
                _measure(f"{camera}, {kind}", images)
    print(f"\n{machine('blosc2', 'zstandard', 'pillow')}; images up to 255 px wide")


def _measure(name: str, images: Sequence[np.ndarray]) -> None:
    pngs = [png(image) for image in images]
    ways: dict[str, tuple[Sequence[bytes], Callable[[Any], object]]] = {"none": ([encode(i) for i in images], decode)}
    along = {"delta along the row": _along}
    for title, steps in (along | {"delta along row and column": _both}).items():
        ways[title] = ([_chunk(image, steps(image)) for image in images], blosc2.decompress2)
        if any(blosc2.decompress2(c) != i.tobytes() for c, i in zip(ways[title][0], images, strict=True)):
            raise AssertionError(f"{title}: blosc2 does not give back what was put in")
    rounds = [[_cpu(_from_png, pngs), *(_cpu(read, values) for values, read in ways.values())] for _ in range(ROUNDS)]
    for column, (title, (values, _)) in enumerate(ways.items(), 1):
        size = sum(map(len, values)) / sum(map(len, pngs))
        micros = statistics.median(one[column] for one in rounds) * 1e6
        times = statistics.median(one[0] / one[column] for one in rounds)
        print(f"| {name} | {len(images)} | {title} | {size:.3f} | {micros:.1f} | {times:.1f} |", flush=True)


def _along(image: np.ndarray) -> list[Step]:
    """Differences from the left neighbour, each channel by itself."""
    return [(SHUFFLE, 3), (BYTEDELTA, 3)] if image.ndim == 3 else [(BYTEDELTA, 1)]


def _both(image: np.ndarray) -> list[Step]:
    """Differences of these differences from the pixel above."""
    return [*_along(image), (SHUFFLE, image.shape[1]), (BYTEDELTA, image.shape[1])]


def _chunk(image: np.ndarray, steps: Sequence[Step]) -> bytes:
    """A blosc2 chunk of one block, with any filters."""
    block = image.reshape(-1)
    for kind, streams in steps:
        block = block.reshape(-1, streams).T.reshape(-1) if kind == SHUFFLE else _differences(block, streams)
    frame = zstandard.ZstdCompressor(level=9).compress(block.tobytes())
    frame = frame if len(frame) < image.nbytes else block.tobytes()  # as long as the image means: stored
    kinds, parameters = (bytes(6 - len(steps)) + bytes(step[i] for step in steps) for i in (0, 1))
    typesize = 3 if image.ndim == 3 else 1
    head = struct.pack("<4Biii", 5, 1, 0x95, typesize, image.nbytes, image.nbytes, 40 + len(frame))
    return head + kinds + bytes(2) + parameters + bytes(2) + struct.pack("<ii", 36, len(frame)) + frame


def _differences(block: np.ndarray, streams: int) -> np.ndarray:
    lanes = block.reshape(streams, -1)
    return np.diff(lanes, axis=1, prepend=np.uint8(0)).reshape(-1)


def _from_png(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def _cpu(work: Callable[[Any], object], items: Sequence[Any]) -> float:
    start = time.process_time()
    for item in items:
        work(item)
    return (time.process_time() - start) / len(items)


if __name__ == "__main__":
    main()
