"""Climatologies in miniature, as others publish them: odd axes, units, months, depths."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

__all__ = ["DEPTH", "write_chlorophyll", "write_heights", "write_profile"]

DEPTH = np.array([0.0, 10, 20, 50, 100, 200, 300, 500])


def write_profile(path: Path, name: str, surface: float, per_m: float, *, unit: str, month: int | None = None) -> Path:
    """A quantity that changes with depth, after the World Ocean Atlas: 10° cells, falling latitudes, 0 to 360°.

    The northernmost row is land; in the row below the sea floor lies at 100 m.
    """
    latitude, longitude = np.arange(85.0, -90, -10), np.arange(5.0, 360, 10)
    values = np.broadcast_to((surface + per_m * DEPTH)[:, None, None], (8, 18, 36)).copy() + (month or 0)
    values[:, 0] = np.nan
    values[5:, 1] = np.nan
    depth = xr.Variable("depth", DEPTH, {"units": "meters", "positive": "down"})
    axes: dict[str, Any] = {"time": ("time", [366.0], {"units": "months since 1955-01-01"}), "depth": depth}
    axes |= {"lat": ("lat", latitude, {"units": "degrees_north"}), "lon": ("lon", longitude, {"units": "degrees_east"})}
    field = (("time", "depth", "lat", "lon"), values[None], {"units": unit})
    other = (("time", "depth", "lat", "lon"), values[None] * 0, {"units": unit})
    made = xr.Dataset({f"{name}_an": field, f"{name}_mn": other}, axes)
    made.to_netcdf(path, engine="h5netcdf")
    return path


def write_chlorophyll(path: Path) -> Path:
    """Twelve months of chlorophyll on 5° cells: 0.1 mg m⁻³ in January, ten times as much in July, none under land."""
    values = np.full((12, 36, 72), 0.1)
    values[6] = 1.0
    values[:, :2] = np.nan
    where = {"latitude": np.arange(-87.5, 90, 5), "longitude": np.arange(-177.5, 180, 5), "month": np.arange(1, 13)}
    field = (("month", "latitude", "longitude"), values, {"units": "mg m^-3"})
    xr.Dataset({"chlor_a": field}, where).to_netcdf(path, engine="h5netcdf")
    return path


def write_heights(path: Path) -> Path:
    """Heights on 2° cells: the north is 500 m high, the south 4,000 m deep."""
    latitude = np.arange(-89.0, 90, 2)
    heights = np.broadcast_to(np.where(latitude > 0, 500.0, -4000.0)[:, None], (90, 180))
    where = {"lat": latitude, "lon": np.arange(-179.0, 180, 2)}
    xr.Dataset({"z": (("lat", "lon"), heights, {"units": "m"})}, where).to_netcdf(path, engine="h5netcdf")
    return path
