"""Updates of existing objects: what EcoTaxa does with them, over HTTP, and each way to do harm is refused."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest

from aqqua.errors import ConfigError
from aqqua.export import export
from aqqua.export.ecotaxa_package import Package, parse_table, read_package
from aqqua.export.ecotaxa_update_rules import check_update
from aqqua.sources.ecotaxa_api.jobs import start_import, wait_for
from aqqua.sources.ecotaxa_api.upload import upload
from aqqua.sources.ingest import ingest
from aqqua.store.dataset import Dataset
from tests.export.pulled import MODEL, Pulled, predict, pulled
from tests.make.ecotaxa import FLAVOURS, rows, write_package
from tests.make.ecotaxa_project import CYCLOPOIDA


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Pulled]:
    with pulled(tmp_path) as made:
        predict(made.dataset, {f"obj_{n}": {"taxon_linear": "Cyclopoida", "p_linear": 0.5 + n / 20} for n in range(7)})
        yield made


def test_the_update_changes_predictions_and_nothing_else(scene: Pulled, tmp_path: Path) -> None:
    report = export(scene.dataset.path, to="ecotaxa_update", out=tmp_path / "out")
    assert [path.name for path in report.files] == ["ecotaxa_update_1.zip"]
    assert report.images == 4
    assert {note.code for note in report.notes} == {"judged", "update_mode"}
    before = {n: (scene.object(n).now.taxon, scene.object(n).now.qual, scene.object(n).free["area"]) for n in range(8)}
    job = start_import(scene.client, 1, upload(scene.client, report.files[0]), update_mode="Cla")
    wait_for(scene.client, job, limit_s=20)
    for number in (0, 1, 4, 5):
        obj = scene.object(number)
        assert (obj.now.taxon, obj.now.qual) == (CYCLOPOIDA, "P")
        assert float(obj.free["aqqua_score"]) == pytest.approx(0.5 + number / 20, abs=1e-6)
        assert obj.free["aqqua_model"] == MODEL
        assert obj.free["area"] == before[number][2], "what the table does not name stays"
    for number in (2, 3, 6, 7):
        now = scene.object(number).now
        assert (now.taxon, now.qual) == before[number][:2]


def test_the_table_has_the_three_columns_and_complete_free_ones(scene: Pulled, tmp_path: Path) -> None:
    report = export(scene.dataset.path, to="ecotaxa_update", out=tmp_path / "out")
    (table,) = read_package(report.files[0]).tables
    assert table.header == ("object_id", "object_annotation_status", "object_annotation_category_id",
                            "object_aqqua_score", "object_aqqua_model")  # fmt: skip
    assert table.types == ("[t]", "[t]", "[f]", "[f]", "[t]")
    assert table.encoding == "utf-8-sig"
    assert zipfile.ZipFile(report.files[0]).namelist() == ["ecotaxa_update.tsv"]
    first = report.files[0].read_bytes()
    assert export(scene.dataset.path, to="ecotaxa_update", out=tmp_path / "out").files[0].read_bytes() == first


def test_unknown_taxa_are_told_or_given(scene: Pulled, tmp_path: Path) -> None:
    names = {
        "obj_0": {"taxon_linear": "Undreamt of", "p_linear": 0.9},
        "obj_1": {"taxon_linear": "Oncaeidae", "p_linear": 1},
    }
    predict(scene.dataset, names)
    report = export(scene.dataset.path, to="ecotaxa_update", out=tmp_path / "out")
    assert report.images == 1
    assert "unknown_taxon" in {note.code for note in report.notes}
    table = tmp_path / "taxa.csv"
    table.write_text("name,ecotaxa_id\nUndreamt of,85011\n", encoding="utf-8")
    assert export(scene.dataset.path, to="ecotaxa_update", out=tmp_path / "out", taxa=table).images == 2


def test_objects_of_a_package_can_be_updated_too(tmp_path: Path) -> None:
    table = [{**row, "object_annotation_status": "predicted"} for row in rows(ranks=2)]
    write_package(tmp_path / "export_7.zip", FLAVOURS["general"], table)
    dataset = ingest([tmp_path / "export_7.zip"], tmp_path / "mine").dataset
    info = {"weights_sha256": "0" * 64, "preprocessing_hash": "0" * 16, "label_set": []}
    for shard in dataset.shards:
        mine = dataset.metadata([]).filter(shard=shard.number)
        guesses = mine.select("uid", taxon_linear=pl.lit("Oncaeidae"), p_linear=pl.lit(0.5))
        dataset.write_predictions(MODEL, shard.number, guesses, info)
    report = export(tmp_path / "mine", to="ecotaxa_update", out=tmp_path / "out")
    assert [path.name for path in report.files] == ["ecotaxa_update_export_7.zip"]
    assert report.images == 6, "objects with several images stand once"


def test_without_objects_there_is_nothing_to_update(tmp_path: Path, scene: Pulled) -> None:
    predict(scene.dataset, {"obj_2": {"taxon_linear": "Cyclopoida", "p_linear": 0.9}})
    with pytest.raises(ConfigError, match="no object in EcoTaxa to update"):
        export(scene.dataset.path, to="ecotaxa_update", out=tmp_path / "out")
    assert Dataset.open(scene.dataset.path)


GOOD = [
    ["object_id", "object_annotation_status", "object_annotation_category_id", "object_aqqua_score"],
    ["[t]", "[t]", "[f]", "[f]"],
    ["a", "predicted", "45072", "0.5"],
    ["b", "predicted", "45072", "0.75"],
]
Lines = list[list[str]]


def codes(lines: Lines) -> set[str]:
    table = parse_table("ecotaxa_update.tsv", lines)
    return {
        finding.code
        for finding in check_update(Package("x.zip", [table], lambda _: None))
        if finding.severity == "error"
    }


def change(row: int, column: int, value: str) -> Callable[[Lines], Lines]:
    def changed(lines: Lines) -> Lines:
        lines[row][column] = value
        return lines

    return changed


def test_a_good_update_passes() -> None:
    assert codes([list(line) for line in GOOD]) == set()


@pytest.mark.parametrize(
    ("harm", "code"),
    [
        (change(2, 1, "validated"), "update_status"),
        (change(2, 1, ""), "blank"),
        (change(3, 3, ""), "blank"),
        (change(3, 3, "NaN"), "blank"),
        (change(3, 0, "a"), "update_twice"),
        (change(0, 3, "object_lat"), "update_column"),
        (change(0, 3, "sample_id"), "update_column"),
        (change(0, 3, "object_annotation_category"), "update_column"),
        (change(0, 2, "object_other"), "update_column"),
        (change(2, 2, "copepod"), "taxon_id"),
        (change(2, 3, "0,5"), "number"),
        (change(1, 3, ""), "types"),
        (lambda lines: [lines[0], *lines[2:]], "types"),
        (change(2, 0, "x" * 300), "too_long"),
    ],
)
def test_harm_is_refused(harm: Callable[[Lines], Lines], code: str) -> None:
    assert code in codes(harm([list(line) for line in GOOD]))
