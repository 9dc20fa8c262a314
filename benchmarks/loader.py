"""Images into a PyTorch `DataLoader`: `aqqua.train.data.ImageStream`, WebDataset and a folder of PNGs, in one run.

    python -m benchmarks loader

The mixed real set (as in `storage`); each image becomes a float tensor of 1 × 64 × 64 (first channel, cut or filled
around its middle), in batches of 256, shuffled. All three make the same tensors with the same function; they differ in
where the pixels come from. Peers hold PNG files as Pillow writes them. The folder is read by torchvision's ImageFolder
where torchvision can be imported, else by a class that does the same. Images per second of wall time, and CPU time of
all processes together; rounds in turn, medians. Environment: AQQUA_BENCH_IMAGES (12,000 drawn from all),
AQQUA_BENCH_ROUNDS (5).
"""

from __future__ import annotations

import io
import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader

from benchmarks._machine import machine
from benchmarks._real import mixed_set, png
from benchmarks._stores import images_dataset

ROUNDS = int(os.environ.get("AQQUA_BENCH_ROUNDS", "5"))
IMAGES = int(os.environ.get("AQQUA_BENCH_IMAGES", "12000"))
SIDE, BATCH, WORKERS = 64, 256, (0, 1, 2)

Make = Callable[[int], Iterable[Tensor]]


def main() -> None:
    """Print a table in Markdown."""
    mixed = mixed_set(IMAGES)
    if mixed is None:
        print("skipped: there are no shared data (set AQQUA_SHARED_DATA)")
        return
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="aqqua-bench-", ignore_cleanup_errors=True) as name:
        loaders = _loaders(Path(name), mixed.images)
        print("| reads from | workers | images/s | × folder | CPU µs per image |\n|---|---:|---:|---:|---:|")
        for workers in WORKERS:
            _print(workers, _rounds(loaders, workers))
    packages = ("torch", "torchvision", "webdataset", "pillow", "numpy")
    print(f"\n{machine(*packages)}; {len(mixed.images):,} images, median of {ROUNDS} rounds in turn")


def tensor(pixels: np.ndarray, uid: int = 0) -> Tensor:
    """The work that is the same for all: the middle of the first channel, on a field of one size."""
    plane = pixels if pixels.ndim == 2 else pixels[:, :, 0]
    field = np.zeros((1, SIDE, SIDE), np.float32)
    height, width = (min(side, SIDE) for side in plane.shape)
    from_top, from_left = ((side - size) // 2 for side, size in zip(plane.shape, (height, width), strict=True))
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    field[0, top : top + height, left : left + width] = plane[
        from_top : from_top + height, from_left : from_left + width
    ]
    return torch.from_numpy(field)


def decoded(data: bytes) -> Tensor:
    """The tensor of a PNG."""
    return tensor(np.asarray(Image.open(io.BytesIO(data))))


def opened(path: str) -> Tensor:
    """The tensor of a PNG file."""
    with Image.open(path) as image:
        return tensor(np.asarray(image))


class Folder(torch.utils.data.Dataset[Tensor]):
    """What torchvision's ImageFolder does, where that is not installed: the files of folders, by number."""

    def __init__(self, root: Path) -> None:
        self.paths = sorted(str(path) for path in root.glob("*/*.png"))

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Tensor:
        return opened(self.paths[index])


def _loaders(root: Path, images: Sequence[np.ndarray]) -> dict[str, Make | str]:
    """For each way of reading a function that makes its loader, or why there is none."""
    pngs = [png(image) for image in images]
    return {"**aqqua**": _aqqua(root, images), "WebDataset": _webdataset(root, pngs), **_folder(root, pngs)}


def _aqqua(root: Path, images: Sequence[np.ndarray]) -> Make:
    from aqqua.train.data import ImageStream

    dataset = images_dataset(root / "aqqua", images)
    return lambda workers: DataLoader(ImageStream([dataset], tensor), batch_size=BATCH, num_workers=workers)


def _webdataset(root: Path, pngs: Sequence[bytes]) -> Make | str:
    try:
        import webdataset as wds
    except ImportError as error:
        return f"not installed ({error.name})"
    with wds.ShardWriter(str(root / "%06d.tar"), maxcount=1000, verbose=0) as writer:
        for i, data in enumerate(pngs):
            writer.write({"__key__": f"{i:08}", "png": data})
    urls = sorted(map(str, root.glob("*.tar")))

    def make(workers: int) -> Iterable[Tensor]:
        stream = wds.WebDataset(urls, shardshuffle=len(urls)).shuffle(4096).map(_sample)
        return DataLoader(stream, batch_size=BATCH, num_workers=workers)

    return make


def _sample(sample: dict[str, Any]) -> Tensor:
    return decoded(sample["png"])


def _folder(root: Path, pngs: Sequence[bytes]) -> dict[str, Make | str]:
    for i, data in enumerate(pngs):
        path = root / "folder" / f"{i // 1000:04}" / f"{i:08}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    try:
        from torchvision.datasets import ImageFolder
    except (ImportError, RuntimeError):  # RuntimeError: a torchvision for another build of torch
        files = Folder(root / "folder")
        make = partial(DataLoader, files, batch_size=BATCH, shuffle=True)
        return {"folder, as ImageFolder reads": lambda workers: make(num_workers=workers)}
    folder = ImageFolder(str(root / "folder"), loader=opened)
    make = partial(DataLoader, folder, batch_size=BATCH, shuffle=True, collate_fn=_without_labels)
    return {"folder, ImageFolder of torchvision": lambda workers: make(num_workers=workers)}


def _without_labels(samples: Sequence[tuple[Tensor, int]]) -> Tensor:
    return torch.stack([image for image, _ in samples])


def _rounds(loaders: dict[str, Make | str], workers: int) -> dict[str, list[tuple[float, float]] | str]:
    """Seconds and CPU seconds per image of each round."""
    found: dict[str, Any] = {name: make if isinstance(make, str) else [] for name, make in loaders.items()}
    for _ in range(ROUNDS):
        for name, make in loaders.items():
            if not isinstance(make, str):
                found[name].append(_pass(make(workers)))
    return found


def _pass(loader: Iterable[Tensor]) -> tuple[float, float]:
    """One epoch: seconds and CPU seconds per image, workers included."""
    before, start = sum(os.times()[:4]), time.perf_counter()
    count = sum(len(batch) for batch in loader)
    return (time.perf_counter() - start) / count, (sum(os.times()[:4]) - before) / count


def _print(workers: int, found: dict[str, list[tuple[float, float]] | str]) -> None:
    baseline = next(rounds for rounds in reversed(found.values()) if not isinstance(rounds, str))
    for name, rounds in found.items():
        if isinstance(rounds, str):
            print(f"| {name} | {workers} | {rounds} | | |")
            continue
        wall, cpu = (statistics.median(column) for column in zip(*rounds, strict=True))
        times = statistics.median(theirs[0] / ours[0] for theirs, ours in zip(baseline, rounds, strict=True))
        print(f"| {name} | {workers} | {1 / wall:,.0f} | {times:.1f} | {cpu * 1e6:.0f} |", flush=True)


if __name__ == "__main__":
    main()
