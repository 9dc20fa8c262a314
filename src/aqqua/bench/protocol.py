"""The published protocol, from a model and labelled datasets to the report (verb `aqqua bench`).

Read `bench` first: labelled images → split → vectors of the model, of baselines and of peers → measures → report.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aqqua import __version__
from aqqua.bench.report import BenchReport, headlines
from aqqua.errors import MissingExtraError
from aqqua.progress import say

if TYPE_CHECKING:
    from aqqua.bench.contestants import Lineup
    from aqqua.bench.measures import Question
    from aqqua.bench.parts import Parts
    from aqqua.models.checkpoint import Model
    from aqqua.store.dataset import Dataset

__all__ = ["bench"]

FAR = 1000
"""Images of other instruments, at most."""


def bench(
    model: Path | str,
    *,
    data: Sequence[Path | str],
    seed: int = 0,
    by: str = "auto",
    splits: Path | str | None = None,
    far: Sequence[Path | str] = (),
    peers: Sequence[str] = (),
    baselines: bool = True,
    out: Path | str | None = None,
) -> BenchReport:
    """Measure a model on labelled datasets, beside its baselines and other people's models.

    Args:
        model: a model folder, or `doi:10.5281/zenodo.N` of a released model.
        data: labelled datasets; classes are the labels as given.
        seed: of the split, of all draws, of the untrained network and the forest.
        by: how to split: "auto", "id", or what must not be torn apart: "sample", "cruise", "instrument", "time" or
            "cluster".
        splits: a split that was made before: the `splits.parquet` of a report, or a CSV table.
        far: datasets of other instruments, labelled or not, for the far half of novelty.
        peers: other models or vectors, see `aqqua.bench.peers`.
        baselines: measure the baselines, too.
        out: folder for the report (MODEL.md, MODEL.json) and splits.parquet; what was measured is kept there, so that a
            second model on the same data costs little.

    Returns:
        The report; `print` it.

    Raises:
        ConfigError: fewer than two classes are labelled, or a part of the split is empty.
        MissingExtraError: torch, scikit-learn or scikit-image is not installed.
    """
    _require()
    from aqqua.bench.contestants import line_up
    from aqqua.bench.labelled import far_images, read_labelled
    from aqqua.bench.measures import Question
    from aqqua.bench.parts import make_parts, read_parts, write_parts
    from aqqua.bench.peers import open_peer
    from aqqua.bench.speed import speed
    from aqqua.models.checkpoint import load
    from aqqua.store.dataset import Dataset
    from aqqua.tasks.obtain import obtain

    others = [open_peer(spec) for spec in peers]
    loaded = load(obtain(model))
    opened, away = [Dataset.open(path) for path in data], [Dataset.open(path) for path in far]
    labelled = read_labelled(opened)
    parts = read_parts(splits, labelled) if splits is not None else make_parts(labelled, by=by, seed=seed)
    folder = Path(out) if out is not None else None
    cache = folder / "cache" if folder else None
    measured_speed = speed(loaded, labelled.images)  # first: the peak of memory is still the model's
    other = far_images(away, FAR, seed)
    lineup = line_up(loaded, labelled, parts, other, peers=others, baselines=baselines, cache=cache, seed=seed)
    question = Question(labelled, parts, lineup.esd_um, seed)
    measures = _measures(lineup, question, cache, f"{other.key}" if other else "none", baselines=baselines)
    report = BenchReport(
        rows=headlines(measures),
        images=len(labelled),
        classes=len(labelled.classes),
        facts=_facts(loaded),
        about=_about(loaded, opened),
        split=_split(parts),
        measures=measures,
        speed=measured_speed,
        far=tuple(_title(ds) for ds in away),
    )
    if folder is not None:
        _write(folder, report)
        write_parts(folder / "splits.parquet", parts, labelled)
    return report


def _measures(lineup: Lineup, question: Question, cache: Path | None, far: str, *, baselines: bool) -> dict[str, Any]:
    """Name of the vectors → what was measured of them; what was kept is not measured again."""
    from aqqua.bench.contestants import CLASSIC
    from aqqua.bench.measures import forest, kept, majority, measure, without_nan

    told: dict[str, Any] = {}
    if baselines:
        told["no vectors"] = without_nan(majority(question))
    for one in lineup.contestants:
        name = f"measured-{one.key}-{far}-{question.key}"
        told[one.name] = kept(cache, name, lambda one=one: measure(one.x, question, one.other, sized=one.sized))  # type: ignore[misc]
        if one.name == CLASSIC:
            trees = kept(cache, f"forest-{question.key}", lambda: forest(lineup.classic, question))
            told[f"{CLASSIC}, as they are"] = trees
        first = told[one.name]["knn20"]
        say(f"{one.name}: kNN-20 top-1 {first['top1'][0]:.3f}, macro-F1 {first['macro_f1'][0]:.3f}")
    return told


def _require() -> None:
    try:
        import skimage  # noqa: F401
        import sklearn  # noqa: F401
        import torch  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("the benchmark", error.name or "torch", "train") from error


def _write(folder: Path, report: BenchReport) -> None:
    """Write MODEL.md and MODEL.json."""
    from aqqua.store.atomic import write_json, write_text

    name = report.about["model_id"]
    write_json(folder / f"{name}.json", report.to_dict())
    write_text(folder / f"{name}.md", f"# Benchmark of {name}\n\n{report}\n")


def _title(ds: Dataset) -> str:
    return ds.card.title or ds.path.name


def _about(model: Model, data: Sequence[Dataset]) -> dict[str, Any]:
    """Which model was measured on which data."""
    told = [{"title": _title(ds), "uuid": ds.uuid, "snapshot": ds.snapshot} for ds in data]
    return {"model_id": model.model_id, "weights_sha256": str(model.info["weights_sha256"]), "data": told}


def _split(parts: Parts) -> dict[str, Any]:
    return {"by": parts.by, "told": parts.told, "train": len(parts.train_rows), "test": len(parts.test_rows)}


def _facts(model: Model) -> dict[str, str]:
    """What the numbers were made with."""
    import sklearn
    import torch

    from aqqua.train.machine import processor

    training, network = model.info.get("training", {}), model.network
    return {
        "model": f"{model.model_id}, {network.weights / 1e6:.2f} M weights, vectors of {network.vector_length}",
        "training": f"{training.get('seconds', '?')} s, {training.get('images_seen', 0):,} images seen, no labels",
        "machine": f"{platform.machine()}, {torch.get_num_threads()} threads, {processor()}",
        "versions": f"aqqua {__version__}, torch {torch.__version__}, scikit-learn {sklearn.__version__}, "
        f"Python {platform.python_version()}",
    }
