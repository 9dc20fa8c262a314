"""From EcoPart's wide tables to long ones: spectra (PAR), zooplankton (ZOO), and the zeros that ZOO does not name."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aqqua.maps.classes import snap
from aqqua.maps.ecopart_files import Member, number
from aqqua.metadata.check import Finding
from aqqua.metadata.label_parts import parse

__all__ = ["LAYERS_M", "SPECTRA_SCHEMA", "ZOO_SCHEMA", "spectra_of", "with_zeros", "zoo_of"]

LAYERS_M = (
    *(0, 25, 50, 75, 100, 125, 150, 200, 250, 300, 350, 400, 450, 500, 600, 700, 800, 900, 1000, 1250, 1500, 1750),
    *(2000, 2250, 2500, 2750, 3000, 3250, 3500, 3750, 4000, 4250, 4500, 4750, 5000, 5250, 5500, 5750, 6000, 7000),
    *(8000, 9000, 10000, 11000),
)
"""Limits in m of the layers in reduced ZOO exports (EcoPart, `DepthTaxoHistoLimit`)."""
_KEYS: dict[str, Any] = {
    "sample_id": pl.String,
    "time_utc": pl.Datetime("ms", "UTC"),
    "latitude": pl.Float64,
    "longitude": pl.Float64,
    "depth_min_m": pl.Float64,
    "depth_max_m": pl.Float64,
}
SPECTRA_SCHEMA: dict[str, Any] = {
    **_KEYS,
    "esd_min_um": pl.Float64,
    "esd_max_um": pl.Float64,
    "n": pl.Int64,
    "volume_l": pl.Float64,
    "number_per_l": pl.Float64,
    "biovolume_mm3_per_l": pl.Float64,
}
"""Columns of a spectra table; `esd_max_um` is null where a class is open, `n` where only a concentration is given."""
ZOO_SCHEMA: dict[str, Any] = {
    **_KEYS,
    "taxon": pl.String,
    "label": pl.String,
    "n": pl.Int64,
    "volume_l": pl.Float64,
    "abundance_m3": pl.Float64,
    "biovolume_mm3_m3": pl.Float64,
    "esd_mean_um": pl.Float64,
}
_CLASS = re.compile(r"^LPM (biovolume )?\((>)?([0-9.]+)(?:-([0-9.]+))? (µm|mm)\) \[(# l-1|mm3 l-1)\]$")
_ZOO = re.compile(r"^(.+?) (\[# m-3\]|biovolume \[mm3 l-1\]|avgesd \[mm\])$")
_ZOO_KIND = {"[# m-3]": "abundance_m3", "biovolume [mm3 l-1]": "biovolume_mm3_m3", "avgesd [mm]": "esd_mean_um"}
_BIN_M = 5.0
_WHOLE = 0.02


def spectra_of(members: Sequence[Member], known: pl.DataFrame, findings: list[Finding]) -> pl.DataFrame:
    """The spectra table of PAR files."""
    parts = [part for one in members if (part := _spectrum(one, known, findings)) is not None]
    frame = pl.concat([pl.DataFrame(schema=SPECTRA_SCHEMA), *parts])
    keys = ["sample_id", "depth_min_m", "depth_max_m", "esd_min_um"]
    once = frame.unique(keys, keep="first", maintain_order=True)
    if lost := frame.height - once.height:
        do = "name each export once; of two rows of one profile and layer the first was taken"
        findings.append(Finding("warning", "twice", "layers come twice", "", lost, do))
    return once.sort(keys)


def _spectrum(one: Member, known: pl.DataFrame, findings: list[Finding]) -> pl.DataFrame | None:
    classes = {name: match for name in one.rows.columns if (match := _CLASS.match(name))}
    base = _base(one, known, findings, empty=not classes)
    if base is None:
        return None
    counts, volumes = ({_edges(m): name for name, m in classes.items() if bool(m[1]) == bv} for bv in (False, True))
    edges = list(counts)
    bios = [number(volumes[edge]) if edge in volumes else pl.lit(None, pl.Float64) for edge in edges]
    long = _repeated(base, len(edges)).with_columns(
        esd_min_um=_tiled([low for low, _ in edges], base.height),
        esd_max_um=_tiled([high for _, high in edges], base.height),
        number_per_l=_rowwise(base, [number(name) for name in counts.values()]),
        biovolume_mm3_per_l=_rowwise(base, bios),
    )
    long = _sound(long, one, findings)
    n = (pl.col("number_per_l") * pl.col("volume_l")).round(6)
    whole = (n - n.round()).abs() < _WHOLE
    if broken := long.filter(~whole & n.is_not_null()).height:
        told = "number per litre × volume is no whole number: counts are left open there"
        findings.append(Finding("info", "no_counts", told, one.name, broken, "nothing to do; intervals lack there"))
    return long.with_columns(n=pl.when(whole).then(n.round().cast(pl.Int64, strict=False))).select(list(SPECTRA_SCHEMA))


def _repeated(base: pl.DataFrame, times: int) -> pl.DataFrame:
    """The keys of each row, so many times one after the other."""
    keys = base.select(*_KEYS, "volume_l")
    return keys[np.repeat(np.arange(base.height), times)]


def _tiled(values: Sequence[Any], times: int) -> pl.Series:
    return pl.concat([pl.Series(values, dtype=pl.Float64)] * times)


def _rowwise(base: pl.DataFrame, columns: Sequence[pl.Expr]) -> pl.Series:
    """The values of some columns, row after row."""
    wide = base.select(column.cast(pl.Float64).alias(str(place)) for place, column in enumerate(columns))
    return pl.concat([wide[str(place)] for place in range(len(columns))])[_transposed(base.height, len(columns))]


def _transposed(rows: int, columns: int) -> NDArray[np.int64]:
    return np.arange(rows * columns).reshape(columns, rows).T.ravel()


def _sound(long: pl.DataFrame, one: Member, findings: list[Finding]) -> pl.DataFrame:
    """Without concentrations below zero, or where there was no water."""
    bad = (pl.col("number_per_l") < 0) | (pl.col("biovolume_mm3_per_l") < 0)
    if wrong := long.filter(bad).height:
        told = "concentrations below zero were taken as missing"
        findings.append(Finding("warning", "negative", told, one.name, wrong, "export it again from EcoPart"))
    usable = ~bad.fill_null(value=False) & pl.col("volume_l").is_not_null()
    names = ("number_per_l", "biovolume_mm3_per_l")
    return long.with_columns(pl.when(usable).then(name).alias(name) for name in names)


def _base(one: Member, known: pl.DataFrame, findings: list[Finding], *, empty: bool) -> pl.DataFrame | None:
    """The table with keys in our names: sample, time, place, layer, volume."""
    lacking = {"Profile", "Depth [m]", "Sampled volume [L]"} - set(one.rows.columns)
    if lacking or empty or not one.rows.height:
        what = (
            f"has no column {', '.join(sorted(lacking))}" if lacking else "has no rows" if not empty else "has no data"
        )
        told = f"the {one.kind} table {what}"
        findings.append(Finding("warning", "empty_table", told, one.name, 1, "look whether the export went well"))
        return None
    time = pl.col("yyyy-mm-dd hh:mm") if "yyyy-mm-dd hh:mm" in one.rows.columns else pl.lit(None, pl.String)
    base = one.rows.with_columns(middle=number("Depth [m]"), litres=number("Sampled volume [L]"))
    base = base.with_columns(
        time_utc=pl.coalesce(
            time.str.to_datetime(form, time_unit="ms", time_zone="UTC", strict=False)
            for form in ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M")
        ),
        depth_min_m=(pl.col("middle") - _BIN_M / 2).clip(lower_bound=0),
        depth_max_m=pl.col("middle") + _BIN_M / 2,
        volume_l=pl.when(pl.col("litres") > 0).then("litres"),
    )
    base = base.with_columns(export=pl.lit(one.export)).join(
        known.drop("owner"), on=["export", "Profile"], how="left", maintain_order="left"
    )
    base = base.with_columns(sample_id=pl.coalesce("sample_id", "Profile"))
    _tell(base, one, findings)
    return base.filter(pl.col("middle").is_not_null())


def _tell(base: pl.DataFrame, one: Member, findings: list[Finding]) -> None:
    about = (
        ("no_position", pl.col("latitude").is_null(), "the metadata summary does not know the profile: no position",
         "put Export_metadata_summary.tsv of the same export beside it"),
        ("no_volume", pl.col("volume_l").is_null(), "layers without sampled volume: missing, not zero",
         "nothing to do, if the camera was off there"),
        ("no_depth", pl.col("middle").is_null(), "layers without depth were left out", "export it again from EcoPart"),
        ("no_time", pl.col("time_utc").is_null(), "the time cannot be read", "export it again from EcoPart"),
    )  # fmt: skip
    for code, mask, told, do in about:
        if count := base.filter(mask).height:
            findings.append(Finding("warning", code, told, one.name, count, do))


def _edges(match: re.Match[str]) -> tuple[float, float | None]:
    """Lower and upper edge in µm, exact where they are EcoPart's; None for the open class."""
    unit = 1000.0 if match[5] == "mm" else 1.0
    low = snap(float(match[3]) * unit)
    return low, None if match[2] or match[4] is None else snap(float(match[4]) * unit)


def zoo_of(members: Sequence[Member], known: pl.DataFrame, findings: list[Finding]) -> pl.DataFrame:
    """The layers and taxa that ZOO files name; what is blank in a layer that is named was not found there."""
    parts = [part for one in members if (part := _zoo(one, known, findings)) is not None]
    frame = pl.concat([pl.DataFrame(schema=ZOO_SCHEMA), *parts])
    return frame.unique(["sample_id", "depth_min_m", "label"], keep="first", maintain_order=True)


def _zoo(one: Member, known: pl.DataFrame, findings: list[Finding]) -> pl.DataFrame | None:
    columns: dict[str, dict[str, str]] = {}
    for name in one.rows.columns:
        if match := _ZOO.match(name):
            columns.setdefault(match[1].strip(), {})[_ZOO_KIND[match[2]]] = name
    base = _base(one, known, findings, empty=not columns)
    if base is None:
        return None
    base = _layered(base, one.name)
    trees = list(columns)
    value = {kind: _rowwise(base, [_cell(columns[tree], kind) for tree in trees]) for kind in _ZOO_KIND.values()}
    long = _repeated(base, len(trees)).with_columns(
        taxon=pl.concat([pl.Series([_taxon_of(tree) for tree in trees], dtype=pl.String)] * base.height),
        label=pl.concat([pl.Series(trees, dtype=pl.String)] * base.height),
        abundance_m3=value["abundance_m3"].fill_null(0.0),
        biovolume_mm3_m3=value["biovolume_mm3_m3"] * 1000,
        esd_mean_um=value["esd_mean_um"] * 1000,
    )
    long = long.with_columns(abundance_m3=pl.when(pl.col("volume_l").is_not_null()).then("abundance_m3"))
    n = pl.col("abundance_m3") * pl.col("volume_l") / 1000
    whole = (n - n.round()).abs() < _WHOLE
    none = (pl.col("abundance_m3") == 0) & pl.col("biovolume_mm3_m3").is_null()
    return long.with_columns(
        n=pl.when(whole).then(n.round().cast(pl.Int64, strict=False)),
        biovolume_mm3_m3=pl.when(none).then(0.0).otherwise("biovolume_mm3_m3"),
    ).select(list(ZOO_SCHEMA))


def _cell(names: Mapping[str, str], kind: str) -> pl.Expr:
    return number(names[kind]) if kind in names else pl.lit(None, pl.Float64)


def _taxon_of(tree: str) -> str:
    """The accepted name of a branch of EcoTaxa's tree ("living>Metazoa>Copepoda"), or the word itself."""
    label = tree.rsplit(">", 1)[-1].strip()
    taxon = parse(label, hierarchy=tree).taxon
    return taxon.name if taxon else label


def _layered(base: pl.DataFrame, name: str) -> pl.DataFrame:
    """Reduced exports: their layers are known by the middles, which layers of 5 m rarely have all."""
    middles = {(low + high) / 2: (float(low), float(high)) for low, high in itertools.pairwise(LAYERS_M)}
    told = base["middle"].unique().to_list()
    if "detailed" in name.lower() or not told or any(middle not in middles for middle in told):
        return base
    ends = pl.DataFrame(
        {"middle": list(middles), "top": [a for a, _ in middles.values()], "end": [b for _, b in middles.values()]}
    )
    joined = base.join(ends, on="middle", how="left")
    return joined.with_columns(depth_min_m=pl.col("top"), depth_max_m=pl.col("end"))


def with_zeros(zoo: pl.DataFrame, spectra: pl.DataFrame, findings: list[Finding]) -> pl.DataFrame:
    """Layers that were filmed and in which nothing was found: known from the volumes of the PAR file alone.

    Only for profiles that have a ZOO table: in others nobody has looked.
    """
    filmed = (
        spectra.select(*_KEYS, "volume_l").unique(["sample_id", "depth_min_m", "depth_max_m"]).drop_nulls("volume_l")
    )
    sorted_ = zoo.select("sample_id", "label", "taxon").unique()
    if alone := set(zoo["sample_id"].to_list()) - set(filmed["sample_id"].to_list()):
        told = "profiles have a ZOO but no PAR table: layers without organisms are not known, so zeros lack"
        do = "add the PAR files of the same export"
        findings.append(Finding("warning", "no_par", told, ", ".join(sorted(alone)[:3]), len(alone), do))
    layers = zoo.select("sample_id", "depth_min_m", "depth_max_m").unique()
    width = (layers["depth_max_m"] - layers["depth_min_m"]).max()
    if width is None or float(width) > _BIN_M:  # type: ignore[arg-type]
        told = "a reduced ZOO export: layers without organisms cannot be told from its PAR table, so zeros lack"
        findings.append(Finding("info", "reduced", told, "", 1, "export it as detailed from EcoPart"))
        return zoo
    empty = filmed.join(layers, on=["sample_id", "depth_min_m", "depth_max_m"], how="anti")
    rows = empty.join(sorted_, on="sample_id").with_columns(
        n=pl.lit(0, pl.Int64),
        abundance_m3=pl.lit(0.0),
        biovolume_mm3_m3=pl.lit(0.0),
        esd_mean_um=pl.lit(None, pl.Float64),
    )
    return pl.concat([zoo, rows.select(list(ZOO_SCHEMA))]).sort("sample_id", "depth_min_m", "label")
