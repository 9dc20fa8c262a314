"""How much water counts stand for: units of one volume, their layers, and what several estimators of it say.

A unit is what one instrument looked at in one acquisition of one sample – in one layer of water, where a profile has a
volume per layer. Volumes come from Converted Metadata, or from a table of volumes (which also tells of layers in which
nothing was found). What nobody knows stays missing: it is never zero, and never one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from aqqua.errors import ConfigError
from aqqua.maps.volume_estimates import other_estimates
from aqqua.metadata.check import Finding, in_samples

if TYPE_CHECKING:
    from aqqua.store.dataset import Dataset

__all__ = ["UNIT_SCHEMA", "mean_longitude", "units_of"]

UNIT_SCHEMA: dict[str, Any] = {
    "unit": pl.UInt32,
    "instrument": pl.String,
    "sample_id": pl.String,
    "acquisition_id": pl.String,
    "time_utc": pl.Datetime("ms", "UTC"),
    "latitude": pl.Float64,
    "longitude": pl.Float64,
    "depth_min_m": pl.Float64,
    "depth_max_m": pl.Float64,
    "volume_l": pl.Float64,
    "factor": pl.Float64,
    "volume_lo_l": pl.Float64,
    "volume_hi_l": pl.Float64,
    "volume_from": pl.String,
    "fraction": pl.String,
    "layer": pl.String,
}
"""`layer` names the layer of a profile that has a volume per layer, else it is null; `fraction` the size fraction where
several acquisitions share one volume of water, else it is empty."""
_ACQUISITION = ["instrument", "sample_id", "acquisition_id"]
_NETS = ("ZooScan", "Flatbed scanner", "ZooCam")
_AGREE = 0.05


def units_of(
    dataset: Dataset,
    objects: pl.DataFrame,
    findings: list[Finding],
    *,
    volumes: pl.DataFrame | None = None,
    bin_m: float | None = None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The units of a dataset, and which unit each object is in.

    Args:
        dataset: the dataset.
        objects: as `read_objects` gives them.
        findings: what is missing or contradicts itself is added.
        volumes: table of volumes: sample_id, depth_min_m, depth_max_m, volume_l, and where needed acquisition_id and
            subsample_factor; it wins over the dataset's own.
        bin_m: thickness of the layers, where volumes differ with depth but objects tell only their own depth.

    Returns:
        Units (`UNIT_SCHEMA`), and the objects with `unit`; objects in no unit (deeper than any layer of the table) are
        left out and named.
    """
    layered = _by_table(objects, volumes, findings) if volumes is not None else _by_themselves(objects, bin_m)
    keys = [*_ACQUISITION, "layer"]
    units = layered.group_by(keys, maintain_order=True).agg(
        pl.col("time_utc").min(),
        pl.col("latitude").mean(),
        longitude=mean_longitude(),
        top=pl.col("top").min(),
        bottom=pl.col("bottom").max(),
        litres=pl.col("litres").first(),
        times=pl.col("times").first(),
        uid=pl.col("uid").drop_nulls().first(),
        modality=pl.col("modality").drop_nulls().first(),
        conflict=pl.struct("litres", "times").n_unique() > 1,
    )
    units = units.with_row_index("unit").with_columns(volume_l=pl.when(~pl.col("conflict")).then("litres"))
    _tell(units, findings)
    units = _reconciled(units, dataset, findings)
    with_unit = layered.filter(pl.col("uid").is_not_null()).join(
        units.select("unit", *keys), on=keys, how="left", nulls_equal=True, maintain_order="left"
    )
    renamed = {"top": "depth_min_m", "bottom": "depth_max_m", "times": "factor"}
    units = _with_fractions(units.rename(renamed)).with_columns(pl.col("factor").fill_null(1.0))
    kept = with_unit.drop("top", "bottom", "litres", "times", "layer")
    return units.select(pl.col(name).cast(kind) for name, kind in UNIT_SCHEMA.items()), kept


def mean_longitude() -> pl.Expr:
    """Mean of longitudes, right at the date line too."""
    angle = pl.col("longitude").radians()
    several = pl.col("longitude").n_unique() > 1
    return (
        pl.when(several)
        .then(pl.arctan2(angle.sin().mean(), angle.cos().mean()).degrees())
        .otherwise(pl.col("longitude").first())
    )


def _by_themselves(objects: pl.DataFrame, bin_m: float | None) -> pl.DataFrame:
    """Layers by the objects' own depths, where the volume of an acquisition differs with depth."""
    objects = objects.with_columns(
        top=pl.col("depth_min_m").cast(pl.Float64),
        bottom=pl.col("depth_max_m").cast(pl.Float64),
        litres=pl.col("volume_l"),
        times=pl.col("subsample_factor"),
    )
    several = pl.struct("litres", "times").n_unique().over(_ACQUISITION) > 1
    thick = (pl.col("bottom") > pl.col("top")).all().over(_ACQUISITION)
    middle = (pl.col("top") + pl.col("bottom")) / 2
    own = pl.format("{}-{}", "top", "bottom")
    if bin_m:
        low = (middle / bin_m).floor() * bin_m
        in_bin = several & ~thick
        layer = pl.when(in_bin).then(pl.format("{}-{}", low, low + bin_m)).when(several).then(own)
        top, bottom = pl.when(in_bin).then(low).otherwise("top"), pl.when(in_bin).then(low + bin_m).otherwise("bottom")
        return objects.with_columns(layer=layer, top=top, bottom=bottom)
    return objects.with_columns(layer=pl.when(several & thick).then(own))


def _by_table(objects: pl.DataFrame, volumes: pl.DataFrame, findings: list[Finding]) -> pl.DataFrame:
    """Layers of the table of volumes, those without any object too; each object lies in the layer of its middle."""
    table = _checked(volumes)
    apart = "acquisition_id" in table.columns
    known = objects.group_by("sample_id").agg(
        pl.col("instrument", "modality", "acquisition_id").first(),
        pl.col("time_utc").min().alias("when"),
        pl.col("latitude").mean(),
        longitude=mean_longitude(),
    )
    unknown = table.join(known, on="sample_id", how="anti")["sample_id"].n_unique()
    if unknown:
        told = "samples of the table of volumes are not in the dataset, and were left out"
        findings.append(Finding("info", "volume_unused", told, "", unknown, "nothing to do, if they have no images"))
    table = table.join(known.rename({"acquisition_id": "_first"}), on="sample_id", maintain_order="left")
    acquisition = pl.col("acquisition_id") if apart else pl.col("_first")
    layers = table.with_columns(acquisition_id=acquisition, time_utc=pl.col("when"), layer=_layer()).drop(
        "_first", "when"
    )
    objects = objects.with_columns(middle=(pl.col("depth_min_m") + pl.col("depth_max_m")).cast(pl.Float64) / 2)
    by = ["sample_id", "acquisition_id"] if apart else ["sample_id"]
    if not apart:
        objects = objects.drop("acquisition_id").join(known.select("sample_id", "acquisition_id"), on="sample_id")
    inside = objects.join(layers.select(*by, "layer", "top", "bottom", "litres", "times"), on=by)
    last = pl.col("bottom") == pl.col("bottom").max().over(by)
    within = (pl.col("middle") >= pl.col("top")) & (
        (pl.col("middle") < pl.col("bottom")) | (last & (pl.col("middle") == pl.col("bottom")))
    )
    point = (pl.col("top") == pl.col("bottom")) & (pl.col("middle") == pl.col("top"))
    placed = inside.filter(within | point).unique("uid", keep="first", maintain_order=True)
    lost = objects.join(placed, on="uid", how="anti")
    told = "objects lie in no layer of the table of volumes: they are not counted"
    findings.extend(in_samples(lost, None, "warning", "no_layer", told, "add their layers to the table of volumes"))
    empty = layers.join(placed.select(*by, "layer").unique(), on=[*by, "layer"], how="anti")
    columns = placed.drop("middle").columns
    lacking = [pl.lit(None, placed.schema[name]).alias(name) for name in columns if name not in empty.columns]
    return pl.concat([placed.select(columns), empty.with_columns(lacking).select(columns)], how="vertical_relaxed")


def _layer() -> pl.Expr:
    return pl.format("{}-{}", "top", "bottom")


def _checked(volumes: pl.DataFrame) -> pl.DataFrame:
    """The table of volumes with our columns and types, each layer once."""
    needed = ("sample_id", "depth_min_m", "depth_max_m", "volume_l")
    if lacking := [name for name in needed if name not in volumes.columns]:
        do = "columns: sample_id, depth_min_m, depth_max_m, volume_l (L), acquisition_id and subsample_factor if needed"
        raise ConfigError(f"the table of volumes has no column {', '.join(lacking)}", do=do)
    factor = pl.col("subsample_factor").cast(pl.Float64) if "subsample_factor" in volumes.columns else pl.lit(1.0)
    litres = pl.col("volume_l").cast(pl.Float64)
    keys = [pl.col("acquisition_id").cast(pl.String)] if "acquisition_id" in volumes.columns else []
    table = volumes.select(
        pl.col("sample_id").cast(pl.String),
        *keys,
        top=pl.col("depth_min_m").cast(pl.Float64),
        bottom=pl.col("depth_max_m").cast(pl.Float64),
        litres=pl.when(litres > 0).then(litres),
        times=factor,
    ).unique(maintain_order=True)
    wrong = table.filter(~(pl.col("top") <= pl.col("bottom")).fill_null(value=False))
    if wrong.height:
        what = f"a layer from {wrong['top'][0]} to {wrong['bottom'][0]} m in the table of volumes"
        raise ConfigError(what, do="depths in metres, positive downwards; the upper one first")
    twice = table.filter(pl.struct(pl.exclude("litres", "times")).is_duplicated())
    if twice.height:
        what = f"sample {twice['sample_id'][0]} has several volumes for {twice['top'][0]:g}–{twice['bottom'][0]:g} m"
        raise ConfigError(f"{what} in the table of volumes", do="give each layer once, or acquisition_id as well")
    return table


def _tell(units: pl.DataFrame, findings: list[Finding]) -> None:
    """Conflicts within a unit, and volumes that lack."""
    conflict = units.filter("conflict")
    told = "images of one acquisition name different volumes: no abundance"
    do = "give one volume per acquisition, volumes by layer (--volumes), or the thickness of layers (--volume-bin)"
    findings.extend(in_samples(conflict, None, "error", "volumes_conflict", told, do))
    lacking = units.filter(pl.col("volume_l").is_null() & ~pl.col("conflict"))
    told = "no water volume: abundance is missing there, not zero"
    do = "give volume_l in a table at ingest, or a table of volumes (--volumes)"
    findings.extend(in_samples(lacking, None, "warning", "volume_missing", told, do))


def _reconciled(units: pl.DataFrame, dataset: Dataset, findings: list[Finding]) -> pl.DataFrame:
    """What other estimators say of each volume: those that agree change nothing, the others widen the interval."""
    some = units.filter(pl.col("volume_l").is_not_null() & pl.col("uid").is_not_null())
    others = other_estimates(dataset, some)
    apart = (pl.col("other_l") / pl.col("volume_l")).log().abs() > pl.lit(1 + _AGREE).log()
    conflict = others.filter(apart)
    for (name,), part in conflict.group_by("name", maintain_order=True):
        ratio = float((part["other_l"] / part["volume_l"]).median())  # type: ignore[arg-type]
        known = others.filter(pl.col("name") == name)["unit"].n_unique()
        share = f"{part.height} of {known} units (median ratio {ratio:.3g})"
        told = f"the volume by {name} differs from the one used in {share}"
        do = "find out which is right; until then intervals span both"
        findings.extend(in_samples(part, None, "warning", "volumes_differ", told, do))
    ends = conflict.group_by("unit").agg(low=pl.col("other_l").min(), high=pl.col("other_l").max())
    units = units.join(ends, on="unit", how="left", maintain_order="left")
    used = others.group_by("unit").agg(pl.col("used").first())
    return units.join(used, on="unit", how="left", maintain_order="left").with_columns(
        volume_lo_l=pl.min_horizontal("volume_l", "low"),
        volume_hi_l=pl.max_horizontal("volume_l", "high"),
        volume_from=pl.col("used"),
    )


def _with_fractions(units: pl.DataFrame) -> pl.DataFrame:
    """Acquisitions of one net haul that share one volume and layer are its size fractions: their sums are added up.

    Elsewhere volumes of acquisitions add up, as those of bins or runs do.
    """
    net = (pl.col("modality") == "scanner").fill_null(value=False) | pl.col("instrument").is_in(_NETS)
    haul = ["instrument", "sample_id", "depth_min_m", "depth_max_m", "volume_l"]
    shared = pl.col("acquisition_id").n_unique().over(haul) > 1
    fraction = pl.when((net & shared).fill_null(value=False)).then("acquisition_id").otherwise(pl.lit(""))
    return units.with_columns(fraction=fraction)
