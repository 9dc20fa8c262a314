"""Who annotated stays where it came from: no name, no address in anything that is made of an EcoTaxa package.

Raw Metadata keeps the source word for word (a public explorer hides its columns about people); nothing else has them.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import polars as pl
import pytest

from aqqua.app.server import create_app
from aqqua.export import export
from aqqua.sources.ingest import ingest
from aqqua.store.dataset import Dataset
from tests.app.client import Client
from tests.export.pulled import MODEL, pulled
from tests.make.ecotaxa import FLAVOURS, rows, write_package

PEOPLE = {
    "object_annotation_person_name": "Ottilie Namewell",
    "object_annotation_person_email": "ottilie.namewell@example.org",
    "classif_who": "Ottilie Namewell (ottilie.namewell@example.org)",
}
SECRETS = ("ottilie", "namewell", "example.org")
STATES = ("validated", "predicted", "dubious")


def assert_silent(text: str) -> None:
    assert text
    for secret in SECRETS:
        assert secret not in text.lower()


def text_of(frame: pl.DataFrame) -> str:
    return frame.select(pl.all().exclude(pl.List, pl.Array)).write_json()


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Six objects of three states, annotated by somebody; one row names an image that is not there."""
    folder = tmp_path_factory.mktemp("nobody")
    table = [
        {**row, **PEOPLE, "object_annotation_status": STATES[number % 3]} for number, row in enumerate(rows(ranks=1))
    ]
    package = write_package(folder / "cruise", FLAVOURS["import"], table)
    next(iter(sorted(package.path.rglob("*.png")))).unlink()
    report = ingest([package.path], folder / "mine")
    assert (report.images, report.rejected) == (5, 1)
    assert_silent(str(report.findings) + str(report.groups))
    made = Dataset.open(folder / "mine")
    info = {"weights_sha256": "0" * 64, "preprocessing_hash": "0" * 16, "label_set": []}
    guesses = made.metadata([]).select("uid", taxon_linear=pl.lit("Cyclopoida"), p_linear=pl.lit(0.5))
    made.write_predictions(MODEL, 0, guesses, info)
    return Dataset.open(made.path)


def test_the_source_named_somebody(dataset: Dataset) -> None:
    uids = dataset.metadata()["uid"].to_list()
    assert all("Ottilie Namewell" in str(raw) for raw in dataset.raw(uids)), "else this file tests nothing"


def test_nobody_is_in_converted_metadata_labels_predictions_and_rejects(dataset: Dataset) -> None:
    assert_silent(text_of(dataset.metadata()))
    labels = dataset.labels()
    assert set(labels["status"]) == set(STATES)
    assert set(labels["by"]) == {"ecotaxa"}
    assert_silent(text_of(labels))
    assert dataset.predictions()["taxon_linear"].to_list() == ["Cyclopoida"] * 5
    assert_silent(text_of(dataset.predictions()))
    assert_silent(text_of(dataset.rejected().drop("raw")))
    assert_silent(str(dataset.findings()) + (dataset.path / "card.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("to", ["ecotaxa", "ecotaxa_update"])
def test_nobody_is_in_what_goes_to_ecotaxa(dataset: Dataset, tmp_path: Path, to: str) -> None:
    report = export(dataset.path, to=to, out=tmp_path / "out")
    assert report.files
    for path in report.files:
        with zipfile.ZipFile(path) as archive:
            tables = [archive.read(name).decode() for name in archive.namelist() if name.endswith((".tsv", ".txt"))]
        assert tables
        for table in tables:
            assert_silent(table)
            assert "person" not in table
    assert_silent(str(report.notes) + "no notes")


def test_nobody_is_in_what_the_explorer_hands_out(dataset: Dataset) -> None:
    client = Client(create_app([dataset], static=Path("nowhere"), public=True))
    (store,) = client.get("/api/v1/stores").json()
    base = f"/api/v1/{store['store']}"
    assert_silent(client.post(f"{base}/export", json={"to": "csv"}).text)
    assert_silent(client.get(f"{base}/meta").text)
    assert_silent(client.get(f"{base}/ids").text)
    for uid in dataset.metadata()["uid"].to_list():
        assert_silent(client.get(f"{base}/item/{uid}").text)


def test_nobody_is_in_anything_that_was_pulled(tmp_path: Path) -> None:
    """Not even in Raw Metadata: what is not asked for does not come."""
    with pulled(tmp_path) as scene:
        ds = scene.dataset
        assert ds.labels().height
        texts = [text_of(ds.metadata()), text_of(ds.labels()), str(ds.raw(ds.metadata([])["uid"].to_list()))]
        small = [path for path in ds.path.rglob("*") if path.suffix in {".json", ".yaml", ".jsonl"}]
        for text in [*texts, *(path.read_text(encoding="utf-8") for path in small)]:
            assert text
            for secret in ("Alice", "lab.test", "token-of"):
                assert secret not in text
