from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image, ImageSequence

from aqqua.metadata.card import Card
from aqqua.ocean.organisms import TAXA
from aqqua.ocean.write_folders import tiff_bytes
from tests.ocean.conftest import SmallOcean

FOLDERS = ("isiis_folder", "spc_classes", "fluorescence")


def _table(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "table.csv").open(newline="", encoding="utf-8") as file:
        return {row["file"]: row for row in csv.DictReader(file)}


def _images(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.suffix in {".png", ".tif"}}


@pytest.mark.parametrize("name", FOLDERS)
def test_every_image_has_a_line_but_those_that_are_to_lack_one(small_ocean: SmallOcean, name: str) -> None:
    folder = small_ocean.path / name
    flaws = small_ocean.truth("flaws").filter(pl.col("source") == name, pl.col("flaw") == "not_in_table")
    assert _images(folder) - _table(folder).keys() == set(flaws["image_path"])
    assert _table(folder).keys() <= _images(folder)


@pytest.mark.parametrize("name", FOLDERS)
def test_lines_say_where_and_when_the_organism_was(small_ocean: SmallOcean, name: str) -> None:
    truth = small_ocean.truth("sightings").filter("detected").join(small_ocean.truth("organisms"), on="organism_id")
    there = {row["image_path"]: row for row in truth.iter_rows(named=True) if row["source"] == name}
    for file, row in _table(small_ocean.path / name).items():
        latitude = row.get("latitude") or row.get("lat")
        assert latitude or (there[file]["object_id"] in set(small_ocean.truth("flaws")["object_id"]))
        if latitude:
            assert float(latitude) == pytest.approx(there[file]["latitude"], abs=1e-4)
        depth = float(row.get("depth_m") or row["depth_min_m"])
        assert depth == pytest.approx(there[file]["depth_m"], abs=0.06)
        day = row["date"] if "date" in row else row["time_utc"][:10]
        assert day == f"{there[file]['time_utc']:%Y-%m-%d}"


def test_class_folders_are_the_true_taxa(small_ocean: SmallOcean) -> None:
    truth = small_ocean.truth("sightings").filter("detected", instrument="spc")
    for row in truth.iter_rows(named=True):
        assert row["image_path"].split("/")[0] == TAXA[row["taxon"]].folder == row["label"]


def test_pixel_size_is_on_the_card_or_in_the_table(small_ocean: SmallOcean) -> None:
    assert Card.load(small_ocean.path / "isiis_folder" / "card.yaml").defaults["pixel_um"] == 68
    assert {row["um_per_px"] for row in _table(small_ocean.path / "spc_classes").values()} == {"7.4"}
    assert {row["pixel_um"] for row in _table(small_ocean.path / "fluorescence").values()} == {"0.65"}


def test_tiff_pages_are_channels_and_say_so() -> None:
    import io

    pixels = np.arange(4 * 5 * 3, dtype=np.uint16).reshape(4, 5, 3) * 900
    with Image.open(io.BytesIO(tiff_bytes(pixels, ("bright-field", "chlorophyll", "dna")))) as image:
        told = str(image.tag_v2[270])  # type: ignore[attr-defined]
        pages = [np.asarray(page) for page in ImageSequence.Iterator(image)]
    assert told.startswith("ImageJ=")
    assert "channels=3\n" in told
    assert "channel_names=bright-field,chlorophyll,dna\n" in told
    assert (np.stack(pages, axis=2) == pixels).all()


def test_fluorescence_images_have_three_pages_of_sixteen_bits(small_ocean: SmallOcean) -> None:
    folder = small_ocean.path / "fluorescence"
    for name in sorted(_images(folder))[:4]:
        with Image.open(folder / name) as image:
            assert getattr(image, "n_frames", 1) == 3
            assert image.mode == "I;16"


def test_the_corrupt_image_is_corrupt_and_the_others_are_not(small_ocean: SmallOcean) -> None:
    folder = small_ocean.path / "isiis_folder"
    (bad,) = small_ocean.truth("flaws").filter(flaw="corrupt_image")["image_path"]
    for name in _images(folder):
        with Image.open(folder / name) as image:
            if name == bad:
                with pytest.raises((OSError, SyntaxError)):
                    image.load()
            else:
                image.load()
