"""Build a cube of predictors from local files (verb `aqqua map env build`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from aqqua.errors import ConfigError
from aqqua.maps.cube import make_cube, read_cube, write_cube
from aqqua.maps.environment.gridded import Quantity, parse_source, read_quantity, regrid
from aqqua.maps.environment.layers import layer_mean
from aqqua.maps.environment.quantities import in_cube_units
from aqqua.maps.environment.surroundings import coast_distance_km
from aqqua.maps.environment.water import water_column

__all__ = ["EnvReport", "build", "describe"]

Layers = Sequence[tuple[float, float]]
_PROFILE = ("month", "depth", "latitude", "longitude")


@dataclass(frozen=True)
class EnvReport:
    """What the cube holds.

    Args:
        path: of the cube.
        lines: a line per predictor: name, unit, range, share of the sea it is known in.
        notes: what was done to units and gaps.
    """

    path: Path
    lines: list[str]
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """A few lines for people."""
        return "\n".join([*self.lines, *self.notes, str(self.path)])


@dataclass
class _Grid:
    """The grid of the cube, and what has been put on it."""

    latitude: np.ndarray
    longitude: np.ndarray
    layers: Layers
    by_month: bool
    variables: dict[str, tuple[tuple[str, ...], np.ndarray, dict[str, str]]] = field(default_factory=dict)
    profiles: dict[str, tuple[np.ndarray, np.ndarray, str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def build(
    sources: Sequence[str],
    out: Path | str,
    *,
    res: float = 1.0,
    layers: Layers = ((0.0, 200.0), (200.0, 500.0)),
    time: Literal["annual", "month"] = "annual",
    coast: bool = True,
) -> EnvReport:
    """Read quantities from files, put them on one grid, take layer means, and write the cube.

    With temperature and salinity by depth, density, stratification and the mixed layer come of themselves.

    Args:
        sources: "temperature=FILE.nc" or "temperature=FILE.nc:VARIABLE"; `{month}` in a path stands for 01 to 12.
        out: the cube (`.nc` or `.zarr`).
        res: size of cells in degrees.
        layers: upper and lower limit of depth layers in metres.
        time: "annual" takes the mean of months, "month" keeps them.
        coast: add the distance to the coast.

    Raises:
        ConfigError: a source is not named, or is named twice; a unit is not known.
        NotFoundError, FormatError, UnknownNameError: a file is not what it should be.
    """
    named = [parse_source(text) for text in sources]
    if not named:
        raise ConfigError("there are no sources", do="write temperature=FILE.nc salinity=FILE.nc …")
    if len({name for name, _, _ in named}) < len(named):
        raise ConfigError("a quantity is named twice", do="name each quantity once")
    if not 0 < res <= 30 or abs(180 / res - round(180 / res)) > 1e-9:
        raise ConfigError(f"cells of {res:g}° do not fill the globe", where="--res", do="take 1, 0.5, 0.25, 2, 5 …")
    grid = _Grid(np.arange(-90 + res / 2, 90, res), np.arange(-180 + res / 2, 180, res), layers, time == "month")
    for name, path, variable in named:
        _add(grid, name, read_quantity(path, variable))
    _add_water(grid)
    if coast:
        _add_coast(grid)
    months = range(1, 13) if any("month" in axes for axes, _, _ in grid.variables.values()) else None
    cube = make_cube(grid.variables, grid.latitude, grid.longitude, list(layers), months)
    return EnvReport(write_cube(cube, out), [_line(cube, str(name)) for name in cube.data_vars], grid.notes)


def describe(path: Path | str) -> EnvReport:
    """What a cube holds, a line per predictor.

    Raises:
        NotFoundError, FormatError: there is no cube.
    """
    cube = read_cube(path)
    return EnvReport(Path(path), [_line(cube, str(name)) for name in cube.data_vars])


def _add(grid: _Grid, name: str, quantity: Quantity) -> None:
    values, known, told = in_cube_units(name, quantity)
    same = Quantity(
        values,
        quantity.latitude,
        quantity.longitude,
        quantity.depth,
        quantity.months,
        known.unit,
        quantity.source,
    )
    placed = regrid(same, grid.latitude, grid.longitude)
    if told:
        grid.notes.append(f"{name}: {told}")
    if not grid.by_month and placed.shape[0] > 1:
        placed = _year(placed)
    source = f"{quantity.source}{f' ({told})' if told else ''}"
    if quantity.depth is None or placed.shape[1] == 1:
        _put(grid, known.name, placed[:, 0], known.unit, known.meaning, source, layered=False)
        return
    if name in {"temperature", "salinity"}:
        grid.profiles[name] = (placed, quantity.depth, quantity.source)
    means = np.stack([layer_mean(placed, quantity.depth, *layer) for layer in grid.layers])
    _put(grid, known.name, means, known.unit, f"{known.meaning}, mean of the layer", source, layered=True)


def _year(placed: np.ndarray) -> np.ndarray:
    """The mean of the months that are known."""
    known = np.isfinite(placed)
    count = known.sum(axis=0)
    mean = np.where(known, placed, 0).sum(axis=0) / np.maximum(count, 1)
    return np.asarray(np.where(count > 0, mean, np.nan)[None])


def _put(grid: _Grid, name: str, values: np.ndarray, unit: str, meaning: str, source: str, *, layered: bool) -> None:
    """Values as ([layer,] month, latitude, longitude), without an axis of months where there is but one."""
    axis = 1 if layered else 0
    monthly = values.shape[axis] > 1
    axes = (*(["layer"] if layered else []), "latitude", "longitude", *(["month"] if monthly else []))
    moved = np.moveaxis(values, axis, -1) if monthly else np.take(values, 0, axis=axis)
    grid.variables[name] = (axes, moved, {"units": unit, "long_name": meaning, "source": source})


def _add_water(grid: _Grid) -> None:
    """Density, stratification and mixed layer, if temperature and salinity are known by depth."""
    if set(grid.profiles) != {"temperature", "salinity"}:
        return
    (warm, depth, first), (salt, other, second) = grid.profiles["temperature"], grid.profiles["salinity"]
    if not np.array_equal(depth, other) or (warm.shape[0] not in {1, salt.shape[0]} and salt.shape[0] != 1):
        grid.notes.append("no mixed layer: temperature and salinity have other depths or months")
        return
    months = max(warm.shape[0], salt.shape[0])
    column = water_column(
        np.broadcast_to(warm, (months, *warm.shape[1:])),
        np.broadcast_to(salt, (months, *salt.shape[1:])),
        depth,
        grid.latitude,
        grid.longitude,
    )
    source = f"TEOS-10 from {first} and {second}"
    sigma = np.stack([layer_mean(column.sigma0, depth, *layer) for layer in grid.layers])
    _put(grid, "sigma0_kg_m3", sigma, "kg m-3", "potential density anomaly, mean of the layer", source, layered=True)
    stable = np.stack([layer_mean(column.n2, column.between_m, *layer) for layer in grid.layers])
    _put(
        grid,
        "stratification_per_s2",
        stable,
        "s-2",
        "squared buoyancy frequency, mean of the layer",
        source,
        layered=True,
    )
    meaning = "mixed layer depth (0.03 kg m-3 denser than at 10 m)"
    _put(grid, "mixed_layer_m", column.mixed_m, "m", meaning, source, layered=False)


def _add_coast(grid: _Grid) -> None:
    """Distance to the coast, where anything else is known."""
    sea = np.zeros((len(grid.latitude), len(grid.longitude)), bool)
    for axes, values, _ in grid.variables.values():
        others = tuple(number for number, axis in enumerate(axes) if axis not in {"latitude", "longitude"})
        sea |= np.isfinite(values).any(axis=others)
    distance = np.where(sea, coast_distance_km(grid.latitude, grid.longitude), np.nan)
    told = "great-circle distance to the coast, GLOBE elevation model (NOAA), 0.1 degree"
    _put(grid, "coast_km", distance[None], "km", "distance to the coast", told, layered=False)


def _line(cube: Any, name: str) -> str:
    """Name, unit, range, and where it is known."""
    values = cube[name].values
    known = np.isfinite(values)
    unit = cube[name].attrs.get("units", "")
    if not known.any():
        return f"{name:24} known nowhere"
    low, high = np.percentile(values[known], [1, 99])
    axes = ", ".join(axis for axis in ("layer", "month") if axis in cube[name].dims) or "one for all"
    return f"{name:24} {low:10.4g} to {high:10.4g} {unit:14} {known.mean():5.0%} of cells, by {axes}"
