"""The verb `map abundance`: from images, names and volumes to numbers per m³, with biovolume, carbon and intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from aqqua.errors import ConfigError
from aqqua.maps.abundance_rows import cells_of, check_depths, in_classes, strata_of, with_zeros
from aqqua.maps.abundance_table import as_table
from aqqua.maps.classes import read_edges
from aqqua.maps.consent import require_consent
from aqqua.maps.correction import Settings, corrected, vectors_of
from aqqua.maps.objects import Names, read_objects
from aqqua.maps.rollup import OTHER, UNKNOWN, roll_up
from aqqua.maps.scatter import with_alpha
from aqqua.maps.tables import read_table, write_table
from aqqua.maps.volume import units_of
from aqqua.metadata.check import Finding
from aqqua.metadata.taxa import load_taxonomy

if TYPE_CHECKING:
    from aqqua.store.dataset import Dataset
    from aqqua.tasks.count import Method

__all__ = ["AbundanceReport", "abundance", "counted", "gather"]


@dataclass(frozen=True)
class AbundanceReport:
    """What was counted.

    Args:
        path: of the table.
        rows: rows of the table.
        samples: number of samples.
        taxa: number of taxa, without what is unknown or other.
        objects: number of objects counted.
        missing: rows without abundance, since the volume is not known.
        unknown: share of objects without a name.
        findings: what a person should know.
    """

    path: Path
    rows: int
    samples: int
    taxa: int
    objects: int
    missing: int
    unknown: float
    findings: list[Finding] = field(default_factory=list)

    def __str__(self) -> str:
        """A sentence or two, and the findings."""
        text = (
            f"{self.path}: {self.objects:,} objects of {self.taxa} taxa in {self.samples:,} samples, {self.rows:,} rows"
        )
        text += f"; {self.unknown:.0%} of the objects have no name" if self.unknown else ""
        text += f"; {self.missing:,} rows without abundance, for want of a volume" if self.missing else ""
        return "\n".join([text, *(_line(one) for one in self.findings)])


def _line(one: Finding) -> str:
    where = f"  ({one.where})" if one.where else ""
    return f"{one.severity:8} {one.message} (×{one.count:,}){where}\n         → {one.do}"


@dataclass(frozen=True)
class Choices:
    """What is counted how; see `abundance`."""

    taxa: tuple[str, ...] = ()
    rank: str | None = None
    living: bool = False
    depths: tuple[float, ...] | None = None
    sizes: str | None = None
    names: Names = "both"
    model: str | None = None
    least: float = 0.0
    correct: Method | None = None
    volume_bin: float | None = None
    ellipsoid: bool = False
    draws: int = 200
    seed: int = 0


def abundance(
    datasets: Sequence[Path | str], out: Path | str, *, volumes: Path | str | None = None, **choices: Any
) -> AbundanceReport:
    """Count what is in the water: sample × taxon × depth bin × size class.

    Args:
        datasets: whose cards consent to global interpolation.
        out: the table, `.parquet` or `.csv`.
        volumes: table of water volumes by sample and layer (sample_id, depth_min_m, depth_max_m, volume_l; a spectra
            table of EcoPart is one).
        choices: `taxa` (names to roll up to) or `rank`, `living` (only what lives), `depths` (limits in m), `sizes`
            ("ecopart", or edges in µm), `names` ("both", "people", "model"), `model`, `least` (probability below which
            a prediction does not count), `correct` ("cc", "acc", "pacc", "em"; None: counts as they are), `volume_bin`
            (m), `ellipsoid`, `draws` and `seed` of the bootstrap.

    Returns:
        What was counted, and what looks wrong.

    Raises:
        ConfigError: no consent, nothing to count, or choices that do not fit.
        UnknownNameError: an unknown taxon, rank or model.
    """
    from aqqua.store.dataset import Dataset
    from aqqua.store.lineage import origin

    chosen = Choices(**choices)
    check_depths(chosen.depths)
    opened = [Dataset.open(path) for path in datasets]
    if not opened:
        raise ConfigError("abundance needs a dataset", do="aqqua map abundance DATASET… OUT")
    require_consent(opened)
    water = read_table(volumes)[0] if volumes is not None else None
    findings: list[Finding] = []
    table = counted(*gather(opened, chosen, water, findings), chosen, findings)
    about = {"kind": "abundance", "datasets": [origin(one) for one in opened], "options": dict(choices)}
    path = write_table(table.drop("stratum"), out, about)
    return _report(path, table, findings)


def gather(
    datasets: Sequence[Dataset], chosen: Choices, volumes: pl.DataFrame | None, findings: list[Finding]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Objects (with `unit`, and names rolled up) and units of all datasets.

    Args:
        datasets: the datasets.
        chosen: the choices.
        volumes: table of volumes, or None.
        findings: what looks wrong is added.

    Raises:
        ConfigError: there is nothing to count.
    """
    parts, waters, first = [], [], 0
    for dataset, name in zip(datasets, _short_names(datasets), strict=True):
        objects = read_objects(
            dataset, findings, names=chosen.names, model=chosen.model, least=chosen.least, ellipsoid=chosen.ellipsoid
        )
        units, objects = units_of(dataset, objects, findings, volumes=volumes, bin_m=chosen.volume_bin)
        if chosen.correct in {"pacc", "em"}:
            objects = vectors_of(dataset, objects, chosen.model)
        objects = _rolled(dataset, objects, chosen)
        shift = pl.col("unit") + first
        parts.append(objects.with_columns(shift, dataset=pl.lit(name)))
        waters.append(units.with_columns(shift, dataset=pl.lit(name)))
        first += units.height
    objects = pl.concat(parts, how="diagonal_relaxed")
    if not objects.height:
        raise ConfigError("there is nothing to count", where=datasets[0].path, do="ingest images first")
    return objects, pl.concat(waters)


def _short_names(datasets: Sequence[Dataset]) -> list[str]:
    names = [one.card.id or one.path.name for one in datasets]
    return [
        f"{name}-{one.uuid[:8]}" if names.count(name) > 1 else name for name, one in zip(names, datasets, strict=True)
    ]


def _rolled(dataset: Dataset, objects: pl.DataFrame, chosen: Choices) -> pl.DataFrame:
    """`taxon`, `human` and `guess` as the taxa that are asked for; `aphia_id`; `own` keeps the name for carbon."""
    names = load_taxonomy(dataset.card.taxa)
    labels = pl.concat([objects[name].drop_nulls() for name in ("name", "human", "guess")]).unique()
    rolled = roll_up(labels, names, taxa=chosen.taxa, rank=chosen.rank, living=chosen.living)
    objects = objects.with_columns(
        own=pl.col("name"),
        taxon=_replaced("name", rolled.target),
        human=_replaced("human", rolled.target),
        guess=_replaced("guess", rolled.target),
        sample=pl.col("sample_id"),
    )
    numbers = pl.DataFrame(
        {"taxon": list(rolled.aphia_id), "aphia_id": list(rolled.aphia_id.values())},
        schema={"taxon": pl.String, "aphia_id": pl.Int64},
    )
    return objects.join(numbers, on="taxon", how="left", maintain_order="left")


def _replaced(name: str, target: Any) -> pl.Expr:
    return pl.col(name).replace(dict(target)) if target else pl.col(name)


def counted(objects: pl.DataFrame, units: pl.DataFrame, chosen: Choices, findings: list[Finding]) -> pl.DataFrame:
    """The abundance table of objects and units (as `gather` gives them), with `stratum` in front."""
    edges = read_edges(chosen.sizes) if chosen.sizes else None
    strata, units = strata_of(units, chosen.depths, findings)
    placed = objects.join(
        units.select("unit", "stratum", "counts", "per_m3"), on="unit", how="inner", maintain_order="left"
    )
    placed = _with_carbon(placed.filter("counts"))
    sized = in_classes(placed, edges, findings)
    classes = 1 if edges is None else len(edges) - 1
    cells = with_zeros(cells_of(sized), strata, _looked_for(placed, strata, chosen), classes)
    cells = with_alpha(cells, strata)
    if chosen.correct is not None:
        settings = Settings(chosen.correct, chosen.draws, chosen.seed)
        cells = cells.join(corrected(sized, settings, findings), on=["stratum", "size", "taxon"], how="left")
    numbers = placed.select("taxon", "aphia_id").drop_nulls().unique("taxon")
    mean = sized.group_by("instrument", "taxon").agg(
        mean_mm3=pl.col("biovolume_mm3").mean(), mean_mg=pl.col("carbon_mg").mean()
    )
    return as_table(cells, strata.with_columns(blind=_blind(placed, edges is not None)), numbers, mean, edges)


def _blind(placed: pl.DataFrame, by_size: bool) -> pl.Expr:
    """Strata with objects of which none has a size: their size classes are unknown, not empty."""
    with_objects = placed.filter(pl.col("esd_um").is_null())["stratum"].unique()
    measured = placed.filter(pl.col("esd_um").is_not_null())["stratum"].unique()
    some = with_objects.filter(~with_objects.is_in(measured.implode()))
    return pl.col("stratum").is_in(some.implode()) & by_size


def _looked_for(objects: pl.DataFrame, strata: pl.DataFrame, chosen: Choices) -> pl.DataFrame:
    """Taxa that can be zero: those seen anywhere with the same instrument, or asked for; and the unknown."""
    every = strata.select("instrument").unique()
    asked = [*_accepted(chosen.taxa), UNKNOWN]
    always = every.join(pl.DataFrame({"taxon": asked}, schema={"taxon": pl.String}), how="cross")
    return pl.concat([objects.select("instrument", "taxon"), always]).unique()


def _accepted(taxa: Sequence[str]) -> list[str]:
    from aqqua.metadata.taxa import builtin, clean

    return [found.name if (found := builtin().find(clean(name))) else name for name in taxa]


def _with_carbon(objects: pl.DataFrame) -> pl.DataFrame:
    """Carbon of each object by the equation of its own taxon, and the factor of its interval."""
    from aqqua.maps.carbon import carbon_mg

    if not objects.height:
        return objects.with_columns(carbon_mg=pl.lit(None, pl.Float64), carbon_factor=pl.lit(None, pl.Float64))
    size = objects["biovolume_mm3"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    value, factor = np.full((2, len(size)), np.nan)
    names = objects["own"].to_numpy()
    for name in objects["own"].unique():
        here = names == name
        found = carbon_mg(name, size[here])
        value[here] = found.value
        with np.errstate(divide="ignore", invalid="ignore"):
            factor[here] = found.hi / found.value
    columns = {"carbon_mg": value, "carbon_factor": factor}
    return objects.with_columns(pl.Series(name, told).fill_nan(None) for name, told in columns.items())


def _report(path: Path, table: pl.DataFrame, findings: list[Finding]) -> AbundanceReport:
    total = int(table["n"].sum())
    nameless = int(table.filter(pl.col("taxon") == UNKNOWN)["n"].sum())
    taxa = table.filter(~pl.col("taxon").is_in([UNKNOWN, OTHER]))["taxon"].n_unique()
    return AbundanceReport(
        path, table.height, table.select("dataset", "sample_id").n_unique(), taxa, total,
        table["abundance_m3"].null_count(), nameless / total if total else 0.0, findings,
    )  # fmt: skip
