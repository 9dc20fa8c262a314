from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from aqqua.models.grids import batches, stacked
from aqqua.models.preprocess import Prepared, Preprocessing

SHAPES = [(20, 30), (40, 12, 3), (20, 30), (90, 90), (5, 5), (40, 12, 3)]


def images(shapes: list[tuple[int, ...]]) -> list[Prepared]:
    rng = np.random.default_rng(0)
    return [Preprocessing().prepare(rng.integers(0, 256, shape, dtype=np.uint8), 10.0) for shape in shapes]


def test_a_batch_has_one_grid_and_one_set_of_channels() -> None:
    groups = list(batches(images(SHAPES), 16_384))
    assert sorted(row for rows in groups for row in rows) == list(range(6))
    assert [0, 2] in groups
    assert [1, 5] in groups


def test_a_batch_has_a_bounded_number_of_tokens() -> None:
    """12 images of 2 × 2 tokens: 20 tokens are five of them; an image larger than the bound is alone."""
    assert [len(rows) for rows in batches(images([(16, 16)] * 12), 20)] == [5, 5, 2]
    assert [len(rows) for rows in batches(images([(64, 64)] * 2), 20)] == [1, 1]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 60), st.integers(1, 60), st.integers(1, 3)), max_size=20), st.integers(1, 200))
def test_every_image_is_in_one_batch_of_its_shape(shapes: list[tuple[int, int, int]], tokens: int) -> None:
    prepared = images([*shapes])
    seen: list[int] = []
    for rows in batches(prepared, tokens):
        signal, channels, sizes = stacked(prepared, rows)
        assert signal.shape == (len(rows), len(channels), *prepared[rows[0]].signal.shape[1:])
        assert signal.dtype == np.int16
        assert sizes.shape == (len(rows), 3)
        seen += rows
    assert sorted(seen) == list(range(len(shapes)))
