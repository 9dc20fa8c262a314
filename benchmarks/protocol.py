"""The benchmark protocol on every labelled set at hand, for one model or several (seeds of one recipe).

    python -m benchmarks protocol --model FOLDER [--model FOLDER …]

Sets: ISIIS (split 80/20 by image id), SPC (by day), FlowCam (by image id: there are only three samples) out of the
shared data, and a virtual ocean before six cameras (by sample), which knows the truth and has the same taxa in several
instruments. The UVP5 set has no labels; it and the others stand for other instruments. Datasets, splits, full reports
and what was measured of the baselines are kept in --out (a temporary folder, if not given), so that the next model
costs little. Several models: mean ± standard deviation over them.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from aqqua.bench import BenchReport, bench
from benchmarks._cameras import SETS as REAL
from benchmarks._cameras import real_leakage
from benchmarks._labelled import SETS, build
from benchmarks._machine import machine

BY = {"isiis": "id", "spc": "time", "flowcam": "id", "ocean": "sample"}
NAMES = {"isiis": "ISIIS", "spc": "SPC", "flowcam": "FlowCam", "ocean": "virtual ocean"}
CLASSIC = "30 shape and intensity features"
FOREST = f"{CLASSIC}, as they are"
SIZED, BLIND = "MODEL", "MODEL, size unknown"
SIZE, PIXELS = "log size of the image", "pixels, 64 principal components"
BASELINES = ("no vectors", SIZE, PIXELS, CLASSIC, FOREST, "untrained network")
RANKS = ("phylum", "class", "order", "family", "genus")
ERRORS = {"kNN-20": ("knn20", "ece"), "linear": ("linear", "ece"), "linear, scaled": ("linear", "ece_scaled")}


def main() -> None:
    """Print tables in Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks protocol")
    parser.add_argument("--model", action="append", required=True, type=Path)
    parser.add_argument("--out", type=Path, default=None)
    parser.add_argument("--sets", nargs="+", choices=sorted(BY), default=list(BY))
    parser.add_argument("--peer", action="append", default=[])
    chosen = parser.parse_args()
    os.environ.setdefault("AQQUA_QUIET", "1")
    with tempfile.TemporaryDirectory() as temporary:
        out = chosen.out or Path(temporary)
        there = {name: path for name in SETS if (path := build(name, out)) is not None}
        found = {name: _reports(name, there, chosen, out) for name in chosen.sets if name in there}
        both = all(name in found for name in REAL)
        real = [real_leakage(model, there, out) for model in chosen.model] if both else []
    missing = [NAMES[name] for name in chosen.sets if name not in there]
    if missing:
        print(f"without {', '.join(missing)}: there are no shared data (set AQQUA_SHARED_DATA)\n")
    tables(found)
    if real:
        cameras(real)
    print(f"\n{machine('torch', 'scikit-learn', 'numpy')}; {len(chosen.model)} model(s)")


def _reports(name: str, there: dict[str, Path], chosen: argparse.Namespace, out: Path) -> list[BenchReport]:
    """One report per model, of one set; all other sets are other instruments, but for an ocean that has them all."""
    far = [] if name == "ocean" else [path for other, path in there.items() if other not in {name, "ocean"}]
    folder = out / "reports" / name
    return [bench(m, data=[there[name]], by=BY[name], far=far, peers=chosen.peer, out=folder) for m in chosen.model]


Pick = Callable[[dict[str, Any]], float | None]


def tables(found: dict[str, list[BenchReport]]) -> None:
    """Print one table per question, sets as columns."""
    for title, rows in _questions(found).items():
        print(f"\n### {title}\n")
        print("| | " + " | ".join(NAMES[name] for name in found) + " |")
        print("|---|" + "---:|" * len(found))
        for words, name, pick in rows:
            cells = [_cell(reports, name, pick) for reports in found.values()]
            if any(cell != "–" for cell in cells):
                print(f"| {words} | " + " | ".join(cells) + " |")


def cameras(real: Sequence[dict[str, dict[str, Any]]]) -> None:
    """Print what is left of the instrument in ISIIS and SPC together."""
    told = real[0][SIZED]
    print(f"\n### What is left of the instrument: ISIIS and SPC, {told['taxa']} taxa that both have\n")
    print("| | " + " | ".join(real[0]) + " |")
    print("|---|" + "---:|" * len(real[0]))
    for key, words in _LEAKS.items():
        cells = [_mean([one[name][key] for one in real], spread=name in {SIZED, BLIND}) for name in real[0]]
        print(f"| {words} | " + " | ".join(cells) + " |")


def _questions(found: dict[str, list[BenchReport]]) -> dict[str, list[tuple[str, str, Pick]]]:
    """Title → rows: what it says, of which vectors, and the number."""
    everybody = [*BASELINES, SIZED, BLIND, *_peers(found)]
    full = [name for name in everybody if name not in {"no vectors", FOREST}]
    two = [SIZED, BLIND]
    return {
        "Top-1": [*_heads(everybody, "top1"), *[(f"{n}, kNN-1", n, _at("knn1", "top1", 0)) for n in two]],
        "Macro-F1": _heads(everybody, "macro_f1"),
        "Balanced accuracy": _heads([*two, FOREST], "balanced"),
        "One and five examples per class, balanced accuracy": [
            (f"{n}, {k}", n, _at(f"shot{k}", "balanced", 0)) for n in full for k in (1, 5)
        ],
        "Top-1 by rank, kNN-20": [
            (f"{n}, {rank}", n, _at("ranks", rank, "top1")) for n in (FOREST, *two) for rank in RANKS
        ],
        "Retrieval, mAP over classes": [(n, n, _at("retrieval", "map_macro")) for n in full],
        "Classes held out: AUROC": _detectors(full, "near", "auroc"),
        "Other instruments: AUROC": _detectors(full, "far", "auroc"),
        "Other instruments: FPR95": _detectors(full, "far", "fpr95"),
        "What is left of the instrument": [
            (f"{words}: {n}", n, _at("leakage", key))
            for key, words in _LEAKS.items()
            for n in full
        ],
        "Size read off vectors that were not told it, RMSE in decades": [(n, n, _at("size", "rmse")) for n in full],
        "Expected calibration error": [(f"{n}, {words}", n, _at(*keys)) for n in two for words, keys in ERRORS.items()],
        "Composition of samples, Bray–Curtis": [
            (f"{n}, {words}", n, _at("community", h, "mean")) for n in everybody for h, words in _COMMUNITY.items()
        ],
    }  # fmt: skip


_LEAKS = {
    "probe": "instrument probe within a taxon",
    "probe_chance": "its chance level",
    "purity": "same-instrument neighbours",
    "robustness": "robustness index",
    "transfer": "macro-F1 taught with another instrument",
    "transfer_within": "with the same one",
}
_COMMUNITY = {"mean": "mean of the training images", "forest": "random forest", "knn20": "kNN-20", "linear": "linear"}


def _heads(names: Sequence[str], figure: str) -> list[tuple[str, str, Pick]]:
    heads = {"constant": "commonest class", "forest": "random forest", "knn20": "kNN-20", "linear": "linear"}
    return [(f"{name}, {words}", name, _at(head, figure, 0)) for name in names for head, words in heads.items()]


def _detectors(names: Sequence[str], kind: str, figure: str) -> list[tuple[str, str, Pick]]:
    return [(f"{n}, {m}", n, _at(kind, m, figure)) for n in names for m in ("Mahalanobis", "kNN", "ViM")]


def _at(*keys: str | int) -> Pick:
    """The number at a path of keys; None where there is none."""

    def pick(measures: dict[str, Any]) -> float | None:
        value: Any = measures
        for key in keys:
            try:
                value = value[key]
            except (KeyError, TypeError, IndexError):
                return None
        return value if isinstance(value, float) else None

    return pick


def _peers(found: dict[str, list[BenchReport]]) -> list[str]:
    """Vectors that are neither baseline nor model."""
    names = {name: None for reports in found.values() for report in reports for name in _renamed(report)}
    return [name for name in names if name not in {*BASELINES, SIZED, BLIND}]


def _renamed(report: BenchReport) -> dict[str, Any]:
    """Measures by name, whatever the model is called."""
    own = report.about["model_id"]
    names = {own: SIZED, f"{own}, size unknown": BLIND}
    return {names.get(name, name): one for name, one in report.measures.items()}


def _cell(reports: Sequence[BenchReport], name: str, pick: Pick) -> str:
    values = [value for report in reports if (value := pick(_renamed(report).get(name, {}))) is not None]
    return _mean(values, spread=name in {SIZED, BLIND}) if values else "–"


def _mean(values: Sequence[float], *, spread: bool) -> str:
    """Mean over the models, and their standard deviation where the models differ at all."""
    told = f" ± {np.std(values, ddof=1):.3f}" if spread and len(values) > 1 else ""
    return f"{np.mean(values):.3f}{told}"


if __name__ == "__main__":
    main()
