"""`aqqua map …`: from images to abundance, spectra, flux, grids and maps."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

__all__ = ["app"]

app = App(name="map", help="From images to the globe: abundance, spectra, flux, grids, maps with honest uncertainty.")


@app.command(sort_key=4)
def grid(
    table: Path,
    out: Path,
    *,
    res: float = 1.0,
    layers: str = "0-200,200-500",
    time: Literal["annual", "month"] = "annual",
    value: str | None = None,
    taxa: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    cover: float = 0.0,
) -> None:
    """Put an abundance, flux or spectra table on a grid: an observation table, to be interpolated.

    Args:
        table: the table (Parquet or CSV).
        out: the observation table to write.
        res: size of cells in degrees.
        layers: depth layers in metres.
        time: all months together, or apart.
        value: the column that is put on the grid, for example carbon_mg_m3.
        taxa: only these taxa.
        cover: share of a layer that a sample must cover to count in it.
    """
    from aqqua.maps.grid import grid as run
    from aqqua.maps.grid import parse_layers

    limits = parse_layers(layers)
    print(run(table, out, res=res, layers=limits, time=time, value=value, taxa=taxa or (), cover=cover))


# Imported when they are used.
app.command("aqqua.cli_map_flux:app", name="flux", help="Carbon flux from size spectra.", sort_key=8)
app.command("aqqua.cli_map_env:app", name="env", help="The environment on a grid: the predictors of maps.", sort_key=5)
app.command(
    "aqqua.cli_map_interpolate:app",
    name="interpolate",
    help="From scattered samples to a map: fit, cv, predict, report.",
    sort_key=9,
)
