"""Vectors per second: aqqua by each engine beside a Hugging Face pipeline with a ViT of equal size at 224 × 224 pixels.

    python -m benchmarks embed

The mixed real set (as in `storage`). aqqua does all of it: read from a dataset, prepare, compute, write to disk; the
pipeline gets the same images decoded and in memory. Both networks have random weights, tokens of the same length and
as many blocks; the peer has patches of 16 pixels, as such models are trained. One thread each, CPU time, rounds in
turn, medians: so other work on the machine counts little. Then the largest memory of a process that describes few and
many images. Environment: AQQUA_BENCH_IMAGES (1,500 for aqqua, an eighth of them for the pipeline),
AQQUA_BENCH_ROUNDS (3), AQQUA_BENCH_SIZE (nano), AQQUA_BENCH_MEMORY ("10000,40000"; empty for none).
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
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks._machine import machine
from benchmarks._real import mixed_set
from benchmarks._stores import images_dataset

IMAGES = int(os.environ.get("AQQUA_BENCH_IMAGES", "1500"))
ROUNDS = int(os.environ.get("AQQUA_BENCH_ROUNDS", "3"))
SIZE = os.environ.get("AQQUA_BENCH_SIZE", "nano")
MEMORY = [int(n) for n in os.environ.get("AQQUA_BENCH_MEMORY", "10000,40000").split(",") if n]
ENGINES = ("torch", "torch-bf16", "onnx", "onnx-int8")
MAX_TOKENS = 36
PEER_SHARE = 8

_ONE = """
import resource, sys
from aqqua.tasks.predict import predict
predict(sys.argv[1], [sys.argv[2]], engine=sys.argv[3])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
"""All of `predict` on one dataset; prints the largest memory in KiB."""

Work = Callable[[], int]
"""Does it once; returns the number of images."""


def main() -> None:
    """Print tables in Markdown."""
    mixed = mixed_set(max(IMAGES, *MEMORY[:1], 0))
    if mixed is None:
        print("skipped: there are no shared data (set AQQUA_SHARED_DATA)")
        return
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory(prefix="aqqua-bench-", ignore_cleanup_errors=True) as name:
        root = Path(name)
        model = _model(root / "model", mixed.images[:512])
        dataset = images_dataset(root / "some", mixed.images[:IMAGES])
        works: dict[str, Work] = {f"**aqqua, {engine}**": _ours(model, dataset.path, engine) for engine in ENGINES}
        _speeds(works | _pipelines(mixed.images[: IMAGES // PEER_SHARE]))
        _parity(model, mixed.images[:512])
        _memory(root, model, mixed.images)
    load = os.getloadavg()[0]
    print(
        f"\n{machine('torch', 'onnxruntime', 'transformers', 'numpy')}; one thread, median of {ROUNDS} rounds in turn"
    )
    print(f"load of the machine at the end: {load:.1f}")


def _model(folder: Path, images: Sequence[np.ndarray]) -> Path:
    """A network of this size with random weights, whitened on real images, with its ONNX files."""
    from aqqua.models.checkpoint import load, save
    from aqqua.models.describe import settle
    from aqqua.models.preprocess import Preprocessing
    from aqqua.models.to_onnx import write_onnx
    from aqqua.models.vit import VisionTransformer, vit_config

    torch.manual_seed(0)
    network, preprocessing = VisionTransformer(vit_config(SIZE)).eval(), Preprocessing(max_tokens=MAX_TOKENS)
    prepared = [preprocessing.prepare(image, 20.0) for image in images]
    settle(network, prepared)
    save(folder, network, preprocessing, name=SIZE, training={}, data=[])
    write_onnx(load(folder), folder, prepared)
    return folder


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


def _pipelines(images: Sequence[np.ndarray]) -> dict[str, Work]:
    """The same by transformers: images in memory, resized and normalised, in batches of 32."""
    from transformers import ViTConfig, ViTImageProcessor, ViTModel, pipeline

    from aqqua.models.vit import vit_config

    shape = vit_config(SIZE)
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
        works[f"transformers pipeline, 224 px, patch 16, {name}"] = lambda run=run: len(run(pictures, batch_size=32))
    return works


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

    engines = {engine: open_model(model, engine) for engine in ENGINES}
    prepared = [engines["torch"].preprocessing.prepare(image, 20.0) for image in images]
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
