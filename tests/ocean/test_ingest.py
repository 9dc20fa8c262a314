"""The ocean through the real readers: all gets in but what is wrong on purpose, and the values are true."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from aqqua.ocean.organisms import TAXA
from aqqua.sources.ingest import ingest
from aqqua.store.dataset import Dataset
from tests.ocean.conftest import SmallOcean


@pytest.fixture(scope="module")
def dataset(small_ocean: SmallOcean, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    path = tmp_path_factory.mktemp("ingested") / "dataset"
    ingest(list(small_ocean.report.sources), path)
    return Dataset.open(path)


@pytest.fixture(scope="module")
def readable(small_ocean: SmallOcean) -> pl.DataFrame:
    """Sightings whose files today's readers can read."""
    return small_ocean.truth("sightings").filter("detected")


def test_exactly_the_flaws_are_rejected(dataset: Dataset, small_ocean: SmallOcean, readable: pl.DataFrame) -> None:
    flaws = small_ocean.truth("flaws")
    assert len(flaws) == 5
    wrong = set(flaws.filter(expected="rejected")["object_id"])
    assert set(dataset.rejected()["object_id"]) == wrong
    assert set(dataset.metadata(["object_id"])["object_id"]) == set(readable["object_id"]) - wrong
    assert len(dataset) == len(readable) - len(wrong)


def test_each_reject_names_the_field_that_is_wrong(dataset: Dataset, small_ocean: SmallOcean) -> None:
    told: dict[str, set[str]] = {}
    for row in dataset.rejected().iter_rows(named=True):
        told.setdefault(row["object_id"], set()).add(row["field"])
    for flaw in small_ocean.truth("flaws").filter(expected="rejected").iter_rows(named=True):
        assert flaw["field"] in told[flaw["object_id"]]


def test_swapped_depths_are_put_right(dataset: Dataset) -> None:
    depths = dataset.metadata(["depth_min_m", "depth_max_m"])
    assert (depths["depth_min_m"] <= depths["depth_max_m"]).all()
    assert any(finding.code == "depths_swapped" for finding in dataset.findings())


def test_values_are_true(dataset: Dataset, small_ocean: SmallOcean, readable: pl.DataFrame) -> None:
    truth = readable.join(small_ocean.truth("organisms"), on="organism_id", suffix="_organism")
    both = dataset.metadata().join(truth, on="object_id", suffix="_true")
    assert len(both) == len(dataset)
    minutes = (pl.col("time_utc") - pl.col("time_utc_true")).dt.total_minutes()
    true = {
        "latitude": (pl.col("latitude") - pl.col("latitude_true")).abs() < 0.01,
        "longitude": (pl.col("longitude") - pl.col("longitude_true")).abs() < 0.01,
        "pixel": (pl.col("pixel_um") / pl.col("pixel_um_true") - 1).abs() < 1e-5,
        "width": pl.col("width") == pl.col("width_true"),
        "height": pl.col("height") == pl.col("height_true"),
        "time": minutes.abs() <= 130,
        "depth": pl.col("depth_m").is_between(pl.col("depth_min_m") - 0.06, pl.col("depth_max_m") + 0.06),
    }
    found = both.select(**{name: rule.all() for name, rule in true.items()}).row(0, named=True)
    assert found == dict.fromkeys(true, True)


def test_volumes_are_true(dataset: Dataset, small_ocean: SmallOcean) -> None:
    names = {"ZooScan": "zooscan", "ISIIS": "isiis", "SPC": "spc", "PlanktoScope": "planktoscope", "IFCB": "ifcb"} | {
        "eHFCM": "fluorescence"
    }
    columns = ["instrument", "sample_id", "volume_l", "subsample_factor"]
    rows = dataset.metadata(columns).select(columns).unique()
    truth = small_ocean.truth("acquisitions")
    for instrument, key in names.items():
        litres = pl.col("volume_l") / pl.col("subsample_factor").fill_null(1)
        mine = rows.filter(instrument=instrument).select(litres.sum()).item()
        assert mine == pytest.approx(truth.filter(instrument=key)["volume_l"].sum(), rel=1e-4)


def test_labels_come_through_and_name_known_taxa(dataset: Dataset, readable: pl.DataFrame) -> None:
    labels = (
        dataset.labels().join(dataset.metadata(["object_id"]), on="uid").join(readable, on="object_id", suffix="_true")
    )
    assert len(labels) > 60
    assert (labels["label"] == labels["label_true"]).all()
    assert labels["taxon"].null_count() == 0
    assert len(set(labels["label"])) <= 2 * len(TAXA)


def test_pixels_come_through(dataset: Dataset, small_ocean: SmallOcean, readable: pl.DataFrame) -> None:
    from PIL import Image

    row = dataset.metadata(["object_id", "instrument"]).filter(instrument="ISIIS").row(0, named=True)
    there = readable.filter(object_id=row["object_id"]).row(0, named=True)
    with Image.open(Path(small_ocean.path) / "isiis_folder" / there["image_path"]) as image:
        assert (np.asarray(image) == dataset.image(row["uid"])).all()
