"""Probabilities of all classes from vectors, for counting: each labelled image is judged without its own sample."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aqqua.errors import ConfigError, MissingExtraError

__all__ = ["posteriors"]

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
_FOLDS = 5
_MOST = 20_000


def posteriors(
    known: Array, truth: Ints, others: Array, classes: int, *, group: Ints | None = None, seed: int = 0
) -> tuple[Array, Array]:
    """Logistic regression on vectors, with held-out probabilities for the images it is taught with.

    Args:
        known: (m, d) vectors of images whose class is known.
        truth: (m,) their class.
        others: (n, d) vectors of the images to judge.
        classes: how many classes there are.
        group: (m,) sample of each; images of one sample are held out together. None: by chance.
        seed: of the folds.

    Returns:
        (m, classes) and (n, classes); rows add up to 1.

    Raises:
        MissingExtraError: scikit-learn is not installed.
        ConfigError: fewer than two classes are known.
    """
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise MissingExtraError("counting with probabilities", "scikit-learn", "maps") from error
    if len(np.unique(truth)) < 2:
        raise ConfigError("fewer than two classes are known", do="validate some labels, or count with --correct acc")
    rng = np.random.default_rng(seed)
    mean, spread = known.mean(axis=0), np.maximum(known.std(axis=0), 1e-6)
    x, rest = (known - mean) / spread, (others - mean) / spread

    def judged(rows: Ints, at: Array) -> Array:
        if len(rows) > _MOST:
            rows = rng.choice(rows, _MOST, replace=False)
        out = np.zeros((len(at), classes))
        seen = np.unique(truth[rows])
        if len(seen) == 1:
            out[:, seen[0]] = 1.0
        elif len(at):
            # as in aqqua.tasks.classify: a ridge penalty of one example on the squared weights
            model = LogisticRegression(C=1.0, max_iter=300).fit(x[rows], truth[rows])
            out[:, model.classes_] = model.predict_proba(at)
        return out

    fold = _folds(len(x), group, rng)
    held = np.zeros((len(x), classes))
    for number in range(_FOLDS):
        here = fold == number
        if here.any() and not here.all():
            held[here] = judged(np.flatnonzero(~here), x[here])
    return held, judged(np.arange(len(x)), rest)


def _folds(size: int, group: Ints | None, rng: np.random.Generator) -> Ints:
    if group is None or len(np.unique(group)) < _FOLDS:
        return np.asarray(rng.permutation(size) % _FOLDS)
    names, place = np.unique(group, return_inverse=True)
    return np.asarray((rng.permutation(len(names)) % _FOLDS)[place])
