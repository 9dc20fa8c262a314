"""`aqqua map …`: from images to abundance, spectra, flux, grids and maps."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from aqqua.errors import ConfigError

__all__ = ["app"]

Flag = Annotated[bool, Parameter(negative=())]
Words = Annotated[list[str] | None, Parameter(consume_multiple=True)]
Names = Literal["both", "people", "model"]

app = App(name="map", help="From images to the globe: abundance, spectra, flux, grids, maps with honest uncertainty.")


@app.command(sort_key=1)
def abundance(
    *paths: Path,
    taxa: Words = None,
    rank: str | None = None,
    living: Flag = False,
    depths: str | None = None,
    sizes: str | None = None,
    names: Names = "both",
    model: str | None = None,
    least: float = 0.0,
    correct: Literal["cc", "acc", "pacc", "em"] | None = None,
    volumes: Path | None = None,
    volume_bin: float | None = None,
    ellipsoid: Flag = False,
    draws: int = 200,
    seed: int = 0,
) -> None:
    """Count what is in the water: `aqqua map abundance DATASET… OUT`, sample × taxon × depth bin × size class.

    Args:
        paths: datasets whose cards consent to global interpolation, then the table to write (.parquet or .csv).
        taxa: roll names up to these; each object counts once, for the nearest above it.
        rank: roll names up to this rank, for example class.
        living: only what lives; the rest becomes "other".
        depths: limits of depth bins in metres, as 0,100,200,500.
        sizes: size classes: ecopart, or edges in µm as 200,500,1000.
        names: whose names count: both (people's, else the model's), people, or model.
        model: whose predictions (the newest, if not said).
        least: probability below which a prediction does not count.
        correct: correct the model's counts by its confusions: acc, pacc or em (cc: only intervals).
        volumes: table of water volumes: sample_id, depth_min_m, depth_max_m, volume_l.
        volume_bin: thickness in metres of the layers that volumes are of, where they differ with depth.
        ellipsoid: biovolume from the axes that were measured, instead of the area.
        draws: draws of the bootstrap.
        seed: seed of the bootstrap.
    """
    from aqqua.maps.abundance import abundance as run

    sources, out = _sources_and_out(paths, "abundance DATASET… OUT")
    print(
        run(
            sources,
            out,
            volumes=volumes,
            taxa=tuple(taxa or ()),
            rank=rank,
            living=living,
            depths=_limits(depths),
            sizes=sizes,
            names=names,
            model=model,
            least=least,
            correct=correct,
            volume_bin=volume_bin,
            ellipsoid=ellipsoid,
            draws=draws,
            seed=seed,
        )
    )


@app.command(sort_key=2)
def spectra(
    *paths: Path,
    depths: str | None = None,
    sizes: str = "ecopart",
    min_um: float = 0.0,
    max_um: float | None = None,
    taxa: Words = None,
    living: Flag = False,
    names: Names = "both",
    volumes: Path | None = None,
    volume_bin: float | None = None,
    ellipsoid: Flag = False,
) -> None:
    """Size spectra with slope and intercept: `aqqua map spectra SOURCE… OUT`; lines are written beside, in OUT_fits.

    Args:
        paths: datasets, spectra tables or exports of EcoPart, then the table to write (.parquet or .csv).
        depths: pool layers between these depths in metres, as 0,100,200,500.
        sizes: size classes of datasets: ecopart (2^(i/3) µm), or edges in µm.
        min_um: fit no smaller classes.
        max_um: fit no larger classes.
        taxa: only these taxa of datasets, with all below them.
        living: only what lives.
        names: whose names count, for --taxa and --living.
        volumes: table of water volumes.
        volume_bin: thickness in metres of the layers that volumes are of, where they differ with depth.
        ellipsoid: biovolume from the axes that were measured, instead of the area.
    """
    from aqqua.maps.spectra_run import spectra as run

    sources, out = _sources_and_out(paths, "spectra SOURCE… OUT")
    print(
        run(
            sources,
            out,
            depths=_limits(depths),
            sizes=sizes,
            min_um=min_um,
            max_um=max_um,
            volumes=volumes,
            taxa=tuple(taxa or ()),
            living=living,
            names=names,
            volume_bin=volume_bin,
            ellipsoid=ellipsoid,
        )
    )


@app.command(sort_key=3)
def ecopart(*paths: Path, zoo: Path | None = None, card: Path | None = None) -> None:
    """Read EcoPart exports: `aqqua map ecopart EXPORT… OUT`, particles as a spectra table, zooplankton into --zoo.

    Args:
        paths: folders, zips or files of exports (TSV), then the spectra table to write (.parquet or .csv).
        zoo: table to write for zooplankton (ZOO files), with zeros where nothing was found.
        card: card.yaml with the owners' consent to global interpolation.
    """
    from aqqua.maps.spectra_run import ecopart as run

    sources, out = _sources_and_out(paths, "ecopart EXPORT… OUT")
    print(run(sources, out, zoo=zoo, card=card))


def _sources_and_out(paths: tuple[Path, ...], usage: str) -> tuple[tuple[Path, ...], Path]:
    if len(paths) < 2:
        raise ConfigError("name what to read, and the table to write", do=f"aqqua map {usage}")
    return paths[:-1], paths[-1]


def _limits(text: str | None) -> tuple[float, ...] | None:
    if text is None:
        return None
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise ConfigError(f"--depths {text} are no numbers", do="--depths 0,100,200,500") from error


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
