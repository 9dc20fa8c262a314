from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqqua.store import spool
from aqqua.store.spool import LARGE, TableSpool, ValueSpool, order_of, pseudo_random_order


@given(st.integers(0, 500), st.integers(-(2**70), 2**70))
def test_the_order_is_a_permutation_by_seed(count: int, seed: int) -> None:
    order = pseudo_random_order(count, seed)
    assert sorted(order.tolist()) == list(range(count))
    assert order.tolist() == pseudo_random_order(count, seed).tolist()


def test_the_order_is_what_the_format_page_says() -> None:
    mask = (1 << 64) - 1

    def splitmix64(state: int) -> int:
        z = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 & mask
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB & mask
        return z ^ (z >> 31)

    # the published first outputs for seed 1234567
    states = [1234567 + (i + 1) * 0x9E3779B97F4A7C15 & mask for i in range(50)]
    hashes = [splitmix64(state) for state in states]
    assert hashes[:3] == [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert pseudo_random_order(50, 1234567).tolist() == sorted(range(50), key=hashes.__getitem__)


def test_the_order_has_no_memory_of_the_source() -> None:
    """Neighbours of the source are no neighbours in the shard: rank correlation near nothing."""
    order = pseudo_random_order(20_000, 3)
    assert abs(np.corrcoef(order[:-1], order[1:])[0, 1]) < 0.03
    assert abs(np.corrcoef(order, np.arange(20_000))[0, 1]) < 0.03
    assert (pseudo_random_order(20_000, 4) != order).mean() > 0.99


def test_in_large_shards_runs_of_neighbours_stay_together() -> None:
    count = LARGE + 5
    order, told = order_of(count, 3)
    assert told == "splitmix64/16:3"
    assert sorted(order.tolist()) == list(range(count))
    starts = order[: count - 5 : 16] if order[15] - order[0] == 15 else order[:0]
    assert (np.diff(order) == 1).mean() > 0.93
    assert abs(np.corrcoef(starts[:-1], starts[1:])[0, 1]) < 0.1
    small, told = order_of(LARGE - 1, 3)
    assert (small == pseudo_random_order(LARGE - 1, 3)).all()
    assert told == "splitmix64:3"


def test_values_come_back_in_any_order(tmp_path: Path) -> None:
    values = ValueSpool(tmp_path / "values.spool")
    values.extend([b"a", b"", b"ccc"])
    assert list(values.read(np.array([2, 0]))) == [b"ccc", b"a"]
    values.extend([b"dd"])
    assert (len(values), values.nbytes) == (4, 6)
    assert list(values.read(np.array([3, 1, 0]))) == [b"dd", b"", b"a"]
    values.remove()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("per_file", [1, 5, 1000])
def test_rows_of_different_columns_become_one_table(
    tmp_path: Path, per_file: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "_ROWS_PER_FILE", per_file)
    table = TableSpool(tmp_path, "raw")
    table.append(pl.DataFrame({"a": ["1", "2"], "b": ["x", None]}))
    table.append(pl.DataFrame({"b": ["y"], "c": ["new"]}))
    table.append(pl.DataFrame(schema={"a": pl.String}))
    blocks = list(table.blocks(np.array([2, 0, 1]), rows=2))
    assert [len(block) for block in blocks] == [2, 1]
    assert pl.concat(blocks).to_dict(as_series=False) == {
        "a": [None, "1", "2"],
        "b": ["y", "x", None],
        "c": ["new", None, None],
    }
    table.remove()
    assert list(tmp_path.iterdir()) == []
