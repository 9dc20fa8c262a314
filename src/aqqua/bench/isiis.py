"""The protocol for a labelled dataset: top-1 and macro-F1 in five folds, beside baselines from the same run.

Made for the ISIIS PlanktonSet 1.0 (121 classes, 30,336 images), and usable on any dataset with labels. Folds are by
image id, vectors are frozen: nothing of the model sees a label. Accuracy alone flatters whoever guesses the common
classes, so macro-F1, the mean over classes, always stands beside it.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aqqua import __version__
from aqqua.errors import ConfigError, MissingExtraError
from aqqua.progress import job, say, track

if TYPE_CHECKING:
    from aqqua.models.checkpoint import Model
    from aqqua.models.preprocess import Prepared
    from aqqua.models.vit import VisionTransformer

__all__ = ["BenchReport", "Row", "bench"]

FOLDS = 5
TREES = 300


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    method: str
    top1: float
    macro_f1: float
    seconds: float


@dataclass(frozen=True)
class BenchReport:
    """The table, and all that is needed to read it; `print` it for Markdown.

    Args:
        rows: one per method.
        images: number of labelled images.
        classes: number of classes.
        facts: machine, versions, model, training.
        about: model_id and weights_sha256 of the model, and the datasets: title, uuid and snapshot.
    """

    rows: tuple[Row, ...]
    images: int
    classes: int
    facts: dict[str, str]
    about: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """All of it, ready for JSON: what `aqqua export --to model --bench` reads."""
        return {"format": "aqqua benchmark", "format_version": 1, "folds": FOLDS, **asdict(self)}

    def __str__(self) -> str:
        """The report in Markdown."""
        lines = [
            f"{self.images:,} images, {self.classes} classes, {FOLDS} folds by image id, frozen vectors.",
            "",
            "| method | top-1 | macro-F1 | seconds |",
            "|---|---|---|---|",
            *(f"| {r.method} | {r.top1:.3f} | {r.macro_f1:.3f} | {r.seconds:.0f} |" for r in self.rows),
            "",
            *(f"- {name}: {value}" for name, value in self.facts.items()),
        ]
        return "\n".join(lines)


@dataclass(frozen=True)
class _Labelled:
    """The labelled images of all datasets."""

    prepared: list[Prepared]
    classic: NDArray[np.float32]
    size: NDArray[np.float32]
    label: NDArray[np.int64]
    fold: NDArray[np.int64]
    classes: int


def bench(model: Path | str, *, data: Sequence[Path | str], seed: int = 0) -> BenchReport:
    """Compare a model with its baselines on labelled datasets.

    Args:
        model: a model folder, or `doi:10.5281/zenodo.N` of a released model.
        data: labelled datasets; classes are the labels as given.
        seed: of the untrained network and the forest.

    Returns:
        The table; `print` it.

    Raises:
        ConfigError: fewer than two classes are labelled.
        MissingExtraError: torch, scikit-learn or scikit-image is not installed.
    """
    try:
        import skimage  # noqa: F401
        import sklearn  # noqa: F401
        import torch  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("the benchmark", error.name or "torch", "train") from error
    from aqqua.models.checkpoint import load
    from aqqua.tasks.obtain import obtain

    loaded = load(obtain(model))
    d = _read(loaded, data)
    start = time.monotonic()
    vectors = _describe(loaded.network, d.prepared)
    embedding_s = time.monotonic() - start
    untrained = _describe(_untrained(loaded, d.prepared, seed), d.prepared)
    methods: list[tuple[str, Callable[[NDArray[np.bool_]], NDArray[np.int64]]]] = [
        ("majority class", lambda train: _majority(d, train)),
        ("log size of the image, kNN", lambda train: _knn(d, d.size, train)),
        ("untrained network, kNN", lambda train: _knn(d, untrained, train)),
        ("30 shape and intensity features, random forest", lambda train: _forest(d, train, seed)),
        (f"**{loaded.model_id}, kNN**", lambda train: _knn(d, vectors, train)),
        (f"{loaded.model_id}, linear", lambda train: _linear(d, vectors, train)),
    ]
    rows = tuple(_evaluate(name, guess, d) for name, guess in methods)
    return BenchReport(rows, len(d.label), d.classes, _facts(loaded, embedding_s, len(d.label)), _about(loaded, data))


def _about(model: Model, data: Sequence[Path | str]) -> dict[str, Any]:
    """Which model was measured on which data."""
    from aqqua.store.dataset import Dataset

    opened = [Dataset.open(path) for path in data]
    told = [{"title": ds.card.title or ds.path.name, "uuid": ds.uuid, "snapshot": ds.snapshot} for ds in opened]
    return {"model_id": model.model_id, "weights_sha256": str(model.info["weights_sha256"]), "data": told}


def _describe(network: VisionTransformer, images: list[Prepared]) -> NDArray[np.float32]:
    from aqqua.models.describe import describe

    with job("Vectors", len(images), unit="images") as advance:
        return describe(network, images, advance=advance)


def _read(model: Model, data: Sequence[Path | str]) -> _Labelled:
    """Read all labelled images once: prepared for the model, measured for the baselines."""
    from aqqua.bench.features import classic_features
    from aqqua.store.dataset import Dataset

    prepared, classic, size, names, ids = [], [], [], [], []
    for path in data:
        ds = Dataset.open(path)
        table = _table(ds)
        about = {row["uid"]: row for row in table.iter_rows(named=True)}
        for shard in ds.shards:
            for uid, pixels in track(ds.iter_images(shard), "Reading and measuring", shard.n_images, unit="images"):
                if uid not in about:
                    continue
                row = about[uid]
                um = row["pixel_um"]
                prepared.append(model.preprocessing.prepare(pixels, um, row["channel_names"]))
                classic.append(classic_features(pixels, um))
                size.append(np.log10(sorted(side * um for side in pixels.shape[:2])))
                names.append(row["label"])
                ids.append(row["object_id"])
    classes, label = np.unique(names, return_inverse=True) if names else (np.empty(0), np.empty(0, dtype=np.int64))
    if len(classes) < 2:
        raise ConfigError(
            f"a benchmark needs labels of two classes, there are {len(classes)}",
            where=", ".join(map(str, data)),
            do="use a dataset with labels",
        )
    return _Labelled(prepared, np.stack(classic), _standard(np.stack(size)), label, _folds(ids), len(classes))


def _table(ds: Any) -> pl.DataFrame:
    """Uid, id, pixel size, channels and label of the labelled images."""
    labels = ds.labels().filter(pl.col("status").is_in(["validated", "predicted"]) & pl.col("label").is_not_null())
    about = ds.metadata(["object_id", "pixel_um", "channel_names"])
    table: pl.DataFrame = about.join(labels.select("uid", "label"), on="uid")
    return table


def _folds(ids: Sequence[str]) -> NDArray[np.int64]:
    """Fold of each image, a function of its id alone, so that it is the same in every run and on every machine."""
    from xxhash import xxh3_64_intdigest

    return np.array([xxh3_64_intdigest(name.encode()) % FOLDS for name in ids], dtype=np.int64)


def _standard(x: NDArray[np.floating]) -> NDArray[np.float32]:
    standard: NDArray[np.float32] = ((x - x.mean(axis=0)) / np.maximum(x.std(axis=0), 1e-9)).astype(np.float32)
    return standard


def _untrained(model: Model, images: list[Prepared], seed: int) -> VisionTransformer:
    """The same network with the weights it began with; its vectors are whitened like those of a trained one."""
    import torch

    from aqqua.models.describe import settle
    from aqqua.models.vit import VisionTransformer

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = VisionTransformer(model.network.config).eval()
    settle(network, images[::4])
    return network


def _majority(d: _Labelled, train: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.full((~train).sum(), np.bincount(d.label[train]).argmax())


def _knn(d: _Labelled, vectors: NDArray[np.float32], train: NDArray[np.bool_]) -> NDArray[np.int64]:
    from aqqua.tasks.classify import knn

    return knn(vectors[~train], vectors[train], d.label[train], d.classes).label


def _linear(d: _Labelled, vectors: NDArray[np.float32], train: NDArray[np.bool_]) -> NDArray[np.int64]:
    from aqqua.tasks.classify import logistic

    mean, spread = vectors[train].mean(axis=0), np.maximum(vectors[train].std(axis=0), 1e-6)
    weight, bias = logistic((vectors[train] - mean) / spread, d.label[train], d.classes)
    found: NDArray[np.int64] = (((vectors[~train] - mean) / spread) @ weight.T + bias).argmax(axis=1)
    return found


def _forest(d: _Labelled, train: NDArray[np.bool_], seed: int) -> NDArray[np.int64]:
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(TREES, random_state=seed, n_jobs=-1)
    found: NDArray[np.int64] = forest.fit(d.classic[train], d.label[train]).predict(d.classic[~train])
    return found


def _evaluate(name: str, guess: Callable[[NDArray[np.bool_]], NDArray[np.int64]], d: _Labelled) -> Row:
    """Guess each fold from the other four, and judge all guesses together."""
    from sklearn.metrics import f1_score

    start = time.monotonic()
    found = np.empty_like(d.label)
    for fold in range(FOLDS):
        train = d.fold != fold
        found[~train] = guess(train)
    top1 = float((found == d.label).mean())
    macro = float(f1_score(d.label, found, labels=np.arange(d.classes), average="macro", zero_division=0))
    say(f"{name}: top-1 {top1:.3f}, macro-F1 {macro:.3f}")
    return Row(name, top1, macro, time.monotonic() - start)


def _facts(model: Model, embedding_s: float, images: int) -> dict[str, str]:
    """What the numbers were made with."""
    import sklearn
    import torch

    from aqqua.train.machine import processor

    training, network = model.info.get("training", {}), model.network
    return {
        "model": f"{model.model_id}, {network.weights / 1e6:.2f} M weights, vectors of {network.vector_length}",
        "training": f"{training.get('seconds', '?')} s, {training.get('images_seen', 0):,} images seen, no labels",
        "embedding": f"{images / max(embedding_s, 1e-9):,.0f} images/s",
        "machine": f"{platform.machine()}, {torch.get_num_threads()} threads, {processor()}",
        "versions": f"aqqua {__version__}, torch {torch.__version__}, scikit-learn {sklearn.__version__}, "
        f"Python {platform.python_version()}",
    }
