"""`aqqua map flux …`: carbon flux from size spectra, calibration against traps, budgets of maps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from aqqua.errors import ConfigError

if TYPE_CHECKING:
    from aqqua.maps.flux.rates import Martin

__all__ = ["app"]

Flag = Annotated[bool, Parameter(negative=())]
Files = Annotated[list[Path], Parameter(consume_multiple=True)]

app = App(name="flux", help="Carbon flux from size spectra; calibration against traps; budgets of maps.")


@app.default
def flux(
    table: Path,
    out: Path,
    *,
    model: str = "guidi2008",
    a: float | None = None,
    b: float | None = None,
    esd_min_um: float | None = None,
    esd_max_um: float | None = None,
    bin_m: float | None = None,
) -> None:
    """Carbon flux of a spectra table, layer by layer.

    Args:
        table: spectra table (Parquet, CSV), or exports of EcoPart (folder, zip, TSV).
        out: the flux table to write (Parquet or CSV).
        model: guidi2008, bisson2022, kriest2002, kriest2002_fast, or a calibration (.json).
        a: A of your own, mg C m⁻² d⁻¹ for one particle of 1 mm per litre.
        b: exponent of the diameter (mm) of your own.
        esd_min_um: smallest diameter counted, µm.
        esd_max_um: largest diameter counted, µm.
        bin_m: add counts and volumes up in layers of so many metres first.
    """
    from aqqua.maps.flux.estimate import flux as run
    from aqqua.maps.flux.model import flux_model

    relation = flux_model(model, a=a, b=b, esd_min_um=esd_min_um, esd_max_um=esd_max_um)
    print(run(table, out, relation, bin_m=bin_m))


@app.command(sort_key=0)
def calibrate(
    table: Path,
    out: Path,
    *,
    traps: Files,
    b: float | None = None,
    depth: bool = True,
    esd_min_um: float = 102.0,
    esd_max_um: float = 5200.0,
    radius_km: float = 500.0,
    season_d: float = 45.0,
    station_km: float = 150.0,
    depth_min_m: float = 80.0,
    depth_max_m: float = 1250.0,
    least: int = 3,
    bootstrap: int = 200,
    seed: int = 0,
) -> None:
    """Calibrate a relation of your own against traps and thorium, each station held out once.

    Args:
        table: spectra table (Parquet, CSV), or exports of EcoPart (folder, zip, TSV).
        out: the calibration to write (JSON), for --model.
        traps: measured fluxes: PANGAEA's GO_flux.tab, .Rdata of the POC_flux_database, CSV or Parquet.
        b: keep this exponent; fitted if not said.
        depth: fit how flux per particle falls off with depth.
        esd_min_um: smallest diameter counted, µm.
        esd_max_um: largest diameter counted, µm.
        radius_km: farthest trap from the middle of a station.
        season_d: days of the year between casts and traps, whatever the year.
        station_km: casts nearer than this are one station.
        depth_min_m: shallowest trap.
        depth_max_m: deepest trap.
        least: measurements of one kind and depth a match needs.
        bootstrap: resamples of stations for the intervals.
        seed: of the resamples.
    """
    from aqqua.maps.flux.calibrate import calibrate as run
    from aqqua.maps.flux.fit import Fitting
    from aqqua.maps.flux.match import Matching

    near = Matching(
        radius_km=radius_km,
        season_d=season_d,
        station_km=station_km,
        depth_min_m=depth_min_m,
        depth_max_m=depth_max_m,
        least=least,
    )
    how = Fitting(b=b, attenuation=depth, esd_min_um=esd_min_um, esd_max_um=esd_max_um)
    print(run(table, traps, out, matching=near, fitting=how, bootstrap=bootstrap, seed=seed))


@app.command(sort_key=1)
def rates(
    *maps: Path,
    variable: str | None = None,
    inside: Flag = False,
    from_depth: float | None = None,
    to_depth: float | None = None,
    martin_b: float = 0.858,
    martin_b_interval: str = "0.6,1.1",
    published: Path | None = None,
    out: Path | None = None,
) -> None:
    """Add maps up: carbon sinking in a year, carbon standing in a layer; beside published products.

    Args:
        maps: NetCDF or Zarr maps with units of carbon (mg m-2 d-1, mg m-3 …).
        variable: which variable; `mean`, or the only one with units of carbon, if not said.
        inside: only cells inside the area of applicability.
        from_depth: depth of a flux, to carry it to another with Martin's curve.
        to_depth: the depth wanted.
        martin_b: exponent of Martin's curve.
        martin_b_interval: its interval.
        published: folder of the POC_flux_database: totals of published products are printed as well.
        out: write the totals as a table (Parquet or CSV).
    """
    from aqqua.maps.flux.rates import budget_table
    from aqqua.maps.flux.rates import rates as run
    from aqqua.maps.tables import write_table

    if not maps and published is None:
        raise ConfigError("name a map, or --published FOLDER", do="aqqua map flux rates MAP.nc")
    martin = _martin(from_depth, to_depth, martin_b, martin_b_interval)
    found = run(maps, variable=variable, inside=inside, martin=martin) if maps else []
    for one in found:
        print(one)
    if published is not None:
        _published(published)
    if out is not None:
        write_table(budget_table(found), out, {"kind": "budgets", "maps": [str(path) for path in maps]})


def _martin(start: float | None, end: float | None, b: float, interval: str) -> Martin | None:
    """The transfer asked for, None if none was."""
    from aqqua.maps.flux.rates import Martin

    if start is None and end is None:
        return None
    if start is None or end is None:
        raise ConfigError("a transfer needs both depths", do="--from-depth 100 --to-depth 1000")
    try:
        low, high = (float(part) for part in interval.split(","))
    except ValueError as error:
        raise ConfigError(f"--martin-b-interval {interval} is no interval", do="write it as 0.6,1.1") from error
    return Martin(start, end, b, low, high)


def _published(folder: Path) -> None:
    """Totals of published products, a line each."""
    from aqqua.maps.flux.products import published

    print("\npublished products, PgC yr⁻¹: added up here | as the database's authors added them up")
    for row in published(folder).iter_rows(named=True):
        sums = (row["total_pg_yr"], row["published_pg_yr"])
        own, theirs = ("     –" if total is None else f"{total:6.2f}" for total in sums)
        print(f"  {row['kind']:10} {row['product']:18} {row['depth_m']:5.0f} m  {own} | {theirs}")
