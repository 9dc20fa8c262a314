"""What frozen vectors are good for: neighbours, a linear head, few examples, retrieval, size; nothing is fine-tuned."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aqqua.bench.scores import average_precision, calibration_error, classification, fit_temperature, mean_sd, rates
from aqqua.tasks.classify import knn, logistic, softmax
from aqqua.tasks.neighbours import unit

__all__ = ["Linear", "Task", "few_shot", "linear", "neighbours", "retrieval", "size"]

PENALTIES = (1.0, 10.0, 100.0, 1000.0)
TUNE_ON = 6000
DRAWS = 5
QUERIES = 2000
_CELLS = 4_000_000
"""Similarities that are sorted at once."""
Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Task:
    """What is to be found out about images.

    Args:
        label: (n,) class of each image.
        classes: number of classes.
        train: rows to learn from.
        test: rows to judge.
        group: (n,) what images belong together.
        seed: of all draws.
    """

    label: Ints
    classes: int
    train: Ints
    test: Ints
    group: Ints
    seed: int = 0

    def judge(self, found: Ints) -> dict[str, list[float]]:
        """Judge the classes given to the test rows."""
        return classification(self.label[self.test], found, self.classes, group=self.group[self.test], seed=self.seed)


@dataclass(frozen=True)
class Linear:
    """Multinomial logistic regression on standardised vectors."""

    weight: Floats
    bias: Floats
    mean: Floats
    spread: Floats

    @classmethod
    def fit(cls, x: Floats, label: Ints, classes: int, penalty: float = 1.0) -> Linear:
        """Fit to vectors (n, d); see `aqqua.tasks.classify.logistic`."""
        mean, spread = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-6)
        weight, bias = logistic((x - mean) / spread, label, classes, penalty=penalty)
        return cls(weight, bias, mean, spread)

    def scores(self, x: Floats) -> Floats:
        """Logits (n, classes)."""
        scores: Floats = ((x - self.mean) / self.spread).astype(np.float32) @ self.weight.T + self.bias
        return scores


def neighbours(x: Floats, task: Task, k: int) -> tuple[dict[str, Any], Ints]:
    """Let the k nearest vote: scores, and the classes given to the test rows."""
    start = time.monotonic()
    guess = knn(x[task.test], x[task.train], task.label[task.train], task.classes, k=k)
    told: dict[str, Any] = {**task.judge(guess.label), "seconds": time.monotonic() - start}
    told["ece"] = calibration_error(guess.p, guess.label == task.label[task.test])
    return told, guess.label


def linear(x: Floats, task: Task) -> tuple[dict[str, Any], Ints]:
    """Fit a linear head: scores with calibration, and the classes given to the test rows.

    The ridge penalty is the one with the best likelihood on a fifth of at most 6,000 training rows; the temperature is
    fitted on a fifth of all training rows by a head that has learnt from the others. No test row is looked at.
    """
    start = time.monotonic()
    rows = np.random.default_rng(task.seed).permutation(task.train)
    tries = [(_loss(_held(x, task, rows[:TUNE_ON], penalty)), penalty) for penalty in PENALTIES]
    penalty = min(tries)[1]
    temperature = fit_temperature(*_held(x, task, rows, penalty))
    scores = Linear.fit(x[task.train], task.label[task.train], task.classes, penalty).scores(x[task.test])
    found = scores.argmax(axis=1)
    right = found == task.label[task.test]
    told: dict[str, Any] = {**task.judge(found), "seconds": time.monotonic() - start, "penalty": penalty}
    told["ece"] = calibration_error(softmax(scores).max(axis=1), right)
    told["ece_scaled"] = calibration_error(softmax(scores / temperature).max(axis=1), right)
    return told | {"temperature": temperature}, found


def _held(x: Floats, task: Task, rows: Ints, penalty: float) -> tuple[Floats, Ints]:
    """Scores and labels of a fifth of the rows, by a head that has learnt from the others."""
    fifth = max(1, len(rows) // 5)
    held, rest = rows[:fifth], rows[fifth:]
    head = Linear.fit(x[rest], task.label[rest], task.classes, penalty)
    return head.scores(x[held]), task.label[held]


def _loss(held: tuple[Floats, Ints]) -> float:
    """Mean negative log likelihood."""
    from scipy.special import logsumexp

    scores, label = held
    return float((logsumexp(scores, axis=1) - scores[np.arange(len(label)), label]).mean())


def few_shot(x: Floats, task: Task, shots: int) -> dict[str, Any]:
    """Learn from a few examples of each class, five draws: the nearest mean of unit vectors.

    Classes with fewer examples give what they have. As "nearest class mean" of Snell et al. 2017 (arXiv 1703.05175).

    Returns:
        top1, macro_f1 and balanced as mean and standard deviation over the draws.
    """
    z, found = unit(x), []
    for draw in range(DRAWS):
        order = np.random.default_rng([task.seed, draw]).permutation(task.train)
        label = task.label[order]
        place = np.concatenate([np.flatnonzero(label == c)[:shots] for c in np.unique(label)])
        names = np.unique(label[place])
        means = unit(np.stack([z[order[place[label[place] == c]]].mean(axis=0) for c in names]))
        found.append(names[(z[task.test] @ means.T).argmax(axis=1)])
    judged = [_plain(task, one) for one in found]
    return {name: mean_sd([one[name] for one in judged]) for name in judged[0]}


def _plain(task: Task, found: Ints) -> dict[str, float]:
    true, c = task.label[task.test], task.classes
    values = rates(np.bincount(true * (c + 1) + found, minlength=c * (c + 1)), c)
    return dict(zip(("top1", "macro_f1", "balanced"), values, strict=True))


def retrieval(x: Floats, task: Task) -> dict[str, float | int]:
    """Mean average precision of finding images of the same class among the training rows.

    Queries are the test rows, at most 2,000 of them; `map` is the mean over queries, `map_macro` over classes.
    """
    rng = np.random.default_rng(task.seed)
    queries = np.sort(rng.permutation(task.test)[:QUERIES])
    z, pool = unit(x[queries]), unit(x[task.train])
    label, ap = task.label[task.train], []
    block = max(1, _CELLS // len(pool))
    for first in range(0, len(queries), block):
        mine = task.label[queries[first : first + block]]
        ap.append(average_precision(z[first : first + block] @ pool.T, mine[:, None] == label[None]))
    values, true = np.concatenate(ap), task.label[queries]
    seen = ~np.isnan(values)
    by_class = [values[seen & (true == c)].mean() for c in np.unique(true[seen])]
    nothing = float("nan")
    whole, macro = (values[seen].mean(), np.mean(by_class)) if seen.any() else (nothing, nothing)
    return {"map": float(whole), "map_macro": float(macro), "queries": int(seen.sum())}


def size(x: Floats, log_um: Floats, task: Task) -> dict[str, float]:
    """How well log10 of the size can be read off vectors by ridge regression.

    Args:
        x: vectors that were not told the size.
        log_um: (n,) log10 of the equivalent circular diameter in µm.
        task: its rows.

    Returns:
        rmse and median absolute error in decades, and R².
    """
    mean, spread = x[task.train].mean(axis=0), np.maximum(x[task.train].std(axis=0), 1e-6)
    a = np.concatenate([(x - mean) / spread, np.ones((len(x), 1), np.float32)], axis=1).astype(np.float64)
    train = a[task.train]
    ridge = np.eye(a.shape[1]) * 1.0
    weight = np.linalg.solve(train.T @ train + ridge, train.T @ log_um[task.train])
    error = a[task.test] @ weight - log_um[task.test]
    spread_2 = float(((log_um[task.test] - log_um[task.test].mean()) ** 2).mean())
    mse = float((error**2).mean())
    return {"rmse": mse**0.5, "median": float(np.median(np.abs(error))), "r2": 1 - mse / max(spread_2, 1e-12)}
