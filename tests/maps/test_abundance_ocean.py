"""Abundance tables of the virtual ocean against what was really in the water."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from aqqua.maps.abundance import abundance
from aqqua.maps.tables import read_table
from aqqua.metadata.label_parts import parse
from aqqua.ocean import write_ocean
from aqqua.ocean.instruments import INSTRUMENTS
from aqqua.ocean.survey import RIGS, catch_share
from aqqua.ocean.world import POPULATIONS, visits
from aqqua.sources.ingest import ingest

SEED, SAMPLES = 3, 4
NAMES = {"ZooScan": "zooscan", "ISIIS": "isiis", "SPC": "spc", "PlanktoScope": "planktoscope"}
_FIRST_SMALL = next(place for place, population in enumerate(POPULATIONS) if population.name == "chains")


def in_the_water() -> pl.DataFrame:
    """Mean number per m³ that each instrument can see: concentration × chance to be caught and detected."""
    rows = []
    for visit in visits(SEED, SAMPLES):
        for rig in RIGS:
            some = POPULATIONS[_FIRST_SMALL:] if rig.name == "laboratory" else POPULATIONS[:_FIRST_SMALL]
            for key in rig.instruments:
                for population in some:
                    lengths = population.length_um((np.arange(64) + 0.5) / 64)
                    seen = float(INSTRUMENTS[key].detection(lengths).mean()) * catch_share(key, population.taxon)
                    taxon = parse(population.taxon).taxon
                    assert taxon is not None
                    density = 1000 * seen * visit.mean_per_l(population, *rig.range_m(visit))
                    rows.append((visit.name.lower(), key, taxon.name, density))
    frame = pl.DataFrame(rows, schema=["visit", "key", "taxon", "truth"], orient="row")
    return frame.group_by("visit", "key", "taxon").agg(pl.col("truth").sum())


@pytest.mark.slow
def test_intervals_hold_what_is_in_the_water(tmp_path: Path) -> None:
    write_ocean(tmp_path / "raw", seed=SEED, samples=SAMPLES, images=800)
    sources = ("ecotaxa_zooscan.zip", "ecotaxa_planktoscope.zip", "isiis_folder", "spc_classes")
    ingest([tmp_path / "raw" / name for name in sources], tmp_path / "ds")
    report = abundance([tmp_path / "ds"], tmp_path / "out.parquet")
    assert report.missing == 0
    table = read_table(tmp_path / "out.parquet")[0].with_columns(
        key=pl.col("instrument").replace(NAMES),
        visit=pl.col("sample_id").str.to_lowercase().str.extract(r"^(aq24_\d+_[^_]+)_"),
    )
    taken = pl.read_parquet(tmp_path / "raw" / "truth" / "acquisitions.parquet").filter(pl.col("images") > 0)
    water = taken.select(pl.col("sample_id").str.to_lowercase().alias("visit"), "instrument", litres="volume_l")
    volumes = table.join(water, left_on=["visit", "key"], right_on=["visit", "instrument"])
    assert volumes.height == table.height
    assert volumes["counted_l"].to_numpy() == pytest.approx(volumes["litres"].to_numpy(), rel=0.01)
    both = table.join(in_the_water(), on=["visit", "key", "taxon"])
    held = both.select(pl.col("truth").is_between("abundance_lo_m3", "abundance_hi_m3"))["truth"]
    assert both.height > 150
    assert held.mean() > 0.9  # type: ignore[operator]  # of nominal 95 %; an eighth of the images has no name
    sums = both.group_by("key").agg(share=pl.col("abundance_m3").sum() / pl.col("truth").sum())
    assert sums["share"].is_between(0.7, 1.2).all()
