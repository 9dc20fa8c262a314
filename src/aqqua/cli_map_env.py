"""`aqqua map env …`: the environment on a grid, for maps to learn from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from aqqua.errors import ConfigError

__all__ = ["app"]

app = App(name="env", help="The environment on a grid: the predictors of maps.")


@app.command(sort_key=0)
def build(
    *parts: str,
    res: float = 1.0,
    layers: str = "0-200,200-500",
    time: Literal["annual", "month"] = "annual",
    coast: bool = True,
) -> None:
    """Make a cube of predictors from files: `aqqua map env build temperature=T.nc salinity=S.nc … CUBE.nc`.

    Args:
        parts: NAME=FILE or NAME=FILE:VARIABLE for each quantity ({month} in FILE stands for 01 to 12), then the cube.
        res: size of cells in degrees.
        layers: depth layers in metres.
        time: the mean of all months, or months apart.
        coast: add the distance to the coast.
    """
    from aqqua.maps.environment.build import build as run
    from aqqua.maps.grid import parse_layers

    if len(parts) < 2 or "=" in parts[-1]:
        do = "aqqua map env build temperature=T.nc salinity=S.nc CUBE.nc"
        raise ConfigError("a cube needs sources and a name", do=do)
    print(run(parts[:-1], parts[-1], res=res, layers=parse_layers(layers), time=time, coast=coast))


@app.command(name="list", sort_key=1)
def list_(cube: Path | None = None) -> None:
    """Say what a cube holds; without one, which quantities are known and where they can be had.

    Args:
        cube: a cube of predictors.
    """
    from aqqua.maps.environment.build import describe
    from aqqua.maps.environment.quantities import KNOWN
    from aqqua.maps.environment.sources import known_sources

    if cube is not None:
        print(describe(cube))
        return
    print("quantities (NAME=FILE; others are taken as they come)")
    for name, known in KNOWN.items():
        print(f"  {name:12} {known.name:20} {known.unit:15} {known.meaning}")
    print("sources (nothing is fetched unasked)")
    for name, source in known_sources().items():
        print(f"  {name:12} {source.title}; needs {source.needs}: {', '.join(source.quantities)}")


@app.command(sort_key=2)
def fetch(
    source: str,
    folder: Path,
    *,
    quantities: Annotated[list[str], Parameter(consume_multiple=True)],
    res: float = 1.0,
    time: Literal["annual", "month"] = "annual",
    mirror: str | None = None,
) -> None:
    """Fetch files of a source, where no account is needed; say what to do where one is.

    Args:
        source: woa, copernicus or modis.
        folder: where to put the files.
        quantities: which, for example temperature salinity.
        res: 1 or 0.25 degrees.
        time: of the year, or twelve months.
        mirror: another address in place of the usual one.
    """
    from aqqua.maps.environment.sources import Wanted
    from aqqua.maps.environment.sources import fetch as run

    print(run(source, folder, Wanted(quantities, res, time), mirror=mirror))
