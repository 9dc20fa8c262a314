"""The verb `predict`: vectors, taxa and outlier scores of a model, written into datasets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from rich.markup import escape

from aqqua import __version__
from aqqua.progress import say

if TYPE_CHECKING:
    from aqqua.models.engines import Describer
    from aqqua.store.dataset import Dataset
    from aqqua.tasks.classify import Examples, Heads
    from aqqua.tasks.embed import Embedded, Vectors

__all__ = ["PredictReport", "predict"]

MAX_EXAMPLES = 100_000
_LEARNED = ("path", "uuid", "snapshot", "shards")
MAX_REFERENCE = 20_000
"""Vectors against which outliers are measured."""


@dataclass(frozen=True)
class PredictReport:
    """What was predicted.

    Args:
        model_id: of the model.
        images: how many images got vectors.
        classes: how many taxa the heads know; 0 if there are no heads.
        examples: how many labelled images the heads were taught with.
        status: of these labels.
        agreement: share of the labelled images whose taxon the neighbours found without their own label.
        agreement_linear: the same for the linear head.
    """

    model_id: str
    images: int
    classes: int = 0
    examples: int = 0
    status: str = ""
    agreement: float | None = None
    agreement_linear: float | None = None

    def __str__(self) -> str:
        """One or two sentences."""
        text = f"{self.images:,} images described by model {self.model_id}"
        if not self.classes:
            return text + "; no taxa, because none of the images has a label to learn from"
        text += f"; {self.classes} taxa learnt from {self.examples:,} {self.status} labels"
        if self.agreement is None or self.agreement_linear is None:
            return text
        return text + (
            f" (each left out when judged: neighbours right for {self.agreement:.0%}, "
            f"linear head for {self.agreement_linear:.0%})"
        )


@dataclass
class _Known:
    """Heads, of which datasets their labels are, and which of the examples is which image of which dataset."""

    heads: Heads | None = None
    data: list[dict[str, Any]] = field(default_factory=list)
    rows: dict[tuple[int, int], int] = field(default_factory=dict)

    def same(self, dataset: int, uids: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Row of the example that each image is, −1 for none."""
        return np.array([self.rows.get((dataset, uid), -1) for uid in uids.tolist()], dtype=np.int64)


def predict(
    model: Path | str,
    datasets: Sequence[Path | str],
    *,
    engine: str = "auto",
    where: Any = "here",
    workers: int | None = None,
    seed: int = 0,
    **options: Any,
) -> PredictReport:
    """Write vectors, taxa and outlier scores into predictions/ of each dataset.

    The heads for taxa are fitted to the validated labels of all the datasets together (to predicted ones if none are
    validated) and kept in the model folder, unless that is a release, which stays as it was published. Without labels,
    heads that are already there are used, or none. Nothing is learnt from datasets whose card does not allow it.

    Args:
        model: a model folder, made by `train` or released, or `doi:10.5281/zenodo.N` of a release.
        datasets: the datasets.
        engine: what computes: "torch", "torch-bf16", "onnx", "onnx-int8"; "auto" is torch, or onnx without torch.
        where: run here, in a process pool, on SLURM or on Ray.
        workers: how many processes or nodes.
        seed: of samples and folds.
        options: of the engine of `map_shards`.

    Returns:
        What was done; `print` it.

    Raises:
        MissingExtraError: the engine is not installed.
        NotFoundError: no model, none for this engine, or no dataset.
        FormatError: the model is damaged, or not the one that was released.
    """
    from aqqua.models.engines import open_model
    from aqqua.store.dataset import Dataset
    from aqqua.tasks.embed import embed, forget
    from aqqua.tasks.obtain import obtain

    loaded = open_model(obtain(model), engine)
    opened = [Dataset.open(path) for path in datasets]
    vectors = [embed(loaded, ds, where=where, workers=workers, **options) for ds in opened]
    known = _learn(loaded, opened, vectors, seed)
    reference = _sample(vectors, seed)
    agreement = [_write(loaded, i, ds, vectors[i], known, reference) for i, ds in enumerate(opened)]
    for ds in opened:
        forget(loaded, ds)
    return _report(loaded, opened, known, agreement)


def _learn(model: Describer, datasets: Sequence[Dataset], vectors: Sequence[Embedded], seed: int) -> _Known:
    """Fit heads to the labels there are, or take those of the model."""
    from aqqua.models.released import is_released
    from aqqua.store.lineage import origin
    from aqqua.tasks.classify import fit_heads, heads_data, load_heads, save_heads

    examples, keys = _examples(datasets, vectors, seed)
    if examples is None:
        heads = load_heads(model.folder)
        if heads is None:
            say("No labels to learn taxa from: vectors and outlier scores only.")
        return _Known(heads, heads_data(model.folder) if heads else [])
    heads, taught = fit_heads(examples, seed=seed), sorted({dataset for dataset, _ in keys})
    data = [origin(datasets[number]) for number in taught]
    if not is_released(model.folder):
        save_heads(model.folder, heads, data)
    return _Known(heads, data, {key: row for row, key in enumerate(keys)})


def _examples(
    datasets: Sequence[Dataset], vectors: Sequence[Embedded], seed: int
) -> tuple[Examples | None, list[tuple[int, int]]]:
    """Labelled vectors, and dataset and uid of each."""
    from aqqua.tasks.classify import Examples

    labels = pl.concat([_labels(ds).with_columns(dataset=pl.lit(i)) for i, ds in enumerate(datasets)])
    status = "validated" if "validated" in labels["status"].to_list() else "predicted"
    labels = labels.filter(status=status)
    there = [ds.metadata([]).select("uid", dataset=pl.lit(i)) for i, ds in enumerate(datasets)]
    labels = labels.join(pl.concat(there), on=["dataset", "uid"], how="semi", maintain_order="left")
    if len(labels) > MAX_EXAMPLES:
        labels = labels.sample(MAX_EXAMPLES, seed=seed)
    classes = sorted(labels["name"].unique().to_list())
    if len(classes) < 2:
        return None, []
    keys = [(int(i), int(uid)) for i, uid in labels.select("dataset", "uid").iter_rows()]
    index = {name: number for number, name in enumerate(classes)}
    label = np.array([index[name] for name in labels["name"]], dtype=np.int64)
    found = np.empty((len(keys), vectors[0].length), dtype=np.float32)
    for i, shards in enumerate(vectors):
        mine = (labels["dataset"] == i).to_numpy()
        found[mine] = shards.of(labels["uid"].to_numpy()[mine])
    return Examples(found, label, tuple(classes), status), keys


def _labels(ds: Dataset) -> pl.DataFrame:
    """Uid, name and status of the labels that can teach: accepted taxon where there is one, else the label itself.

    None where the owners do not want models to learn from their data.
    """
    labels = ds.labels().with_columns(name=pl.coalesce("taxon", "label"))
    usable = pl.col("status").is_in(["validated", "predicted"]) & pl.col("name").is_not_null()
    if ds.card.license_allows_training is False:
        say(f"Nothing is learnt from the labels of {escape(str(ds.path))}: its card does not allow training")
        labels = labels.clear()
    return labels.filter(usable).select("uid", "name", "status")


@dataclass(frozen=True)
class _Reference:
    """A sample of all vectors, and which images they are."""

    vector: NDArray[np.float32]
    rows: dict[tuple[int, int], int]


def _sample(vectors: Sequence[Embedded], seed: int) -> _Reference:
    """At most 20,000 vectors of all datasets, against which outliers are measured."""
    parts = [(i, one) for i, shards in enumerate(vectors) for one in shards.values()]
    start = np.cumsum([0, *(len(one.uid) for _, one in parts)])
    chosen = np.sort(np.random.default_rng(seed).permutation(start[-1])[:MAX_REFERENCE])
    pieces, keys = [np.empty((0, vectors[0].length if vectors else 1), dtype=np.float32)], []
    for (i, one), first, end in zip(parts, start[:-1], start[1:], strict=True):
        mine = chosen[(chosen >= first) & (chosen < end)] - first
        pieces.append(one.vector[mine])
        keys += [(i, uid) for uid in one.uid[mine].tolist()]
    return _Reference(np.concatenate(pieces), {key: number for number, key in enumerate(keys)})


def _write(
    model: Describer, number: int, ds: Dataset, vectors: Embedded, known: _Known, reference: _Reference
) -> list[tuple[int, int, int]]:
    """Write the predictions of one dataset; returns (true, kNN, linear) classes of its examples."""
    from aqqua.tasks.outliers import outlier_scores

    judged: list[tuple[int, int, int]] = []
    info = _info(model, known)
    for shard, found in vectors.items():
        same = np.array([reference.rows.get((number, uid), -1) for uid in found.uid.tolist()], dtype=np.int64)
        columns: dict[str, Any] = {
            "uid": found.uid,
            "vector": pl.Series(found.vector, dtype=pl.Array(pl.Float32, found.vector.shape[1])),
            **_taxa(found, known.heads, known.same(number, found.uid), judged),
            "outlier": outlier_scores(found.vector, reference.vector, same=same),
        }
        ds.write_predictions(model.model_id, shard, pl.DataFrame(columns, nan_to_null=True), info)
    return judged


def _taxa(
    found: Vectors, heads: Heads | None, same: NDArray[np.int64], judged: list[tuple[int, int, int]]
) -> dict[str, pl.Series]:
    """The four columns about taxa; empty ones without heads."""
    from aqqua.tasks.classify import names

    n = len(found.uid)
    if heads is None:
        nothing = pl.Series([None] * n, dtype=pl.String)
        nowhere = pl.Series([None] * n, dtype=pl.Float32)
        return {"taxon_knn": nothing, "p_knn": nowhere, "taxon_linear": nothing, "p_linear": nowhere}
    near, linear = heads.neighbours(found.vector, same), heads.linear(found.vector, same)
    for row in np.flatnonzero(same >= 0):
        judged.append((int(heads.examples.label[same[row]]), int(near.label[row]), int(linear.label[row])))
    classes = heads.examples.classes
    return {
        "taxon_knn": pl.Series(names(classes, near.label), dtype=pl.String),
        "p_knn": pl.Series(near.p),
        "taxon_linear": pl.Series(names(classes, linear.label), dtype=pl.String),
        "p_linear": pl.Series(linear.p),
    }


def _info(model: Describer, known: _Known) -> dict[str, Any]:
    """Where the predictions come from, and what the model and its heads had learnt from."""
    heads, learned = known.heads, [*model.info.get("data", []), *known.data]
    return {
        "model_id": model.model_id,
        "weights_sha256": model.info["weights_sha256"],
        "preprocessing_hash": model.preprocessing.hash,
        **model.engine_facts,
        "created_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "label_set": list(heads.examples.classes) if heads else [],
        "label_status": heads.examples.status if heads else None,
        "examples": len(heads.examples.label) if heads else 0,
        "heads_hash": heads.hash if heads else None,
        "learned_from": [{name: one.get(name) for name in _LEARNED} for one in learned if isinstance(one, dict)],
        "aqqua_version": __version__,
    }


def _report(
    model: Describer, datasets: Sequence[Dataset], known: _Known, judged: Sequence[list[tuple[int, int, int]]]
) -> PredictReport:
    images, heads = sum(len(ds) for ds in datasets), known.heads
    if heads is None:
        return PredictReport(model.model_id, images)
    table = np.array([row for rows in judged for row in rows], dtype=np.int64).reshape(-1, 3)
    right = (table[:, 1:] == table[:, :1]).mean(axis=0).tolist() if len(table) else [None, None]
    e = heads.examples
    return PredictReport(model.model_id, images, len(e.classes), len(e.label), e.status, right[0], right[1])
