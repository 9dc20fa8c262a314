from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from aqqua.errors import ConfigError
from aqqua.ocean import OceanReport, write_ocean
from tests.ocean.conftest import SmallOcean


def _bytes(folder: Path) -> dict[str, bytes]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_same_seed_same_bytes_other_seed_other_ocean(tmp_path: Path) -> None:
    for name, seed in (("one", 5), ("two", 5), ("three", 6)):
        write_ocean(tmp_path / name, seed=seed, samples=1, images=36)
    one, two, three = (_bytes(tmp_path / name) for name in ("one", "two", "three"))
    assert one.keys() == two.keys()
    assert [name for name in one if one[name] != two[name]] == []
    assert one["truth/masks.zip"] != three["truth/masks.zip"]
    assert one["ecotaxa_zooscan.zip"] != three["ecotaxa_zooscan.zip"]


def test_report_counts_what_was_written(small_ocean: SmallOcean) -> None:
    report, sightings = small_ocean.report, small_ocean.truth("sightings")
    assert report.images == sightings["detected"].sum()
    assert report.organisms == len(small_ocean.truth("organisms"))
    assert report.shared == (small_ocean.truth("organisms")["images"] > 1).sum() > 0
    assert all(source.exists() for source in report.sources)
    assert 0.7 * 150 < report.images < 1.3 * 150
    assert f"{report.images:,} images in 6 sources" in str(report)


def test_all_six_instruments_and_most_taxa_are_there(small_ocean: SmallOcean) -> None:
    seen = small_ocean.truth("sightings").filter("detected")
    assert seen["instrument"].n_unique() == 6
    assert seen["taxon"].n_unique() >= 12


def test_an_earlier_ocean_is_replaced(tmp_path: Path) -> None:
    out = tmp_path / "ocean"
    write_ocean(out, seed=1, samples=1, images=24)
    (out / "ifcb" / "left_over.adc").write_text("")
    write_ocean(out, seed=2, samples=1, images=24)
    fresh = tmp_path / "fresh"
    write_ocean(fresh, seed=2, samples=1, images=24)
    assert _bytes(out) == _bytes(fresh)


def test_what_is_not_an_ocean_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "ifcb").mkdir()
    (tmp_path / "ifcb" / "real.roi").write_bytes(b"precious")
    with pytest.raises(ConfigError, match="something else"):
        write_ocean(tmp_path, images=10)
    assert (tmp_path / "ifcb" / "real.roi").read_bytes() == b"precious"
    assert not (tmp_path / "truth").exists()


@pytest.mark.parametrize(("samples", "images"), [(0, 10), (2, 0)])
def test_an_empty_ocean_is_refused(tmp_path: Path, samples: int, images: int) -> None:
    with pytest.raises(ConfigError, match="is empty"):
        write_ocean(tmp_path, samples=samples, images=images)


def test_without_flaws_there_are_none(tmp_path: Path) -> None:
    report = write_ocean(tmp_path, seed=3, samples=1, images=60, flaws=False)
    assert isinstance(report, OceanReport)
    assert pl.read_parquet(report.truth / "flaws.parquet").is_empty()
