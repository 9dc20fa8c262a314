"""Carbon of an organism or particle from its size: one table of allometric equations, each row with its evidence.

`carbon.csv` holds the equations, one a row: taxon, size it is from, a, b, units, range of sizes it was measured on,
uncertainty, citation, DOI, and whether the numbers were seen where they come from (`checked`) or only in a later
table (`unchecked`). A row says carbon = a · sizeᵇ in its own units; what comes out here is always milligrams.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aqqua.errors import ConfigError, NotFoundError
from aqqua.metadata.taxa import builtin, clean

__all__ = ["Allometry", "Carbon", "carbon_mg", "load_allometry", "reference", "row_of"]

Quantity = Literal["biovolume", "area"]
_PER_UNIT = {"mm3": 1.0, "um3": 1e9, "mm2": 1.0, "um2": 1e6}
"""How many of the unit are in one mm³ or mm²."""
_IN_MG = {"mg": 1.0, "ug": 1e-3, "pg": 1e-9}
_QUANTITY_UNITS = {"biovolume": ("mm3", "um3"), "area": ("mm2", "um2")}
_MAX_BYTES = 1 << 20


@dataclass(frozen=True)
class Allometry:
    """One equation: result = a · sizeᵇ, in the units named.

    Args:
        row: short name of the row.
        use: "default", or "alternative" for one that has to be asked for.
        taxon: accepted name or category; everything below it in the tree inherits the row.
        aphia_id: identifier in WoRMS where it is certain.
        quantity: what the size is: the biovolume, or the area of the outline.
        a: factor.
        b: exponent.
        size_unit: unit of the size.
        result: "carbon", or "dry weight".
        result_unit: unit of the result.
        carbon_fraction: carbon as a share of the result (1 for carbon).
        size_min: smallest size measured, in `size_unit`; None where nobody says.
        size_max: largest size measured.
        factor: 95 % of single organisms are taken to lie within value / factor … value · factor.
        factor_from: "published", or "assumed".
        status: "checked": numbers and units seen in the paper or in independent uses of it; else "unchecked".
        source: citation.
        doi: DOI of the source, empty where it was not seen.
        evidence: how the numbers came here.
    """

    row: str
    use: str
    taxon: str
    aphia_id: int | None
    quantity: str
    a: float
    b: float
    size_unit: str
    result: str
    result_unit: str
    carbon_fraction: float
    size_min: float | None
    size_max: float | None
    factor: float
    factor_from: str
    status: str
    source: str
    doi: str
    evidence: str

    def mg(self, size: NDArray[np.float64]) -> NDArray[np.float64]:
        """Milligrams of carbon of sizes in mm³ (or mm²), (n,)."""
        own = size * _PER_UNIT[self.size_unit]
        return np.asarray(self.a * own**self.b * _IN_MG[self.result_unit] * self.carbon_fraction, dtype=np.float64)

    def outside(self, size: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Where sizes in mm³ (or mm²) are beyond what was measured, (n,)."""
        own = size * _PER_UNIT[self.size_unit]
        low = -math.inf if self.size_min is None else self.size_min
        high = math.inf if self.size_max is None else self.size_max
        return np.asarray((own < low) | (own > high))


@dataclass(frozen=True)
class Carbon:
    """Carbon of n organisms.

    Args:
        value: milligrams each, (n,); NaN where the taxon has no equation or the size is not positive.
        lo: lower end of the interval for a single organism, (n,).
        hi: upper end, (n,).
        source: name of the row of the table used, "" for none, (n,).
        extrapolated: size beyond those the equation was measured on, (n,).
    """

    value: NDArray[np.float64]
    lo: NDArray[np.float64]
    hi: NDArray[np.float64]
    source: NDArray[np.str_]
    extrapolated: NDArray[np.bool_]


def carbon_mg(
    taxon: str | Sequence[str],
    size: ArrayLike,
    *,
    quantity: Quantity = "biovolume",
    table: Path | None = None,
) -> Carbon:
    """Carbon of organisms from their biovolume (or area), by the equation of the nearest taxon above them.

    Args:
        taxon: accepted name or label of all, or of each of the n.
        size: biovolume in mm³ (or area of the outline in mm², see `quantity`), (n,).
        quantity: "biovolume" or "area".
        table: your own table in the form of `carbon.csv`, instead of the built-in one.

    Returns:
        Value and interval in milligrams, the row used, and where it is an extrapolation.

    Raises:
        ConfigError: numbers of taxa and sizes differ, or the table has a wrong entry.

    Example:
        >>> found = carbon_mg("Calanoida", [0.1, 1.0])
        >>> found.value.round(4).tolist(), found.source[0].item()
        ([0.007, 0.0703], 'copepoda')
    """
    sizes = np.atleast_1d(np.asarray(size, dtype=np.float64))
    names = np.array([taxon] if isinstance(taxon, str) else list(taxon), dtype=object)
    if len(names) not in {1, len(sizes)}:
        raise ConfigError(f"{len(names)} taxa for {len(sizes)} sizes", do="give one taxon, or one for each size")
    rows = load_allometry(table)
    value, factor = np.full(sizes.shape, np.nan), np.full(sizes.shape, np.nan)
    source, beyond = np.full(sizes.shape, "", dtype="U64"), np.zeros(sizes.shape, dtype=bool)
    with np.errstate(invalid="ignore"):
        good = np.isfinite(sizes) & (sizes > 0)
    for name in dict.fromkeys(names):
        found = row_of(str(name), quantity, rows)
        here = good & (names == name if len(names) > 1 else True)
        if found is None or not here.any():
            continue
        value[here], factor[here], source[here] = found.mg(sizes[here]), found.factor, found.row
        beyond[here] = found.outside(sizes[here])
    return Carbon(value, value / factor, value * factor, source, beyond)


def row_of(taxon: str, quantity: Quantity = "biovolume", rows: tuple[Allometry, ...] | None = None) -> Allometry | None:
    """The equation of a taxon: its own, or that of the nearest taxon above it.

    Args:
        taxon: accepted name or label, or the name of a row (to choose an alternative).
        quantity: what the size is.
        rows: the table; None: the built-in one.

    Returns:
        The row, None where no ancestor has one (artefacts, bubbles, names nobody knows).
    """
    rows = load_allometry() if rows is None else rows
    for each in rows:
        if each.row == taxon and each.quantity == quantity:
            return each
    own = {clean(each.taxon): each for each in rows if each.use == "default" and each.quantity == quantity}
    known = builtin().find(clean(taxon))
    line = reversed(known.lineage) if known else iter((taxon,))
    return next((own[clean(name)] for name in line if clean(name) in own), None)


def load_allometry(path: Path | None = None) -> tuple[Allometry, ...]:
    """The built-in table, or one in the same form.

    Raises:
        NotFoundError: there is no such file.
        ConfigError: a column lacks, or an entry is wrong; it is named with its line.
    """
    if path is None:
        return _builtin()
    if not path.is_file():
        raise NotFoundError("there is no such table of carbon", where=path)
    if path.stat().st_size > _MAX_BYTES:
        raise ConfigError("the table of carbon is larger than 1 MiB", where=path)
    return _parsed(path.read_text("utf-8"), str(path))


@cache
def _builtin() -> tuple[Allometry, ...]:
    return _parsed((files("aqqua.maps") / "carbon.csv").read_text("utf-8"), "carbon.csv")


def _parsed(text: str, where: str) -> tuple[Allometry, ...]:
    reader = csv.DictReader(text.splitlines())
    names = [field.name for field in fields(Allometry)]
    if lacking := [name for name in names if name not in (reader.fieldnames or ())]:
        raise ConfigError(f"the table of carbon has no column {', '.join(lacking)}", where=where)
    rows = tuple(_row(entry, f"{where}, line {reader.line_num}") for entry in reader)
    if twice := {row.row for row in rows if [each.row for each in rows].count(row.row) > 1}:
        raise ConfigError(f"the row {sorted(twice)[0]} is there twice", where=where)
    return rows


def _row(entry: dict[str, str], where: str) -> Allometry:
    try:
        numbers: dict[str, Any] = {name: float(entry[name]) for name in ("a", "b", "carbon_fraction", "factor")}
        for name in ("size_min", "size_max"):
            numbers[name] = float(entry[name]) if entry[name] else None
        numbers["aphia_id"] = int(entry["aphia_id"]) if entry["aphia_id"] else None
    except (TypeError, ValueError) as error:
        raise ConfigError(f"this is no number ({error})", where=where) from error
    row = Allometry(**{**entry, **numbers})
    units = _QUANTITY_UNITS.get(row.quantity, ())
    if row.size_unit not in units:
        raise ConfigError(f"the unit of {row.quantity} is {row.size_unit!r}", where=where, do=f"one of {units}")
    if row.result_unit not in _IN_MG:
        raise ConfigError(f"the unit {row.result_unit!r} is not known", where=where, do=f"one of {list(_IN_MG)}")
    if not (row.a > 0 and row.b > 0 and row.factor >= 1 and 0 < row.carbon_fraction <= 1):
        raise ConfigError("a, b and the factor must be positive, the share of carbon at most 1", where=where)
    return row


def reference() -> str:
    """The table as Markdown, for the documentation."""
    lines = [
        "| row | taxon | result = a · sizeᵇ | measured on | interval | status | source | evidence |",
        "|---|---|---|---|---|---|---|---|",
    ]
    return "\n".join([*lines, *(_line(row) for row in load_allometry())]) + "\n"


def _line(row: Allometry) -> str:
    unit = {"um3": "µm³", "mm3": "mm³", "um2": "µm²", "mm2": "mm²"}[row.size_unit]
    mass = row.result_unit.replace("ug", "µg")
    share = "" if row.result == "carbon" else f", {row.carbon_fraction:.0%} of it carbon"
    size = {"biovolume": "V", "area": "S"}[row.quantity]
    equation = f"{mass} {row.result} = {row.a:g} · {size}^{row.b:g} ({unit}){share}"
    span = " … ".join("" if end is None else f"{end:g}" for end in (row.size_min, row.size_max))
    span = f"{span} {unit}" if row.size_min is not None or row.size_max is not None else "not said"
    name = f"`{row.row}`" if row.use == "default" else f"`{row.row}` (alternative)"
    source = f"{row.source}, [doi]({'https://doi.org/' + row.doi})" if row.doi else row.source
    cells = (name, row.taxon, equation, span, f"×÷ {row.factor:g}, {row.factor_from}", row.status, source, row.evidence)
    return f"| {' | '.join(cells)} |"
