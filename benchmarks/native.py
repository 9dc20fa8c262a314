"""Training at native size beside the same network at one fixed size: images per second, and what they learn.

    python -m benchmarks native

ISIIS. The same network (patch 8), objective, augmentation and loop; only the images differ: as they are, or resized to
224 × 224 pixels (784 tokens), or to 112 × 112 pixels, which has the 196 tokens of 224 pixels and patches of 16, and
reads a quarter of the pixels: this flatters the fixed size. First the rates of steps in turn, and what reading costs
beside computing. Then two train for the same CPU time, and the native one once more on just as many images as the fixed
one saw in it. kNN-20 with each image left out, on images the training may have seen, without labels. One
thread, CPU time. Environment: AQQUA_BENCH_SECONDS (60, of training), AQQUA_BENCH_IMAGES (1,500 for kNN),
AQQUA_BENCH_ROUNDS (3), AQQUA_BENCH_FIXED (112: the other one that trains; "" for both), AQQUA_BENCH_OUT (a temporary
folder; give one to keep the dataset).
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray

from aqqua.models.describe import describe, settle
from aqqua.models.preprocess import Prepared, Preprocessing
from aqqua.store.dataset import Dataset
from aqqua.train import loop
from aqqua.train.config import TrainConfig
from aqqua.train.data import Loader, Portion, open_for_training
from aqqua.train.distributed import World
from aqqua.train.state import Run, start
from benchmarks._labelled import build
from benchmarks._machine import machine

SECONDS = float(os.environ.get("AQQUA_BENCH_SECONDS", "60"))
IMAGES = int(os.environ.get("AQQUA_BENCH_IMAGES", "1500"))
ROUNDS = int(os.environ.get("AQQUA_BENCH_ROUNDS", "3"))
FIXED = os.environ.get("AQQUA_BENCH_FIXED", "112")
CONFIG = TrainConfig(size=os.environ.get("AQQUA_BENCH_SIZE", "nano"))
SETTLE, WARM = 256, 1
SEED = 0


@dataclass(frozen=True)
class Square:
    """Preparing as the model does, then stretching to one size, whatever the shape of the image."""

    side: int
    native: Preprocessing = field(default_factory=lambda: Preprocessing(max_tokens=2**30))

    def prepare(self, pixels: NDArray[Any], pixel_um: float | None, names: str | None = None) -> Prepared:
        """The image as the model sees it, square."""
        image = self.native.prepare(pixels, pixel_um, names)
        planes = torch.from_numpy(image.signal)[None].float()
        square = F.interpolate(planes, (self.side, self.side), mode="bilinear", antialias=True)[0]
        return replace(image, signal=square.round().to(torch.int16).numpy())


WAYS: dict[str, Any] = {
    "native size": Preprocessing(max_tokens=CONFIG.max_tokens),
    "112 × 112 (tokens of 224, patch 16)": Square(112),
    "224 × 224": Square(224),
}


def main() -> None:
    """Print tables in Markdown."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="aqqua-bench-", ignore_cleanup_errors=True) as name:
        path = build("isiis", Path(os.environ.get("AQQUA_BENCH_OUT", name)))
        if path is None:
            print("skipped: there are no shared data (set AQQUA_SHARED_DATA)")
            return
        catalogue = open_for_training([path])
        loaders = {way: _loader(catalogue, prepare) for way, prepare in WAYS.items()}
        rates = _rates(loaders)
        _learned(path, loaders, rates)
    print(f"\n{machine('torch', 'numpy')}; one thread, size {CONFIG.size}, batch {CONFIG.batch}")
    print(f"load of the machine at the end: {os.getloadavg()[0]:.1f}")


def _loader(catalogue: Any, preprocessing: Any) -> Loader:
    return Loader(catalogue, preprocessing, batch=CONFIG.batch, seed=SEED, cache_mb=0)


def _new(steps: int) -> tuple[Run, TrainConfig]:
    config = replace(CONFIG, steps=steps)
    return start(config, World(), SEED), config


def _step(run: Run, portion: Portion, config: TrainConfig) -> None:
    loop.set_learning_rate(run, config)
    loop.step(run, portion, config, World())
    run.step += 1


def _rates(loaders: dict[str, Loader]) -> dict[str, float]:
    """Images per second of steps in turn; returns those of computing alone."""
    data: dict[str, list[float]] = {way: [] for way in loaders}
    model: dict[str, list[float]] = {way: [] for way in loaders}
    runs = {way: _new(1000) for way in loaders}
    portions = {way: _portions(loader) for way, loader in loaders.items()}
    for number in range(WARM + ROUNDS):
        for way in loaders:
            begun = time.process_time()
            portion = next(portions[way])
            read = time.process_time()
            _step(runs[way][0], portion, runs[way][1])
            if number >= WARM:
                data[way].append((read - begun) / portion.images)
                model[way].append((time.process_time() - read) / portion.images)
    print("| images | data alone, images/s | computing alone, images/s | both, images/s | × 224 | time spent on data |")
    print("|---|---:|---:|---:|---:|---:|")
    both = {way: statistics.median(data[way]) + statistics.median(model[way]) for way in loaders}
    for way, whole in both.items():
        d, m, slow = statistics.median(data[way]), statistics.median(model[way]), both["224 × 224"]
        speeds = f"{1 / d:,.0f} | {1 / m:,.0f} | {1 / whole:,.0f}"
        print(f"| {way} | {speeds} | {slow / whole:.1f} | {d / whole:.1%} |", flush=True)
    return {way: 1 / value for way, value in both.items()}


def _portions(loader: Loader) -> Iterator[Portion]:
    """Batches in random order, each read when it is wanted (a pool, as in training, would be read at once)."""
    while True:
        order = np.random.default_rng(SEED).permutation(len(loader.catalogue))
        for rows in np.array_split(order, max(1, len(order) // CONFIG.batch)):
            cut = [np.sort(rows)]
            yield loader._portion(cut, (0,), loader._read(cut[0]), None)


def _learned(path: Path, loaders: dict[str, Loader], rates: dict[str, float]) -> None:
    """What kNN finds after the same time, and after the same number of images."""
    steps = {way: max(1, round(SECONDS * rate / CONFIG.batch)) for way, rate in rates.items()}
    native, *others = loaders
    fixed = [way for way in others if way.startswith(FIXED)]
    plans = [(way, 0) for way in (native, *fixed)] + [(way, steps[way]) for way in (native, *fixed)]
    plans += [(native, steps[way]) for way in fixed]
    print(f"\n| images | images seen | CPU s | kNN-20 top-1 on {IMAGES:,} images |\n|---|---:|---:|---:|", flush=True)
    for way, count in plans:
        begun = time.process_time()
        run, config = _new(max(count, 1))
        for portion in islice(_portions(loaders[way]), count):
            _step(run, portion, config)
        spent = time.process_time() - begun
        top1 = _knn(path, run, loaders[way])
        seen = f"{count * CONFIG.batch:,}" if count else "none: untrained"
        print(f"| {way} | {seen} | {spent:.0f} | {top1:.3f} |", flush=True)


def _knn(path: Path, run: Run, loader: Loader) -> float:
    """Share of images whose neighbours have their label, each left out itself."""
    from aqqua.tasks.classify import knn

    ds = Dataset.open(path)
    labels = ds.labels().select("uid", "label").sample(IMAGES, seed=SEED).sort("uid")
    um = dict(ds.metadata(["pixel_um"]).select("uid", "pixel_um").iter_rows())
    uids, names = labels["uid"].to_list(), labels["label"].to_list()
    prepared = [loader.preprocessing.prepare(p, um[uid]) for uid, p in zip(uids, ds.images(uids), strict=True)]
    network = run.network.eval()
    settle(network, prepared[:SETTLE])
    vectors = describe(network, prepared, bfloat16=loop.wants_bfloat16(CONFIG, torch.device("cpu")))
    classes, label = np.unique(names, return_inverse=True)
    found = knn(vectors, vectors, label, len(classes), same=np.arange(len(label)))
    return float((found.label == label).mean())


if __name__ == "__main__":
    main()
