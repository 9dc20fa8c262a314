"""The recipe of an interpolation: frozen dataclasses ← YAML.

A recipe names the two files it stands on and only those settings it changes:

    observations: copepods.parquet
    predictors: environment.nc
    out: maps
    settings: {trees: 500, seed: 7}

A key that does not exist is answered with the nearest one that does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Recipe", "Settings", "read_recipe"]


@dataclass(frozen=True)
class Settings:
    """Everything that decides an interpolation but its data.

    Args:
        learners: what is stacked, see `aqqua.maps.interpolate.learners.LEARNERS`.
        schemes: cross-validation schemes side by side: random, blocksN (N degrees), knndm.
        folds: number of folds of every scheme.
        repeats: how often each scheme is drawn anew; scores are averaged.
        block_deg: size of the blocks inside training: for stack, calibration, intervals and bootstrap.
        inner_folds: number of folds inside training.
        calibration: of the mean: "power", "ratio", "smearing", "isotonic" or "none".
        trees: of each forest.
        replicates: block bootstraps behind sd_sampling and the intervals of totals.
        minimum: fewest places with a value above zero that are interpolated.
        seed: the same seed and data give the same map.
    """

    learners: tuple[str, ...] = ("rf_log", "et_log", "gp_log", "hgb_log", "xgb_tweedie", "gam_log")
    schemes: tuple[str, ...] = ("random", "blocks10", "blocks30", "knndm")
    folds: int = 5
    repeats: int = 1
    block_deg: float = 10.0
    inner_folds: int = 5
    calibration: str = "power"
    trees: int = 300
    replicates: int = 30
    minimum: int = 20
    seed: int = 0


@dataclass(frozen=True)
class Recipe:
    """An interpolation from files to files.

    Args:
        observations: observation table (Parquet or CSV), see `aqqua map grid`.
        predictors: predictor cube (NetCDF or Zarr), see `aqqua map env`.
        out: folder for the results.
        variables: predictors to use; all of the cube if empty.
        taxa: taxa to map; all of the table if empty.
        layers: depth layers in metres, [[0, 200]]; all of the table if empty.
        settings: of the interpolation.
    """

    observations: Path
    predictors: Path
    out: Path = Path("maps")
    variables: tuple[str, ...] = ()
    taxa: tuple[str, ...] = ()
    layers: tuple[tuple[float, float], ...] = ()
    settings: Settings = field(default_factory=Settings)


def read_recipe(path: Path | str) -> Recipe:
    """Read a recipe; paths in it are relative to its folder.

    Raises:
        ConfigError: an unknown key or a value of the wrong type.
        NotFoundError: the file is not there.
    """
    raise NotImplementedError
