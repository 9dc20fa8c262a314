from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from aqqua.store.uid import by_shard, join_uid, split_uid, uid_expr

U32 = st.integers(0, 2**32 - 1)


@given(U32, U32)
def test_shard_and_key_make_a_uid_and_back(shard: int, key: int) -> None:
    assert split_uid(join_uid(shard, key)) == (shard, key)
    frame = pl.DataFrame({"key": [key]}, schema={"key": pl.UInt32}).select(uid_expr(shard))
    assert frame["uid"].to_list() == [join_uid(shard, key)]
    assert frame["uid"].dtype == pl.UInt64


def test_keys_by_shard_keep_their_order() -> None:
    assert by_shard([join_uid(2, 9), 3, join_uid(2, 1), 3]) == {2: [9, 1], 0: [3, 3]}
