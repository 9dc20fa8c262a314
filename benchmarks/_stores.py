"""The stores that are compared: the dataset of aqqua, and what else people keep small images in (PNG by Pillow)."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import lmdb
import numpy as np
import polars as pl
from PIL import Image

__all__ = ["STORES", "Aqqua", "Lmdb", "Store", "images_dataset"]


class Store(Protocol):
    """One way of keeping images.

    Args:
        name: for the table.
        random: images per round of the random test (0: it cannot).
    """

    name: str
    random: int

    def write(self, folder: Path, images: Sequence[np.ndarray], pngs: Sequence[bytes]) -> None:
        """Write all images, and keep them open for reading."""

    def read(self, keys: Sequence[int]) -> list[np.ndarray]:
        """Read and decode images here and there, as a batch."""

    def records(self) -> Iterator[Any]:
        """All records in the order of the store, undecoded."""

    def pixels(self) -> Iterator[np.ndarray]:
        """All images in the order of the store."""


def decoded(data: Any) -> np.ndarray:
    """The pixels of a PNG."""
    return np.asarray(Image.open(io.BytesIO(data)))


def opened(path: str) -> np.ndarray:
    """The pixels of a PNG file."""
    with Image.open(path) as image:
        return np.asarray(image)


def images_dataset(path: Path, images: Sequence[np.ndarray]) -> Any:
    """A dataset of images with plain metadata."""
    from aqqua.store.dataset import Dataset
    from aqqua.store.shard import ShardBuilder

    dataset = Dataset.create(path)
    builder = ShardBuilder(path / "jobs" / "0", source="benchmark", fingerprint="benchmark", seed=1)
    for first in range(0, len(images), 2000):
        some = images[first : first + 2000]
        rows = range(first, first + len(some))
        raw = pl.DataFrame({"source_path": ["benchmark"] * len(some), "source_row": [row + 2 for row in rows]})
        builder.add_batch(some, pl.concat([_plain_rows(rows), raw], how="horizontal"), raw)
    return dataset.commit([builder.seal()])


def _plain_rows(rows: Sequence[int]) -> pl.DataFrame:
    same = {"sample_id": "s", "sample_idx": 0, "image_rank": 0, "instrument": "ISIIS", "latitude": 25.0}
    same |= {"longitude": -79.8, "depth_min_m": 0.0, "depth_max_m": 10.0, "pixel_um": 68.0}
    frame = pl.DataFrame({"object_id": [f"image_{row}" for row in rows]})
    return frame.with_columns(
        *(pl.lit(value).alias(name) for name, value in same.items()),
        pl.datetime(2014, 6, 5, time_zone="UTC", time_unit="ms").alias("time_utc"),
    )


class Aqqua:
    """A dataset of aqqua, read as users read it."""

    name, random = "**aqqua**", 3000

    def write(self, folder: Path, images: Sequence[np.ndarray], pngs: Sequence[bytes]) -> None:
        self.dataset = images_dataset(folder / "data", images)
        self.shard = self.dataset.shards[0]

    def read(self, keys: Sequence[int]) -> list[np.ndarray]:
        return self.dataset.images(keys)  # type: ignore[no-any-return]

    def records(self) -> Iterator[Any]:
        from aqqua.store.images import ShardReader

        return ShardReader(self.shard.images, size=self.shard.images_bytes).visit()

    def pixels(self) -> Iterator[np.ndarray]:
        return (image for _, image in self.dataset.iter_images(self.shard))


class Lmdb:
    """PNG files as values of an LMDB file, read within one transaction per batch."""

    name, random = "PNG in LMDB, Pillow", 3000

    def write(self, folder: Path, images: Sequence[np.ndarray], pngs: Sequence[bytes]) -> None:
        from aqqua.store.images import write_shard

        self.path = folder / "png.mdb"
        write_shard(self.path, iter(pngs))
        self.environment = lmdb.open(str(self.path), subdir=False, readonly=True, lock=False, readahead=False)

    def read(self, keys: Sequence[int]) -> list[np.ndarray]:
        with self.environment.begin(buffers=True) as transaction:
            return [decoded(transaction.get(key.to_bytes(8, "big"))) for key in keys]

    def records(self) -> Iterator[Any]:
        with self.environment.begin(buffers=True) as transaction:
            yield from transaction.cursor().iternext()

    def pixels(self) -> Iterator[np.ndarray]:
        return (decoded(value) for _, value in self.records())


class Files:
    """One PNG file per image, a thousand in a folder."""

    name, random = "one PNG file per image", 3000

    def write(self, folder: Path, images: Sequence[np.ndarray], pngs: Sequence[bytes]) -> None:
        self.paths = [str(folder / f"{i // 1000:04}" / f"{i:08}.png") for i in range(len(pngs))]
        for path, data in zip(self.paths, pngs, strict=True):
            Path(path).parent.mkdir(exist_ok=True)
            Path(path).write_bytes(data)

    def read(self, keys: Sequence[int]) -> list[np.ndarray]:
        return [opened(self.paths[key]) for key in keys]

    def records(self) -> Iterator[Any]:
        for path in self.paths:
            with open(path, "rb") as file:  # noqa: PTH123  the quickest way there is
                yield file.read()

    def pixels(self) -> Iterator[np.ndarray]:
        return map(opened, self.paths)


class WebDataset:
    """Tar files of 10,000 PNGs; there is no reading here and there."""

    name, random = "WebDataset", 0

    def write(self, folder: Path, images: Sequence[np.ndarray], pngs: Sequence[bytes]) -> None:
        import webdataset as wds

        with wds.ShardWriter(str(folder / "%06d.tar"), maxcount=10_000, verbose=0) as writer:
            for i, data in enumerate(pngs):
                writer.write({"__key__": f"{i:08}", "png": data})
        self.urls = sorted(map(str, folder.glob("*.tar")))

    def records(self) -> Iterator[Any]:
        import webdataset as wds

        for sample in wds.WebDataset(self.urls, shardshuffle=False):
            yield sample["png"]

    def read(self, keys: Sequence[int]) -> list[np.ndarray]:
        raise NotImplementedError("a tar file has no index")

    def pixels(self) -> Iterator[np.ndarray]:
        return map(decoded, self.records())


class Lance:
    """A column of PNGs; `take` of all rows of a batch at a time."""

    name, random = "Lance", 1024

    def write(self, folder: Path, images: Sequence[np.ndarray], pngs: Sequence[bytes]) -> None:
        import lance
        import pyarrow as pa

        table = pa.table({"png": pa.array(pngs, pa.large_binary())})
        self.dataset = lance.write_dataset(table, str(folder / "data.lance"))

    def read(self, keys: Sequence[int]) -> list[np.ndarray]:
        return [decoded(value.as_py()) for value in self.dataset.take(list(keys))["png"]]

    def records(self) -> Iterator[Any]:
        for batch in self.dataset.to_batches(batch_size=1024):
            for value in batch.column(0):
                yield value.as_py()

    def pixels(self) -> Iterator[np.ndarray]:
        return map(decoded, self.records())


class LitData:
    """Chunks of 64 MB; made to be streamed, asked here and there nevertheless."""

    name, random = "LitData", 400

    def write(self, folder: Path, images: Sequence[np.ndarray], pngs: Sequence[bytes]) -> None:
        with _quiet():
            from litdata import StreamingDataset
            from litdata.streaming.cache import Cache

            cache = Cache(str(folder), chunk_bytes="64MB")
            for i, data in enumerate(pngs):
                cache[i] = data
            cache.done()
            cache.merge()
            self.dataset = StreamingDataset(str(folder))

    def read(self, keys: Sequence[int]) -> list[np.ndarray]:
        return [decoded(self.dataset[key]) for key in keys]

    def records(self) -> Iterator[Any]:
        return iter(self.dataset)

    def pixels(self) -> Iterator[np.ndarray]:
        return map(decoded, self.dataset)


class HuggingFace:
    """Parquet, opened by HF datasets (which keeps an Arrow copy beside it: not counted in the size)."""

    name, random = "HF datasets, Parquet", 2000

    def write(self, folder: Path, images: Sequence[np.ndarray], pngs: Sequence[bytes]) -> None:
        with _quiet():
            import datasets

            datasets.disable_progress_bars()
            path = str(folder / "data.parquet")
            datasets.Dataset.from_dict({"png": list(pngs)}).to_parquet(path)
            self.dataset = datasets.Dataset.from_parquet(path, cache_dir=str(folder.with_name("hf-cache")))

    def read(self, keys: Sequence[int]) -> list[np.ndarray]:
        return [decoded(self.dataset[key]["png"]) for key in keys]

    def records(self) -> Iterator[Any]:
        return iter(self.dataset)

    def pixels(self) -> Iterator[np.ndarray]:
        return (decoded(row["png"]) for row in self.dataset)


STORES: list[type[Store]] = [Aqqua, Lmdb, Files, WebDataset, Lance, LitData, HuggingFace]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Peers talk on the terminal about things that do not matter here."""
    logging.disable(logging.WARNING)
    with (
        Path(os.devnull).open("w") as nothing,
        contextlib.redirect_stdout(nothing),
        contextlib.redirect_stderr(nothing),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield
    logging.disable(logging.NOTSET)
