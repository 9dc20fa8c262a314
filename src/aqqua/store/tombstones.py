"""Tombstones: images that were taken out after they were sealed; readers pass them over."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from aqqua.errors import ConfigError
from aqqua.store.parquet import write_frame
from aqqua.store.uid import split_uid

__all__ = ["read_tombstones", "write_tombstones"]

_SCHEMA = {"shard": pl.UInt32, "key": pl.UInt32, "reason": pl.String}


def write_tombstones(root: Path, uids: Sequence[int], reason: str) -> str:
    """Write tombstones as a new file and return its name in the dataset; it counts once a manifest names it."""
    if not reason.strip():
        raise ConfigError("images can only be removed for a reason", do="say why: reason='duplicate of …'")
    pairs = sorted({split_uid(uid) for uid in uids})
    frame = pl.DataFrame([(*pair, reason) for pair in pairs], schema=_SCHEMA, orient="row")
    name = f"tombstones/{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}.parquet"
    write_frame(root / name, frame, kind="tombstones")
    return name


def read_tombstones(root: Path, names: Sequence[str]) -> pl.DataFrame:
    """Shard, key and first reason of all removed images."""
    parts = [pl.read_parquet(root / name).select(_SCHEMA.keys()) for name in names]
    frame = pl.concat(parts) if parts else pl.DataFrame(schema=_SCHEMA)
    return frame.unique(["shard", "key"], keep="first", maintain_order=True)
