"""From pressure to depth, as oceanographers do it."""

from __future__ import annotations

import math
from dataclasses import replace

import polars as pl

from aqqua.metadata.check import Finding
from aqqua.metadata.fields import Field
from aqqua.metadata.products import below_surface
from aqqua.metadata.reading import Reading

__all__ = ["PRESSURE", "as_depths", "depth_m"]

PRESSURE = Field(
    name="pressure",
    dtype="f64",
    unit="dbar",
    doc="Pressure of the water, without that of the air.",
    minimum=-10.0,
    maximum=11_500.0,
    sentinels=(99999, 999999, 9999, -9999, -99999, -999, -9999.9),
    title="pressure",
    form="write decibars, for example 12.5",
)
"""Not a column of Converted Metadata: how a pressure is read on its way to the depth."""

_USUAL_LATITUDE = 45.0


def depth_m(pressure_dbar: pl.Series, latitude: pl.Series) -> pl.Series:
    """Depth of a pressure in a standard ocean (0 °C, salinity 35).

    Args:
        pressure_dbar: of the water alone, 0 at the surface.
        latitude: of the same rows, in degrees; gravity depends on it.

    Returns:
        Metres, positive downwards. For 10,000 dbar at 30° it is 9712.653 m (the check value of the source).

    Source:
        Fofonoff, N. P. & Millard, R. C. (1983): Algorithms for computation of fundamental properties of seawater.
        Unesco technical papers in marine science 44, equation 25 (Saunders & Fofonoff 1976 refitted to EOS-80).
    """
    pressure = pressure_dbar.cast(pl.Float64)
    square = (latitude.cast(pl.Float64) * (math.pi / 180)).sin() ** 2
    gravity = 9.780318 * (1.0 + (5.2788e-3 + 2.36e-5 * square) * square) + 1.092e-6 * pressure
    return (((-1.82e-15 * pressure + 2.279e-10) * pressure - 2.2512e-5) * pressure + 9.72659) * pressure / gravity


def as_depths(reading: Reading, latitude: pl.Series) -> Reading:
    """A reading of pressures as one of depths.

    Args:
        reading: decibars.
        latitude: of the same rows; where it is missing, 45° are taken (the row is refused for it anyway).
    """
    findings = list(reading.findings)
    depth = depth_m(reading.value, latitude.fill_null(_USUAL_LATITUDE))
    count = len(depth) - depth.null_count()
    if count:
        told = (
            f"{reading.column}: pressures were turned into depths at the latitude of each row "
            "(Unesco technical papers in marine science 44, 1983)"
        )
        do = "give the depth itself if it was measured otherwise"
        findings.append(Finding("info", "pressure_to_depth", told, count=count, do=do))
    depth = below_surface(depth, reading.column, findings)
    return replace(reading, value=depth, how=f"depth of {reading.how} by latitude (Unesco 1983)", findings=findings)
