"""What each ingredient of the training recipe is worth, three seeds each, with few steps: a table of differences.

    python -m benchmarks ablation [--steps 100] [--seeds 3] [--out FOLDER] [--only within|across]

Within one camera: ISIIS (real, 121 classes), 80/20 by image id, kNN with 20 neighbours. Across cameras: the virtual
ocean, trained on together with SPC and FlowCam, told which images show one organism at every other station, judged at
the stations in between. Few steps (a hundredth of what the shipped weights have seen) show the direction; they say
little about long training. Results are kept in --out, so that a broken run goes on.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks._labelled import build
from benchmarks._machine import machine

RECIPE: dict[str, Any] = {"max_tokens": 64, "keep": 0.3, "embedding": 128, "hidden": 1024, "temperature": 0.8}
NO_SIZE = {"augmentation": {"size_drop": 1.0}}
WITHIN: dict[str, dict[str, Any]] = {
    "**the recipe**": {},
    "measured features are not told": {"tell_shape": 0.0},
    "the size in µm is told, too": {"tell_size": 0.25},
    "no scale token": NO_SIZE,
    "every token computed": {"keep": 1.0},
    "masked reconstruction": {"objective": "reconstruction"},
    "self-distillation (DINOv2)": {"objective": "distillation"},
}
ACROSS: dict[str, dict[str, Any]] = {
    "the recipe, no twins told": {"twin_views": False},
    "instruments drawn equally": {"temperature": 0.0, "twin_views": False},
    "clouds held per instrument": {"per_instrument": 0.3, "twin_views": False},
    "twins as second views": {},
}
_JUDGED = 6_000
_PAIRED = 4_000
Floats = NDArray[np.float32]


def main() -> None:
    """Train, measure, print two tables in Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks ablation")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=None)
    parser.add_argument("--only", choices=["within", "across"], default=None)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        out = chosen.out or Path(temporary)
        out.mkdir(parents=True, exist_ok=True)
        if chosen.only != "across" and build("isiis", out):
            rows = {name: _within(name, change, chosen, out) for name, change in WITHIN.items()}
            _print(rows, ("kNN top-1", "macro-F1", "learned only", "measured only", "images/CPU s"), chosen)
        if chosen.only != "within":
            rows = {}
            for name, change in ACROSS.items():
                found = _across(name, change, chosen, out)
                rows[name] = [one[:6] for one in found]
                rows[f"{name}, **then unlearnt**"] = [one[6:] for one in found]
            heads = ("instrument probe", "purity", "robustness", "transfer", "ocean F1", "SPC F1")
            _print(rows, heads, chosen)
    print(f"\n{machine('torch', 'scikit-learn')}")


def _print(rows: Mapping[str, Sequence[Sequence[float]]], heads: Sequence[str], chosen: argparse.Namespace) -> None:
    print(f"{chosen.steps} steps, {chosen.seeds} seeds: mean ± standard deviation\n")
    print("| | " + " | ".join(heads) + " |\n|---|" + "---:|" * len(heads))
    for name, seeds in rows.items():
        table = np.array(seeds, dtype=float)
        spread = table.std(axis=0, ddof=1) if len(table) > 1 else np.zeros(table.shape[1])
        cells = [
            f"{m:.0f}" if m > 2 else f"{m:.3f} ± {s:.3f}" if np.isfinite(m) else "–"
            for m, s in zip(table.mean(axis=0), spread, strict=True)
        ]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
    print(flush=True)


def _kept(out: Path, key: str, seed: int, chosen: argparse.Namespace, work: Any) -> list[float]:
    """The result of an earlier run of the same, or of this one."""
    path = out / f"ablation_{key}_{chosen.steps}_{seed}.json".replace(" ", "_").replace("*", "").replace("%", "")
    if not path.is_file():
        path.write_text(json.dumps(work()))
    return [float("nan") if value is None else value for value in json.loads(path.read_text())]


def _within(name: str, change: Mapping[str, Any], chosen: argparse.Namespace, out: Path) -> list[list[float]]:
    def work(seed: int) -> list[float]:
        network, prepared, label, test, speed = _train_on_isiis(change, seed, chosen.steps, out)
        return [*_judge(network, prepared, label, test), speed]

    return [_kept(out, f"within_{name}", seed, chosen, lambda s=seed: work(s)) for seed in range(chosen.seeds)]


def _config(change: Mapping[str, Any], steps: int) -> Any:
    from dataclasses import replace

    from aqqua.train.config import Augmentation, TrainConfig

    told = {**RECIPE, **change}
    augmentation = replace(Augmentation(), **told.pop("augmentation", {}))
    return TrainConfig(size="nano", steps=steps, augmentation=augmentation, save_minutes=1e9, **told)


def _train_on_isiis(change: Mapping[str, Any], seed: int, steps: int, out: Path) -> Any:
    from aqqua.bench.labelled import read_labelled
    from aqqua.bench.parts import make_parts
    from aqqua.models.preprocess import Preprocessing
    from aqqua.store.dataset import Dataset
    from aqqua.train.data import Catalogue
    from aqqua.train.loop import fit

    ds, config = Dataset.open(out / "isiis"), _config(change, steps)
    with tempfile.TemporaryDirectory() as folder:
        begun = time.process_time()
        run = fit(config, Catalogue([ds]), Path(folder), seed)
        speed = run.images / (time.process_time() - begun)
    data = read_labelled([ds])
    rows = np.sort(np.random.default_rng(0).permutation(len(data))[:_JUDGED])
    preprocessing = Preprocessing(max_tokens=config.max_tokens)
    prepared = [preprocessing.prepare(*image) for window in data.images.windows(rows.tolist()) for image in window]
    return run.network, prepared, data.label[rows], make_parts(data, by="id").test[rows], speed


def _judge(network: Any, prepared: Sequence[Any], label: NDArray[np.int64], test: NDArray[np.bool_]) -> list[float]:
    """Top-1 and macro-F1 of the vectors; macro-F1 of their learned and of their measured half alone."""
    import torch
    from torch.nn.functional import normalize

    from aqqua.models.describe import describe
    from aqqua.models.shape import MEASURES
    from aqqua.models.vit import Whitening

    top1, f1 = _knn(describe(network, prepared), label, test)
    features = _features(network, prepared)
    halves = []
    for half in (features[:, :-MEASURES], features[:, -MEASURES:]):
        white = Whitening(half.shape[1], min(network.config.vector, half.shape[1]))
        white.fit(torch.from_numpy(half[~test]))
        halves.append(_knn(normalize(white(torch.from_numpy(half)), dim=1).numpy(), label, test)[1])
    return [top1, f1, *halves]


def _features(network: Any, prepared: Sequence[Any]) -> Floats:
    from aqqua.models.describe import _run

    features: Floats = _run(network, network.features, len(network.whitening.mean), prepared, lambda n: None, False)
    return features


def _knn(x: Floats, label: NDArray[np.int64], test: NDArray[np.bool_]) -> tuple[float, float]:
    from sklearn.metrics import f1_score

    from aqqua.tasks.classify import knn

    classes = int(label.max()) + 1
    found = knn(x[test], x[~test], label[~test], classes).label
    macro = f1_score(label[test], found, labels=np.arange(classes), average="macro", zero_division=0)
    return float((found == label[test]).mean()), float(macro)


def _across(name: str, change: Mapping[str, Any], chosen: argparse.Namespace, out: Path) -> list[list[float]]:
    return [
        _kept(out, f"across_{name}", seed, chosen, lambda s=seed: _cameras(change, s, chosen.steps, out))
        for seed in range(chosen.seeds)
    ]


def _cameras(change: Mapping[str, Any], seed: int, steps: int, out: Path) -> list[float]:
    """Train on the ocean and two real sets; measure before and after the vectors unlearn what twins differ in."""
    from aqqua.models.describe import settle
    from aqqua.models.preprocess import Preprocessing
    from aqqua.store.dataset import Dataset
    from aqqua.train.data import Catalogue
    from aqqua.train.loop import fit, make_loader

    sets = [Dataset.open(path) for name in ("ocean", "spc", "flowcam") if (path := build(name, out))]
    organism = _organisms(out)
    told = {name: one for name, one in organism.items() if _station(one) % 2 == 0}
    config, catalogue = _config(change, steps), Catalogue(sets, organisms=told)
    with tempfile.TemporaryDirectory() as folder:
        network = fit(config, catalogue, Path(folder), seed).network
    loader = make_loader(config, catalogue, seed)
    sample, twins = loader.sample(_PAIRED), loader.twins(_PAIRED)
    scores: list[float] = []
    for unlearn, weight in ((0, 0.0), (config.unlearn, config.unlearn_weight)):
        settle(network, sample, twins if unlearn else (), weight=weight, unlearn=unlearn)
        scores += _judge_cameras(network, Preprocessing(max_tokens=config.max_tokens), sets[:2], organism)
    return scores


def _judge_cameras(network: Any, preprocessing: Any, sets: Sequence[Any], organism: Mapping[str, str]) -> list[float]:
    """Leakage and kNN at the stations whose twins were not told; kNN on the real set."""
    from aqqua.bench.labelled import read_labelled
    from aqqua.bench.leakage import Cameras, leakage
    from aqqua.models.describe import describe

    cameras: dict[str, Any] = {}
    scores = []
    for ds in sets:
        data = read_labelled([ds])
        prepared = [preprocessing.prepare(*image) for window in data.images.windows() for image in window]
        x, ids = describe(network, prepared), data.column("object_id")
        test = np.random.default_rng(0).random(len(x)) < 0.2
        if ds is sets[0]:
            test = np.array([_station(organism[name]) % 2 == 1 for name in ids])
            taxon, took = (
                [name for name, one in zip(data.column(column), test, strict=True) if one]
                for column in ("label", "instrument")
            )
            cameras = leakage(x[test], Cameras.of(taxon, took)) or {}
        scores.append(_knn(x, data.label, test)[1])
    scores += [float("nan")] * (2 - len(scores))
    return [*(float(cameras[key]) for key in ("probe", "purity", "robustness", "transfer")), *scores]


def _organisms(out: Path) -> dict[str, str]:
    table = pl.read_parquet(out / "raw" / "ocean" / "truth" / "sightings.parquet").filter("detected")
    return dict(table.select("object_id", "organism_id").drop_nulls().iter_rows())


def _station(organism: str) -> int:
    """Organisms of the virtual ocean begin with the number of their station."""
    return int(organism[:3])
