"""What the explorer needs besides the dataset: a map, its clusters, samples of it, and neighbours.

It is made once per model and kept in `<dataset>/explore/<model>/<hash of the inputs>/`. If images or predictions
change, so does the hash, and it is made anew; what is older is then removed.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xxhash

from aqqua import __version__
from aqqua.app.arrays import load_array, save_array
from aqqua.app.clusters import find_clusters
from aqqua.app.columns import read_frame
from aqqua.app.features import simple_features
from aqqua.app.layout import project
from aqqua.app.neighbours import Neighbours
from aqqua.app.strata import SIDE, Strata
from aqqua.app.view import View
from aqqua.errors import UnknownNameError
from aqqua.progress import job, say

if TYPE_CHECKING:
    import polars as pl

    from aqqua.store.dataset import Dataset

__all__ = ["Prepared", "prepare"]

LAYOUT_VERSION = 1
"""Raise it when the same inputs should give another map."""
FEATURES = "_features"
SEED = 0
MARGIN = 1.04


@dataclass(frozen=True)
class Prepared:
    """All that is computed once for a dataset and a model.

    Args:
        positions: (n, 2) f32 on the map.
        cluster: number of the cluster of each row, -1 for none.
        strata: random samples of viewports.
        neighbours: search for similar images.
        info: version, how it was made, extent.
    """

    positions: np.ndarray
    cluster: np.ndarray
    strata: Strata
    neighbours: Neighbours
    info: dict[str, Any]

    def save(self, folder: Path) -> None:
        """Write everything into a folder; `info.json` last."""
        save_array(folder, "positions", self.positions)
        save_array(folder, "cluster", self.cluster)
        self.strata.save(folder)
        self.neighbours.save(folder)
        (folder / "info.json").write_text(json.dumps(self.info, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, n: int) -> Prepared | None:
        """What a folder holds; None if it is not there, not whole, or not of n images."""
        try:
            info = json.loads((folder / "info.json").read_text(encoding="utf-8"))
            positions, cluster = load_array(folder, "positions"), load_array(folder, "cluster")
            found = cls(positions, cluster, Strata.load(folder), Neighbours.load(folder), info)
        except (OSError, ValueError):
            return None
        whole = positions.shape == (n, 2) and cluster.shape == (n,) and len(found.strata) == len(found.neighbours) == n
        return found if whole else None


def prepare(dataset: Dataset, model: str | None = None) -> View:
    """Make what the explorer needs and does not have yet, and open the dataset for it.

    Args:
        dataset: the dataset.
        model: whose predictions make the map; None: the newest, or without any, size and brightness.

    Raises:
        UnknownNameError: there are no predictions of this model; the message names the nearest.
    """
    models = dataset.prediction_models()
    if model is None:
        model = models[0] if models else None
    elif model not in models:
        raise UnknownNameError("model with predictions", model, models, where=dataset.path)
    frame = read_frame(dataset, model)
    version = _fingerprint(dataset, frame, model)
    home = Path(dataset.path) / "explore" / (model or FEATURES)
    prepared = Prepared.load(home / version, len(frame))
    if prepared is None:
        prepared = _make(dataset, frame, model)
        _keep(prepared, home, version)
    return View(dataset, frame, model, models, prepared, version)


def _fingerprint(dataset: Dataset, frame: pl.DataFrame, model: str | None) -> str:
    """Hash of what the map depends on: which images, their content, and the predictions."""
    digest = xxhash.xxh3_128()
    digest.update(f"aqqua map {LAYOUT_VERSION} {model}".encode())
    digest.update(frame["uid"].to_numpy().tobytes())
    digest.update(dataset.metadata(["xxh3"])["xxh3"].to_numpy().tobytes())
    for shard in dataset.shards if model else ():
        path = dataset.prediction_path(model or "", shard.number)
        if path.exists():
            digest.update(f"{path.name} {path.stat().st_size}".encode())
            digest.update(_ends(path))
    return str(digest.hexdigest())[:16]


def _ends(path: Path, size: int = 1 << 16) -> bytes:
    """Beginning and end of a file: of Parquet, the first values, and the footer with statistics of all."""
    with path.open("rb") as file:
        first = file.read(size)
        file.seek(max(0, path.stat().st_size - size))
        return first + file.read(size)


def _make(dataset: Dataset, frame: pl.DataFrame, model: str | None) -> Prepared:
    vectors, there = _vectors(dataset, frame, model)
    n = len(frame)
    with job("Preparing the map", n, unit="images") as advance:
        positions = _positions(vectors, there, lambda part: advance(0.8 * n * part, note="neighbourhoods"))
        cluster = np.full(n, -1, np.int32)
        cluster[there] = find_clusters(positions[there], SEED)
        advance(0.1 * n, note="clusters")
        extent = _extent(positions)
        strata = Strata.build(*quantise(positions, extent), seed=SEED)
        neighbours = Neighbours.build(vectors, SEED)
        advance(0.1 * n, note="neighbours")
    info = {
        "layout_version": LAYOUT_VERSION,
        "aqqua_version": __version__,
        "model": model,
        "seed": SEED,
        "images": n,
        "without_vector": int(n - np.count_nonzero(there)),
        "dimensions": int(vectors.shape[1]),
        "extent": extent,
    }
    return Prepared(positions, cluster, strata, neighbours, info)


def _vectors(dataset: Dataset, frame: pl.DataFrame, model: str | None) -> tuple[np.ndarray, np.ndarray]:
    """One vector per row, and which rows have one."""
    if model is None:
        return simple_features(dataset, frame), np.ones(len(frame), bool)
    found = dataset.predictions(model)
    if "vector" not in found.columns or not found["vector"].count():
        return np.zeros((len(frame), 1), np.float32), np.zeros(len(frame), bool)
    found = found.select("uid", "vector").drop_nulls("vector")
    values = found["vector"].to_numpy()
    order = np.argsort(found["uid"].to_numpy())
    known, uids = found["uid"].to_numpy()[order], frame["uid"].to_numpy()
    at = np.minimum(np.searchsorted(known, uids), len(known) - 1)
    there = known[at] == uids
    vectors = np.zeros((len(uids), values.shape[1]), np.float32)
    vectors[there] = values[order[at[there]]]
    return vectors, there


def _positions(vectors: np.ndarray, there: np.ndarray, advance: Callable[[float], None]) -> np.ndarray:
    """The map; images without a vector lie together in a corner below it."""
    positions = np.zeros((len(vectors), 2), np.float32)
    positions[there] = project(vectors[there], SEED, advance)
    missing = int(np.count_nonzero(~there))
    if missing:
        low = positions[there].min(axis=0) if there.any() else np.zeros(2)
        side = float(np.ptp(positions[there])) if there.any() else 1.0
        scatter = np.random.default_rng(SEED).normal(0, 0.02 * max(side, 1e-6), (missing, 2))
        positions[~there] = low - 0.1 * side + scatter
    return positions


def _extent(positions: np.ndarray) -> list[float]:
    """The square that holds all positions, with a margin."""
    if not len(positions):
        return [-1.0, -1.0, 1.0, 1.0]
    low, high = positions.min(axis=0).astype(float), positions.max(axis=0).astype(float)
    middle, half = (low + high) / 2, max(float((high - low).max()) / 2, 1e-6) * MARGIN
    return [float(middle[0] - half), float(middle[1] - half), float(middle[0] + half), float(middle[1] + half)]


def quantise(positions: np.ndarray, extent: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Positions as u16 steps over the extent."""
    low, high = np.array(extent[:2]), np.array(extent[2:])
    steps = np.clip(np.rint((positions - low) / (high - low) * (SIDE - 1)), 0, SIDE - 1).astype(np.uint16)
    return steps[:, 0], steps[:, 1]


def _keep(prepared: Prepared, home: Path, version: str) -> None:
    """Save what was made, whole or not at all; a dataset that cannot be written is explored all the same."""
    part = home / f".{version}.{os.getpid()}.part"
    try:
        part.mkdir(parents=True)
        prepared.save(part)
        if Prepared.load(home / version, len(prepared.positions)) is None:
            shutil.rmtree(home / version, ignore_errors=True)
            part.rename(home / version)
        for old in home.iterdir():
            if old.name != version and not old.name.endswith(".part"):
                shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        say(f"[yellow]The map cannot be kept in {home} ({error.strerror}); it is made anew next time.[/]")
    finally:
        shutil.rmtree(part, ignore_errors=True)
