"""Vectors for all images of a dataset: shard by shard, read in order, computed in batches of one grid shape."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aqqua.errors import FormatError
from aqqua.models.checkpoint import Model, load
from aqqua.models.describe import describe
from aqqua.progress import job
from aqqua.scale import map_shards
from aqqua.store.dataset import Dataset

__all__ = ["Vectors", "embed", "forget"]

_WINDOW = 4096
"""Images held in memory to be sorted by grid."""


@dataclass(frozen=True)
class Vectors:
    """Vectors of images.

    Args:
        uid: (n,) ids of the images.
        vector: (n, length) float32.
    """

    uid: NDArray[np.uint64]
    vector: NDArray[np.float32]


@dataclass(frozen=True)
class _Part:
    """What one worker is to do."""

    model: Path
    dataset: Path
    shard: int


def embed(
    model: Model, dataset: Dataset, *, where: Any = "here", workers: int | None = None, **options: Any
) -> dict[int, Vectors]:
    """Compute the vectors of a dataset.

    They are written to jobs/ inside the dataset, so that an interrupted run goes on; the caller removes them with
    `forget` when they have been put to use.

    Args:
        model: a loaded model.
        dataset: the images.
        where: run here, in a process pool, on SLURM or on Ray, see `map_shards`.
        workers: how many processes or nodes.
        options: of the engine.

    Returns:
        Vectors by shard number.
    """
    parts = [_Part(model.folder.absolute(), dataset.path.absolute(), shard.number) for shard in dataset.shards]
    folder = _folder(model, dataset)
    folder.mkdir(parents=True, exist_ok=True)
    outs = [folder / f"{shard.number:08d}-{dataset.snapshot:06d}.npz" for shard in dataset.shards]
    map_shards(embed_shard, parts, outs, where=where, workers=workers, what="Embedding", **options)
    return {part.shard: _read(out) for part, out in zip(parts, outs, strict=True)}


def forget(model: Model, dataset: Dataset) -> None:
    """Remove the intermediate vectors of `embed`."""
    folder = _folder(model, dataset)
    for file in folder.glob("*.npz"):
        file.unlink()
    if folder.is_dir():
        folder.rmdir()


def embed_shard(part: _Part, out: Path) -> None:
    """Compute the vectors of one shard and write them to `out` (work function of `map_shards`)."""
    model, dataset = _model(part.model), Dataset.open(part.dataset)
    shard = next(s for s in dataset.shards if s.number == part.shard)
    rows = dataset.metadata(["pixel_um", "channel_names"]).filter(shard=part.shard)
    about = {uid: (um, names) for uid, um, names in rows.select("uid", "pixel_um", "channel_names").iter_rows()}
    images = dataset.iter_images(shard)
    uids: list[int] = []
    vectors: list[NDArray[np.float32]] = []
    with job(f"Embedding shard {part.shard}", len(about), unit="images") as advance:
        while window := list(islice(images, _WINDOW)):
            uids += [uid for uid, _ in window]
            vectors.append(
                describe(model.network, [model.preprocessing.prepare(pixels, *about[uid]) for uid, pixels in window])
            )
            advance(len(window))
    found = np.concatenate(vectors) if vectors else np.empty((0, model.network.vector_length), np.float32)
    with out.open("wb") as file:
        np.savez(file, uid=np.array(uids, dtype=np.uint64), vector=found)


@functools.lru_cache(maxsize=2)
def _model(folder: Path) -> Model:
    """A process that does several shards loads the model once."""
    return load(folder)


def _folder(model: Model, dataset: Dataset) -> Path:
    return dataset.path / "jobs" / f"embed-{model.model_id}-{model.preprocessing.hash[:8]}"


def _read(path: Path) -> Vectors:
    try:
        with np.load(path, allow_pickle=False) as file:
            return Vectors(file["uid"], file["vector"])
    except (ValueError, OSError, KeyError) as error:
        raise FormatError("these intermediate vectors are damaged", where=path, do="remove the file") from error
