"""Reading images: the dataset of aqqua against what else people keep small images in, in one run.

    python -m benchmarks storage

On every real plankton image of the shared data (see the first table), all stores filled with the same images in the
same order; all but aqqua hold PNG files as Pillow writes them. CPU time of the whole process (so threads of a store
count), warm cache, rounds in which the stores take turns, medians. Peers that are not installed are named in their row:
`pip install aqqua[bench]`. Environment: AQQUA_BENCH_IMAGES (all), AQQUA_BENCH_ROUNDS (5).
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._machine import machine
from benchmarks._real import MixedSet, mixed_set, png
from benchmarks._stores import STORES, Aqqua, Lmdb, Store, WebDataset

ROUNDS = int(os.environ.get("AQQUA_BENCH_ROUNDS", "5"))
SMALL = ("ISIIS", "FlowCam")
IN_A_ROW, DECODED, READ_TOGETHER = 10_000, 3_000, 256
RAM = "copy of an array in memory"


@dataclass
class Measured:
    """One store: its instance, its size, and seconds of CPU per image of each round."""

    store: Store | None
    nbytes: int = 0
    missing: str = ""
    random: list[float] = field(default_factory=list)
    scan: list[float] = field(default_factory=list)
    decoded: list[float] = field(default_factory=list)


def main() -> None:
    """Print tables in Markdown."""
    limit = os.environ.get("AQQUA_BENCH_IMAGES")
    mixed = mixed_set(int(limit) if limit else None)
    if mixed is None:
        print("skipped: there are no shared data (set AQQUA_SHARED_DATA)")
        return
    print("| camera | | images | mean bytes of pixels | MB |\n|---|---|---:|---:|---:|")
    print("\n".join(mixed.composition()))
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(prefix="aqqua-bench-", ignore_cleanup_errors=True) as folder:
        pngs = [png(image) for image in mixed.images]
        found = _written(Path(folder), mixed, pngs)
        ram = _rounds(found, mixed.images)
        _print_stores(found, ram, pngs)
        _print_parts(found, mixed, pngs)
    packages = ("lmdb", "zstandard", "pillow", "webdataset", "pylance", "litdata", "datasets", "numpy")
    print(f"\n{machine(*packages)}; CPU time, median of {ROUNDS} rounds in turn")


def _written(folder: Path, mixed: MixedSet, pngs: Sequence[bytes]) -> dict[str, Measured]:
    """Each store filled, or the reason why it is not there."""
    found = {}
    for kind in STORES:
        place = folder / kind.__name__ / "store"
        place.mkdir(parents=True)
        store = kind()
        try:
            store.write(place, mixed.images, pngs)
            found[store.name] = Measured(store, _size(place))
        except ImportError as error:
            found[store.name] = Measured(None, missing=f"not installed ({error.name})")
    return found


def _size(folder: Path) -> int:
    """Bytes on disk of the images; of a dataset of aqqua only the LMDB file, since the others hold no metadata."""
    shards = list(folder.rglob("images/**/*.mdb"))
    return sum(path.stat().st_blocks * 512 for path in shards or folder.rglob("*") if path.is_file())


def _rounds(found: dict[str, Measured], images: Sequence[np.ndarray]) -> list[float]:
    """Measure all stores in turn; returns the seconds of a copy in memory, of each round."""
    rng, ram = np.random.default_rng(1), []
    for _ in range(ROUNDS):
        keys = rng.permutation(len(images)).tolist()
        ram.append(_cpu(partial(_copy, [images[key] for key in keys[:3000]])))
        for one in found.values():
            store = one.store
            if store is None:
                continue
            if mine := keys[: store.random]:
                one.random.append(_cpu(partial(_read, store, mine)))
            one.scan.append(_cpu(partial(_count, store.records, IN_A_ROW)))
            one.decoded.append(_cpu(partial(_count, store.pixels, DECODED)))
    return ram


def _copy(images: Sequence[np.ndarray]) -> int:
    for first in range(0, len(images), READ_TOGETHER):
        [image.copy() for image in images[first : first + READ_TOGETHER]]
    return len(images)


def _read(store: Store, keys: Sequence[int]) -> int:
    return sum(len(store.read(keys[first : first + READ_TOGETHER])) for first in range(0, len(keys), READ_TOGETHER))


def _count(begin: Callable[[], Iterator[Any]], most: int) -> int:
    return sum(1 for _ in islice(begin(), most))


def _cpu(work: Callable[[], int]) -> float:
    """Seconds of CPU per image of a work that says how many it did."""
    start = time.process_time()
    count = work()
    return (time.process_time() - start) / count


def _print_stores(found: dict[str, Measured], ram: Sequence[float], pngs: Sequence[bytes]) -> None:
    baseline, ours = found[Lmdb.name], found[Aqqua.name]
    print("\n| store | random, µs | × PNG in LMDB | records in a row, µs | in a row and decoded, µs | bytes | size |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name, one in found.items():
        if one.store is None:
            print(f"| {name} | {one.missing} | | | | | |")
            continue
        random = f"{_us(one.random)} | {_times(baseline.random, one.random)}" if one.random else "– | –"
        sizes = f"{one.nbytes / len(pngs):,.0f} | {one.nbytes / baseline.nbytes:.3f}"
        print(f"| {name} | {random} | {_us(one.scan)} | {_us(one.decoded)} | {sizes} |")
    print(f"| {RAM} | {_us(ram)} | {_times(baseline.random, ram)} | | | | |")
    print(f"\n- random: **{_times(baseline.random, ours.random)} ×** as fast as PNG in LMDB (target ≥ 9)")
    print(f"- random: **{_times(ours.random, ram)} ×** the time of a copy in memory (target ≤ 4)")
    tar = found[WebDataset.name]
    if tar.store is not None:
        records, decoded = _times(tar.scan, ours.scan), _times(tar.decoded, ours.decoded)
        print(f"- in a row: **{records} ×** as fast as WebDataset for records (target ≥ 50), {decoded} × decoded")
    print(f"- size: **{ours.nbytes / baseline.nbytes:.3f} ×** PNG in LMDB (target ≤ 0.95)")


def _print_parts(found: dict[str, Measured], mixed: MixedSet, pngs: Sequence[bytes]) -> None:
    """Size by camera, and what LMDB needs beyond the records."""
    from aqqua.store.codec import encode
    from aqqua.store.images import write_shard

    records = [len(encode(image)) for image in mixed.images]
    print("\n| camera | bytes of a record | of a PNG | ratio |\n|---|---:|---:|---:|")
    for camera in sorted(set(mixed.cameras)):
        mine = [i for i, name in enumerate(mixed.cameras) if name == camera]
        record, file = (sum(sizes[i] for i in mine) / len(mine) for sizes in (records, list(map(len, pngs))))
        print(f"| {camera} | {record:,.0f} | {file:,.0f} | {record / file:.3f} |")
    small = [size for size, camera in zip(records, mixed.cameras, strict=True) if camera in SMALL]
    with tempfile.TemporaryDirectory(prefix="aqqua-bench-") as name:
        write_shard(Path(name) / "x.mdb", (bytes(size) for size in small))
        ratio, mean = (Path(name) / "x.mdb").stat().st_size / sum(small), sum(small) / len(small)
    print(f"\n- file / records: **{ratio:.3f}** for {' and '.join(SMALL)}, {mean:,.0f} B a record (target ≤ 1.30)")
    ratio, mean = found[Aqqua.name].nbytes / sum(records), sum(records) / len(records)
    print(f"- file / records: {ratio:.3f} for the whole set, {mean:,.0f} B a record")


def _us(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds) * 1e6:.2f}"


def _times(slow: Sequence[float], quick: Sequence[float]) -> str:
    return f"{statistics.median(a / b for a, b in zip(slow, quick, strict=True)):.1f}"


if __name__ == "__main__":
    main()
