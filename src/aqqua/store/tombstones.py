"""Tombstones: images that were taken out after they were sealed; readers pass them over."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from aqqua.errors import ConfigError
from aqqua.store.parquet import write_frame

__all__ = ["read_tombstones", "write_tombstones"]

_SCHEMA: dict[str, Any] = {"shard": pl.UInt32, "key": pl.UInt32, "reason": pl.String}


def write_tombstones(root: Path, uids: Sequence[int] | pl.Series, reason: str) -> str:
    """Write tombstones as a new file and return its name in the dataset; it counts once a manifest names it."""
    if not reason.strip():
        raise ConfigError("images can only be removed for a reason", do="say why: reason='duplicate of …'")
    uid = pl.Series("uid", uids, pl.UInt64).unique().sort()
    columns = {"shard": uid // (1 << 32), "key": uid % (1 << 32), "reason": [reason] * len(uid)}
    frame = pl.DataFrame(columns).cast(pl.Schema(_SCHEMA))
    name = f"tombstones/{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}.parquet"
    write_frame(root / name, frame, kind="tombstones")
    return name


def read_tombstones(root: Path, names: Sequence[str]) -> pl.DataFrame:
    """Shard, key and first reason of all removed images."""
    parts = [pl.read_parquet(root / name).select(_SCHEMA.keys()) for name in names]
    frame = pl.concat(parts) if parts else pl.DataFrame(schema=_SCHEMA)
    return frame.unique(["shard", "key"], keep="first", maintain_order=True)
