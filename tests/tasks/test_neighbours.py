from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aqqua.tasks import neighbours
from aqqua.tasks.neighbours import nearest, unit


def test_unit_length_and_no_division_by_zero() -> None:
    np.testing.assert_allclose(unit(np.array([[3.0, 4.0], [0.0, 0.0]])), np.array([[0.6, 0.8], [0.0, 0.0]]), atol=1e-6)


@given(st.integers(1, 40), st.integers(1, 30), st.integers(1, 12), st.integers(0, 99))
def test_it_finds_what_brute_force_finds(n: int, m: int, k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    queries, known = rng.normal(size=(n, 5)), rng.normal(size=(m, 5))
    same = rng.integers(-1, m, n)
    similarity, rows = nearest(queries, known, k=k, same=same)
    full = unit(queries) @ unit(known).T
    full[np.flatnonzero(same >= 0), same[same >= 0]] = -np.inf
    best = -np.sort(-full, axis=1)[:, : min(k, m)]
    np.testing.assert_allclose(similarity, best, atol=1e-5)
    np.testing.assert_allclose(np.take_along_axis(full, rows, axis=1), best, atol=1e-5)


def test_blocks_do_not_matter(monkeypatch: object) -> None:
    rng = np.random.default_rng(0)
    queries, known, same = rng.normal(size=(25, 4)), rng.normal(size=(30, 4)), np.arange(25)
    whole = nearest(queries, known, k=3, same=same)
    neighbours._BLOCK, before = 7, neighbours._BLOCK
    try:
        parts = nearest(queries, known, k=3, same=same)
    finally:
        neighbours._BLOCK = before
    assert np.array_equal(whole[1], parts[1])
