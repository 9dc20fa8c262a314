"""The result of a benchmark: numbers for machines, tables for people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["BenchReport", "Row"]

Measures = Mapping[str, Any]


@dataclass(frozen=True)
class Row:
    """One line of the first table."""

    method: str
    top1: float
    macro_f1: float
    seconds: float


@dataclass(frozen=True)
class BenchReport:
    """The tables, and all that is needed to read them; `print` it for Markdown.

    Args:
        rows: one per method.
        images: number of labelled images.
        classes: number of classes.
        facts: machine, versions, model, training.
        about: model_id and weights_sha256 of the model, and the datasets: title, uuid and snapshot.
        split: `by`, `told` in words, `train` and `test` in images.
        measures: name of the vectors → all that was measured of them, see `aqqua.bench.measures.measure`.
        speed: images/s of preparing, describing and both, peak memory, bytes of a vector.
        far: titles of the datasets that stand for other instruments.
    """

    rows: tuple[Row, ...]
    images: int
    classes: int
    facts: dict[str, str]
    about: dict[str, Any] = field(default_factory=dict)
    split: dict[str, Any] = field(default_factory=dict)
    measures: dict[str, Any] = field(default_factory=dict)
    speed: dict[str, float] = field(default_factory=dict)
    far: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """All of it, ready for JSON: what `aqqua export --to model --bench` reads."""
        return {"format": "aqqua benchmark", "format_version": 2, **asdict(self)}

    def __str__(self) -> str:
        """The report in Markdown."""
        split = self.split
        head = (
            f"{self.images:,} images, {self.classes} classes; split {split['told']}: {split['train']:,} to learn from, "
            f"{split['test']:,} to judge. Vectors are frozen. In brackets: 95 % bootstrap intervals."
        )
        parts = [head, *(f"## {title}\n\n{table}" for title, make in _TABLES.items() if (table := make(self)))]
        facts = "\n".join(f"- {name}: {value}" for name, value in self.facts.items())
        return "\n\n".join([*parts, facts])


_HEADS = {
    "constant": "the commonest class",
    "forest": "random forest",
    "knn20": "kNN-20",
    "knn1": "kNN-1",
    "linear": "linear",
}


def headlines(measures: Mapping[str, Measures]) -> tuple[Row, ...]:
    """One row per method: what the card of a released model shows."""
    found = []
    for name, one in measures.items():
        for head, words in _HEADS.items():
            if head in one:
                told = one[head]
                row = Row(f"{name}, {words}", told["top1"][0], told["macro_f1"][0], told["seconds"])
                found.append(row)
    return tuple(found)


def _identification(report: BenchReport) -> str:
    rows = []
    for name, one in report.measures.items():
        for head, words in _HEADS.items():
            if head in one:
                told = one[head]
                rows.append([name, words, *(_interval(told[figure]) for figure in ("top1", "macro_f1", "balanced"))])
    return _table(["vectors", "head", "top-1", "macro-F1", "balanced accuracy"], rows)


def _few(report: BenchReport) -> str:
    rows = []
    for name, one in _full(report):
        cells = [
            f"{one[shot][figure][0]:.3f} ± {one[shot][figure][1]:.3f}"
            for shot in ("shot1", "shot5")
            for figure in ("balanced", "macro_f1")
        ]
        rows.append([name, *cells])
    columns = ["vectors", *(f"{n} per class, {words}" for n in (1, 5) for words in ("balanced accuracy", "macro-F1"))]
    return _table(columns, rows)


def _ranks(report: BenchReport) -> str:
    told = {name: one["ranks"] for name, one in report.measures.items() if one.get("ranks")}
    first: Measures = next(iter(told.values()), {})
    ranks = list(first)
    rows = [
        [name, *(f"{_number(one[r]['top1'])} / {_number(one[r]['macro_f1'])}" if r in one else "–" for r in ranks)]
        for name, one in told.items()
    ]
    columns = ["vectors", *(f"{rank}: {first[rank]['taxa']} taxa, {first[rank]['images']:,} images" for rank in ranks)]
    return _table(columns, rows) if ranks else ""


def _retrieval(report: BenchReport) -> str:
    rows = [
        [
            name,
            _number(one["retrieval"]["map"]),
            _number(one["retrieval"]["map_macro"]),
            f"{one['retrieval']['queries']:,}",
        ]
        for name, one in _full(report)
    ]
    return _table(["vectors", "mAP over queries", "mAP over classes", "queries"], rows)


def _novelty(kind: str) -> Callable[[BenchReport], str]:
    def table(report: BenchReport) -> str:
        there = [(name, one[kind]) for name, one in _full(report) if one.get(kind)]
        methods = list(there[0][1]) if there else []
        rows = [
            [name, *(f"{_number(one[m]['auroc'])} / {_number(one[m]['fpr95'])}" for m in methods)]
            for name, one in there
        ]
        return _table(["vectors, AUROC / FPR95", *methods], rows)

    return table


def _leakage(report: BenchReport) -> str:
    there = [(name, one["leakage"]) for name, one in _full(report) if one.get("leakage")]
    rows = [
        [
            name,
            f"{_number(one['probe'])} ({_number(one['probe_chance'])})",
            f"{_number(one['purity'])} ({_number(one['purity_blind'])})",
            _number(one["robustness"]),
            f"{_number(one['transfer'])} ({_number(one['transfer_within'])})",
        ]
        for name, one in there
    ]
    columns = ["vectors", "instrument probe within a taxon (chance)", "same-instrument neighbours (blind)"]
    columns += ["robustness index", "macro-F1 taught with another instrument (with the same)"]
    return _table(columns, rows)


def _size(report: BenchReport) -> str:
    there = [(name, one["size"]) for name, one in _full(report) if one["size"]]
    rows = [[name, *(f"{one[figure]:.3f}" for figure in ("rmse", "median", "r2"))] for name, one in there]
    return _table(["vectors", "RMSE, decades", "median error, decades", "R²"], rows)


def _calibration(report: BenchReport) -> str:
    rows = []
    for name, one in _full(report):
        told = [one["knn20"]["ece"], *(one["linear"][figure] for figure in ("ece", "ece_scaled", "temperature"))]
        rows.append([name, *(f"{value:.3f}" for value in told)])
    return _table(["vectors", "ECE kNN-20", "ECE linear", "ECE linear, temperature scaled", "temperature"], rows)


def _community(report: BenchReport) -> str:
    rows = []
    for name, one in report.measures.items():
        for head, told in one.get("community", {}).items():
            if told["samples"]:
                words = "mean composition of the training images" if head == "mean" else _HEADS[head]
                rows.append([name, words, f"{told['mean']:.3f}", f"{told['worst']:.3f}", str(told["samples"])])
    return _table(["vectors", "head", "Bray–Curtis, mean", "worst sample", "samples"], rows)


def _speed(report: BenchReport) -> str:
    names = {
        "prepare": "images/s prepared", "network": "images/s described", "both": "images/s in all",
        "peak_mb": "peak memory of the process, MB", "vector_bytes": "bytes of a vector",
    }  # fmt: skip
    return _table(
        ["", ""], [[words, f"{report.speed[name]:,.0f}"] for name, words in names.items() if name in report.speed]
    )


_TABLES: dict[str, Callable[[BenchReport], str]] = {
    "Identification": _identification,
    "Few examples": _few,
    "By taxonomic rank (top-1 / macro-F1, kNN-20 or forest)": _ranks,
    "Retrieval": _retrieval,
    "Novelty, near: classes held out": _novelty("near"),
    "Novelty, far: other instruments": _novelty("far"),
    "What is left of the instrument": _leakage,
    "Size read off vectors that were not told it": _size,
    "Calibration": _calibration,
    "Composition of samples": _community,
    "Speed and memory": _speed,
}


def _full(report: BenchReport) -> Iterable[tuple[str, Measures]]:
    """The vectors of which everything was measured."""
    return ((name, one) for name, one in report.measures.items() if "retrieval" in one)


def _interval(told: Sequence[float]) -> str:
    return f"{told[0]:.3f} [{told[1]:.3f}, {told[2]:.3f}]"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown; nothing for no rows."""
    if not rows:
        return ""
    lines = [columns, ["---", *["---:"] * (len(columns) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
