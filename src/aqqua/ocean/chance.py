"""Chance that can be repeated: every thing in the ocean has a generator of its own, named by what it is.

Adding a station, an organism or an image therefore changes nothing about the others.

>>> named_rng(0, "organism", 7).integers(1000) == named_rng(0, "organism", 7).integers(1000)
np.True_
"""

from __future__ import annotations

import hashlib
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["Array", "bend", "named_rng"]

Array: TypeAlias = npt.NDArray[np.floating[Any]]


def named_rng(seed: int, *names: str | int) -> np.random.Generator:
    """The random generator of one thing.

    Args:
        seed: the seed of the whole ocean.
        names: what the thing is, for example `("station", 3, "organism", 17)`.

    Returns:
        A generator that depends on the seed and the names and on nothing else.
    """
    digest = hashlib.sha256("/".join(str(name) for name in names).encode()).digest()
    words = tuple(int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4))
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=words))


def bend(rng: np.random.Generator, spread: float, limit: float) -> float:
    """A normal number around zero, cut off at plus and minus the limit."""
    return float(np.clip(rng.normal(0.0, spread), -limit, limit))
