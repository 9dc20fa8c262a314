"""Tables as they really are: M106 (flatbed scanner), PlanktoScope, IFCB, UVP5 and ZooScan from EcoTaxa."""

from __future__ import annotations

import csv
import gzip
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from aqqua.metadata.card import Card
from aqqua.metadata.harmonise import Harmonised, harmonise
from aqqua.metadata.taxa import match

M106 = "ecotaxa/qa_packages/import_test"


def read(path: Path) -> pl.DataFrame:
    """An EcoTaxa table as text, in the simplest possible way."""
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    lines = list(csv.reader(text.splitlines(), delimiter="\t"))
    header, rows = lines[0], lines[1:]
    typed = set(rows[0]) <= {"[t]", "[f]"}
    rows = rows[1:] if typed else rows
    frame = pl.DataFrame(
        {name: [row[index] for row in rows] for index, name in enumerate(header)},
        schema_overrides=dict.fromkeys(header, pl.String),
    )
    first = 3 if typed else 2
    image = frame["img_file_name"] if "img_file_name" in header else frame["object_id"]
    return frame.with_columns(
        pl.lit(path.name).alias("source_path"),
        pl.Series("source_row", range(first, first + frame.height), pl.Int32),
        image.alias("image_path"),
    )


def run(path: Path, **card: object) -> Harmonised:
    return harmonise(read(path), source="ecotaxa_export", card=Card(**card))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("table", "rows", "depths"),
    [
        ("m106_mn01_n1_sml/ecotaxa_m106_mn01_n1_sml.tsv", 8, (600, 1000)),
        ("m106_mn01_n2_sml/ecotaxa_m106_mn01_n2_sml.tsv", 3, (300, 600)),
    ],
)
def test_m106_is_complete(shared_data: Path, table: str, rows: int, depths: tuple[float, float]) -> None:
    told = run(shared_data / M106 / table)
    assert told.rejects.is_empty()
    assert told.converted.height == rows
    assert told.converted["instrument"].unique().to_list() == ["Flatbed scanner"]
    assert told.converted["pixel_um"].unique().to_list() == pytest.approx([10.6])
    assert told.converted["time_utc"].unique().to_list() == [datetime(2014, 4, 20, 4, 20, tzinfo=UTC)]
    assert told.converted.select("depth_min_m", "depth_max_m").unique().rows() == [depths]
    assert told.converted["longitude"][-1] == -24.4166666666667
    assert told.labels.height == rows
    assert set(told.labels["status"]) == {"predicted"}
    known = dict(told.labels.select("label", "ecotaxa_id").drop_nulls().iter_rows())
    assert all(match(label).ecotaxa_id == number for label, number in known.items() if match(label))  # type: ignore[union-attr]
    assert not {finding.severity for finding in told.findings} & {"error", "warning"}
    assert "Rodriguez" not in str(told.labels.to_dicts())


def test_exports_with_decimal_commas_say_the_same(shared_data: Path) -> None:
    folder = shared_data / "ecotaxa/qa_packages/ref_exports/tsv_with_ids"
    told = run(folder / "ecotaxa_m106_mn01_n2_sml.tsv")
    original = run(shared_data / M106 / "m106_mn01_n2_sml/ecotaxa_m106_mn01_n2_sml.tsv")
    same = ["object_id", "time_utc", "latitude", "longitude", "depth_min_m", "depth_max_m", "pixel_um", "instrument"]
    assert told.rejects.is_empty()
    assert told.converted.select(same).sort("object_id").equals(original.converted.select(same).sort("object_id"))


def test_planktoscope(shared_data: Path) -> None:
    told = run(shared_data / "ecotaxa/tables/planktoscope_trellu/inst/extdata/global.tsv.gz")
    assert told.converted.height + told.rejects["source_row"].n_unique() == 7631
    assert told.rejects.is_empty()
    assert set(told.converted["instrument"]) == {"PlanktoScope"}
    assert told.converted["pixel_um"].is_between(0.5, 2).all()
    assert told.converted["volume_l"].null_count() == 0
    assert told.converted["volume_l"].is_between(1, 100_000).all()
    assert told.converted["latitude"].is_between(47, 49).all()
    taxa = dict(told.labels.select("label", "taxon").iter_rows())
    assert taxa["Copepoda"] == "Copepoda"
    assert taxa["t002"] is None
    assert taxa["Cyanobacteria<Proteobacteria"] == "Cyanobacteria"


@pytest.mark.parametrize(
    ("table", "instrument", "pixel_um", "rows"),
    [
        ("example_table_ifcb.tsv", "IFCB", 1 / 3.4, 2),
        ("ecotaxa_table_with_classification.tsv", "UVP5", 118, 9),
        ("ecotaxa_table_without_classification.tsv", "ZooScan", 10.6, 7),
    ],
)
def test_ecotaxa_templates(shared_data: Path, table: str, instrument: str, pixel_um: float, rows: int) -> None:
    told = run(shared_data / "ifcb/iRfcb/inst/exdata" / table)
    assert told.rejects.is_empty()
    assert told.converted.height == rows
    assert set(told.converted["instrument"]) == {instrument}
    assert told.converted["pixel_um"].to_list() == pytest.approx([pixel_um] * rows)


def test_every_table_of_the_packages_gives_rows_or_reasons(shared_data: Path) -> None:
    """Even the broken ones, as far as they are tables."""
    for path in sorted((shared_data / "ecotaxa/qa_packages").glob("import*/**/*.tsv")):
        try:
            raw = read(path)
        except (IndexError, pl.exceptions.PolarsError):
            continue
        if raw.is_empty() or "object_id" not in raw.columns:
            continue
        told = harmonise(raw, source="ecotaxa_export", card=Card())
        assert told.converted.height + told.rejects["source_row"].n_unique() == raw.height, path


def test_isiis_class_names_have_taxa(shared_data: Path) -> None:
    import zipfile

    with zipfile.ZipFile(shared_data / "images/isiis_planktonset/isiis_planktonset.zip") as archive:
        classes = {Path(name).parent.name for name in archive.namelist() if name.endswith(".jpg")}
    assert len(classes) == 121
    without = {name for name in classes if match(name) is None}
    assert without == {"unknown_blobs_and_smudges", "unknown_sticks", "unknown_unclassified"}
