"""What several taxa of the same places share: folds, kNNDM, and the map's cells made ready, computed once.

It is kept as an npz file (no pickle) under the digest of everything it depends on, so that every shard finds it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xxhash

from aqqua.maps.interpolate.applicability import fit_applicability
from aqqua.maps.interpolate.cross import Folds, make_folds
from aqqua.maps.interpolate.fitted import Cells, cells_of, fit_folds
from aqqua.maps.interpolate.inputs import Preparer
from aqqua.maps.interpolate.learners import Inputs

if TYPE_CHECKING:
    from aqqua.maps.interpolate.problem import Floats, Problem
    from aqqua.maps.interpolate.recipe import Settings

__all__ = ["Shared", "share"]


@dataclass(frozen=True)
class Shared:
    """What does not depend on the taxon.

    Args:
        folds: of cross-validation.
        cells: of the map.
    """

    folds: Folds
    cells: Cells


def share(problem: Problem, settings: Settings, x: Floats, latitude: Floats, longitude: Floats, folder: Path) -> Shared:
    """Read what the places share from a folder, or compute and write it there.

    Args:
        problem: places, of any taxon.
        settings: of the interpolation.
        x: predictors of the map's cells, shape (m, p).
        latitude: of the cells, shape (m,).
        longitude: of the cells, shape (m,).
        folder: for the file.
    """
    path = folder / f"{_digest(problem, settings, x, latitude, longitude)}.npz"
    if path.is_file():
        return _read(path)
    preparer = Preparer(problem.x, problem.predictors)
    applicability = fit_applicability(problem, preparer, fit_folds(problem, settings))
    cells = cells_of(preparer, applicability, x, latitude, longitude)
    places = cells.inputs.latitude, cells.inputs.longitude
    shared = Shared(make_folds(problem, settings, places), cells)
    _write(shared, path)
    return shared


def _digest(problem: Problem, settings: Settings, x: Floats, latitude: Floats, longitude: Floats) -> str:
    digest = xxhash.xxh3_128()
    for array in (problem.x, problem.latitude, problem.longitude, x, latitude, longitude):
        digest.update(np.ascontiguousarray(array, np.float64).tobytes())
    chosen = (settings.schemes, settings.folds, settings.repeats, settings.block_deg, settings.inner_folds)
    digest.update(repr((problem.predictors, *chosen, settings.seed)).encode())
    return digest.hexdigest()


def _write(shared: Shared, path: Path) -> None:
    from aqqua.store.atomic import whole

    cells, folds = shared.cells, shared.folds
    about = {"left_out": folds.left_out, "repeats": {name: len(many) for name, many in folds.schemes.items()}}
    arrays: dict[str, Any] = {
        f"folds/{name}/{number}": one for name, many in folds.schemes.items() for number, one in enumerate(many)
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as part, part.open("wb") as file:
        np.savez(
            file,
            about=np.array(json.dumps(about)),
            map_km=folds.map_km,
            known=cells.known,
            x=cells.inputs.x,
            latitude=cells.inputs.latitude,
            longitude=cells.inputs.longitude,
            dissimilarity=cells.dissimilarity,
            distance_km=cells.distance_km,
            **arrays,
        )


def _read(path: Path) -> Shared:
    with np.load(path, allow_pickle=False) as file:
        about = json.loads(str(file["about"]))
        schemes = {
            name: [file[f"folds/{name}/{number}"] for number in range(count)]
            for name, count in about["repeats"].items()
        }
        inputs = Inputs(file["x"], file["latitude"], file["longitude"])
        cells = Cells(file["known"], inputs, file["dissimilarity"], file["distance_km"])
        return Shared(Folds(schemes, file["map_km"], about["left_out"]), cells)
