"""Multinomial logistic regression in NumPy: heads are fitted where there is no torch, too."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["logistic", "softmax"]

_MEMORY, _STEPS, _TRIES = 10, 100, 20
_FLAT = 1e-7
_ROUNDING = 1e-6
"""What a step promises to gain, as a share of the loss, below which single precision cannot tell whether it did."""
_LESS, _CURVED = 1e-4, 0.9
"""How much less the loss, and how much flatter the slope must be after a step (Wolfe's conditions)."""

Floats = NDArray[np.float32]
Loss = Callable[[Floats], tuple[float, Floats]]


def logistic(x: Floats, label: NDArray[np.int64], classes: int, *, penalty: float = 1.0) -> tuple[Floats, Floats]:
    """Fit multinomial logistic regression with a ridge penalty of `penalty` / n by L-BFGS.

    Args:
        x: (n, d), standardised.
        label: (n,) in 0 … classes − 1.
        classes: number of classes.
        penalty: on the squared weights, in units of one example.

    Returns:
        Weight (classes, d) and bias (classes,).
    """
    x = np.ascontiguousarray(x, dtype=np.float32)
    n, rows = len(x), np.arange(len(x))

    def loss(flat: Floats) -> tuple[float, Floats]:
        both = flat.reshape(classes, -1)
        weight = both[:, :-1]
        scores = x @ weight.T + both[:, -1]
        scores -= scores.max(axis=1, keepdims=True)
        right = scores[rows, label].astype(np.float64)
        p = np.exp(scores, out=scores)
        total = p.sum(axis=1, keepdims=True)
        value = float((np.log(total[:, 0].astype(np.float64)) - right).mean())
        p /= total
        p[rows, label] -= 1
        slope = np.concatenate([p.T @ x, p.sum(axis=0)[:, None]], axis=1) / np.float32(n)
        slope[:, :-1] += penalty / n * weight
        ridge = penalty / (2 * n) * float(np.square(weight, dtype=np.float64).sum())
        return value + ridge, slope.ravel().astype(np.float32, copy=False)

    both = minimise(loss, np.zeros(classes * (x.shape[1] + 1), dtype=np.float32)).reshape(classes, -1)
    return np.ascontiguousarray(both[:, :-1]), np.ascontiguousarray(both[:, -1])


def softmax(scores: NDArray[np.floating]) -> Floats:
    """Probabilities (n, classes) of scores (n, classes)."""
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    p: Floats = (e / e.sum(axis=1, keepdims=True)).astype(np.float32)
    return p


def minimise(loss: Loss, at: Floats) -> Floats:
    """Follow the slope of a convex function down to its lowest point by L-BFGS.

    Nocedal and Wright 2006, Numerical Optimization, algorithms 7.4 and 7.5; the step by bisection between Wolfe's
    conditions (Lewis and Overton 2013, doi:10.1007/s10107-012-0514-2).
    """
    value, slope = loss(at)
    past: deque[tuple[Floats, Floats, float]] = deque(maxlen=_MEMORY)
    for _ in range(_STEPS):
        if np.abs(slope).max() < _FLAT:
            break
        direction = _downhill(slope, past)
        if -float(slope @ direction) < _ROUNDING * value:
            break
        size = 1.0 if past else min(1.0, 1.0 / float(np.abs(slope).sum()))
        found = _walk(loss, at, value, slope, direction, size)
        if found is None:
            break
        moved, value, new = found
        change, turn = moved - at, new - slope
        if (product := float(change @ turn)) > 0:
            past.append((change, turn, 1 / product))
        at, slope = moved, new
    return at


def _downhill(slope: Floats, past: deque[tuple[Floats, Floats, float]]) -> Floats:
    """Newton's direction, as far as the last steps tell the curvature."""
    q, shares = -slope, []
    for change, turn, inverse in reversed(past):
        shares.append(inverse * float(change @ q))
        q = q - np.float32(shares[-1]) * turn
    if past:
        _, turn, inverse = past[-1]
        q = q * np.float32(1 / (inverse * float(turn @ turn)))
    for (change, turn, inverse), share in zip(past, reversed(shares), strict=True):
        q = q + np.float32(share - inverse * float(turn @ q)) * change
    return q


def _walk(
    loss: Loss, at: Floats, value: float, slope: Floats, direction: Floats, size: float
) -> tuple[Floats, float, Floats] | None:
    """A step that goes down enough and flattens the slope; None where rounding leaves none."""
    steep = float(slope @ direction)
    low, high = 0.0, np.inf
    best: tuple[Floats, float, Floats] | None = None
    for _ in range(_TRIES):
        there = at + np.float32(size) * direction
        now, new = loss(there)
        if now > value + _LESS * size * steep:
            high = size
        elif float(new @ direction) < _CURVED * steep:
            low, best = size, (there, now, new)
        else:
            return there, now, new
        size = (low + high) / 2 if np.isfinite(high) else 2 * low
    return best
