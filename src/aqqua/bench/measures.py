"""Everything that is measured of one set of vectors, and the baselines that need no vectors."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aqqua.bench import novelty
from aqqua.bench.labelled import Labelled
from aqqua.bench.leakage import Cameras, leakage
from aqqua.bench.parts import Parts
from aqqua.bench.probes import Task, few_shot, linear, neighbours, retrieval, size
from aqqua.bench.ranks import by_rank
from aqqua.bench.scores import bray_curtis

__all__ = ["Question", "forest", "kept", "majority", "measure", "without_nan"]

VERSION = 2
"""Raised when a figure of merit changes, so that what was kept of it is measured again."""
TREES = 300
_LIKE_SAMPLES = {"time", "cruise"}
Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Question:
    """What is asked of every set of vectors.

    Args:
        data: the labelled images.
        parts: what is learnt from and what is judged.
        esd_um: (n,) equivalent circular diameter of the object in each image.
        seed: of all draws.
    """

    data: Labelled
    parts: Parts
    esd_um: Floats
    seed: int = 0

    @property
    def task(self) -> Task:
        """The split, for the probes."""
        rows = self.parts.train_rows, self.parts.test_rows
        return Task(self.data.label, len(self.data.classes), *rows, self.parts.group, self.seed)

    @property
    def key(self) -> str:
        """Sixteen hex digits that name data, split, seed and version of the measures."""
        text = f"{VERSION} {self.data.key} {self.parts.key} {self.seed}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def sample(self) -> Ints:
        """(n,) sample of each image, where none is known what was kept together (a day, a cruise); −1: neither."""
        if (self.data.sample >= 0).any() or self.parts.by not in _LIKE_SAMPLES:
            return self.data.sample
        return self.parts.group

    def cameras(self) -> Cameras:
        """Taxa and instruments of the images in the split."""
        return Cameras.of(self.data.column("taxon"), self.data.column("instrument"), self.seed)

    def taxa(self) -> list[str]:
        """The taxon of each class (the one most of its images have)."""
        taxon = np.array(self.data.column("taxon"), dtype=object)
        found = []
        for c in range(len(self.data.classes)):
            names, count = np.unique(taxon[self.data.label == c].astype(str), return_counts=True)
            found.append(str(names[count.argmax()]))
        return found


def measure(x: Floats, q: Question, other: Floats | None = None, *, sized: bool = False) -> dict[str, Any]:
    """Measure vectors.

    Args:
        x: (n, d) vectors of the labelled images.
        q: what is asked.
        other: vectors of images of other instruments.
        sized: whether the vectors were told the size; then it is not to be read off them.

    Returns:
        knn20, knn1, linear, shot1, shot5, ranks, community, retrieval, near, far, leakage and size, each a dict or
        None where the data do not allow it; see the functions that make them.
    """
    task, start = q.task, time.monotonic()
    told: dict[str, Any] = {}
    told["knn20"], by_knn = neighbours(x, task, 20)
    told["knn1"], _ = neighbours(x, task, 1)
    told["linear"], by_linear = linear(x, task)
    told |= {f"shot{n}": few_shot(x, task, n) for n in (1, 5)}
    true, sample = task.label[task.test], q.sample[task.test]
    told["ranks"] = by_rank(q.data.classes, q.taxa(), true, by_knn)
    found = {"knn20": by_knn, "linear": by_linear}
    told["community"] = {name: bray_curtis(true, one, sample, task.classes) for name, one in found.items()}
    told["retrieval"] = retrieval(x, task)
    told["near"] = novelty.near(x, task)
    cameras = q.cameras()
    told["far"] = novelty.far(x, other, task) if other is not None else novelty.left_out(x, cameras.instrument, task)
    told["leakage"] = leakage(x, cameras)
    told["size"] = None if sized else size(x, np.log10(np.maximum(q.esd_um, 1e-3)), task)
    return told | {"seconds": time.monotonic() - start}


def majority(q: Question) -> dict[str, Any]:
    """Always the commonest class; for communities, the mean composition of the training images."""
    task = q.task
    count = np.bincount(task.label[task.train], minlength=task.classes)
    told: dict[str, Any] = {"constant": task.judge(np.full(len(task.test), count.argmax())) | {"seconds": 0.0}}
    true, sample = task.label[task.test], q.sample[task.test]
    told["community"] = {"mean": bray_curtis(true, count / count.sum(), sample, task.classes)}
    return told


def forest(x: Floats, q: Question) -> dict[str, Any]:
    """A random forest of 300 trees on classic features: what the field used for twenty years."""
    import torch
    from sklearn.ensemble import RandomForestClassifier

    task, start = q.task, time.monotonic()
    trees = RandomForestClassifier(TREES, random_state=q.seed, n_jobs=torch.get_num_threads())
    found = trees.fit(x[task.train], task.label[task.train]).predict(x[task.test]).astype(np.int64)
    told: dict[str, Any] = {"forest": {**task.judge(found), "seconds": time.monotonic() - start}}
    true, sample = task.label[task.test], q.sample[task.test]
    told["ranks"] = by_rank(q.data.classes, q.taxa(), true, found)
    return told | {"community": {"forest": bray_curtis(true, found, sample, task.classes)}}


def kept(cache: Path | None, name: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The result of `work`, or what was kept of it under this name."""
    from aqqua.store.atomic import write_json

    path = cache / f"{name}.json" if cache else None
    if path is not None and path.is_file():
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            found = None
        if isinstance(found, dict):
            return found
    told: dict[str, Any] = without_nan(work())
    if path is not None:
        write_json(path, told)
    return told


def without_nan(value: Any) -> Any:
    """The same with None for every number that is none, as JSON wants it."""
    if isinstance(value, dict):
        return {name: without_nan(one) for name, one in value.items()}
    if isinstance(value, list):
        return [without_nan(one) for one in value]
    return None if isinstance(value, float) and math.isnan(value) else value
