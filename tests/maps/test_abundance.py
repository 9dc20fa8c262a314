"""Numbers per m³ from objects and volumes that are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from aqqua.errors import ConfigError, UnknownNameError
from aqqua.maps.abundance import AbundanceReport, abundance
from aqqua.maps.tables import read_table, write_table
from aqqua.store.dataset import Dataset
from tests.make.counted import counted_dataset, predicted, rows


def table(tmp_path: Path, *datasets: Dataset, **choices: Any) -> pl.DataFrame:
    report = abundance([one.path for one in datasets], tmp_path / "out.parquet", **choices)
    assert str(report)
    return read_table(tmp_path / "out.parquet")[0]


def one(frame: pl.DataFrame, **where: Any) -> dict[str, Any]:
    found = frame.filter(*(pl.col(name) == value for name, value in where.items()))
    assert found.height == 1, found
    return found.to_dicts()[0]


def test_numbers_intervals_and_zeros(tmp_path: Path) -> None:
    objects = rows(10, "Calanoida") + rows(3, "Cyclopoida", sample_id="haul_2", volume_l=4.0)
    frame = table(tmp_path, counted_dataset(tmp_path / "d", objects))
    row = one(frame, sample_id="haul_1", taxon="Calanoida")
    assert row["n"] == row["n_corrected"] == 10
    assert row["abundance_m3"] == pytest.approx(10 / 0.002)
    # Garwood's exact interval of 10 counts
    assert row["abundance_lo_m3"] == pytest.approx(4.795 / 0.002, rel=1e-3)
    assert row["abundance_hi_m3"] == pytest.approx(18.39 / 0.002, rel=1e-3)
    zero = one(frame, sample_id="haul_2", taxon="Calanoida")
    assert (zero["n"], zero["abundance_m3"], zero["abundance_lo_m3"]) == (0, 0, 0)
    assert zero["abundance_hi_m3"] == pytest.approx(3.689 / 0.004, rel=1e-3)
    assert zero["biovolume_mm3_m3"] == 0
    assert one(frame, sample_id="haul_1", taxon="unknown")["n"] == 0
    assert one(frame, sample_id="haul_1", taxon="Calanoida")["aphia_id"] == 1100


def test_taxa_of_other_instruments_are_not_zero_but_absent(tmp_path: Path) -> None:
    objects = rows(1, "Calanoida") + rows(1, "Ciliophora", instrument="IFCB", sample_id="bin_1")
    frame = table(tmp_path, counted_dataset(tmp_path / "d", objects))
    assert frame.filter(sample_id="bin_1")["taxon"].sort().to_list() == ["Ciliophora", "unknown"]


def test_no_volume_is_missing_never_zero(tmp_path: Path) -> None:
    objects = rows(2, "Calanoida") + rows(5, "Calanoida", sample_id="haul_2", volume_l=None)
    dataset = counted_dataset(tmp_path / "d", objects)
    report = abundance([dataset.path], tmp_path / "out.csv")
    frame = read_table(tmp_path / "out.csv")[0]
    row = one(frame, sample_id="haul_2", taxon="Calanoida")
    assert row["n"] == 5
    assert row["abundance_m3"] is row["abundance_hi_m3"] is row["biovolume_mm3_m3"] is row["carbon_mg_m3"] is None
    assert report.missing == 2
    assert "volume_missing" in [finding.code for finding in report.findings]


def test_ratio_of_sums_over_acquisitions(tmp_path: Path) -> None:
    objects = rows(9, "Calanoida", volume_l=1.0) + rows(1, "Calanoida", acquisition_id="run_2", volume_l=9.0)
    row = one(table(tmp_path, counted_dataset(tmp_path / "d", objects)), taxon="Calanoida")
    assert row["volume_l"] == 10
    assert row["abundance_m3"] == pytest.approx(1000)  # the mean of ratios would be 4,556


def test_subsamples_count_for_their_share(tmp_path: Path) -> None:
    objects = rows(4, "Calanoida", volume_l=1000.0, subsample_factor=8.0)
    row = one(table(tmp_path, counted_dataset(tmp_path / "d", objects)), taxon="Calanoida")
    assert row["abundance_m3"] == pytest.approx(32)
    assert (row["volume_l"], row["counted_l"]) == (1000, 125)


def test_size_fractions_of_a_net_share_its_volume(tmp_path: Path) -> None:
    net = {"instrument": "ZooScan", "modality": "scanner", "volume_l": 100_000.0}
    small = rows(30, "Calanoida", acquisition_id="d2", subsample_factor=64.0, **net)
    large = rows(5, "Calanoida", acquisition_id="d1", subsample_factor=2.0, **net)
    row = one(table(tmp_path, counted_dataset(tmp_path / "d", small + large)), taxon="Calanoida")
    assert row["abundance_m3"] == pytest.approx((30 * 64 + 5 * 2) / 100)
    assert row["volume_l"] == 100_000
    # the variance is that of the weighted sum: Σ weight² · n
    assert row["abundance_hi_m3"] - row["abundance_m3"] > 1.96 * (30 * 64**2) ** 0.5 / 100


def test_objects_count_once_and_parts_not_at_all(tmp_path: Path) -> None:
    objects = rows(2, "Calanoida", object_id="same") + rows(1, "Calanoida")
    objects += rows(1, "Calanoida", part="head", object_id="head")
    objects += rows(1, "Calanoida", status="discarded", object_id="bad")
    dataset = counted_dataset(tmp_path / "d", objects)
    report = abundance([dataset.path], tmp_path / "o.parquet")
    assert report.objects == 2
    assert {"parts", "discarded"} <= {finding.code for finding in report.findings}


def test_taxa_roll_up_without_counting_twice(tmp_path: Path) -> None:
    objects = rows(3, "Calanus") + rows(2, "Oithona") + rows(4, "Copepoda") + rows(5, "detritus")
    dataset = counted_dataset(tmp_path / "d", objects)
    frame = table(tmp_path, dataset, taxa=("Copepoda", "Calanoida"))
    assert dict(frame.select("taxon", "n").iter_rows()) == {"Calanoida": 3, "Copepoda": 6, "other": 5, "unknown": 0}
    frame = table(tmp_path, dataset, rank="class")
    assert dict(frame.select("taxon", "n").iter_rows()) == {"Copepoda": 9, "detritus": 5, "unknown": 0}
    frame = table(tmp_path, dataset, living=True)
    assert one(frame, taxon="other")["n"] == 5
    with pytest.raises(UnknownNameError, match="Copepodia"):
        table(tmp_path, dataset, taxa=("Copepodia",))
    with pytest.raises(ConfigError, match="together"):
        table(tmp_path, dataset, taxa=("Copepoda",), rank="class")


def test_depth_bins_pool_layers_and_cut_nothing(tmp_path: Path) -> None:
    volumes = pl.DataFrame(
        {
            "sample_id": ["haul_1"] * 4,
            "depth_min_m": [0, 5, 10, 15],
            "depth_max_m": [5, 10, 15, 25],
            "volume_l": [1, 2, 3, 4],
        }
    )
    write_table(volumes, tmp_path / "volumes.csv", {})
    depth = [{"depth_min_m": value, "depth_max_m": value} for value in (1.0, 6.0, 7.0, 99.0)]
    objects = [row for value in depth for row in rows(1, "Calanoida", **value)]
    dataset = counted_dataset(tmp_path / "d", objects)
    report = abundance([dataset.path], tmp_path / "o.parquet", volumes=tmp_path / "volumes.csv", depths=(0, 10, 20))
    frame = read_table(tmp_path / "o.parquet")[0].filter(taxon="Calanoida").sort("depth_min_m")
    assert frame.select("depth_min_m", "depth_max_m", "n", "volume_l").rows() == [
        (0, 10, 3, 3),
        (10, 15, 0, 3),
        (15, 25, 0, 4),
    ]
    assert frame["abundance_m3"].to_list() == pytest.approx([1000, 0, 0])
    codes = {finding.code for finding in report.findings}
    assert {"no_layer", "across_depths"} <= codes  # the object at 99 m; the layer 15–25 m


def test_volumes_by_depth_need_the_thickness_of_layers(tmp_path: Path) -> None:
    places = [{"depth_min_m": d, "depth_max_m": d, "volume_l": v} for d, v in ((1.0, 2.0), (2.0, 2.0), (7.0, 4.0))]
    dataset = counted_dataset(tmp_path / "d", [row for place in places for row in rows(1, "Calanoida", **place)])
    report = abundance([dataset.path], tmp_path / "o.parquet")
    assert "volumes_conflict" in [finding.code for finding in report.findings]
    assert report.missing == report.rows
    frame = table(tmp_path, dataset, volume_bin=5.0).filter(taxon="Calanoida").sort("depth_min_m")
    assert frame.select("depth_min_m", "depth_max_m", "n", "volume_l").rows() == [(0, 5, 2, 2), (5, 10, 1, 4)]
    assert frame["abundance_m3"].to_list() == [1000, 250]


def test_two_estimators_of_a_volume_are_reconciled(tmp_path: Path) -> None:
    clocks = {"raw:volume_l": "0.004", "raw:ml_analyzed_hdr": "4.0"}
    bins = {"instrument": "IFCB", "volume_l": 0.004}
    good = rows(4, "Ciliophora", sample_id="bin_1", **bins, **clocks, **{"raw:ml_analyzed_adc": "4.02"})
    bad = rows(4, "Ciliophora", sample_id="bin_2", **bins, **clocks, **{"raw:ml_analyzed_adc": "2.0"})
    dataset = counted_dataset(tmp_path / "d", good + bad)
    report = abundance([dataset.path], tmp_path / "o.parquet")
    frame = read_table(tmp_path / "o.parquet")[0].filter(taxon="Ciliophora").sort("sample_id")
    first, second = frame.to_dicts()
    assert first["abundance_m3"] == second["abundance_m3"]
    assert second["abundance_hi_m3"] == pytest.approx(2 * first["abundance_hi_m3"])
    assert second["abundance_lo_m3"] == first["abundance_lo_m3"]
    (finding,) = [finding for finding in report.findings if finding.code == "volumes_differ"]
    assert finding.samples == (("bin_2", 1),)
    assert "1 of 2" in finding.message


def test_biovolume_and_carbon_come_from_area(tmp_path: Path) -> None:
    # 100 px of 10 µm: 10,000 µm², a circle of 112.8 µm
    objects = rows(8, "Calanoida", **{"raw:object_area": "100"}) + rows(2, "Calanoida", **{"raw:object_area": ""})
    row = one(table(tmp_path, counted_dataset(tmp_path / "d", objects)), taxon="Calanoida")
    sphere = 4 / 3 * 3.14159265 * (0.0112838 * 5) ** 3
    assert row["biovolume_mm3_m3"] == pytest.approx(5000 * sphere, rel=1e-3)  # two have no size: as the other eight
    assert row["biovolume_lo_mm3_m3"] < row["biovolume_mm3_m3"] < row["biovolume_hi_mm3_m3"]
    assert row["carbon_mg_m3"] == pytest.approx(0.0703 * row["biovolume_mm3_m3"], rel=0.01)
    assert row["carbon_share"] == pytest.approx(0.8)
    relative = row["carbon_hi_mg_m3"] / row["carbon_mg_m3"]
    assert relative > row["biovolume_hi_mm3_m3"] / row["biovolume_mm3_m3"]  # the equation is uncertain as well


def test_size_classes(tmp_path: Path) -> None:
    objects = rows(3, "Calanoida", **{"raw:area": "100"}) + rows(1, "Calanoida", **{"raw:area": "300"})
    objects += rows(2, "Calanoida", sample_id="sizeless", **{"raw:area": ""})
    dataset = counted_dataset(tmp_path / "d", objects)
    frame = table(tmp_path, dataset, sizes="100,150,200,400").filter(taxon="Calanoida")
    sized = frame.filter(sample_id="haul_1")
    assert sized.select("size_min_um", "size_max_um", "n").rows() == [(100, 150, 3), (150, 200, 1), (200, 400, 0)]
    blind = frame.filter(sample_id="sizeless")
    assert blind["n"].null_count() == blind["abundance_m3"].null_count() == 3  # nobody measured: unknown, not empty


def test_replicates_show_overdispersion(tmp_path: Path) -> None:
    objects = [row for i, n in enumerate((2, 40, 5, 60, 1, 30)) for row in rows(n, "Calanoida", sample_id=f"haul_{i}")]
    objects += [row for i in range(6) for row in rows(20, "Oithona", sample_id=f"haul_{i}")]
    frame = table(tmp_path, counted_dataset(tmp_path / "d", objects))
    patchy, even = one(frame, taxon="Calanoida", sample_id="haul_1"), one(frame, taxon="Oithona", sample_id="haul_1")
    assert patchy["interval"] == "negative binomial"
    assert patchy["alpha"] > 0.3
    assert patchy["abundance_hi_m3"] / patchy["abundance_m3"] > 2
    assert (even["interval"], even["alpha"], even["replicates"]) == ("poisson", 0, 6)


def test_counts_of_a_model_are_corrected(tmp_path: Path) -> None:
    # the model calls a fifth of the Oithona "Calanus"; validated images tell so
    taught = rows(100, "Calanus", sample_id="taught") + rows(100, "Oithona", sample_id="taught")
    said = ["Calanus"] * 100 + ["Calanus"] * 20 + ["Oithona"] * 80
    target = rows(200, None, sample_id="target")
    said += ["Calanus"] * 60 + ["Oithona"] * 140  # so there were 25 and 175
    dataset = counted_dataset(tmp_path / "d", taught + target)
    predicted(dataset, said)
    plain = one(table(tmp_path, dataset), sample_id="target", taxon="Calanus")
    assert plain["n"] == plain["n_corrected"] == 60
    mended = one(table(tmp_path, dataset, correct="acc"), sample_id="target", taxon="Calanus")
    assert mended["n"] == 60
    assert mended["n_corrected"] == pytest.approx(25, abs=1)
    assert mended["abundance_m3"] == pytest.approx(25 / 0.002, rel=0.05)
    assert mended["abundance_lo_m3"] < 25 / 0.002 < mended["abundance_hi_m3"]
    same = one(table(tmp_path, dataset, correct="acc"), sample_id="taught", taxon="Calanus")
    assert same["n_corrected"] == 100  # people named them


def test_what_a_model_declines_is_unknown(tmp_path: Path) -> None:
    dataset = counted_dataset(tmp_path / "d", rows(10, None))
    predicted(dataset, ["Calanus"] * 10, [0.9] * 6 + [0.2] * 4)
    frame = table(tmp_path, dataset, least=0.5)
    assert one(frame, taxon="Calanus")["n"] == 6
    assert one(frame, taxon="unknown")["n"] == 4
    assert frame["unknown_share"].to_list() == [0.4, 0.4]
    report = abundance([dataset.path], tmp_path / "o.parquet", correct="acc")
    assert "not_corrected" in [finding.code for finding in report.findings]
    assert one(table(tmp_path, dataset, names="people"), taxon="unknown")["n"] == 10


def test_provenance_names_datasets_and_options(tmp_path: Path) -> None:
    dataset = counted_dataset(tmp_path / "d", rows(1, "Calanoida"))
    abundance([dataset.path], tmp_path / "o.parquet", rank="class")
    about = read_table(tmp_path / "o.parquet")[1]
    assert about["datasets"][0]["uuid"] == dataset.uuid
    assert about["options"]["rank"] == "class"


def test_two_datasets_of_one_name_stay_apart(tmp_path: Path) -> None:
    parts = [counted_dataset(tmp_path / place / "d", rows(1 + i, "Calanoida")) for i, place in enumerate("ab")]
    frame = table(tmp_path, *parts).filter(taxon="Calanoida")
    assert sorted(frame["n"].to_list()) == [1, 2]
    assert frame["dataset"].n_unique() == 2


def test_the_date_line_is_no_place_to_average(tmp_path: Path) -> None:
    objects = rows(1, "Calanoida", longitude=179.5) + rows(1, "Calanoida", longitude=-179.5)
    row = one(table(tmp_path, counted_dataset(tmp_path / "d", objects)), taxon="Calanoida")
    assert abs(row["longitude"]) == pytest.approx(180)


@pytest.mark.parametrize("depths", [(10.0,), (10.0, 5.0), (-5.0, 5.0)])
def test_depths_must_rise(tmp_path: Path, depths: tuple[float, ...]) -> None:
    with pytest.raises(ConfigError, match="depths that rise"):
        abundance([], tmp_path / "o.parquet", depths=depths)


def test_a_volume_table_must_be_one(tmp_path: Path) -> None:
    dataset = counted_dataset(tmp_path / "d", rows(1, "Calanoida"))
    write_table(pl.DataFrame({"sample_id": ["x"], "volume_l": [1.0]}), tmp_path / "v.csv", {})
    with pytest.raises(ConfigError, match="depth_min_m"):
        abundance([dataset.path], tmp_path / "o.parquet", volumes=tmp_path / "v.csv")
    upside = pl.DataFrame({"sample_id": ["haul_1"], "depth_min_m": [9.0], "depth_max_m": [1.0], "volume_l": [1.0]})
    write_table(upside, tmp_path / "v.csv", {})
    with pytest.raises(ConfigError, match="layer from"):
        abundance([dataset.path], tmp_path / "o.parquet", volumes=tmp_path / "v.csv")


def test_report_says_what_is_there() -> None:
    report = AbundanceReport(Path("t.parquet"), 4, 2, 1, 10, 2, 0.25)
    assert str(report) == (
        "t.parquet: 10 objects of 1 taxa in 2 samples, 4 rows; 25% of the objects have no name; "
        "2 rows without abundance, for want of a volume"
    )
