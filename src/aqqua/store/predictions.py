"""Predictions of models: per model a folder with `model.json`, and one table per shard."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from aqqua.errors import ConfigError, FormatError, NotFoundError, UnknownNameError
from aqqua.store.identity import now_text, tool_versions
from aqqua.store.manifest import Shard
from aqqua.store.parquet import write_blocks
from aqqua.store.seal import write_sealed_json
from aqqua.store.uid import join_uid

__all__ = ["PREDICTION_SCHEMA", "model_ids", "prediction_path", "read_predictions", "write_info", "write_predictions"]

PREDICTION_SCHEMA: dict[str, Any] = {
    "uid": pl.UInt64,
    "taxon_knn": pl.String,
    "p_knn": pl.Float32,
    "taxon_linear": pl.String,
    "p_linear": pl.Float32,
    "outlier": pl.Float32,
}
"""Columns every table of predictions has besides `vector`; a model may add others."""

_MODEL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_ROWS = 1 << 17
_HALF_MAX = 65_504  # the largest number of 16 bits (IEEE 754 binary16)


def prediction_path(root: Path, model_id: str, shard: int) -> Path:
    """Where the predictions of a model for a shard belong."""
    return _folder(root, model_id) / f"{shard:08}.parquet"


def write_info(root: Path, model_id: str, info: Mapping[str, Any]) -> Path:
    """Write `model.json`: what made these predictions.

    Args:
        root: the dataset.
        model_id: of the model.
        info: weights_sha256, preprocessing_hash, label_set and more; created_utc is now if missing.
    """
    path = _folder(root, model_id) / "model.json"
    told = {"created_utc": now_text(), "aqqua_version": tool_versions()["aqqua"], **info, "model_id": model_id}
    fleeting = {"created_utc"} - set(info)
    if path.is_file():
        old = _info(path)
        if all(old.get(name) == value for name, value in told.items() if name not in fleeting):
            return path
    write_sealed_json(path, told)
    return path


def write_predictions(path: Path, shard: int, frame: pl.DataFrame, info: Mapping[str, Any]) -> Path:
    """Write the predictions for one shard as a whole file; vectors are kept with 16 bits.

    Args:
        path: the file (for `map_shards`: the one it asks for).
        shard: number of the shard.
        frame: `uid` of the shard's images and any of the other columns; `vector` lists of one length.
        info: for the metadata of the file.

    Raises:
        ConfigError: an image is of another shard or comes twice, or vectors differ in length.
    """
    uids = frame["uid"].cast(pl.UInt64) if "uid" in frame.columns else pl.Series(dtype=pl.UInt64)
    in_shard = uids.is_between(join_uid(shard, 0), join_uid(shard + 1, 0), closed="left")
    if len(uids) != len(frame) or not in_shard.all() or uids.n_unique() != len(frame):
        do = f"give each image of shard {shard} once, with its uid"
        raise ConfigError(f"predictions of other images than those of shard {shard}", where=path, do=do)
    missing = [pl.lit(None).alias(name) for name in PREDICTION_SCHEMA if name not in frame.columns]
    frame = frame.with_columns(missing).cast(PREDICTION_SCHEMA).sort("uid")  # type: ignore[arg-type]
    frame = frame.select(*PREDICTION_SCHEMA, pl.exclude(PREDICTION_SCHEMA))
    schema = None
    if "vector" in frame.columns:
        frame, schema = _with_vectors(frame, path)
    blocks = (frame[begin : begin + _ROWS] for begin in range(0, max(len(frame), 1), _ROWS))
    write_blocks(path, blocks, kind="predictions", notes=dict(info), schema=schema)
    return path


def model_ids(root: Path) -> list[str]:
    """Ids of the models with predictions, newest first."""
    paths = (root / "predictions").glob("*/model.json")
    infos = [_info(path) for path in paths if _MODEL_ID.fullmatch(path.parent.name)]
    infos.sort(key=lambda info: (str(info.get("created_utc", "")), str(info["model_id"])), reverse=True)
    return [str(info["model_id"]) for info in infos]


def read_predictions(
    root: Path, shards: Sequence[Shard], model: str | None, columns: Sequence[str] | None
) -> pl.LazyFrame:
    """The predictions of a model for those shards that have any.

    Raises:
        NotFoundError: there are no predictions at all.
        UnknownNameError: there are none of this model, or no such column.
    """
    models = model_ids(root)
    if not models:
        raise NotFoundError("there are no predictions yet", where=root, do="aqqua predict MODEL DATASET")
    if model is not None and model not in models:
        raise UnknownNameError("model with predictions", model, models, where=root)
    paths = [prediction_path(root, model or models[0], shard.number) for shard in shards]
    parts = [pl.scan_parquet(path) for path in paths if path.is_file()]
    if not parts:
        return pl.LazyFrame(schema=PREDICTION_SCHEMA)
    frame = pl.concat(parts, how="diagonal_relaxed")
    kinds = frame.collect_schema()
    if columns is not None:
        if unknown := [name for name in columns if name not in kinds]:
            raise UnknownNameError("column of predictions", unknown[0], kinds.names())
        frame = frame.select("uid", *(name for name in columns if name != "uid"))
    if isinstance(kind := kinds.get("vector"), pl.Array) and (columns is None or "vector" in columns):
        frame = frame.with_columns(pl.col("vector").cast(pl.Array(pl.Float32, kind.size)))
    return frame


def _with_vectors(frame: pl.DataFrame, path: Path) -> tuple[pl.DataFrame, pa.Schema]:
    """Vectors as lists of one length, and the schema that keeps them with 16 bits where these suffice."""
    try:
        lists = frame["vector"].cast(pl.List(pl.Float32))
        (length,) = lists.list.len().unique().to_list() or [0]
        vectors = lists.list.to_array(length)
    except (pl.exceptions.PolarsError, ValueError) as error:
        raise ConfigError(f"vectors of different lengths ({error})", where=path) from error
    values = vectors.to_numpy()
    fits = bool((np.abs(values[np.isfinite(values)]) < _HALF_MAX).all())
    frame = frame.with_columns(vectors.alias("vector"))
    schema = frame[:0].to_arrow(compat_level=pl.CompatLevel.oldest()).schema
    kind = pa.list_(pa.float16() if fits else pa.float32(), length)
    return frame, schema.set(schema.get_field_index("vector"), pa.field("vector", kind))


def _folder(root: Path, model_id: str) -> Path:
    if not _MODEL_ID.fullmatch(model_id):
        raise ConfigError(f"{model_id!r} cannot be the id of a model", do="use letters, digits, dot, dash, underscore")
    return root / "predictions" / model_id


def _info(path: Path) -> dict[str, Any]:
    try:
        info = json.loads(path.read_text(encoding="utf-8"))
        return {**info, "model_id": path.parent.name}
    except (OSError, ValueError, TypeError) as error:
        raise FormatError(f"model.json is damaged ({error})", where=path, do="predict again") from error
