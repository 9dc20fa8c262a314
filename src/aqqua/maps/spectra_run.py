"""The verbs `map spectra` and `map ecopart`: spectra tables from datasets and exports, and the lines fitted to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from aqqua.errors import ConfigError
from aqqua.maps.abundance import Choices, gather
from aqqua.maps.abundance_rows import in_classes, strata_of
from aqqua.maps.classes import ECOPART_EDGES_UM, read_edges
from aqqua.maps.consent import require_consent, require_consent_of
from aqqua.maps.ecopart import EcoPart, read_ecopart
from aqqua.maps.ecopart_tables import SPECTRA_SCHEMA
from aqqua.maps.rollup import OTHER
from aqqua.maps.spectra import conform, fit_spectra, pool_layers
from aqqua.maps.tables import read_table, write_table
from aqqua.metadata.check import Finding

__all__ = ["SpectraReport", "ecopart", "of_datasets", "spectra"]


@dataclass(frozen=True)
class SpectraReport:
    """What was written.

    Args:
        paths: of the tables.
        spectra: number of spectra (samples × layers).
        samples: number of samples.
        fitted: spectra with a line fitted; None if none was asked for.
        slope: median slope of the number spectra (by likelihood) that were fitted.
        nbss: median slope of the normalised biovolume spectra.
        notes: what else a person should know.
        findings: what looks wrong.
    """

    paths: list[Path]
    spectra: int
    samples: int
    fitted: int | None = None
    slope: float | None = None
    nbss: float | None = None
    notes: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def __str__(self) -> str:
        """A sentence or two, and the findings."""
        text = f"{', '.join(map(str, self.paths))}: {self.spectra:,} spectra of {self.samples:,} samples"
        if self.fitted is not None:
            text += f", {self.fitted:,} fitted"
        if self.slope is not None and self.nbss is not None:
            text += f" (median slope {self.slope:.2f} of numbers, {self.nbss:.2f} of biovolume)"
        lines = [
            f"{one.severity:8} {one.message} (×{one.count:,})  {one.where}\n         → {one.do}"
            for one in self.findings
        ]
        return "\n".join([text, *self.notes, *lines])


def spectra(
    sources: Sequence[Path | str],
    out: Path | str,
    *,
    depths: Sequence[float] | None = None,
    sizes: str = "ecopart",
    min_um: float = 0.0,
    max_um: float | None = None,
    volumes: Path | str | None = None,
    **choices: Any,
) -> SpectraReport:
    """Write size spectra, and beside them slope and intercept of each (`…_fits`).

    Args:
        sources: datasets, spectra tables, or exports of EcoPart; not mixed.
        out: the spectra table, `.parquet` or `.csv`.
        depths: limits of depth bins in m; layers are pooled.
        sizes: classes of datasets: "ecopart", or edges in µm.
        min_um: smaller classes are not fitted.
        max_um: larger classes are not fitted.
        volumes: table of volumes, for datasets.
        choices: for datasets: taxa, living, names, model, least, volume_bin, ellipsoid (see `abundance`).

    Raises:
        ConfigError: no consent, nothing measured, or sources that do not fit together.
    """
    from aqqua.store.dataset import Dataset

    if not sources:
        raise ConfigError("spectra need a source", do="aqqua map spectra SOURCE… OUT")
    findings: list[Finding] = []
    kinds = {_kind(Path(one)) for one in sources}
    if len(kinds) > 1:
        raise ConfigError(
            "sources of several kinds", do="datasets, spectra tables or EcoPart exports: one kind at a time"
        )
    about: dict[str, Any] = {"kind": "spectra", "sources": [str(Path(one).name) for one in sources]}
    if kinds == {"dataset"}:
        from aqqua.store.lineage import origin

        opened = [Dataset.open(one) for one in sources]
        about["datasets"] = [origin(one) for one in opened]
        chosen = Choices(depths=tuple(depths) if depths else None, sizes=sizes, **choices)
        table = of_datasets(opened, chosen, read_table(volumes)[0] if volumes else None, findings)
    else:
        table = _tables(sources, findings) if kinds == {"table"} else _exported(read_ecopart(sources), findings)
        table = pool_layers(table, depths) if depths else table
    fits = fit_spectra(table, min_um=min_um, max_um=max_um)
    options = {"depths_m": depths, "sizes": sizes, "min_um": min_um, "max_um": max_um, **choices}
    paths = [write_table(table, out, {**about, "options": options})]
    beside = paths[0].with_name(f"{paths[0].stem}_fits{paths[0].suffix}")
    paths.append(write_table(fits, beside, {**about, "kind": "spectra fits", "options": options}))
    return _report(paths, table, fits, findings)


def _kind(path: Path) -> str:
    from aqqua.store.dataset import Dataset

    if Dataset.is_at(path):
        return "dataset"
    return "table" if path.suffix.lower() in {".parquet", ".csv"} else "ecopart"


def _tables(sources: Sequence[Path | str], findings: list[Finding]) -> pl.DataFrame:
    table = pl.concat([conform(read_table(one)[0], one).select(list(SPECTRA_SCHEMA)) for one in sources])
    once = table.unique(["sample_id", "depth_min_m", "depth_max_m", "esd_min_um"], keep="first", maintain_order=True)
    if lost := table.height - once.height:
        do = "name each table once; of two rows of one sample, layer and class the first was taken"
        findings.append(Finding("warning", "twice", "layers come twice", "", lost, do))
    return once


def _exported(read: EcoPart, findings: list[Finding]) -> pl.DataFrame:
    findings.extend(read.findings)
    return read.spectra


def of_datasets(
    datasets: Sequence[Any], chosen: Choices, volumes: pl.DataFrame | None, findings: list[Finding]
) -> pl.DataFrame:
    """The spectra table of datasets: all classes from the smallest to the largest in which an instrument saw anything.

    Raises:
        ConfigError: no consent, or no object has a size.
    """
    require_consent(datasets)
    edges = read_edges(chosen.sizes or "ecopart")
    edges = edges if chosen.sizes != "ecopart" else ECOPART_EDGES_UM
    objects, units = gather(datasets, chosen, volumes, findings)
    strata, units = strata_of(units, chosen.depths, findings)
    placed = objects.join(units.select("unit", "stratum", "counts", "per_m3"), on="unit", how="inner")
    if chosen.taxa or chosen.living:
        placed = placed.filter(pl.col("taxon") != OTHER)
    sized = in_classes(placed.filter("counts"), edges, findings)
    if not sized.height:
        do = "give area (px), area_um2 or esd_um in the table at ingest"
        raise ConfigError("no object has a size within the classes", where=datasets[0].path, do=do)
    sums = sized.group_by("stratum", "size").agg(
        n=pl.len().cast(pl.Int64),
        number_per_l=pl.col("per_m3").sum() / 1000,
        biovolume_mm3_per_l=(pl.col("per_m3") * pl.col("biovolume_mm3")).sum() / 1000,
    )
    # strata with objects of which none has a size are unknown, not empty
    unseen = placed.group_by("stratum").agg(pl.col("esd_um").is_null().all()).filter("esd_um")["stratum"]
    return _filled(sums, strata.filter(~pl.col("stratum").is_in(unseen.implode())), sized, edges)


def _filled(sums: pl.DataFrame, strata: pl.DataFrame, sized: pl.DataFrame, edges: Any) -> pl.DataFrame:
    """With the empty classes; `volume_l` is the water that was looked at, for each class (size fractions differ)."""
    seen = sized.group_by("instrument").agg(low=pl.col("size").min(), high=pl.col("size").max())
    grid = strata.join(seen, on="instrument", nulls_equal=True).with_columns(
        size=pl.int_ranges("low", pl.col("high") + 1)
    )
    grid = grid.explode("size", empty_as_null=True).with_columns(pl.col("size").cast(pl.Int64))
    whole = grid.join(sums, on=["stratum", "size"], how="left").sort("stratum", "size")
    names = ("n", "number_per_l", "biovolume_mm3_per_l")
    known = pl.col("volume_l").is_not_null()
    whole = whole.with_columns(pl.col(name).fill_null(0) for name in names)
    looked = pl.when(known & (pl.col("n") > 0)).then(pl.col("n") / pl.col("number_per_l"))
    near = looked.forward_fill().backward_fill().over("stratum")
    return whole.with_columns(
        pl.when(known).then("number_per_l").alias("number_per_l"),
        pl.when(known).then("biovolume_mm3_per_l").alias("biovolume_mm3_per_l"),
        volume_l=pl.when(known).then(pl.coalesce(near, "counted_l")),
        esd_min_um=pl.lit(pl.Series(np.asarray(edges))).gather(pl.col("size")),
        esd_max_um=pl.lit(pl.Series(np.append(edges[1:], np.nan))).gather(pl.col("size")).fill_nan(None),
    ).select(*SPECTRA_SCHEMA, "instrument", "dataset")


def ecopart(
    paths: Sequence[Path | str], out: Path | str, *, zoo: Path | str | None = None, card: Path | str | None = None
) -> SpectraReport:
    """Read exports of EcoPart into a spectra table, and zooplankton into a table of its own.

    Args:
        paths: folders, zips or files.
        out: the spectra table (from PAR).
        zoo: the zooplankton table (from ZOO); without it, ZOO files are left aside.
        card: card.yaml of the data, with the owners' consent.

    Raises:
        ConfigError: the card says that the owners do not agree to global interpolation.
        SourceError: nothing of EcoPart is there.
    """
    from aqqua.metadata.card import Card

    consent = None
    if card is not None:
        loaded = Card.load(card)
        require_consent_of([(str(card), loaded)])
        consent = loaded.consent_global_interpolation
    read = read_ecopart(paths)
    about = {"kind": "spectra", "sources": [Path(one).name for one in paths], "owners": read.owners, "consent": consent}
    written = [write_table(read.spectra, out, about)]
    if zoo is not None:
        written.append(write_table(read.zoo, zoo, {**about, "kind": "zooplankton"}))
    notes = []
    if consent is None:
        who = f" ({', '.join(read.owners)})" if read.owners else ""
        notes.append(
            f"EcoPart exports carry no card: ask the owners{who} before global maps; --card records their consent"
        )
    layers = read.spectra.select("sample_id", "depth_min_m", "depth_max_m").n_unique()
    return SpectraReport(written, layers, read.profiles, notes=notes, findings=read.findings)


def _report(paths: list[Path], table: pl.DataFrame, fits: pl.DataFrame, findings: list[Finding]) -> SpectraReport:
    fitted = fits.filter(pl.col("psd_ml_slope").is_not_null() | pl.col("psd_ols_slope").is_not_null())
    slope, nbss = (fitted[name].median() for name in ("psd_ml_slope", "nbss_ml_slope"))
    return SpectraReport(
        paths, fits.height, table["sample_id"].n_unique(), fitted.height,
        slope if isinstance(slope, float) else None, nbss if isinstance(nbss, float) else None, findings=findings,
    )  # fmt: skip
