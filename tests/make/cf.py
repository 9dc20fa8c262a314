"""A reader's check of the CF conventions 1.11, for what our files use of them.

No checker is installed here, so the rules stand below with the number of their section; the file is read with h5py,
not with what wrote it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import h5py
import numpy as np

__all__ = ["cf_faults"]

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
STANDARD_NAMES = {
    "latitude",
    "longitude",
    "depth",
    "biological_taxon_name",
    "number_concentration_of_biological_taxon_in_sea_water",
    "mass_concentration_of_biological_taxon_expressed_as_carbon_in_sea_water",
}
UNITS = {"1", "m", "km", "m-3", "mg m-3", "mg m-2 d-1", "mm3 m-3", "degrees_north", "degrees_east"}
AXES = {"X": "longitude", "Y": "latitude", "Z": "depth"}
GLOBAL = ("title", "source", "history", "references", "comment")
HIDDEN = {"CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST", "_Netcdf4Dimid", "_Netcdf4Coordinates", "_NCProperties"}


def cf_faults(path: Path) -> list[str]:
    """What is against the conventions, in words; nothing if all is well."""
    with h5py.File(path) as file:
        variables = {name: node for name, node in file.items() if isinstance(node, h5py.Dataset) and _is_variable(node)}
        faults = _about_the_file(file)
        for name, node in variables.items():
            faults += [f"{name}: {fault}" for fault in _about(name, node, variables)]
        return faults


def _is_variable(node: Any) -> bool:
    """A dimension without a coordinate is stored as a dataset, too."""
    return b"This is a netCDF dimension but not a netCDF variable" not in bytes(node.attrs.get("NAME", b""))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _dimensions(node: Any) -> list[str]:
    if "DIMENSION_LIST" in node.attrs:
        return [_text(node.file[refs[0]].name).lstrip("/") for refs in node.attrs["DIMENSION_LIST"]]
    return [node.name.lstrip("/")] if node.ndim == 1 else []


def _about_the_file(file: Any) -> list[str]:
    faults = []
    if "CF-1.11" not in _text(file.attrs.get("Conventions", "")):  # 2.6.1
        faults.append("Conventions does not name CF-1.11")
    for name in GLOBAL:  # 2.6.2
        if not isinstance(file.attrs.get(name), (str, bytes)) or not _text(file.attrs[name]).strip():
            faults.append(f"global attribute {name} is no text")
    return faults


def _about(name: str, node: Any, variables: dict[str, Any]) -> list[str]:
    attributes = {key: value for key, value in node.attrs.items() if key not in HIDDEN}
    faults = [f"bad name {one}" for one in (name, *attributes) if not NAME.fullmatch(one.lstrip("_"))]  # 2.3
    dimensions = _dimensions(node)
    if len(set(dimensions)) != len(dimensions):  # 2.4
        faults.append("a dimension occurs twice")
    is_bounds = any(_text(other.attrs.get("bounds", "")) == name for other in variables.values())
    is_mapping = "grid_mapping_name" in attributes
    text = node.dtype.kind in "OSU"
    if not is_bounds and not is_mapping:  # 3.1, 3.5: flags and text have no units
        unit = _text(attributes.get("units", ""))
        if unit not in UNITS and not text and "flag_values" not in attributes:
            faults.append(f"unknown units {unit!r}")
        if not {"long_name", "standard_name"} & set(attributes):  # 3.2, 3.3
            faults.append("neither long_name nor standard_name")
    standard = _text(attributes.get("standard_name", ""))
    if standard and standard not in STANDARD_NAMES:
        faults.append(f"unknown standard name {standard}")
    return faults + _fills(node, attributes) + _links(name, node, attributes, variables, dimensions)


def _fills(node: Any, attributes: dict[str, Any]) -> list[str]:
    faults = []
    if "_FillValue" in attributes and np.asarray(attributes["_FillValue"]).dtype != node.dtype:  # 2.5.1
        faults.append("_FillValue has another type than the data")
    if "flag_values" in attributes:  # 3.5
        if len(attributes["flag_values"]) != len(_text(attributes.get("flag_meanings", "")).split()):
            faults.append("flag_values and flag_meanings differ in number")
        if attributes["flag_values"].dtype != node.dtype:
            faults.append("flag_values have another type than the data")
    return faults


def _links(
    name: str, node: Any, attributes: dict[str, Any], variables: dict[str, Any], dimensions: list[str]
) -> list[str]:
    faults = []
    for key in ("ancillary_variables", "coordinates", "grid_mapping", "bounds"):  # 3.4, 5, 5.6, 7.1
        for other in _text(attributes.get(key, "")).split():
            if other not in variables:
                faults.append(f"{key} names {other}, which is not there")
    if "bounds" in attributes:  # 7.1
        bounds = variables[_text(attributes["bounds"])]
        if bounds.shape != (*node.shape, 2):
            faults.append("bounds have another shape")
        elif not ((bounds[:, 0] <= node[:]) & (node[:] <= bounds[:, 1])).all():
            faults.append("bounds do not lie around their coordinate")
    axis = _text(attributes.get("axis", ""))
    if axis and _text(attributes.get("standard_name", "")) != AXES.get(axis):  # 4
        faults.append(f"axis {axis} is another thing")
    if axis == "Z" and _text(attributes.get("positive", "")) not in {"up", "down"}:  # 4.3
        faults.append("a vertical axis does not say where it points")
    if dimensions == [name]:  # 1.3: a coordinate variable is numeric, monotonic, without gaps
        steps = np.diff(node[:]) if node.dtype.kind in "fiu" else np.zeros(1)
        if node.dtype.kind not in "fiu" or not ((steps > 0).all() or (steps < 0).all()):
            faults.append("a coordinate variable is not monotonic")
        if "_FillValue" in attributes:
            faults.append("a coordinate variable has a _FillValue")
    if {"latitude", "longitude"} <= set(dimensions) and "grid_mapping" not in attributes:
        faults.append("no grid mapping")
    return faults
