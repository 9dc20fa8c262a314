"""The uid of an image: shard in the upper, key in the lower 32 bits; derived, never stored as a number of its own."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

__all__ = ["by_shard", "join_uid", "split_uid", "uid_expr"]

_KEY_BITS = 32
_KEY_MASK = (1 << _KEY_BITS) - 1


def split_uid(uid: int) -> tuple[int, int]:
    """Shard and key of an image.

    >>> split_uid(4294967303)
    (1, 7)
    """
    return int(uid) >> _KEY_BITS, int(uid) & _KEY_MASK


def join_uid(shard: int, key: int) -> int:
    """The uid of an image.

    >>> join_uid(1, 7)
    4294967303
    """
    return shard << _KEY_BITS | key


def uid_expr(shard: int) -> pl.Expr:
    """The uid of the rows of a shard's table, from their key."""
    return (pl.col("key").cast(pl.UInt64) + pl.lit(shard << _KEY_BITS, pl.UInt64)).alias("uid")


def by_shard(uids: Iterable[int]) -> dict[int, list[int]]:
    """The keys asked for in each shard.

    >>> by_shard([5, 4294967303, 6])
    {0: [5, 6], 1: [7]}
    """
    found: dict[int, list[int]] = {}
    for uid in map(int, uids):
        shard = uid >> _KEY_BITS
        if shard in found:
            found[shard].append(uid & _KEY_MASK)
        else:
            found[shard] = [uid & _KEY_MASK]
    return found
