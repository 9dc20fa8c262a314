"""What sets the flavours of EcoTaxa's exports apart, one test for each trap; UVP6 samples in zips; encodings."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from aqqua.metadata.card import Card
from aqqua.metadata.harmonise import harmonise
from aqqua.sources import recognise
from aqqua.sources.ecotaxa_export import EcotaxaExport
from aqqua.sources.ingest import ingest
from aqqua.store.dataset import Dataset
from tests.make.ecotaxa import FLAVOURS, Flavour, rows, table_bytes, uvp6_sample, write_package
from tests.make.images import as_file
from tests.make.packing import pack

Pixels = dict[tuple[str, int], np.ndarray | Exception]


def read(path: Path) -> tuple[pl.DataFrame, Pixels]:
    """All rows of a package, and pixels by object and rank."""
    source = recognise(path)
    assert source.name == "ecotaxa_export"
    tables: list[pl.DataFrame] = []
    images: Pixels = {}
    for part in source.parts(path):
        table = part.table()
        tables.append(table)
        usable = table.filter(pl.col("_reason").is_null())
        if usable.is_empty():
            continue
        keys = zip(usable["object_id"], usable["img_rank"].cast(pl.Float64).cast(pl.Int64), strict=True)
        images |= dict(zip(keys, part.images(table["_reason"].is_null().arg_true().to_list()), strict=True))
    return pl.concat(tables, how="diagonal"), images


def assert_same(found: Pixels, expected: dict[tuple[str, int], np.ndarray]) -> None:
    assert set(found) == set(expected)
    for key, pixels in expected.items():
        np.testing.assert_array_equal(found[key], pixels)


# ---- layouts


@pytest.mark.parametrize("suffix", ["", ".zip"])
@pytest.mark.parametrize("flavour", ["by_taxon", "doi"])
def test_objects_without_taxon_lie_in_a_folder_called_none(tmp_path: Path, flavour: str, suffix: str) -> None:
    table = rows()
    table[-1] |= {"object_annotation_category": "", "object_annotation_status": ""}
    package = write_package(tmp_path / f"p{suffix}", FLAVOURS[flavour], table)
    found, images = read(package.path)
    assert_same(images, package.pixels)
    folder = {"by_taxon": "None/", "doi": "images/NoCategory__"}[flavour]
    assert found.filter(pl.col("image_path").str.starts_with(folder))["object_id"].to_list() == [table[-1]["object_id"]]
    made = harmonise(found.drop("_field", "_reason", "_do"), source="ecotaxa_export", card=Card())
    assert made.converted.height == len(table)
    assert made.labels.height == len(table) - 1


@pytest.mark.parametrize("flavour", ["same_names", "same_names_backup"])
def test_images_of_one_name_are_in_folders_by_rank(tmp_path: Path, flavour: str) -> None:
    package = write_package(tmp_path / "p", FLAVOURS[flavour])
    found, images = read(package.path)
    assert_same(images, package.pixels)
    assert any("/1/" in path for path in found["image_path"])


def test_one_table_per_acquisition(tmp_path: Path) -> None:
    package = write_package(tmp_path / "p.zip", FLAVOURS["by_acquisition"])
    parts = EcotaxaExport().parts(package.path)
    assert [part.name for part in parts] == ["ecotaxa_acq_sample_0.tsv", "ecotaxa_acq_sample_1.tsv"]
    assert_same(read(package.path)[1], package.pixels)


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_every_flavour_becomes_the_same_dataset(tmp_path: Path, flavour: str) -> None:
    """Position, time, depth, volume, pixel size, labels: whatever the flavour."""
    made = harmonise(
        read(write_package(tmp_path / "p", FLAVOURS[flavour]).path)[0].drop("_field", "_reason", "_do"),
        source="ecotaxa_export",
        card=Card(),
    )
    usual = harmonise(
        read(write_package(tmp_path / "q", FLAVOURS["import"]).path)[0].drop("_field", "_reason", "_do"),
        source="ecotaxa_export",
        card=Card(),
    )
    columns = ["object_id", "image_rank", "time_utc", "latitude", "depth_max_m", "pixel_um", "volume_l", "sample_id"]
    order = ["object_id", "image_rank"]
    assert made.converted.select(columns).sort(order).equals(usual.converted.select(columns).sort(order))
    assert set(made.labels.select("label", "status").rows()) == {("Copepoda<Multicrustacea", "validated")}


def test_annotations_only_are_no_images_but_a_table_for_some(tmp_path: Path) -> None:
    """An export of annotations says what was decided since; it is joined to images by object_id."""
    package = write_package(tmp_path / "p", FLAVOURS["import"])
    newer = [
        {"object_id": row["object_id"], "object_annotation_status": "validated", "object_annotation_category": "Oncaea"}
        for row in rows()
        if row["img_rank"] == "0"
    ]
    only = pack(tmp_path / "a", {"ecotaxa_annotations.tsv": table_bytes(newer, Flavour(types=False))})
    assert set(read(only)[0]["_reason"]) == {"the row names no image"}
    ingest([package.path], tmp_path / "d", table=only / "ecotaxa_annotations.tsv")
    assert set(Dataset.open(tmp_path / "d").labels()["label"]) == {"Oncaea"}


# ---- encodings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
def test_the_same_words_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    table = [{**row, "sample_ship": "Rhône – Ærø".replace(" –", " °")} for row in rows()]
    found, _ = read(write_package(tmp_path / "p", Flavour("root", encoding), table).path)
    assert set(found["sample_ship"]) == {"Rhône ° Ærø"}
    assert set(found["object_comment"]) == {"µm, ° and é"}


def test_a_genuine_table_in_utf_8_without_mark_is_not_taken_for_latin_1(shared_data: Path, tmp_path: Path) -> None:
    """Its ship was once imported as Latin-1 ("RhÃ´ne" for "Rhône"); reading it so again would mangle it twice."""
    packed = shared_data / "ecotaxa" / "tables" / "planktoscope_trellu" / "inst" / "extdata" / "global.tsv.gz"
    data = gzip.decompress(packed.read_bytes())
    assert not data.startswith(b"\xef\xbb\xbf")
    found, _ = read(pack(tmp_path / "p", {"ecotaxa_global.tsv": data}))
    assert set(found["sample_ship"]) == {"BSAM RhÃ´ne"}


def test_genuine_packages_say_the_same_in_latin_1(shared_data: Path, tmp_path: Path) -> None:
    """A genuine export, its ship renamed to one with letters that differ between the encodings, four times over."""
    export = shared_data / "ecotaxa" / "qa_packages" / "ref_exports" / "tsv_by_taxon" / "ecotaxa_detritus.tsv"
    text = export.read_bytes().decode("utf-8-sig")
    assert "meteor" in text
    renamed = text.replace("meteor", "Météor µ")
    seen = []
    for encoding in ("utf-8-sig", "utf-8", "latin-1", "utf-16"):
        found, _ = read(pack(tmp_path / encoding, {"ecotaxa_detritus.tsv": renamed.encode(encoding)}))
        seen.append(found.drop("source_path"))
        assert set(found["sample_ship"]) == {"Météor µ"}
    assert all(frame.equals(seen[0]) for frame in seen)


# ---- UVP6


def zipped(files: dict[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", kind) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize("layout", ["folder of zips", "zip of zips", "folder of folders", "zip of folders"])
def test_uvp6_samples_in_zips_and_folders(tmp_path: Path, layout: str) -> None:
    expected: dict[tuple[str, int], np.ndarray] = {}
    files: dict[str, bytes] = {}
    for seed, name in enumerate(("sea002_m486", "sea002 m487 é")):
        inside, package = uvp6_sample(name, seed=seed)
        expected |= {(one, 1): pixels for (one, _), pixels in package.pixels.items()}
        if "of zips" in layout:
            files[f"raw/{name}_Images.zip"] = zipped(inside, zipfile.ZIP_STORED if seed else zipfile.ZIP_DEFLATED)
        else:
            files |= {f"raw/{name}_Images/{key}": data for key, data in inside.items()}
    path = pack(tmp_path / f"cruise{'.zip' if layout.startswith('zip') else ''}", files)
    found, images = read(path)
    assert_same(images, expected)
    assert set(found["image_variant"]) == {"original"}
    assert set(found["vignette_footerheight_px"]) == {"31"}
    mark = "!" if layout.startswith("zip") else "/"
    zipped_mark = "!" if "of zips" in layout else "/"
    ending = ".zip" if "of zips" in layout else ""
    first = f"{path.name}{mark}raw/sea002_m486_Images{ending}{zipped_mark}ecotaxa_sea002_m486.tsv"
    assert first in found["source_path"].to_list()


def test_uvp6_samples_into_a_dataset(tmp_path: Path) -> None:
    inside, package = uvp6_sample("sea002")
    path = pack(tmp_path / "cruise.zip", {"sea002_Images.zip": zipped(inside), "damaged_Images.zip": b"PK no zip"})
    report = ingest([path], tmp_path / "d")
    assert (report.images, report.rejected) == (3, 1)
    dataset = Dataset.open(tmp_path / "d")
    for row in dataset.metadata().iter_rows(named=True):
        np.testing.assert_array_equal(dataset.image(row["uid"]), package.pixels[row["object_id"], 0])
        assert (row["instrument"], row["pixel_um"], round(row["latitude"], 4)) == ("UVP6", 73, 43.6833)
        assert row["source_path"] == "cruise.zip!sea002_Images.zip!ecotaxa_sea002.tsv"
    (reject,) = dataset.rejected().iter_rows(named=True)
    assert reject["source_path"] == "cruise.zip!damaged_Images.zip"
    assert "the zip is damaged" in reject["reason"]


def test_originals_and_computed_vignettes_of_an_export(tmp_path: Path) -> None:
    """The explored image has a rank below 100, its original rank 100; both stay, and are told apart."""
    table = [{**row, "img_rank": "1" if row["img_rank"] == "0" else "100"} for row in rows(4, ranks=2)]
    package = write_package(tmp_path / "p", FLAVOURS["general_types"], table)
    found, images = read(package.path)
    assert_same(images, package.pixels)
    told = {(row["object_id"], row["img_rank"]): row["image_variant"] for row in found.iter_rows(named=True)}
    assert told["sample_0_0", "1"] == "processed"
    assert told["sample_0_0", "100"] == "original"
    assert told["sample_1_1", "1"] is None
    ingest([package.path], tmp_path / "d")
    ranks = Dataset.open(tmp_path / "d").metadata(["object_id", "image_rank"])
    assert sorted(ranks.filter(pl.col("object_id") == "sample_0_0")["image_rank"]) == [1, 100]


def test_packages_without_hidden_originals_have_no_such_column(tmp_path: Path) -> None:
    found, _ = read(write_package(tmp_path / "p", FLAVOURS["import"]).path)
    assert "image_variant" not in found.columns


def test_zips_of_something_else_are_not_opened(tmp_path: Path) -> None:
    package = write_package(tmp_path / "p", FLAVOURS["import"])
    pack(
        package.path, {"more.zip": b"whatever", "x_Images.zip": zipped({"a.png": as_file(np.zeros((3, 3), np.uint8))})}
    )
    assert {part.name for part in EcotaxaExport().parts(package.path)} == {
        "sample_0/ecotaxa_sample_0.tsv",
        "sample_1/ecotaxa_sample_1.tsv",
    }
