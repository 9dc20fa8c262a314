"""The truth: complete, sealed, and the same as what the raw sources show."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from aqqua.errors import FormatError, NotFoundError
from aqqua.ocean import verify_seal
from aqqua.ocean.truth import GENERATOR_VERSION
from tests.ocean.conftest import SmallOcean


def _stored_images(ocean: SmallOcean) -> set[tuple[str, str, int | None]]:
    """Every image there is in the raw sources: (source, path, ROI number)."""
    found: set[tuple[str, str, int | None]] = set()
    for source in ocean.report.sources:
        if source.suffix == ".zip":
            with zipfile.ZipFile(source) as zipped:
                found |= {(source.name, name, None) for name in zipped.namelist() if name.endswith(".png")}
        elif source.name == "ifcb":
            for adc in source.glob("*.adc"):
                lines = [line.split(",") for line in adc.read_text().splitlines()]
                found |= {("ifcb", f"{adc.stem}.roi", n) for n, line in enumerate(lines, 1) if line[15] != "0"}
        else:
            images = [path for path in source.rglob("*") if path.suffix in {".png", ".tif"}]
            found |= {(source.name, path.relative_to(source).as_posix(), None) for path in images}
    return found


def test_every_image_is_exactly_one_sighting(small_ocean: SmallOcean) -> None:
    seen = small_ocean.truth("sightings").filter("detected")
    told = list(seen.select("source", "image_path", "roi_number").iter_rows())
    assert len(set(told)) == len(told)
    assert set(told) == _stored_images(small_ocean)


def test_everybody_in_the_water_is_told_for_every_instrument_that_looked(small_ocean: SmallOcean) -> None:
    organisms, sightings = small_ocean.truth("organisms"), small_ocean.truth("sightings")
    assert organisms["organism_id"].is_unique().all()
    looked = {(row["organism_id"], key) for row in organisms.iter_rows(named=True) for key in row["parcel"].split("+")}
    told = list(sightings.select("organism_id", "instrument").iter_rows())
    assert len(told) == len(set(told)) == len(looked)
    assert set(told) == looked
    assert sightings["detected"].any()
    assert not sightings["detected"].all()


def test_masks_fit_their_images_and_their_measures(small_ocean: SmallOcean) -> None:
    seen = small_ocean.truth("sightings").filter("detected")
    with zipfile.ZipFile(small_ocean.path / "truth" / "masks.zip") as zipped:
        assert sorted(zipped.namelist()) == sorted(seen["mask"])
        for row in seen.iter_rows(named=True):
            with Image.open(io.BytesIO(zipped.read(row["mask"]))) as image:
                mask = np.asarray(image)
            assert mask.shape == (row["height"], row["width"])
            assert int((mask > 0).sum()) == row["area_px"]
            assert row["ecd_um"] == pytest.approx(np.sqrt(4 / np.pi * (mask == 2).sum()) * row["pixel_um"])


def test_sizes_in_the_images_are_those_of_the_organisms(small_ocean: SmallOcean) -> None:
    both = small_ocean.truth("sightings").filter("detected").join(small_ocean.truth("organisms"), on="organism_id")
    straight = both.filter(
        pl.col("taxon").is_in(["Calanoida", "Cyclopoida", "fecal pellets", "bubble", "Ciliophora"]),
        pl.col("pitch_deg").abs() < 15,
        pl.col("feret_um") > 14 * pl.col("pixel_um"),
    )
    assert len(straight) > 20
    ratio = straight.select((pl.col("feret_um") - pl.col("pixel_um")) / pl.col("length_um")).to_series().to_numpy()
    assert ratio.min() > 0.85
    assert ratio.max() < 1.15
    assert 0.95 < np.median(ratio) < 1.05


def test_shared_organisms_have_the_same_size_for_all_who_see_them(small_ocean: SmallOcean) -> None:
    seen = small_ocean.truth("sightings").filter("detected", pl.col("taxon").is_in(["bubble", "detritus", "Calanoida"]))
    pairs = seen.join(seen, on="organism_id").filter(pl.col("instrument") < pl.col("instrument_right"))
    clear = pairs.filter(pl.min_horizontal("body_area_px", "body_area_px_right") > 100)
    assert len(pairs) > 3
    assert clear.select(((pl.col("ecd_um") / pl.col("ecd_um_right")).log().abs() < 0.7).all()).item()


def test_volumes_of_parcels_add_up_to_those_of_instruments(small_ocean: SmallOcean) -> None:
    parcels, acquisitions = small_ocean.truth("parcels"), small_ocean.truth("acquisitions")
    for row in acquisitions.iter_rows(named=True):
        mine = parcels.filter(
            pl.col("sample_id") == row["sample_id"], pl.col("parcel").str.split("+").list.contains(row["instrument"])
        )
        assert mine["volume_l"].sum() == pytest.approx(row["volume_l"])
    images = small_ocean.truth("sightings").filter("detected").group_by("sample_id", "instrument").len()
    both = acquisitions.join(images, on=["sample_id", "instrument"])
    assert (both["images"] == both["len"]).all()


def test_concentrations_and_profiles_cover_every_sample(small_ocean: SmallOcean) -> None:
    samples = set(small_ocean.truth("samples")["sample_id"])
    for table in ("concentrations", "profiles", "acquisitions", "parcels"):
        assert set(small_ocean.truth(table)["sample_id"]) == samples
    assert small_ocean.truth("concentrations").select((pl.col("concentration_per_l") >= 0).all()).item()


def test_the_seal_holds(small_ocean: SmallOcean) -> None:
    assert verify_seal(small_ocean.path) == []
    seal = json.loads((small_ocean.path / "truth" / "SEAL.json").read_text())
    assert seal["generator_version"] == GENERATOR_VERSION
    assert (seal["seed"], seal["samples"], seal["images_asked"], seal["flaws"]) == (1, 2, 150, True)
    assert len(seal["sha256"]) > 100


def test_the_seal_finds_one_changed_byte_a_missing_and_an_added_file(small_ocean: SmallOcean, tmp_path: Path) -> None:
    out = tmp_path / "copy"
    shutil.copytree(small_ocean.path, out)
    assert verify_seal(out) == []
    table = out / "truth" / "organisms.parquet"
    data = bytearray(table.read_bytes())
    data[len(data) // 2] ^= 1
    table.write_bytes(bytes(data))
    (out / "ifcb" / "bins.csv").unlink()
    (out / "truth" / "more.parquet").write_bytes(b"")
    assert verify_seal(out) == [
        "truth/organisms.parquet: changed",
        "ifcb/bins.csv: missing",
        "truth/more.parquet: added",
    ]


def test_without_a_seal_there_is_nothing_to_verify(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        verify_seal(tmp_path)
    (tmp_path / "truth").mkdir()
    (tmp_path / "truth" / "SEAL.json").write_text("{}")
    with pytest.raises(FormatError):
        verify_seal(tmp_path)
