from __future__ import annotations

import numpy as np

from aqqua.tasks.outliers import outlier_scores


def crowd(n: int = 40) -> np.ndarray:
    rng = np.random.default_rng(0)
    return (np.array([1.0, 0, 0]) + 0.05 * rng.normal(size=(n, 3))).astype(np.float32)


def test_the_stranger_has_the_highest_score() -> None:
    vectors = np.concatenate([crowd(), [[0, 1, 0]]]).astype(np.float32)
    scores = outlier_scores(vectors, vectors, same=np.arange(41))
    assert scores.argmax() == 40
    assert scores[40] > 0.9 > 0.05 > scores[:40].max()


def test_an_image_is_no_neighbour_of_itself() -> None:
    vectors = np.eye(3, dtype=np.float32)
    np.testing.assert_allclose(outlier_scores(vectors, vectors, same=np.arange(3), k=1), 1.0)
    np.testing.assert_allclose(outlier_scores(vectors, vectors, k=1), 0.0)


def test_without_others_there_is_no_score() -> None:
    one = np.ones((1, 3), np.float32)
    assert np.isnan(outlier_scores(one, one, same=np.array([0]))).all()
    assert np.isnan(outlier_scores(one, np.empty((0, 3), np.float32))).all()
