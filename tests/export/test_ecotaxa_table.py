from __future__ import annotations

import math
from datetime import UTC, datetime
from functools import partial
from typing import Any

import polars as pl
import pytest

import aqqua
from aqqua.export.ecotaxa_images import planes
from aqqua.export.ecotaxa_package import Table, is_free
from aqqua.export.ecotaxa_rows import annotate, name_files, name_objects, name_parents
from aqqua.export.ecotaxa_table import columns_for, table_of, to_bytes
from tests.export.frames import IDS, images


def tabled(frame: pl.DataFrame, **options: Any) -> Table:
    rows = name_files(annotate(name_objects(name_parents(frame)), IDS.get), partial(planes, sixteen_bit="keep"))
    return table_of("s/ecotaxa_s.tsv", rows, columns_for(rows, "tiny-0a1b2c3d", **options))


def row(frame: pl.DataFrame, **options: Any) -> dict[str, str]:
    found: dict[str, str] = tabled(frame, **options).frame.row(0, named=True)
    return found


def test_every_column_is_written_with_its_unit() -> None:
    assert row(images(1)) == {
        "img_file_name": "object_0.png",
        "img_rank": "0",
        "object_id": "object_0",
        "object_lat": "-24.41666666666667",
        "object_lon": "145.5351",
        "object_date": "20210501",
        "object_time": "093015",
        "object_depth_min": "0.1",
        "object_depth_max": "100.0",
        "object_annotation_status": "predicted",
        "object_annotation_category_id": "45074",
        "object_pixel_um": "10.6",
        "object_volume_l": "250.0",
        "object_aqqua_score": "0.75",
        "object_aqqua_model": "tiny-0a1b2c3d",
        "object_aqqua_taxon_linear": "Calanoida",
        "object_aqqua_p_linear": "0.75",
        "object_aqqua_taxon_knn": "detritus",
        "object_aqqua_p_knn": "0.6",
        "object_aqqua_outlier": "0.25",
        "object_aqqua_uid": "0",
        "sample_id": "station 1",
        "sample_project": "cruise",
        "acq_id": "net 1",
        "acq_instrument": "ZooScan",
        "acq_modality": "scanner",
        "process_id": "process_net 1",
        "process_pixel_um": "10.6",
        "process_software": f"aqqua {aqqua.__version__}",
    }


def test_types_say_what_is_a_number() -> None:
    table = tabled(images(1))
    for column, kind in table.type_of.items():
        value = table.frame[column][0]
        is_number = value.replace(".", "").replace("-", "").isdigit()
        assert kind == (
            "[f]" if is_number and column not in {"object_date", "object_time", "object_aqqua_uid"} else "[t]"
        )


def test_an_id_and_a_name_never_share_a_table() -> None:
    by_id, by_name = row(images(1)), row(images(1, taxon_linear="Acartia"))
    unclassified = row(images(1, taxon_linear=None, taxon_knn=None))
    kinds = ("object_annotation_status", "object_annotation_category_id", "object_annotation_category")
    assert [by_id.get(kind) for kind in kinds] == ["predicted", "45074", None]
    assert [by_name.get(kind) for kind in kinds] == ["predicted", None, "Acartia"]
    assert [unclassified.get(kind) for kind in kinds] == [None, None, None]


def test_a_persons_judgement_has_its_date() -> None:
    label = {"label": "detritus", "label_status": "validated", "label_time": datetime(2015, 11, 11, 15, 31, tzinfo=UTC)}
    found = row(images(1, **label))
    assert (found["object_annotation_date"], found["object_annotation_time"]) == ("20151111", "153100")
    assert "object_annotation_date" not in row(images(1))
    assert row(images(1, **label), labels_too=True)["object_aqqua_label_status"] == "validated"


def test_what_is_nowhere_known_has_no_column() -> None:
    found = row(images(1, volume_l=None, outlier=math.nan, project=None, sample_id=None, p_linear=math.inf))
    assert not {"object_volume_l", "object_aqqua_outlier", "sample_project", "object_aqqua_score"} & set(found)


def test_time_below_a_second_is_not_lost() -> None:
    found = row(images(1, time_utc=datetime(2021, 5, 1, 9, 30, 15, 250_000, tzinfo=UTC)))
    assert found["object_time_utc"] == "2021-05-01T09:30:15.250Z"


def test_text_is_on_one_line_and_fits() -> None:
    found = row(images(1, modality="a\tb\n\x00c", taxon_linear="x" * 300, project="y" * 300))
    assert found["acq_modality"] == "a b c"
    assert [len(found[name]) for name in ("object_aqqua_taxon_linear", "sample_project")] == [250, 250]
    assert all(len(value) <= (250 if is_free(name) else 255) for name, value in found.items())


def test_a_changed_name_keeps_the_old_one() -> None:
    table = tabled(images(2, object_id="o"))
    assert table.frame.select("object_id", "object_aqqua_source_id").rows() == [("o", ""), ("o_1", "o")]


@pytest.mark.parametrize("value", ['say "hi"', "µm ü", "a;b,c"])
def test_the_file_is_utf8_with_mark_and_reads_back(value: str) -> None:
    data = to_bytes(tabled(images(1, modality=value)))
    assert data.startswith(b"\xef\xbb\xbfimg_file_name\timg_rank\t")
    assert data.split(b"\n")[1].startswith(b"[t]\t[f]\t[t]")
    import csv

    lines = list(csv.reader(data.decode("utf-8-sig").splitlines(), delimiter="\t"))
    assert len(lines) == 3
    assert dict(zip(lines[0], lines[2], strict=True))["acq_modality"] == value
