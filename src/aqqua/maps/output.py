"""Maps as files that others read: NetCDF 4 and Zarr v3 after the CF conventions 1.11, with where they come from inside.

A file holds one or several taxa in one or several layers (and months): `mean`, `median`, `q05`, `q95` of what is
expected, `sd_sampling` and `sd_model`, the `dissimilarity` to what was sampled, `aoa` (1 inside the area of
applicability), `distance_km` to the nearest sample, and `n_obs`, the observations of a cell.

Source: CF Metadata Conventions 1.11, https://cfconventions.org, section 6.1.2 for names of taxa.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from aqqua.errors import ConfigError, FormatError
from aqqua.maps.cube import EARTH_RADIUS_M
from aqqua.maps.netcdf import open_gridded, read_gridded, write_gridded, xarray

if TYPE_CHECKING:
    import polars as pl
    import xarray as xr

__all__ = ["VARIABLES", "assemble", "data_hash", "join_maps", "read_maps", "titles_of", "write_maps"]

CONVENTIONS = "CF-1.11"
Key = tuple[str, tuple[float, float], int | None]
"""Taxon, limits of the layer in metres, and month (None: the year)."""

VARIABLES = {
    "mean": ("unit", "expected value"),
    "median": ("unit", "median of what a new observation may be"),
    "q05": ("unit", "5th percentile of what a new observation may be"),
    "q95": ("unit", "95th percentile of what a new observation may be"),
    "sd_sampling": (
        "unit",
        "standard deviation of the mean from the choice of sampled places (spatial block bootstrap)",
    ),
    "sd_model": ("unit", "standard deviation of the mean between learners"),
    "dissimilarity": ("1", "dissimilarity of the environment to sampled environments (Meyer and Pebesma 2021)"),
    "aoa": ("1", "whether the cell lies inside the area of applicability (Meyer and Pebesma 2021)"),
    "distance_km": ("km", "great-circle distance to the nearest sample"),
    "n_obs": ("1", "number of observations in the cell"),
}
"""Variables of a file: unit ("unit": that of the observations) and meaning."""

_STANDARD = {
    "m-3": "number_concentration_of_biological_taxon_in_sea_water",
    "mg m-3": "mass_concentration_of_biological_taxon_expressed_as_carbon_in_sea_water",
}
_WHOLE = {"aoa": np.int8, "n_obs": np.int32}
_NOWHERE = -1  # of whole numbers, on land
_LEARNT = ("dissimilarity", "aoa", "distance_km", "n_obs")


def assemble(pieces: Mapping[Any, xr.Dataset], about: Mapping[str, Any], *, unit: str = "1") -> xr.Dataset:
    """Put the maps of single taxa, layers and months together as one dataset.

    Args:
        pieces: taxon, layer and month (see `Key`) → variables by latitude and longitude, all on the same grid.
        about: where they come from: `data_hash`, `seed`, `recipe` and whatever else; kept as global attributes.
        unit: of the observations, as UDUNITS write it ("mg m-3").

    Returns:
        Dimensions taxon, layer, latitude, longitude (and month after layer, if pieces have months).

    Raises:
        ConfigError: there are no pieces, or they lie on different grids.
        FormatError: a variable is missing.
    """
    if not pieces:
        raise ConfigError("there are no maps to write", do="choose taxa and layers that were observed")
    taxa, layers = list(dict.fromkeys(key[0] for key in pieces)), sorted({key[1] for key in pieces})
    months = sorted({key[2] for key in pieces if key[2] is not None})
    first = next(iter(pieces.values()))
    latitude, longitude = first["latitude"].values, first["longitude"].values
    leading = ["taxon", "layer", *(["month"] if months else [])]
    shape = (len(taxa), len(layers), *([len(months)] if months else []), len(latitude), len(longitude))
    values = {name: _empty(name, shape) for name in VARIABLES}
    for (taxon, layer, month), piece in pieces.items():
        _same_grid(piece, latitude, longitude, taxon)
        place = (taxa.index(taxon), layers.index(layer), *([months.index(month)] if month is not None else []))
        for name, array in values.items():
            array[place] = _values(piece, name)
    axes = (*leading, "latitude", "longitude")
    fields = {name: (axes, array, _attributes(name, unit)) for name, array in values.items()}
    dataset = xarray("maps").Dataset(fields, attrs=_global(about, unit))
    return _placed(dataset, taxa, layers, months, latitude, longitude)


def write_maps(maps: xr.Dataset, path: Path | str) -> Path:
    """Write maps as NetCDF 4 (`….nc`) or Zarr v3 (`….zarr`), whole or not at all.

    Raises:
        ConfigError: the name ends in neither.
        StorageError: the disk is full or refuses.
    """
    encoding: dict[str, dict[str, Any]] = {}
    ready = maps.copy()
    for key, variable in maps.variables.items():
        name = str(key)
        if name in _WHOLE:
            encoding[name] = {"_FillValue": _WHOLE[name](_NOWHERE), "zlib": True, "complevel": 4}
        elif name in VARIABLES:
            encoding[name] = {"_FillValue": np.float32(np.nan), "zlib": True, "complevel": 4, "shuffle": True}
        elif variable.dtype.kind == "f":
            encoding[name] = {"_FillValue": None}
    if Path(path).suffix == ".zarr":
        for name, packed in encoding.items():
            ready[name].encoding = {key: value for key, value in packed.items() if key == "_FillValue"}
        ready["taxon_name"] = ready["taxon_name"].astype(object)  # text of any length is what Zarr v3 has a rule for
    return write_gridded(ready, path, encoding=encoding)


def read_maps(path: Path | str) -> xr.Dataset:
    """Read maps that `write_maps` wrote.

    Raises:
        NotFoundError: there is nothing.
        FormatError: there are no maps in it.
    """
    maps = read_gridded(path)
    missing = [name for name in ("mean", "taxon_name", "layer_min_m", "layer_max_m") if name not in maps.variables]
    if missing:
        do = "give a file that aqqua map interpolate wrote"
        raise FormatError(f"there are no maps in this file: it has no {missing[0]}", where=path, do=do)
    for name, kind in _WHOLE.items():
        if name in maps and maps[name].dtype.kind == "f":
            maps[name] = maps[name].fillna(_NOWHERE).astype(kind)
    for variable in maps.variables.values():
        variable.encoding = {}
    named = maps["taxon_name"]
    return maps.assign_coords(taxon_name=("taxon", [str(name) for name in named.values], named.attrs))


def titles_of(path: Path | str) -> list[tuple[str, int, int]]:
    """The maps of a file without reading them: taxon and layer in words, and the numbers of both.

    Raises:
        NotFoundError, FormatError: there is no file with maps.
    """
    with open_gridded(path) as maps:
        if "taxon_name" not in maps.variables or "layer_min_m" not in maps.variables:
            do = "give a file that aqqua map interpolate wrote"
            raise FormatError("there are no maps in this file", where=path, do=do)
        taxa = [str(name) for name in maps["taxon_name"].values]
        limits = zip(maps["layer_min_m"].values, maps["layer_max_m"].values, strict=True)
        layers = [f"{low:g}–{high:g} m" for low, high in limits]
    return [(f"{taxon}, {layer}", i, j) for i, taxon in enumerate(taxa) for j, layer in enumerate(layers)]


def join_maps(several: Sequence[xr.Dataset]) -> xr.Dataset:
    """Maps of several taxa, each made by itself (one shard each), as one dataset.

    Raises:
        ConfigError: there are none, or they lie on different grids or layers.
    """
    if not several:
        raise ConfigError("there are no maps to join", do="give at least one")
    for one in several[1:]:
        same = all(np.array_equal(one[name].values, several[0][name].values) for name in ("latitude", "longitude"))
        if not same or not np.array_equal(one["layer_min_m"].values, several[0]["layer_min_m"].values):
            raise ConfigError("the maps lie on different grids or layers", do="make them with one predictor cube")
    joined: xr.Dataset = xarray("maps").concat(
        several, dim="taxon", data_vars="minimal", coords="minimal", compat="override", combine_attrs="override"
    )
    return joined


def data_hash(table: pl.DataFrame) -> str:
    """SHA-256 of an observation table, the same for the same rows in any order: "sha256:…"."""
    rows = table.select(sorted(table.columns)).write_csv(include_header=False, float_precision=9).splitlines()
    head = ",".join(sorted(table.columns))
    return "sha256:" + hashlib.sha256("\n".join([head, *sorted(rows)]).encode()).hexdigest()


def _empty(name: str, shape: tuple[int, ...]) -> np.ndarray:
    if name in _WHOLE:
        return np.full(shape, _NOWHERE, _WHOLE[name])
    return np.full(shape, np.nan, np.float32)


def _values(piece: xr.Dataset, name: str) -> np.ndarray:
    if name not in piece:
        raise FormatError(f"the map has no {name}", do="predict it again")
    values = np.array(piece[name].transpose("latitude", "longitude").values)
    if name not in _WHOLE:
        return np.asarray(values, np.float32)
    known = np.isfinite(piece["mean"].transpose("latitude", "longitude").values)
    counted: np.ndarray = np.where(known, np.nan_to_num(values.astype(float), nan=_NOWHERE), _NOWHERE)
    whole: np.ndarray = counted.astype(_WHOLE[name])
    return whole


def _same_grid(piece: xr.Dataset, latitude: np.ndarray, longitude: np.ndarray, taxon: str) -> None:
    same = np.array_equal(piece["latitude"].values, latitude) and np.array_equal(piece["longitude"].values, longitude)
    if not same:
        raise ConfigError("the maps lie on different grids", where=taxon, do="make them with one predictor cube")


def _attributes(name: str, unit: str) -> dict[str, Any]:
    own, meaning = VARIABLES[name]
    told: dict[str, Any] = {"long_name": meaning, "units": unit if own == "unit" else own, "grid_mapping": "crs"}
    if name in {"mean", "median"} and unit in _STANDARD:
        told["standard_name"] = _STANDARD[unit]
    if name == "mean":
        told["cell_methods"] = "area: mean depth: mean"
        told["ancillary_variables"] = " ".join(other for other in VARIABLES if other != "mean")
    if name == "aoa":
        told["flag_values"] = np.array([0, 1], np.int8)
        told["flag_meanings"] = "outside inside"
        del told["units"]
    return told


def _placed(
    dataset: xr.Dataset,
    taxa: Sequence[str],
    layers: Sequence[tuple[float, float]],
    months: Sequence[int],
    latitude: np.ndarray,
    longitude: np.ndarray,
) -> xr.Dataset:
    """With coordinates and their bounds."""
    limits = np.array(layers, float)
    north = {"standard_name": "latitude", "units": "degrees_north", "axis": "Y", "bounds": "latitude_bounds"}
    east = {"standard_name": "longitude", "units": "degrees_east", "axis": "X", "bounds": "longitude_bounds"}
    down = {"standard_name": "depth", "units": "m", "positive": "down", "axis": "Z", "bounds": "depth_bounds"}
    named = {"standard_name": "biological_taxon_name", "long_name": "name of the taxon"}
    coordinates: dict[str, Any] = {
        "latitude": ("latitude", latitude, north),
        "longitude": ("longitude", longitude, east),
        "depth": ("layer", limits.mean(axis=1), down | {"long_name": "middle of the depth layer"}),
        "layer_min_m": ("layer", limits[:, 0], {"units": "m", "long_name": "upper limit of the depth layer"}),
        "layer_max_m": ("layer", limits[:, 1], {"units": "m", "long_name": "lower limit of the depth layer"}),
        "taxon_name": ("taxon", list(taxa), named),
    }
    if months:
        told = {"units": "1", "long_name": "month of the year, 1 is January"}
        coordinates["month"] = ("month", np.asarray(months, np.int32), told)
    others: dict[str, Any] = {
        "latitude_bounds": (("latitude", "bound"), _bounds(latitude, 90.0)),
        "longitude_bounds": (("longitude", "bound"), _bounds(longitude, 180.0)),
        "depth_bounds": (("layer", "bound"), limits),
        "crs": ((), np.int32(0), {"grid_mapping_name": "latitude_longitude", "earth_radius": EARTH_RADIUS_M}),
    }
    return dataset.assign_coords(coordinates).assign(others)


def _bounds(centres: np.ndarray, most: float) -> np.ndarray:
    half = (centres[1] - centres[0]) / 2
    return np.asarray(np.clip(np.stack([centres - half, centres + half], axis=1), -most, most))


def _global(about: Mapping[str, Any], unit: str) -> dict[str, str]:
    """Global attributes; what is not text becomes JSON."""
    from datetime import UTC, datetime

    from aqqua import __version__

    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    told = {
        "Conventions": CONVENTIONS,
        "title": "Interpolated distribution of plankton and particles",
        "source": f"statistical interpolation of observations with environmental predictors, aqqua {__version__}",
        "history": f"{now} aqqua {__version__} map interpolate",
        "references": "https://aqqua.readthedocs.io",
        "comment": "Values outside the area of applicability (aoa = 0) extrapolate: do not use them without a look.",
        "observations_units": unit,
        "aqqua_version": __version__,
    }
    given = {key: value if isinstance(value, str) else json.dumps(value, default=str) for key, value in about.items()}
    return told | given
