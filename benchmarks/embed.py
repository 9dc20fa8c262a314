"""Vectors per second: aqqua by each engine beside a Hugging Face pipeline with a ViT of equal size at 224 × 224 pixels.

    python -m benchmarks embed

The same number of images of each real set at hand (ISIIS, SPC, FlowCam, UVP5). aqqua does all of it: read from a
dataset, prepare, compute, write to disk; the pipeline gets the same images decoded and in memory. Both networks have
tokens of the same length and as many blocks; the pipeline's has random weights and patches of 16 pixels, as such models
are trained. One thread each, CPU time, rounds in turn, medians: so other work on the machine counts little. Then how
near the engines are to torch in float32, and the largest memory of a process that describes few and
many images. Environment: AQQUA_BENCH_IMAGES (1,500 for aqqua, an eighth of them for the pipeline), AQQUA_BENCH_ROUNDS
(3), AQQUA_BENCH_MODEL (a model folder; else one is trained), AQQUA_BENCH_SIZE (of that: nano), AQQUA_BENCH_MEMORY
("10000,40000"; empty for none), AQQUA_BENCH_OUT (a temporary folder; give one to keep the datasets).
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks._labelled import build
from benchmarks._machine import machine
from benchmarks._stores import images_dataset

IMAGES = int(os.environ.get("AQQUA_BENCH_IMAGES", "1500"))
ROUNDS = int(os.environ.get("AQQUA_BENCH_ROUNDS", "3"))
SIZE = os.environ.get("AQQUA_BENCH_SIZE", "nano")
MEMORY = [int(n) for n in os.environ.get("AQQUA_BENCH_MEMORY", "10000,40000").split(",") if n]
ENGINES = ("torch", "torch-bf16", "onnx", "onnx-int8")
MAX_TOKENS, STEPS = 36, 100
SETS = ("isiis", "spc", "flowcam", "uvp5")
PEER_SHARE = 8

_ONE = """
import sys
from pathlib import Path
from aqqua.tasks.predict import predict
predict(sys.argv[1], [sys.argv[2]], engine=sys.argv[3])
print(next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")).split()[1])
"""
"""All of `predict` on one dataset; prints the largest memory in KiB."""

_KEPT: list[Any] = []
Work = Callable[[], int]
"""Does it once; returns the number of images."""


def main() -> None:
    """Print tables in Markdown."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory(prefix="aqqua-bench-", ignore_cleanup_errors=True) as name:
        root = Path(name)
        images = _images(Path(os.environ.get("AQQUA_BENCH_OUT", name)))
        if not images:
            print("skipped: there are no shared data (set AQQUA_SHARED_DATA)")
            return
        dataset = images_dataset(root / "some", images)
        model = _model(root / "model", dataset.path, images[:512])
        works: dict[str, Work] = {
            f"**aqqua, {engine}**": _ours(model, dataset.path, engine) for engine in _engines(model)
        }
        _speeds(works | _pipelines(model, images[: IMAGES // PEER_SHARE]))
        _parity(model, images[:512])
        _memory(root, model, images)
    load = os.getloadavg()[0]
    print(
        f"\n{machine('torch', 'onnxruntime', 'transformers', 'numpy')}; one thread, median of {ROUNDS} rounds in turn"
    )
    print(f"load of the machine at the end: {load:.1f}")


def _images(out: Path) -> list[np.ndarray]:
    """IMAGES real ones, as many of each set, in random order."""
    from aqqua.store.dataset import Dataset

    found: list[np.ndarray] = []
    rng = np.random.default_rng(0)
    paths = [path for name in SETS if (path := build(name, out)) is not None]
    for ds in map(Dataset.open, paths):
        uids = rng.permutation(ds.metadata([])["uid"].to_numpy())[: -(-IMAGES // len(paths))]
        found += ds.images(np.sort(uids).tolist())
    return [found[place] for place in rng.permutation(len(found))[:IMAGES]]


def _model(folder: Path, dataset: Path, images: Sequence[np.ndarray]) -> Path:
    """The model of AQQUA_BENCH_MODEL, or one that learned for some seconds, with its ONNX files."""
    import shutil

    from aqqua.models.checkpoint import load
    from aqqua.models.to_onnx import write_onnx
    from aqqua.train.run import train

    if given := os.environ.get("AQQUA_BENCH_MODEL"):
        folder.mkdir()
        for file in [*Path(given).glob("model.*"), *Path(given).glob("onnx.json")]:
            shutil.copyfile(file, folder / file.name)
    else:
        train(data=[dataset], out=folder, steps=STEPS, size=SIZE, max_tokens=MAX_TOKENS)
    model = load(folder)
    if not (folder / "onnx.json").is_file():
        write_onnx(model, folder, [model.preprocessing.prepare(image, 68.0) for image in images])
    return folder


def _engines(model: Path) -> list[str]:
    """Those there are files for: 8 bits are left out where they are too far from 32."""
    files = {"onnx": "model.onnx", "onnx-int8": "model.int8.onnx"}
    return [engine for engine in ENGINES if (model / files.get(engine, "model.json")).is_file()]


def _ours(model: Path, dataset: Path, engine: str) -> Work:
    from aqqua.models.engines import open_model
    from aqqua.store.dataset import Dataset
    from aqqua.tasks.embed import embed, forget

    opened, ds = open_model(model, engine), Dataset.open(dataset)

    def work() -> int:
        embed(opened, ds)
        forget(opened, ds)
        return len(ds)

    return work


def _pipelines(model: Path, images: Sequence[np.ndarray]) -> dict[str, Work]:
    """The same by transformers: images in memory, resized and normalised, in batches of 32."""
    _mend_torchvision()
    from transformers import ViTConfig, ViTImageProcessor, ViTModel, pipeline

    from aqqua.models.checkpoint import load

    shape = load(model).network.config
    config = ViTConfig(
        hidden_size=shape.dim,
        num_hidden_layers=shape.depth,
        num_attention_heads=shape.heads,
        intermediate_size=int(shape.dim * shape.mlp_ratio),
        image_size=224,
        patch_size=16,
    )
    pictures = [Image.fromarray(image).convert("RGB") for image in images]
    works: dict[str, Work] = {}
    for name, kind in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        torch.manual_seed(0)
        network = ViTModel(config, add_pooling_layer=False).to(kind).eval()
        run: Any = pipeline(
            "image-feature-extraction", model=network, image_processor=ViTImageProcessor(), device="cpu", dtype=kind
        )
        works[f"transformers pipeline, 224 px, patch 16, {name}"] = partial(_piped, run, pictures)
    return works


def _mend_torchvision() -> None:
    """Let torchvision be imported beside a torch that it was not built for: two operators nobody calls here."""
    library: Any = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for name in ("nms", "qnms"):
        if not hasattr(torch.ops.torchvision, name):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _KEPT.append(library)


def _piped(run: Any, pictures: Sequence[Image.Image]) -> int:
    return len(run(list(pictures), batch_size=32))


def _speeds(works: dict[str, Work]) -> None:
    for work in works.values():
        work()
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            start = time.process_time()
            count = work()
            seconds[name].append((time.process_time() - start) / count)
    median = {name: statistics.median(found) for name, found in seconds.items()}
    peers = [name for name in works if name.startswith("transformers")]
    print("| | images/s of one core | × pipeline, float32 | × pipeline, bfloat16 |\n|---|---:|---:|---:|")
    for name, each in median.items():
        print(
            f"| {name} | {1 / each:,.0f} | {median[peers[0]] / each:.1f} | {median[peers[1]] / each:.1f} |", flush=True
        )


def _parity(model: Path, images: Sequence[np.ndarray]) -> None:
    """How far the vectors are from those of torch in float32."""
    from aqqua.models.engines import open_model

    engines = {engine: open_model(model, engine) for engine in _engines(model)}
    prepared = [engines["torch"].preprocessing.prepare(image, 68.0) for image in images]
    wanted = engines["torch"].describe(prepared)
    print("\n| engine | largest difference | least cosine | mean cosine | file |\n|---|---:|---:|---:|---:|")
    files = {"onnx": "model.onnx", "onnx-int8": "model.int8.onnx"}
    for engine, opened in engines.items():
        found = opened.describe(prepared)
        cosine = (found * wanted).sum(axis=1)
        size = (model / files.get(engine, "model.safetensors")).stat().st_size / 1e6
        difference = float(np.abs(found - wanted).max())
        print(f"| {engine} | {difference:.1e} | {cosine.min():.5f} | {cosine.mean():.6f} | {size:.1f} MB |", flush=True)


def _memory(root: Path, model: Path, images: Sequence[np.ndarray]) -> None:
    """The largest memory of a process that describes few, and many images."""
    if not MEMORY:
        return
    print("\n| images | engine | largest memory of the process |\n|---:|---|---:|")
    for count in MEMORY:
        many = [images[i % len(images)] for i in range(count)]
        dataset = images_dataset(root / f"many-{count}", many)
        for engine in ("torch", "onnx-int8"):
            command = [sys.executable, "-c", _ONE, str(model), str(dataset.path), engine]
            quiet = os.environ | {"AQQUA_QUIET": "1"}
            done = subprocess.run(command, check=True, capture_output=True, text=True, env=quiet)
            print(f"| {count:,} | {engine} | {int(done.stdout.split()[-1]) / 1024:,.0f} MB |", flush=True)


if __name__ == "__main__":
    main()
