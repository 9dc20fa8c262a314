"""How many there are, when the classifier errs: counts corrected by its confusions, with intervals.

A classifier that is right for 90 % of two classes finds many of the rare one wherever the common one abounds. What it
counts is Σ M·x: M[o, k] is the share of the class k that it calls o, known from images that a person has named *and* it
has judged without knowing so; x is what is in the water. Methods:

- "cc"   classify and count: what it says, uncorrected.
- "acc"  adjusted count: x ≥ 0 that explains the counts best. Where the classifier may decline, "unknown" is one of its
         answers, and what declines beyond the known classes' share is unknown in truth – the unknown share.
- "pacc" the same with probabilities instead of answers.
- "em"   probabilities re-weighted until they agree with the shares they add up to.

All assume that a class looks the same everywhere; only how many there are may differ (prior shift). Intervals hold the
chance of the counts (gamma limits: with a perfect classifier those of Garwood), and that of the images M comes from
(bootstrap by image, or by sample).

Sources: Forman 2008, Data Min. Knowl. Discov. 17, 164 (ACC); Bella et al. 2010, ICDM (PACC); Saerens, Latinne &
Decaestecker 2002, Neural Comput. 14, 21 (EM); González et al. 2019, Limnol. Oceanogr. Methods 17, 489 (plankton).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from aqqua.errors import ConfigError

__all__ = ["METHODS", "Calibration", "Counted", "Method", "correct", "gamma_limits"]

Method = Literal["cc", "acc", "pacc", "em"]
METHODS: tuple[Method, ...] = ("cc", "acc", "pacc", "em")
Array = NDArray[np.float64]
Ints = NDArray[np.int64]
_EM_STEPS = 200
_EXTRA = 2.0
_LEAST_SHAPE = 1e-6  # of a gamma law: the lower limit is 0 to all digits there


@dataclass(frozen=True)
class Calibration:
    """Images whose class a person has said, and what the classifier says of them without knowing it.

    Args:
        classes: names of the k classes.
        truth: (m,) index of the class.
        answer: (m,) index of what the classifier says; k where it declines.
        posterior: (m, k) its probabilities, for "pacc" and "em".
        group: (m,) index of the sample each is from, to resample whole samples; None: images are resampled.
    """

    classes: tuple[str, ...]
    truth: Ints
    answer: Ints
    posterior: Array | None = None
    group: Ints | None = None

    def __post_init__(self) -> None:
        """Check that it all fits together."""
        k = len(self.classes)
        if not len(self.truth) or not 0 <= int(self.truth.min()) <= int(self.truth.max()) < k:
            raise ConfigError("no images to learn from which classes are confused", do="validate some labels")
        if len(self.answer) != len(self.truth) or not 0 <= int(self.answer.min()) <= int(self.answer.max()) <= k:
            raise ConfigError("answers of the classifier that are none of the classes")
        if self.posterior is not None and self.posterior.shape != (len(self.truth), k):
            raise ConfigError("probabilities that do not fit the classes")

    @property
    def shares(self) -> Array:
        """(k,) share of each class among the images, never quite 0."""
        counts = np.bincount(self.truth, minlength=len(self.classes)) + 0.5
        return np.asarray(counts / counts.sum())

    def matrix(self, rows: Ints | None = None) -> Array:
        """M (k + 1, k + 1): share of each class (column) that is called so (row); last: "unknown", always declined.

        Classes that were never seen, as may happen in a bootstrap, count as recognised.

        Args:
            rows: which images, with repetition; None: all.
        """
        k = len(self.classes)
        truth, answer = (self.truth, self.answer) if rows is None else (self.truth[rows], self.answer[rows])
        table = np.zeros((k + 1, k + 1))
        np.add.at(table, (answer, truth), 1.0)
        return _shares(table)

    def soft_matrix(self, rows: Ints | None = None) -> Array:
        """As `matrix`, with the mean probabilities of each class."""
        k, p = len(self.classes), self.posterior
        if p is None:
            raise ConfigError("this method needs probabilities", do="choose cc or acc")
        truth, p = (self.truth, p) if rows is None else (self.truth[rows], p[rows])
        table = np.zeros((k + 1, k + 1))
        np.add.at(table.T[:, :k], truth, p)
        return _shares(table)

    def resampled(self, rng: np.random.Generator, *, by_class: bool = True) -> Ints:
        """Rows of one bootstrap: whole samples where there are five at least, else images (within their class)."""
        if self.group is not None and len(np.unique(self.group)) >= 5:
            groups = [np.flatnonzero(self.group == one) for one in np.unique(self.group)]
            return np.concatenate([groups[one] for one in rng.integers(0, len(groups), len(groups))])
        if not by_class:
            return rng.integers(0, len(self.truth), len(self.truth))
        parts = [np.flatnonzero(self.truth == one) for one in np.unique(self.truth)]
        return np.concatenate([part[rng.integers(0, len(part), len(part))] for part in parts])


@dataclass(frozen=True)
class Counted:
    """Corrected numbers.

    Args:
        n: (k + 1,) of each class, and of what is unknown.
        lo: (k + 1,) lower ends of the intervals.
        hi: (k + 1,) upper ends.
    """

    n: Array
    lo: Array
    hi: Array


def correct(
    calibration: Calibration,
    answer: Ints,
    *,
    method: Method = "acc",
    posterior: Array | None = None,
    weight: Array | None = None,
    scatter: float = 1.0,
    draws: int = 200,
    level: float = 0.95,
    seed: int = 0,
) -> Counted:
    """Correct the counts of one sample.

    Args:
        calibration: what is known of the classifier.
        answer: (n,) what it says of each image; k where it declines.
        method: how to correct.
        posterior: (n, k) probabilities, for "pacc" and "em".
        weight: (n,) what each image stands for (subsample factor, 1 / volume); None: 1.
        scatter: variance of counts by that of Poisson, from replicate samples.
        draws: of the bootstrap.
        level: of the intervals.
        seed: of the bootstrap.

    Returns:
        Numbers in units of the weights.

    Raises:
        ConfigError: an unknown method, or probabilities that lack.
    """
    if method not in METHODS:
        raise ConfigError(f"no method is called {method!r}", do=f"there is: {', '.join(METHODS)}")
    weight = np.ones(len(answer)) if weight is None else weight
    if method in {"pacc", "em"} and posterior is None:
        raise ConfigError("this method needs probabilities", do="choose cc or acc")
    if method == "em":
        assert posterior is not None
        return _em(calibration, posterior, weight, scatter, draws, level, seed)
    if method == "pacc":
        assert posterior is not None
        parts = np.column_stack([posterior, np.zeros(len(posterior))])
    else:
        parts = np.eye(len(calibration.classes) + 1)[answer]
    y, v = (parts * weight[:, None]).sum(axis=0), (parts**2 * weight[:, None] ** 2).sum(axis=0) * scatter
    most = float(weight.max(initial=0.0)) or 1.0
    if method == "cc":
        lo, hi = gamma_limits(y, v, most, level)
        return Counted(y, lo, hi)
    return _adjusted(calibration, y, v, most, soft=method == "pacc", draws=draws, level=level, seed=seed)


def gamma_limits(y: Array, v: Array, most: float | Array, level: float = 0.95) -> tuple[Array, Array]:
    """Limits of weighted sums of Poisson counts (Fay & Feuer 1997, Stat. Med. 16, 791); with equal weights Garwood's.

    Args:
        y: Σ weight · count.
        v: Σ weight² · count, times the scatter.
        most: the largest weight that one more would have.
        level: of the interval.

    Returns:
        Lower and upper limits; the lower one is 0 where nothing was counted.

    >>> lo, hi = gamma_limits(np.array([0.0, 10.0]), np.array([0.0, 10.0]), 1.0)
    >>> lo.round(2).tolist(), hi.round(2).tolist()
    ([0.0, 4.8], [3.69, 18.39])
    """
    from scipy.stats import gamma

    tail, y, v = (1 - level) / 2, np.asarray(y, np.float64), np.asarray(v, np.float64)
    some = (y > 0) & (v > 0)
    shape, scale = np.where(some, y / np.where(some, v, 1) * y, 1), np.where(some, v / np.where(some, y, 1), 1)
    some &= shape > _LEAST_SHAPE
    lo = np.where(some, gamma.ppf(tail, np.where(some, shape, 1), scale=np.where(some, scale, 1)), 0.0)
    up, more = y + most, v + np.square(most)
    some = (up > 0) & (more > 0)
    up, more = np.where(some, up, 1.0), np.where(some, more, 1.0)
    hi = np.where(some, gamma.ppf(1 - tail, up**2 / more, scale=more / up), 0.0)
    return np.asarray(lo), np.asarray(hi)


def _shares(table: Array) -> Array:
    """Columns that add up to 1; the last is "unknown", which is always declined."""
    sums = table.sum(axis=0)
    matrix = np.divide(table, sums, out=np.eye(len(table)), where=sums > 0)
    matrix[:, -1] = 0.0
    matrix[-1, -1] = 1.0
    return np.asarray(matrix)


def _adjusted(
    calibration: Calibration, y: Array, v: Array, most: float, *, soft: bool, draws: int, level: float, seed: int
) -> Counted:
    """The best x, and its spread over draws of the counts and of the images M comes from.

    One draw takes the same chance twice: for the lower limit around what was counted, for the upper one around one
    more, so that what was not seen is not taken to be absent.
    """
    from scipy.stats import gamma

    make = calibration.soft_matrix if soft else calibration.matrix
    best = _solve(make(), y, v, most)
    rng, some = np.random.default_rng(seed), (y > 0) & (v > 0)
    shape, scale = np.where(some, y**2 / np.where(some, v, 1), 1), np.where(some, v / np.where(some, y, 1), 1)
    up, more = y + most, v + most**2
    chance = rng.random((draws, len(y)))
    below = np.where(some, gamma.ppf(chance, shape, scale=scale), 0.0)
    above = gamma.ppf(chance, up**2 / more, scale=more / up)
    low, high = np.empty((draws, len(y))), np.empty((draws, len(y)))
    for draw in range(draws):
        matrix = make(calibration.resampled(rng))
        low[draw], high[draw] = _solve(matrix, below[draw], v, most), _solve(matrix, above[draw], v, most)
    tail = (1 - level) / 2
    lo, hi = np.quantile(low, tail, axis=0), np.quantile(high, 1 - tail, axis=0)
    return Counted(best, np.minimum(lo, best), np.maximum(hi, best))


def _solve(matrix: Array, y: Array, v: Array, most: float) -> Array:
    """The x ≥ 0 for which M·x is nearest to y, each count weighed by its variance.

    The unknown has a part in it only where more is declined than the known classes explain by chance (two standard
    deviations): else it would take what is theirs.
    """
    from scipy.optimize import nnls

    spread = np.sqrt(v + most**2)
    rows, counts = matrix / spread[:, None], y / spread
    known: Array = nnls(rows[:, :-1], counts)[0]
    if counts[-1] - rows[-1, :-1] @ known > _EXTRA:
        whole: Array = nnls(rows, counts)[0]
        return whole
    return np.append(known, 0.0)


def _em(
    calibration: Calibration, posterior: Array, weight: Array, scatter: float, draws: int, level: float, seed: int
) -> Counted:
    """Shares that agree with themselves, and their spread over draws of images and of the prior's images."""
    if calibration.posterior is None:
        raise ConfigError("this method needs probabilities", do="choose cc or acc")
    best = _shares_by_em(posterior, weight, calibration.shares) * weight.sum()
    rng = np.random.default_rng(seed)
    found = np.empty((draws, len(best)))
    for draw in range(draws):
        shaken = weight * rng.gamma(1 / scatter, scatter, len(weight))
        truth = calibration.truth[calibration.resampled(rng, by_class=False)]
        prior = np.bincount(truth, minlength=len(best)) + 0.5
        found[draw] = _shares_by_em(posterior, shaken, prior / prior.sum()) * shaken.sum()
    tail, most = (1 - level) / 2, float(weight.max(initial=0.0)) or 1.0
    lo = np.quantile(found, tail, axis=0) if draws else best
    hi = np.quantile(found, 1 - tail, axis=0) if draws else best
    _, least = gamma_limits(np.zeros(1), np.zeros(1), most, level)  # nothing seen is not nothing there
    lo, hi = np.minimum(lo, best), np.maximum(hi, np.maximum(best, least))
    nothing = np.zeros(1)
    return Counted(np.append(best, nothing), np.append(lo, nothing), np.append(hi, least))


def _shares_by_em(posterior: Array, weight: Array, prior: Array) -> Array:
    """Saerens, Latinne & Decaestecker 2002, equations 2.9 and 2.10."""
    total = weight.sum()
    if not total > 0:
        return np.zeros(len(prior))
    shares = prior
    for _ in range(_EM_STEPS):
        moved = posterior * (shares / prior)
        moved /= np.maximum(moved.sum(axis=1, keepdims=True), 1e-300)
        new = np.asarray((moved * weight[:, None]).sum(axis=0) / total)
        if np.abs(new - shares).max() < 1e-6:
            return new
        shares = new
    return shares
