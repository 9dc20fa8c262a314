"""Folds of cross-validation: at random, in blocks of some degrees, or as far as the map is from its samples (kNNDM).

Random folds measure interpolation between neighbours and are an upper bound; blocks keep neighbours together. kNNDM
(Linnenbrink et al. 2024, Geosci. Model Dev. 17, 5897, doi:10.5194/gmd-17-5897-2024) chooses clusters such that
distances from test to training places look like distances from the map's cells to the samples.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from aqqua.errors import ConfigError, UnknownNameError
from aqqua.maps.interpolate.sphere import arc_km, block_of, nearest_km, tree_of, unit_vectors

if TYPE_CHECKING:
    from aqqua.maps.interpolate.problem import Floats, Ints

__all__ = ["assign", "block_degrees", "block_folds", "inner_folds", "knndm", "left_out_km", "random_folds"]

_MAX_CLUSTERED = 3000
_CANDIDATES = 24
_LARGEST_SHARE = 0.5


def random_folds(n: int, folds: int, rng: np.random.Generator) -> Ints:
    """Folds that differ by at most one place, at random, shape (n,)."""
    return rng.permutation(np.arange(n) % min(folds, n)).astype(np.int64)


def block_degrees(scheme: str) -> float | None:
    """The size in a name such as "blocks10"; None for random and knndm.

    Raises:
        UnknownNameError: there is no such scheme.
        ConfigError: a size that makes no blocks.
    """
    found = re.fullmatch(r"blocks(\d+(?:\.\d+)?)", scheme)
    if found is None:
        if scheme not in {"random", "knndm"}:
            raise UnknownNameError("scheme of cross-validation", scheme, ["random", "blocks10", "blocks30", "knndm"])
        return None
    degrees = float(found[1])
    if not 0.1 <= degrees <= 90:
        raise ConfigError(f"blocks of {degrees:g}° are not possible", where=scheme, do="0.1 to 90 degrees")
    return degrees


def block_folds(latitude: Floats, longitude: Floats, degrees: float, folds: int, rng: np.random.Generator) -> Ints:
    """Whole blocks put into folds, all folds about equally large; fewer folds where there are fewer blocks.

    Raises:
        ConfigError: all places lie in one block.
    """
    blocks = block_of(latitude, longitude, degrees)
    if len(np.unique(blocks)) < 2:
        do = "leave this scheme out, or name a smaller one such as blocks2"
        raise ConfigError(f"all places lie in one block of {degrees:g}°", do=do)
    return assign(blocks, folds, rng)


def inner_folds(latitude: Floats, longitude: Floats, degrees: float, folds: int, rng: np.random.Generator) -> Ints:
    """Block folds inside training: blocks are halved until there are as many as folds, at last places are taken."""
    while degrees > 0.5:
        blocks = block_of(latitude, longitude, degrees)
        if len(np.unique(blocks)) >= folds:
            return assign(blocks, folds, rng)
        degrees /= 2
    return random_folds(len(latitude), folds, rng)


def assign(groups: Ints, folds: int, rng: np.random.Generator) -> Ints:
    """Put whole groups into folds: the largest first, each to the fold that is smallest so far, ties at random.

    No fold is empty; there are min(folds, groups) of them.
    """
    _, group, size = np.unique(groups, return_inverse=True, return_counts=True)
    drawn = rng.permutation(len(size))
    load = np.zeros(min(folds, len(size)))
    fold = np.zeros(len(size), np.int64)
    for one in drawn[np.argsort(-size[drawn], kind="stable")]:
        fold[one] = rng.choice(np.flatnonzero(load == load.min()))
        load[fold[one]] += size[one]
    return fold[group]


def left_out_km(points: Floats, folds: Ints) -> Floats:
    """From each place to the nearest one in another fold, kilometres, shape (n,).

    Args:
        points: unit vectors, shape (n, 3).
        folds: at least two, shape (n,).
    """
    distance = np.zeros(len(points))
    for fold in np.unique(folds):
        test = folds == fold
        distance[test] = nearest_km(points[test], points[~test])
    return distance


def knndm(
    latitude: Floats, longitude: Floats, map_km: Floats, folds: int, rng: np.random.Generator
) -> tuple[Ints, float]:
    """Folds whose distances from test to training places are most like those from map to samples.

    Clusters of places (average linkage on chord lengths) are merged into folds; of all numbers of clusters the one
    with the smallest Wasserstein distance between the two distributions of nearest distances is taken, where no fold
    holds more than half of all places. Random folds are one of the candidates.

    Args:
        latitude: of the places, shape (n,).
        longitude: of the places, shape (n,).
        map_km: from cells of the map to the nearest place, shape (m,).
        folds: number of folds.
        rng: for ties and the random candidate.

    Returns:
        Folds, shape (n,), and the Wasserstein distance in kilometres.
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.stats import wasserstein_distance

    points = unit_vectors(latitude, longitude)
    group, centres = _clusterable(latitude, longitude, points)
    best = random_folds(len(points), folds, rng)
    least = float(wasserstein_distance(left_out_km(points, best), map_km))
    if len(centres) <= folds:
        return best, least
    tree = linkage(centres, "average")
    for wanted in np.unique(np.geomspace(folds, len(centres), _CANDIDATES).round().astype(int)):
        cluster = fcluster(tree, wanted, "maxclust")[group]
        candidate = _merge(cluster, points, folds)
        share = np.bincount(candidate).max() / len(candidate)
        if len(np.unique(candidate)) < 2 or share > _LARGEST_SHARE:
            continue
        distance = float(wasserstein_distance(left_out_km(points, candidate), map_km))
        if distance < least:
            best, least = candidate, distance
    return best, least


def _clusterable(latitude: Floats, longitude: Floats, points: Floats) -> tuple[Ints, Floats]:
    """Number of its centre for each place, and centres: places themselves, or means of small blocks if too many."""
    group, degrees = np.arange(len(points)), 0.5
    while group.max() >= _MAX_CLUSTERED:
        _, group = np.unique(block_of(latitude, longitude, degrees), return_inverse=True)
        degrees *= 2
    count = np.bincount(group)
    centres = np.stack([np.bincount(group, points[:, axis]) / count for axis in range(3)], axis=1)
    return group.astype(np.int64), centres


def _merge(cluster: Ints, points: Floats, folds: int) -> Ints:
    """Clusters dealt out to folds in the order of their first principal component, so that neighbours are parted."""
    _, cluster = np.unique(cluster, return_inverse=True)
    count = np.bincount(cluster)
    centres = np.stack([np.bincount(cluster, points[:, axis]) / count for axis in range(3)], axis=1)
    away = centres - centres.mean(axis=0)
    first = away @ np.linalg.svd(away, full_matrices=False)[2][0]
    rank = np.empty(len(count), np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(len(count))
    return rank[cluster] % folds


def sample_km(points: Floats, latitude: Floats, longitude: Floats, rng: np.random.Generator) -> Floats:
    """From cells of a map, drawn in proportion to their area, to the nearest place; kilometres, at most 4,000.

    Args:
        points: unit vectors of the places, shape (n, 3).
        latitude: of the cells, shape (m,).
        longitude: of the cells, shape (m,).
        rng: draws the cells.
    """
    share = np.cos(np.radians(latitude)).clip(1e-6)
    drawn = rng.choice(len(latitude), min(len(latitude), 4000), p=share / share.sum())
    chord, _ = tree_of(points).query(unit_vectors(latitude[drawn], longitude[drawn]))
    return arc_km(chord)
