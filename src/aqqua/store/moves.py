"""Which image became which when shards were compacted; what still names an old uid is led to the new one.

Compaction makes new shards, so images get new uids. `moves/v000007.parquet` (old, new) says which; images that were
removed are in none. `withdrawn/v000007.parquet` keeps of them only where they came from, so that they stay out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl

from aqqua.store.manifest import Shard

__all__ = ["MOVE_SCHEMA", "WITHDRAWN_SCHEMA", "led", "read_moves", "read_withdrawn"]

MOVE_SCHEMA = pl.Schema({"old": pl.UInt64(), "new": pl.UInt64()})
WITHDRAWN_SCHEMA = pl.Schema(
    {
        "source": pl.String(),
        "fingerprint": pl.String(),
        "source_path": pl.String(),
        "source_row": pl.Int32(),
        "reason": pl.String(),
    }
)


def read_moves(root: Path, names: Sequence[str]) -> pl.DataFrame:
    """Old and newest uid of each image that ever moved and is still there.

    Args:
        root: the dataset.
        names: the files, oldest first, as the manifest names them.
    """
    moves = pl.DataFrame(schema=MOVE_SCHEMA)
    for name in names:
        later = pl.read_parquet(root / name).select(MOVE_SCHEMA.names())
        further = moves.join(later, left_on="new", right_on="old", how="left").select(
            "old", pl.coalesce("new_right", pl.when(~_in_shards(pl.col("new"), later)).then("new")).alias("new")
        )
        moves = pl.concat([further.drop_nulls(), later])
    return moves


def led(frame: pl.DataFrame, moves: pl.DataFrame, shards: Iterable[Shard]) -> pl.DataFrame:
    """Rows by `uid` with the uids that images have now; rows of images that are no longer there are left out.

    Args:
        frame: any table with a column `uid`.
        moves: as `read_moves` gives it.
        shards: those that are there.
    """
    numbers = pl.Series([shard.number for shard in shards], dtype=pl.UInt64)
    columns = frame.columns
    if len(moves):
        frame = frame.join(moves, left_on="uid", right_on="old", how="left", maintain_order="left")
        frame = frame.with_columns(pl.coalesce("new", "uid").alias("uid")).select(columns)
    return frame.filter((pl.col("uid") // (1 << 32)).is_in(numbers.implode()))


def read_withdrawn(root: Path, snapshot: int) -> pl.DataFrame:
    """Where the images came from that were removed for good, as known at a snapshot."""
    paths = [path for path in sorted((root / "withdrawn").glob("v*.parquet")) if int(path.stem[1:]) <= snapshot]
    parts = [pl.read_parquet(path).select(WITHDRAWN_SCHEMA.names()) for path in paths]
    return pl.concat([pl.DataFrame(schema=WITHDRAWN_SCHEMA), *parts])


def _in_shards(uid: pl.Expr, moves: pl.DataFrame) -> pl.Expr:
    """Whether an image was in one of the shards that were compacted then: if it did not move, it is gone."""
    return (uid // (1 << 32)).is_in((moves["old"] // (1 << 32)).unique().implode())
