"""A dataset: a folder of sealed files and one small manifest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from aqqua.errors import NotFoundError, UnknownNameError
from aqqua.store import labels, masks, predictions, rejects
from aqqua.store.identity import FILE_NAME, read_identity
from aqqua.store.images import ShardReader
from aqqua.store.manifest import Manifest, Shard, read_current, read_manifest
from aqqua.store.moves import led, read_moves
from aqqua.store.rows import reading, rows_at
from aqqua.store.shard import SealedShard
from aqqua.store.tombstones import read_tombstones
from aqqua.store.uid import by_shard, join_uid, split_uid, uid_expr

if TYPE_CHECKING:
    from aqqua.metadata.card import Card
    from aqqua.metadata.check import Finding

__all__ = ["Dataset", "Shard"]


@dataclass(frozen=True)
class Dataset:
    """A dataset as it was at one snapshot: cheap to open, safe to pickle, to fork and to use from threads.

    What is added later is seen by opening it again; what adds (`commit`, `add_tombstones`) returns the new state.
    """

    path: Path
    manifest: Manifest

    # ---- the dataset itself

    @classmethod
    def open(cls, path: Path | str) -> Dataset:
        """Open the newest snapshot.

        Raises:
            NotFoundError: there is no dataset at this path.
            FormatError: it is of a newer format, or damaged.
        """
        root = Path(path).absolute()
        read_identity(root)
        return cls(root, read_manifest(root, read_current(root)))

    @classmethod
    def create(cls, path: Path | str, card: Card | None = None) -> Dataset:
        """Make an empty dataset in a new or empty folder.

        Raises:
            StorageError: the folder holds a dataset already, or something else.
        """
        from aqqua.store.commit import create

        root = Path(path).absolute()
        create(root, card)
        return cls.open(root)

    @classmethod
    def is_at(cls, path: Path | str) -> bool:
        """Whether there is a dataset at this path."""
        return (Path(path) / FILE_NAME).is_file()

    @cached_property
    def card(self) -> Card:
        """Title, licence, people and what else is said about the dataset as a whole."""
        from aqqua.metadata.card import Card

        path = self.path / "card.yaml"
        return Card.load(path) if path.is_file() else Card()

    @cached_property
    def uuid(self) -> str:
        """Who the dataset is, wherever it is copied to."""
        return str(read_identity(self.path).get("uuid", ""))

    @property
    def snapshot(self) -> int:
        """Number of the snapshot."""
        return self.manifest.snapshot

    @property
    def shards(self) -> list[Shard]:
        """The sealed shards."""
        return list(self.manifest.shards)

    def __len__(self) -> int:
        """Number of images, without removed ones."""
        return sum(shard.n_images - shard.n_removed for shard in self.manifest.shards)

    def __bool__(self) -> bool:
        """A dataset is there, even if it is empty."""
        return True

    def __repr__(self) -> str:
        """Where it is and how large."""
        return f"Dataset({str(self.path)!r}, {len(self)} images, snapshot {self.snapshot})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Only path and snapshot travel to another process."""
        return _reopen, (self.path, self.snapshot)

    # ---- adding

    def commit(
        self,
        shards: Sequence[SealedShard],
        *,
        rejects: pl.DataFrame | None = None,
        findings: Sequence[Finding] = (),
    ) -> Dataset:
        """Add sealed shards, their labels, rejects and findings in one step, and return the dataset with them.

        It happens wholly or not at all. A shard that is already there (the step was interrupted after its point of no
        return and is done again) is not added twice. The folders of the sealed shards are removed afterwards.
        Numbers are given in the order of `shards`. Other processes may commit at the same time; they wait.

        Raises:
            ConfigError: labels or rejects are not as their tables demand.
            StorageError: the disk is full; the dataset is as before.
        """
        from aqqua.store.commit import commit_shards

        commit_shards(self.path, shards, rejects, findings)
        return Dataset.open(self.path)

    def add_tombstones(self, uids: Sequence[int], reason: str) -> Dataset:
        """Take images out of all views, for a reason; their bytes stay in the sealed shards.

        Raises:
            NotFoundError: one of them is not in the dataset.
            ConfigError: there is no reason.
        """
        from aqqua.store.commit import commit_tombstones

        self._require(uids)
        commit_tombstones(self.path, uids, reason)
        return Dataset.open(self.path)

    # ---- metadata

    def lazy(self) -> pl.LazyFrame:
        """Converted Metadata as a Polars query, to filter before anything is read; columns as in `metadata`."""
        from aqqua.metadata.fields import polars_schema

        head = {"uid": pl.UInt64(), "shard": pl.UInt32()}
        parts = [pl.LazyFrame(schema={**head, **polars_schema()}), *map(self._converted, self.shards)]
        with reading(self.path):
            return pl.concat(parts, how="diagonal")

    def metadata(self, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """Converted Metadata with `uid` and `shard` in front, in storage order, without removed images.

        Args:
            columns: only these, besides `uid` and `shard`.

        Raises:
            UnknownNameError: there is no such column.
        """
        frame = self.lazy()
        with reading(self.path):
            if columns is not None:
                known = frame.collect_schema().names()
                if unknown := [name for name in columns if name not in known]:
                    raise UnknownNameError("column of Converted Metadata", unknown[0], known)
                frame = frame.select("uid", "shard", *(name for name in columns if name not in {"uid", "shard"}))
            return frame.collect()

    def row(self, uid: int) -> dict[str, Any]:
        """Converted Metadata of one image, with `uid` and `shard`.

        Raises:
            NotFoundError: there is no such image.
        """
        shard, key = self._require([uid])[0]
        return {"uid": int(uid), "shard": shard.number, **rows_at(shard.converted, [key]).to_dicts()[0]}

    def raw(self, uids: Sequence[int]) -> list[dict[str, str]]:
        """Raw Metadata of images, verbatim, in the order asked for; only the columns their own table had.

        Raises:
            NotFoundError: there is no such image.
        """
        self._require(uids)
        found: dict[int, dict[str, str]] = {}
        for number, keys in by_shard(uids).items():
            frame = rows_at(self._shard(number).raw, keys).drop("key")
            frame = frame.rename({"raw:key": "key"}, strict=False)
            for key, row in zip(keys, frame.iter_rows(named=True), strict=True):
                found[join_uid(number, key)] = {name: str(text) for name, text in row.items() if text is not None}
        return [found[int(uid)] for uid in uids]

    # ---- images

    def image(self, uid: int) -> np.ndarray:
        """Pixels of one image: (height, width) or (height, width, channels), uint8 or uint16.

        Raises:
            NotFoundError: there is no such image.
            FormatError: it is damaged.
        """
        shard, key = self._require([uid])[0]
        return self._reader(shard).image(key)

    def images(self, uids: Sequence[int]) -> list[np.ndarray]:
        """Pixels of images in the order asked for; files are read in the order of their keys.

        Raises:
            NotFoundError: there is no such image.
            FormatError: one is damaged.
        """
        found: dict[int, np.ndarray] = {}
        for number, keys in by_shard(uids).items():
            shard = self._numbered.get(number)
            if shard is None or shard.n_removed or max(keys) >= shard.n_images:
                self._require([join_uid(number, key) for key in keys])
            shard, first = self._shard(number), join_uid(number, 0)
            for key, image in self._reader(shard).images(keys):
                found[first + key] = image
        return [found[int(uid)] for uid in uids]

    def iter_images(self, shard: Shard) -> Iterator[tuple[int, np.ndarray]]:
        """Uid and pixels of each image of a shard, in storage order, without removed ones."""
        removed = set(self._removed[shard.number].to_list() if shard.number in self._removed else ())
        keys = (key for key in range(shard.n_images) if key not in removed) if removed else None
        for key, image in self._reader(shard, readahead=True).images(keys):
            yield join_uid(shard.number, key), image

    # ---- masks

    def mask_names(self) -> list[str]:
        """Names of the sets of masks: "source" are those that came with the images."""
        return masks.mask_names(self.path)

    def mask(self, uid: int, name: str = "source") -> np.ndarray | None:
        """The objects in an image: (height, width), uint8 or uint16, 0 = background, k = the k-th; None if not known.

        Raises:
            NotFoundError: there is no such image.
            UnknownNameError: there are no masks of this name.
        """
        shard, key = self._require([uid])[0]
        return masks.read_mask(self.path, name, shard, key)

    def write_masks(
        self, name: str, shard: int, pairs: Iterable[tuple[int, np.ndarray]], info: Mapping[str, Any]
    ) -> Path:
        """Write the masks of one shard, as pairs of uid and mask in the order of the uids; images may have none.

        It replaces former ones of the same name; see `aqqua.store.masks.write_masks`.
        """
        return masks.write_masks(self.path, name, self._shard(shard), pairs, info)

    # ---- labels and predictions

    def labels(self) -> pl.DataFrame:
        """The current label of each labelled image: the one recorded last; sorted by uid."""
        return labels.latest(self._label_rows())

    def label_history(self, uid: int) -> pl.DataFrame:
        """All labels an image ever had, oldest first."""
        history = self._label_rows().filter(pl.col("uid") == int(uid))
        return history.sort("recorded_utc", maintain_order=True)

    def add_labels(self, frame: pl.DataFrame) -> Path:
        """Append labels as a new sealed file, and return its path; they count at once.

        Args:
            frame: `uid`, `label` and any other columns of the labels table; `recorded_utc` is now if missing.

        Raises:
            ConfigError: a column is unknown, missing or of a wrong type.
            NotFoundError: an image is not in the dataset.
        """
        table = labels.conform_labels(frame)
        self._require(table["uid"].to_list())
        return labels.write_labels(self.path / "labels", table)

    def prediction_models(self) -> list[str]:
        """Ids of the models that have predictions here, newest first."""
        return predictions.model_ids(self.path)

    def predictions(self, model: str | None = None, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """Predictions of a model, in storage order, without removed images; `vector` is Array(Float32).

        Args:
            model: its id; None for the newest.
            columns: only these, besides `uid`.

        Raises:
            NotFoundError: there are no predictions at all.
            UnknownNameError: there are none of this model, or no such column.
        """
        with reading(self.path):
            frame = predictions.read_predictions(self.path, self.shards, model, columns)
            return frame.filter(~pl.col("uid").is_in(self._removed_uids())).collect()

    def prediction_path(self, model_id: str, shard: int) -> Path:
        """Where the predictions of a model for a shard belong (the outputs of a `map_shards`)."""
        return predictions.prediction_path(self.path, model_id, shard)

    def write_predictions(self, model_id: str, shard: int, frame: pl.DataFrame, info: dict[str, Any]) -> Path:
        """Write the predictions of a model for one shard; replaces former ones of the same model.

        Args:
            model_id: of the model; makes a folder.
            shard: number of the shard.
            frame: `uid`, and any of `vector`, `taxon_knn`, `p_knn`, `taxon_linear`, `p_linear`, `outlier` and more.
            info: weights_sha256, preprocessing_hash, label_set, created_utc and more.
        """
        path = self.prediction_path(model_id, shard)
        origin = {"dataset": self.uuid, "snapshot": self.snapshot, "shard": self._shard(shard).identity}
        notes = {name: value for name, value in info.items() if name != "learned_from"}  # long, and in model.json
        predictions.write_predictions(path, shard, frame, {**notes, "model_id": model_id, "origin": origin})
        predictions.write_info(self.path, model_id, {**info, "dataset": self.uuid})
        return path

    # ---- what did not get in, what looks odd

    def rejected(self) -> pl.DataFrame:
        """Rows that did not get in, each with its reason."""
        return rejects.read_rejects(self.path, self.snapshot)

    def findings(self) -> list[Finding]:
        """What looked odd at the ingests."""
        return rejects.read_findings(self.path, self.snapshot)

    # ---- inside

    @cached_property
    def _numbered(self) -> dict[int, Shard]:
        return {shard.number: shard for shard in self.manifest.shards}

    def _shard(self, number: int) -> Shard:
        if number not in self._numbered:
            raise NotFoundError(f"there is no shard {number}", where=self.path)
        return self._numbered[number]

    @cached_property
    def _removed(self) -> dict[int, pl.Series]:
        """Removed keys of each shard that has any, sorted."""
        with reading(self.path):
            frame = read_tombstones(self.path, self.manifest.tombstones).sort("shard", "key")
        return {int(part["shard"][0]): part["key"] for part in frame.partition_by("shard")}

    def _is_removed(self, number: int, key: int) -> bool:
        keys = self._removed.get(number)
        place = 0 if keys is None else int(keys.search_sorted(key))
        return keys is not None and place < len(keys) and int(keys[place]) == key

    def _removed_uids(self) -> pl.Series:
        parts = [keys.cast(pl.UInt64) + (number << 32) for number, keys in self._removed.items()]
        return pl.concat([pl.Series(dtype=pl.UInt64), *parts]).implode()

    def _converted(self, shard: Shard) -> pl.LazyFrame:
        frame = pl.scan_parquet(shard.converted)
        removed = self._removed.get(shard.number)
        if removed is not None:
            frame = frame.filter(~pl.col("key").is_in(removed.implode()))
        return frame.select(uid_expr(shard.number), pl.lit(shard.number, pl.UInt32).alias("shard"), pl.all())

    def _label_rows(self) -> pl.DataFrame:
        with reading(self.path):
            rows = labels.read_labels(self.path / "labels", self.snapshot)
            if self.manifest.moves:
                rows = led(rows, read_moves(self.path, self.manifest.moves), self.shards)
            return rows.filter(~pl.col("uid").is_in(self._removed_uids()))

    def _reader(self, shard: Shard, *, readahead: bool = False) -> ShardReader:
        return ShardReader(shard.images, size=shard.images_bytes, readahead=readahead)

    def _require(self, uids: Sequence[int]) -> list[tuple[Shard, int]]:
        """Shard and key of images that must be there."""
        found = []
        for uid in uids:
            number, key = split_uid(uid)
            shard = self._numbered.get(number)
            if shard is None or key >= shard.n_images:
                raise NotFoundError(f"there is no image {uid}", where=self.path)
            if shard.n_removed and self._is_removed(number, key):
                raise NotFoundError(f"image {uid} was removed from the dataset", where=self.path)
            found.append((shard, key))
        return found


def _reopen(path: Path, snapshot: int) -> Dataset:
    return Dataset(path, read_manifest(path, snapshot))
