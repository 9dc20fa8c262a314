"""What is left of the instrument in two real sets together, on the taxa that both have."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["SETS", "real_leakage"]

SETS = ("isiis", "spc")
CLASSIC = "30 shape and intensity features"


def real_leakage(model: Path, there: dict[str, Path], out: Path) -> dict[str, dict[str, Any]]:
    """Name of the vectors → measures of leakage between ISIIS and SPC; vectors are those the protocol has kept.

    Args:
        model: folder of the model.
        there: name of a set → dataset.
        out: folder of the protocol's reports.
    """
    from aqqua.bench.contestants import own_network
    from aqqua.bench.labelled import read_labelled
    from aqqua.bench.leakage import Cameras, leakage
    from aqqua.bench.vectors import Classic, describe_all
    from aqqua.models.checkpoint import load
    from aqqua.store.dataset import Dataset

    own, classic = own_network(load(model)), Classic()
    found, taxa, cameras = [], [], []
    for name in SETS:
        data = read_labelled([Dataset.open(there[name])])
        found.append(describe_all(data.images, [own, classic], out / "reports" / name / "cache"))
        taxa += data.column("taxon")
        cameras += data.column("instrument")
    asked = Cameras.of(taxa, cameras)
    sized, blind = own.halves(_stacked(found, own.key))
    shape = _stacked(found, classic.key)
    shape = np.sign(shape) * np.log1p(np.abs(shape))
    shape = (shape - shape.mean(axis=0)) / np.maximum(shape.std(axis=0), 1e-6)
    vectors = {CLASSIC: shape.astype(np.float32), "MODEL": sized, "MODEL, size unknown": blind}
    return {name: leakage(x, asked) or {} for name, x in vectors.items()}


def _stacked(found: Sequence[dict[str, Any]], key: str) -> Any:
    return np.concatenate([one[key] for one in found])
