"""What the header of a `.pid` file says about a scan, in aqqua's own columns and units."""

from __future__ import annotations

import re
from collections.abc import Iterator

import polars as pl

from aqqua.metadata.check import Finding
from aqqua.metadata.positions import Axis
from aqqua.sources.zooprocess_files import Header, position, quantity, sampled_utc

__all__ = ["pixel_um", "scan_columns", "scan_findings"]

_UM_PER_INCH = 25_400
_LITRES_PER_M3 = 1000
_SAME = 0.02
_VALIDATED = re.compile(r"(?:pred_valid_)?id_\d{8}|pred_valid.*", re.IGNORECASE)
_USUAL = "ZooScan"


def scan_columns(header: Header, scan: str, table: pl.DataFrame, *, decimal: bool) -> list[pl.Expr | pl.Series]:
    """Columns for every object of a scan: where, when, how much water, how large a pixel; and the whole header.

    Args:
        header: of the file.
        scan: name of the scan.
        table: the objects, for labels.
        decimal: positions are decimal degrees.
    """
    volume, pixel = quantity(header.get("Sample_Vol")), pixel_um(header)
    constants: dict[str, str | float | None] = {
        "sample_id": header.get("Sample_SampleId") or scan,
        "acquisition_id": scan,
        "project": header.get("Sample_Project") or header.get("Sample_Scientificprog"),
        "instrument": header.get("Info_ImageType") or _USUAL,
        "time_utc": sampled_utc(header.get("Sample_Date")),
        "latitude": _position(header, "latitude", decimal=decimal),
        "longitude": _position(header, "longitude", decimal=decimal),
        "depth_min_m": quantity(header.get("Sample_Zmin")),
        "depth_max_m": quantity(header.get("Sample_Zmax")),
        "pixel_um": pixel,
        "volume_l": volume * _LITRES_PER_M3 if volume and volume > 0 else None,
        "subsample_factor": quantity(header.get("Subsample_SubPart")),
    }
    told = {name: value if value is None else _text(value) for name, value in constants.items()}
    told |= {f"header_{key.lower()}": value or None for key, value in header.values.items()}
    return [*(pl.lit(value, pl.String).alias(name) for name, value in told.items()), *_labels(table)]


def scan_findings(header: Header, where: str, *, decimal: bool) -> list[Finding]:
    """What an owner should know about the header of a scan."""
    if not header.values:
        told = "the table has no header: nothing about place, time, volume and resolution"
        do = "take the .pid file of ZooProcess itself, or give these in a table with --table"
        return [Finding("warning", "no_header", told, where, do=do)]
    found = [*_position_findings(header, where, decimal=decimal), *_number_findings(header, where)]
    if not header.get("Info_ImageType"):
        what = f"the header does not name the instrument; it is taken for a {_USUAL}"
        do = "if it is another (UVP5 has such files too), write  overrides: {instrument: …}  in card.yaml"
        found.append(Finding("warning", "instrument_assumed", what, where, do=do))
    return found


def pixel_um(header: Header) -> float | None:
    """Length of a pixel in micrometres: by PixSize (mm), else by the resolution of the scan (dots per inch)."""
    size, dpi = quantity(header.get("Particules_Process_PixSize")), _dpi(header)
    if size and size > 0:
        return size * 1000
    return _UM_PER_INCH / dpi if dpi else None


def _dpi(header: Header) -> float | None:
    names = ("Particules_Process_Resolution", "Image_Process_Resolution", "Info_Resolution")
    return next((dpi for name in names if (dpi := quantity(header.get(name))) and dpi > 0), None)


def _position(header: Header, axis: Axis, *, decimal: bool) -> float | None:
    return position(header.get(f"Sample_{axis.title()}"), axis, decimal=decimal)


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else repr(round(value, 9))


def _labels(table: pl.DataFrame) -> list[pl.Series]:
    """Names that a person or Plankton Identifier gave, the last validation first."""
    validated = sorted((name for name in table.columns if _VALIDATED.fullmatch(name)), reverse=True)
    if validated:
        return [table[validated[0]].alias("label"), _constant("validated", len(table))]
    if "ident" in table.columns:
        return [table["ident"].alias("label"), _constant("validated", len(table))]
    return []


def _constant(text: str, size: int) -> pl.Series:
    return pl.Series("label_status", [text] * size, pl.String)


def _position_findings(header: Header, where: str, *, decimal: bool) -> Iterator[Finding]:
    longitude = _position(header, "longitude", decimal=decimal)
    if decimal:
        told = "a position of this source has 60 minutes or more after the point: all are taken as decimal degrees"
        do = "ZooProcess means degrees.minutes (27.30 is 27° 30′); if that is what you wrote, mend the odd one"
        yield Finding("warning", "decimal_degrees", told, where, do=do)
    if longitude is not None and longitude > 0:
        told = "the longitude has no minus, so it was taken as east; some laboratories leave the minus of the west out"
        do = "if it is west, write  overrides: {longitude: …}  in card.yaml, or give positions with --table"
        yield Finding("info", "longitude_east", told, where, do=do)


def _number_findings(header: Header, where: str) -> Iterator[Finding]:
    size, dpi = quantity(header.get("Particules_Process_PixSize")), _dpi(header)
    if size and dpi and abs(size * 1000 - _UM_PER_INCH / dpi) > _SAME * size * 1000:
        told = f"PixSize is {size:g} mm, a resolution of {dpi:g} dpi means {_UM_PER_INCH / dpi / 1000:.4g} mm"
        do = "PixSize was taken; if the resolution is right, write  overrides: {pixel_um: …}  in card.yaml"
        yield Finding("warning", "pixel_size_differs", told, where, do=do)
    volume = quantity(header.get("Sample_Vol"))
    if volume is None or volume <= 0:
        do = "give the volume filtered by the net: volume_l in a table"
        yield Finding("warning", "no_volume", "the header has no volume: no concentrations", where, do=do)
    if quantity(header.get("Subsample_SubPart")) is None:
        do = "give subsample_factor in a table (1 for a whole sample)"
        yield Finding("warning", "no_subsample", "the header does not say which part was scanned", where, do=do)
