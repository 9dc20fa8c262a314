"""Taxa from vectors: nearest neighbours and a linear head, both honest about images they were taught with.

An image that is itself a labelled example is judged by a head that has not seen its label: the neighbours leave it
out, and the linear head is fitted five times on four fifths of the examples.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aqqua.errors import FormatError
from aqqua.tasks.logistic import logistic, softmax
from aqqua.tasks.neighbours import nearest

__all__ = [
    "Examples",
    "Guess",
    "Heads",
    "fit_heads",
    "heads_data",
    "knn",
    "load_heads",
    "logistic",
    "save_heads",
    "softmax",
]

NEIGHBOURS = 20
TEMPERATURE = 0.07
"""Sharpness of the neighbours' votes, exp(similarity / 0.07), as in Wu et al. 2018 (arXiv 1805.01978)."""
FOLDS = 5
HEADS, HEADS_INFO = "heads.safetensors", "heads.json"


@dataclass(frozen=True)
class Examples:
    """Labelled vectors.

    Args:
        vector: (m, d).
        label: (m,) index into classes.
        classes: names, sorted.
        status: what the labels are: "validated", or "predicted" if none are validated.
    """

    vector: NDArray[np.float32]
    label: NDArray[np.int64]
    classes: tuple[str, ...]
    status: str


@dataclass(frozen=True)
class Guess:
    """The most probable class (n,) as index, −1 for none, and its probability (n,)."""

    label: NDArray[np.int64]
    p: NDArray[np.float32]


@dataclass(frozen=True)
class Heads:
    """Examples for the neighbours, and the linear head fitted to them.

    Args:
        examples: what was learnt from.
        weight: (classes, d) of the linear head.
        bias: (classes,).
        mean: (d,) subtracted before the linear head.
        spread: (d,) divided by before the linear head.
        held_out: (m, classes) probabilities of each example from the fold that has not seen it.
    """

    examples: Examples
    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    mean: NDArray[np.float32]
    spread: NDArray[np.float32]
    held_out: NDArray[np.float32]

    @property
    def hash(self) -> str:
        """Sixteen hex digits that name the examples and the weights."""
        digest = hashlib.sha256(json.dumps([self.examples.classes, self.examples.status]).encode())
        for array in (self.examples.vector, self.examples.label, self.weight, self.bias):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()[:16]

    def linear(self, vectors: NDArray[np.float32], same: NDArray[np.int64] | None = None) -> Guess:
        """Guess by the linear head; `same` (n,) is the row of the example that is the image itself, −1 for none."""
        scores = ((vectors - self.mean) / self.spread) @ self.weight.T + self.bias
        p = softmax(scores)
        if same is not None:
            p[same >= 0] = self.held_out[same[same >= 0]]
        return _best(p)

    def neighbours(self, vectors: NDArray[np.float32], same: NDArray[np.int64] | None = None) -> Guess:
        """Guess by the nearest examples."""
        e = self.examples
        return knn(vectors, e.vector, e.label, len(e.classes), same=same)


def knn(
    vectors: NDArray[np.float32],
    reference: NDArray[np.float32],
    label: NDArray[np.int64],
    classes: int,
    *,
    k: int = NEIGHBOURS,
    same: NDArray[np.int64] | None = None,
) -> Guess:
    """Let the k nearest reference vectors vote, each with weight exp(cosine / 0.07).

    Args:
        vectors: (n, d).
        reference: (m, d).
        label: (m,) class of each reference.
        classes: number of classes.
        k: number of neighbours.
        same: (n,) row of `reference` that is the image itself and has no vote, −1 for none.

    Returns:
        The class with most votes and its share of the votes.
    """
    similarity, rows = nearest(vectors, reference, k=k, same=same)
    with np.errstate(invalid="ignore"):
        weight = np.exp((similarity - similarity[:, :1]) / TEMPERATURE)
    weight = np.where(np.isfinite(similarity), weight, 0.0)
    votes = np.zeros((len(vectors), classes), dtype=np.float64)
    np.add.at(votes, (np.arange(len(vectors))[:, None], label[rows]), weight)
    total = votes.sum(axis=1, keepdims=True)
    return _best(np.divide(votes, total, out=np.zeros_like(votes), where=total > 0))


def fit_heads(examples: Examples, *, seed: int = 0) -> Heads:
    """Fit the linear head to all examples, and to each four fifths of them."""
    mean = examples.vector.mean(axis=0)
    spread = np.maximum(examples.vector.std(axis=0), 1e-6)
    x = (examples.vector - mean) / spread
    fold = np.random.default_rng(seed).permutation(len(x)) % FOLDS
    held_out = np.zeros((len(x), len(examples.classes)), dtype=np.float32)
    for number in range(min(FOLDS, len(x)) if len(x) > 1 else 0):
        rest = fold != number
        weight, bias = logistic(x[rest], examples.label[rest], len(examples.classes))
        held_out[~rest] = softmax(x[~rest] @ weight.T + bias)
    weight, bias = logistic(x, examples.label, len(examples.classes))
    return Heads(examples, weight, bias, mean.astype(np.float32), spread.astype(np.float32), held_out)


def _best(p: NDArray[np.floating]) -> Guess:
    label = p.argmax(axis=1)
    best = p[np.arange(len(p)), label].astype(np.float32)
    return Guess(np.where(best > 0, label, -1), best)


def save_heads(folder: Path, heads: Heads, data: Sequence[Mapping[str, Any]] = ()) -> None:
    """Write heads.safetensors and heads.json into a model folder; `data` says of which datasets the labels are."""
    from safetensors.numpy import save_file

    e = heads.examples
    part = folder / (HEADS + ".part")
    tensors = {
        "vector": e.vector.astype(np.float16),
        "label": e.label.astype(np.int32),
        "weight": heads.weight,
        "bias": heads.bias,
        "mean": heads.mean,
        "spread": heads.spread,
    }
    save_file({key: np.ascontiguousarray(value) for key, value in tensors.items()}, part)
    part.replace(folder / HEADS)
    info = {"classes": list(e.classes), "status": e.status, "examples": len(e.label), "hash": heads.hash}
    info |= {"data": list(data)}
    (folder / HEADS_INFO).write_text(json.dumps(info, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def heads_data(folder: Path) -> list[dict[str, Any]]:
    """Of which datasets the labels are that the heads of a model folder learnt from, as far as they say it."""
    data = json.loads((folder / HEADS_INFO).read_text(encoding="utf-8")).get("data")
    return [one for one in data if isinstance(one, dict)] if isinstance(data, list) else []


def load_heads(folder: Path) -> Heads | None:
    """Read the heads of a model folder; None if it has none.

    Raises:
        FormatError: they are damaged.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    if not (folder / HEADS).is_file():
        return None
    try:
        info = json.loads((folder / HEADS_INFO).read_text(encoding="utf-8"))
        t = load_file(folder / HEADS)
        classes = tuple(str(name) for name in info["classes"])
        examples = Examples(t["vector"].astype(np.float32), t["label"].astype(np.int64), classes, str(info["status"]))
        heads = Heads(examples, t["weight"], t["bias"], t["mean"], t["spread"], np.empty((0, len(classes)), np.float32))
    except (SafetensorError, ValueError, KeyError, OSError) as error:
        raise FormatError("the heads of this model are damaged", where=folder / HEADS, do="remove the file") from error
    _check_shapes(heads, folder)
    return heads


def _check_shapes(heads: Heads, folder: Path) -> None:
    m, d = heads.examples.vector.shape
    n = len(heads.examples.classes)
    right = heads.weight.shape == (n, d) and heads.bias.shape == (n,) and heads.examples.label.shape == (m,)
    right = right and heads.mean.shape == heads.spread.shape == (d,)
    if not right or (m and not 0 <= heads.examples.label.min() <= heads.examples.label.max() < n):
        raise FormatError("the heads of this model do not fit together", where=folder / HEADS, do="remove the file")


def names(classes: Sequence[str], label: NDArray[np.int64]) -> list[str | None]:
    """Class names of indices; None for −1."""
    return [classes[i] if i >= 0 else None for i in label.tolist()]
