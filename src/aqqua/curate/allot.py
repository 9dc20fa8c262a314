"""Whole groups into parts of given sizes, every taxon and instrument spread over them as evenly as groups allow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["allot"]

Ints = NDArray[np.int64]


def allot(
    group: Ints, stratum: Ints, fractions: Sequence[float], *, fixed: NDArray[np.int8] | None = None, seed: int = 0
) -> NDArray[np.int8]:
    """Give each group one part.

    The largest groups choose first: of the parts that have room for half of the group, the one that lacks most
    of what the group holds (iterative stratification, Sechidis et al. 2011, ECML PKDD, for groups). Groups of one image
    come last, all at once: they fill what is left, stratum by stratum.

    Args:
        group: of each image, 0 … n−1 without a hole.
        stratum: of each image, 0 … m−1.
        fractions: share of each part; they add up to 1.
        fixed: part that a group must get, −1: free; one per group.
        seed: of the order of groups of equal size, and of single images.

    Returns:
        the part of each group.
    """
    rng = np.random.default_rng(seed)
    groups, strata = int(group.max()) + 1, int(stratum.max()) + 1
    part = np.full(groups, -1, np.int8) if fixed is None else fixed.astype(np.int8).copy()
    shares = np.asarray(fractions, np.float64)
    wanted = shares[:, None] * np.bincount(stratum, minlength=strata)[None, :]
    # What is fixed counts as a debt of its part from the start.
    settled = part[group] >= 0
    missing = wanted - _counts(part[group[settled]], stratum[settled], len(shares), strata)
    size = np.bincount(group, minlength=groups)
    order = np.lexsort((rng.permutation(groups), -size))
    large = order[(size[order] > 1) & (part[order] < 0)]
    rows = np.argsort(group, kind="stable")
    ends = np.cumsum(size)
    for one in large:
        held, count = np.unique(stratum[rows[ends[one] - size[one] : ends[one]]], return_counts=True)
        best = _neediest(missing, wanted, held, count, shares)
        part[one] = best
        missing[best, held] -= count
    _single(part, group, stratum, missing, shares, rng)
    return part


def _neediest(
    missing: NDArray[np.float64], wanted: NDArray[np.float64], held: Ints, count: Ints, shares: NDArray[np.float64]
) -> int:
    """The part that a group should go to."""
    total = missing.sum(axis=1)
    room = (total >= count.sum() / 2) & (shares > 0)
    if not room.any():
        return int(np.argmax(np.where(shares > 0, total / np.maximum(shares, 1e-9), -np.inf)))
    lack = (missing[:, held] / np.maximum(wanted[:, held], 1e-9) * count).sum(axis=1) / count.sum()
    return int(np.argmax(np.where(room, lack + 1e-9 * shares, -np.inf)))  # of equals the larger part


def _counts(part: NDArray[np.int8], stratum: Ints, parts: int, strata: int) -> NDArray[np.float64]:
    flat = np.bincount(part.astype(np.int64) * strata + stratum, minlength=parts * strata)
    return flat.reshape(parts, strata).astype(np.float64)


def _single(
    part: NDArray[np.int8],
    group: Ints,
    stratum: Ints,
    missing: NDArray[np.float64],
    shares: NDArray[np.float64],
    rng: np.random.Generator,
) -> None:
    """Images that are groups of their own: each stratum is dealt out at random to the parts that lack it."""
    rows = np.flatnonzero(part[group] < 0)
    if not len(rows):
        return
    rows = rng.permutation(rows)
    rows = rows[np.argsort(stratum[rows], kind="stable")]
    cuts = np.flatnonzero(np.diff(stratum[rows])) + 1
    drift = np.zeros(len(shares))  # what rounding took from or gave to each part so far
    for one in np.split(rows, cuts):
        lacks = np.maximum(missing[:, stratum[one[0]]], 0)
        lacks = lacks if lacks.sum() > 0 else shares
        exact = lacks / lacks.sum() * len(one)
        count = np.floor(exact).astype(np.int64)
        rest = len(one) - int(count.sum())
        first = np.argsort(-(exact - count + drift), kind="stable")[:rest]
        count[first] += 1
        drift += exact - count
        part[group[one]] = np.repeat(np.arange(len(shares)), count)
