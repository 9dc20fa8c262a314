"""How fast a model describes images, and what it needs."""

from __future__ import annotations

import resource
import sys
import time
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from aqqua.bench.labelled import Images
    from aqqua.models.checkpoint import Model

__all__ = ["speed"]

IMAGES = 1024


def speed(model: Model, images: Images) -> dict[str, float]:
    """Images per second of wall time, on up to 1,024 images spread over the data; pixels are in memory before.

    Returns:
        prepare, network and both in images/s; peak_mb, the most memory this process had until now; vector_bytes.
    """
    from aqqua.models.describe import describe

    rows = np.linspace(0, len(images) - 1, min(IMAGES, len(images))).astype(int).tolist()
    seen = [one for window in images.windows(rows) for one in window]
    describe(model.network, [model.preprocessing.prepare(*one) for one in seen[:64]])  # warm
    start = time.perf_counter()
    prepared = [model.preprocessing.prepare(*one) for one in seen]
    middle = time.perf_counter()
    describe(model.network, prepared)
    end = time.perf_counter()
    n = len(seen)
    return {
        "prepare": n / (middle - start),
        "network": n / (end - middle),
        "both": n / (end - start),
        "peak_mb": _peak_mb(),
        "vector_bytes": 4.0 * model.network.vector_length,
    }


def _peak_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
