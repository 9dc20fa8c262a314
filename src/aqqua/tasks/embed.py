"""Vectors for all images of a dataset: shard by shard, read in order, computed in batches of one grid shape.

A shard's vectors go to disk window by window and are mapped from there, so that neither the number of images nor the
size of a shard takes memory.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aqqua.errors import FormatError
from aqqua.models.engines import Describer, open_model
from aqqua.models.preprocess import Prepared
from aqqua.progress import job
from aqqua.scale import map_shards
from aqqua.store.dataset import Dataset

__all__ = ["Embedded", "Vectors", "embed", "forget"]

_WINDOW = 4096
"""Images held in memory to be sorted by grid."""
_MAX_LENGTH = 1 << 20


@dataclass(frozen=True)
class Vectors:
    """Vectors of images.

    Args:
        uid: (n,) ids of the images.
        vector: (n, length) float32.
    """

    uid: NDArray[np.uint64]
    vector: NDArray[np.float32]


class Embedded(Mapping[int, Vectors]):
    """Vectors by shard number, mapped from their files when asked for.

    Args:
        files: one file per shard.
        length: of the vectors.
    """

    def __init__(self, files: Mapping[int, Path], length: int) -> None:
        self._files, self.length = dict(files), length

    def __getitem__(self, shard: int) -> Vectors:
        """The vectors of a shard."""
        return _read(self._files[shard])

    def __iter__(self) -> Iterator[int]:
        """Numbers of the shards."""
        return iter(self._files)

    def __len__(self) -> int:
        """How many shards."""
        return len(self._files)

    def of(self, uids: NDArray[np.uint64]) -> NDArray[np.float32]:
        """Vectors (n, length) of images that have one, in the order of their ids."""
        found = np.empty((len(uids), self.length), dtype=np.float32)
        home = uids >> np.uint64(32)
        for shard in np.unique(home).tolist():
            known, mine = self[shard], home == shard
            found[mine] = known.vector[np.searchsorted(known.uid, uids[mine])]
        return found


@dataclass(frozen=True)
class _Part:
    """What one worker is to do."""

    model: Path
    engine: str
    dataset: Path
    shard: int


def embed(
    model: Describer, dataset: Dataset, *, where: Any = "here", workers: int | None = None, **options: Any
) -> Embedded:
    """Compute the vectors of a dataset, by the engine the model was opened with.

    They are written to jobs/ inside the dataset, so that an interrupted run goes on; the caller removes them with
    `forget` when they have been put to use.

    Args:
        model: a loaded model, see `aqqua.models.engines.open_model`.
        dataset: the images.
        where: run here, in a process pool, on SLURM or on Ray, see `map_shards`.
        workers: how many processes or nodes.
        options: of the engine of `map_shards`.

    Returns:
        Vectors by shard number, mapped from disk.
    """
    home, place = model.folder.absolute(), dataset.path.absolute()
    parts = [_Part(home, model.engine, place, shard.number) for shard in dataset.shards]
    folder = _folder(model, dataset)
    folder.mkdir(parents=True, exist_ok=True)
    outs = [folder / f"{shard.number:08d}-{dataset.snapshot:06d}.npy" for shard in dataset.shards]
    map_shards(embed_shard, parts, outs, where=where, workers=workers, what="Embedding", **options)
    for out in outs:
        _read(out)
    return Embedded({part.shard: out for part, out in zip(parts, outs, strict=True)}, model.vector_length)


def forget(model: Describer, dataset: Dataset) -> None:
    """Remove the intermediate vectors of `embed`."""
    folder = _folder(model, dataset)
    for file in folder.glob("*.npy"):
        file.unlink()
    if folder.is_dir():
        folder.rmdir()


def embed_shard(part: _Part, out: Path) -> None:
    """Compute the vectors of one shard and write them to `out` (work function of `map_shards`)."""
    model, dataset = _model(part.model, part.engine), Dataset.open(part.dataset)
    shard = next(s for s in dataset.shards if s.number == part.shard)
    rows = dataset.metadata(["pixel_um", "channel_names"]).filter(shard=part.shard)
    uid, pixel_um = rows["uid"].to_numpy(), rows["pixel_um"].cast(float).to_numpy()
    images, names = dataset.iter_images(shard), rows["channel_names"]
    header = {"descr": _kind(model.vector_length).descr, "fortran_order": False, "shape": (len(rows),)}
    done = 0
    with out.open("wb") as file, job(f"Embedding shard {part.shard}", len(rows), unit="images") as advance:
        np.lib.format.write_array_header_2_0(file, header)
        while done < len(rows):
            mine = slice(done, done + _WINDOW)
            about = zip(islice(images, _WINDOW), uid[mine].tolist(), pixel_um[mine].tolist(), names[mine], strict=False)
            prepared = [_prepared(model, *one) for one in about]  # the pixels themselves are not kept
            if not prepared:
                break
            file.write(_table(uid[mine][: len(prepared)], model.describe(prepared)).tobytes())
            done += len(prepared)
            advance(len(prepared))
    if done != len(rows):
        raise FormatError(f"{len(rows)} rows of metadata, but {done} images", where=dataset.path, do=_CHECK)


def _prepared(model: Describer, image: tuple[int, NDArray[Any]], uid: int, um: float, names: str | None) -> Prepared:
    """An image as the model sees it, with what its row of the metadata says."""
    if image[0] != uid:
        raise FormatError("images and metadata are not in the same order", where=f"image {uid}", do=_CHECK)
    return model.preprocessing.prepare(image[1], um, names)


_CHECK = "look at it with: aqqua check DATASET --level 3"


def _kind(length: int) -> np.dtype[np.void]:
    return np.dtype([("uid", "<u8"), ("vector", "<f4", (length,))])


def _table(uid: NDArray[np.uint64], vector: NDArray[np.float32]) -> NDArray[np.void]:
    table = np.empty(len(uid), dtype=_kind(vector.shape[1]))
    table["uid"], table["vector"] = uid, vector
    return table


@functools.lru_cache(maxsize=2)
def _model(folder: Path, engine: str) -> Describer:
    """A process that does several shards loads the model once."""
    return open_model(folder, engine)


def _folder(model: Describer, dataset: Dataset) -> Path:
    return dataset.path / "jobs" / f"embed-{model.model_id}-{model.preprocessing.hash[:8]}"


def _read(path: Path) -> Vectors:
    """Map a file of vectors into memory."""
    try:
        whole = path.stat().st_size
        with path.open("rb") as file:
            np.lib.format.read_magic(file)
            shape, _, kind = np.lib.format.read_array_header_2_0(file)
            start = file.tell()
        length = kind["vector"].shape[0]
        if kind != _kind(length) or whole != start + shape[0] * kind.itemsize or length > _MAX_LENGTH:
            raise ValueError("not what it should be")
        table: Any = np.memmap(path, dtype=kind, mode="r", offset=start, shape=shape) if shape[0] else np.empty(0, kind)
        return Vectors(table["uid"], table["vector"])
    except (ValueError, OSError, KeyError, IndexError) as error:
        raise FormatError("these intermediate vectors are damaged", where=path, do="remove the file") from error
