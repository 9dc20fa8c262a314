"""The recipe of an interpolation: frozen dataclasses ← YAML.

A recipe names the two files it stands on and only those settings it changes:

    observations: copepods.parquet
    predictors: environment.nc
    out: maps
    settings: {trees: 500, seed: 7}

A key that does not exist is answered with the nearest one that does.
"""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from aqqua.errors import ConfigError, NotFoundError, UnknownNameError
from aqqua.metadata.safe_yaml import load_yaml

__all__ = ["Recipe", "Settings", "read_recipe", "to_yaml"]


_LEAST = {"folds": 2, "inner_folds": 2, "repeats": 1, "trees": 10, "replicates": 0, "minimum": 1, "seed": 0}


@dataclass(frozen=True)
class Settings:
    """Everything that decides an interpolation but its data.

    Args:
        learners: what is stacked, see `aqqua.maps.interpolate.learners.LEARNERS`.
        schemes: cross-validation schemes side by side: random, blocksN (N degrees), knndm.
        folds: number of folds of every scheme.
        repeats: how often each scheme is drawn anew; scores are averaged.
        block_deg: size of the blocks inside training: for stack, calibration, intervals and bootstrap.
        inner_folds: number of folds inside training; with few, places there have fewer neighbours to learn from than
            in the test, and totals come out too large.
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
    inner_folds: int = 20
    calibration: str = "power"
    trees: int = 300
    replicates: int = 30
    minimum: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        from aqqua.maps.interpolate.calibrate import CALIBRATIONS
        from aqqua.maps.interpolate.folds import block_degrees
        from aqqua.maps.interpolate.learners import known_learners

        for name, least in _LEAST.items():
            if getattr(self, name) < least:
                raise ConfigError(f"{name} is {getattr(self, name)}, at least {least} is needed", where=f"field {name}")
        if not 0.1 <= self.block_deg <= 90:
            raise ConfigError(f"blocks of {self.block_deg:g}° are not possible", where="field block_deg")
        if not self.learners or len(set(self.learners)) < len(self.learners):
            raise ConfigError("learners must be one or more different names", where="field learners")
        for name in self.learners:
            if name not in known_learners():
                raise UnknownNameError("learner", name, known_learners())
        for scheme in self.schemes:
            block_degrees(scheme)
        if self.calibration not in CALIBRATIONS:
            raise UnknownNameError("calibration", self.calibration, CALIBRATIONS)


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
        weight: column of the table that says how much a place counts, such as n_samples; all the same if empty.
        settings: of the interpolation.
    """

    observations: Path
    predictors: Path
    out: Path = Path("maps")
    variables: tuple[str, ...] = ()
    taxa: tuple[str, ...] = ()
    layers: tuple[tuple[float, float], ...] = ()
    weight: str = ""
    settings: Settings = field(default_factory=Settings)

    def __post_init__(self) -> None:
        for upper, lower in self.layers:
            if not 0 <= upper < lower:
                what = f"the layer {upper:g} to {lower:g} m is not one"
                raise ConfigError(what, where="field layers", do="give [upper, lower] in metres, positive downwards")


def read_recipe(path: Path | str) -> Recipe:
    """Read a recipe; paths in it are relative to its folder.

    Raises:
        ConfigError: an unknown key or a value of the wrong type.
        NotFoundError: the file is not there.
    """
    path = Path(path)
    if not path.is_file():
        do = "write one: two lines with `observations: …` and `predictors: …` are enough"
        raise NotFoundError("there is no recipe", where=path, do=do)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError("the recipe is no text in UTF-8", where=path) from error
    values = load_yaml(text, what="the recipe", where=path)
    if not isinstance(values, Mapping):
        raise ConfigError("a recipe is a list of `key: value`", where=path)
    for key in ("observations", "predictors"):
        if key not in values:
            raise ConfigError(f"the recipe does not name its {key}", where=path, do=f"add the line  {key}: FILE")
    recipe: Recipe = _build(Recipe, values, str(path))
    here = {name: path.parent / getattr(recipe, name) for name in ("observations", "predictors", "out")}
    return replace(recipe, **here)


def to_yaml(recipe: Recipe | Settings) -> str:
    """Everything that is set, as YAML."""
    text: str = yaml.safe_dump(_plain(asdict(recipe)), sort_keys=False, allow_unicode=True)
    return text


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, Path) else value


def _build(cls: type[Any], values: Mapping[Any, Any], where: str) -> Any:
    """Make a dataclass from plain values, checking names and types."""
    hints, known = typing.get_type_hints(cls), [f.name for f in fields(cls)]
    for key in values:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1, cutoff=0.0)
            raise ConfigError(f"there is no setting {key!r}", where=where, do=f"did you mean {near[0]!r}?")
    return cls(**{key: _value(hints[key], value, f"{where}, field {key}") for key, value in values.items()})


def _value(hint: Any, value: Any, where: str) -> Any:
    if is_dataclass(hint) and isinstance(hint, type) and isinstance(value, Mapping):
        return _build(hint, value, where)
    if isinstance(hint, types.GenericAlias):
        return _sequence(hint, value, where)
    if hint is Path and isinstance(value, str) and value:
        return Path(value)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if hint is float and number:
        return float(value)
    if (hint is int and number and isinstance(value, int)) or (hint is str and isinstance(value, str)):
        return value
    raise ConfigError(f"{value!r} is not what is expected here ({getattr(hint, '__name__', hint)})", where=where)


def _sequence(hint: types.GenericAlias, value: Any, where: str) -> tuple[Any, ...]:
    """A list of any length of one kind (tuple[str, ...]), or of fixed kinds (tuple[float, float])."""
    kinds = hint.__args__
    endless = len(kinds) == 2 and kinds[1] is Ellipsis
    if not isinstance(value, list) or (not endless and len(value) != len(kinds)):
        expected = "a list, [a, b]" if endless else f"a list of {len(kinds)}"
        raise ConfigError(f"{value!r} is not what is expected here ({expected})", where=where)
    expected_kinds = [kinds[0]] * len(value) if endless else list(kinds)
    return tuple(_value(kind, one, where) for kind, one in zip(expected_kinds, value, strict=True))
