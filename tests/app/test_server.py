"""The pages, the errors, and several datasets in one explorer."""

from __future__ import annotations

from pathlib import Path

import pytest

from aqqua.app.sample import MODEL, build_sample
from aqqua.errors import UnknownNameError
from aqqua.store.dataset import Dataset
from tests.app.client import Client
from tests.app.conftest import Browse


def test_without_a_built_page_a_plain_message_says_so(client: Client) -> None:
    answer = client.get("/")
    assert answer.status_code == 200
    assert "make ui" in answer.text
    assert answer.headers["content-type"].startswith("text/plain")


def test_a_built_page_is_served_with_its_parts(browse: Browse, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<title>page</title>")
    (tmp_path / "app.js").write_text("'use strict'")
    client = browse(static=tmp_path)
    assert client.get("/").text == "<title>page</title>"
    assert "javascript" in client.get("/app.js").headers["content-type"]
    assert client.get("/api/v1/stores").status_code == 200
    missing = client.get("/nothing.js")
    assert missing.status_code == 404
    assert set(missing.json()) == {"error", "do"}


def test_each_dataset_is_a_store_by_the_name_of_its_folder(client: Client) -> None:
    stores = client.get("/api/v1/stores").json()
    assert [(s["store"], s["n"], s["models"]) for s in stores] == [("sample-cruise", 300, [MODEL]), ("plain", 60, [])]
    assert stores[0]["title"] == "Sample cruise"


def test_folders_of_one_name_are_told_apart(browse: Browse, tmp_path: Path) -> None:
    datasets = [build_sample(tmp_path / str(i) / "My Data!", 10, predicted=False, shards=1) for i in range(2)]
    stores = browse(datasets).get("/api/v1/stores").json()
    assert [s["store"] for s in stores] == ["my-data", "my-data-2"]
    assert browse([Dataset.create(tmp_path / "…")]).get("/api/v1/stores").json()[0]["store"] == "dataset"


def test_an_unknown_model_is_refused_before_anything_is_served(browse: Browse) -> None:
    with pytest.raises(UnknownNameError):
        browse(model="nothing")


@pytest.mark.parametrize(
    "path", ["/api/v1/nope/meta", "/api/v1/nope/points", "/api/v1/..", "/api/v2/stores", "/api/v1/sample-cruise/nope"]
)
def test_what_is_not_there_is_404_in_words(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert set(answer.json()) == {"error", "do"}


def test_an_unforeseen_error_tells_nothing_of_the_inside(browse: Browse, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(self: Dataset, uid: int) -> None:
        raise RuntimeError("secret path")

    monkeypatch.setattr(Dataset, "image", breaks)
    answer = browse().get("/api/v1/plain/thumb/0.jpg")
    assert answer.status_code == 500
    assert set(answer.json()) == {"error", "do"}
    assert "secret" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_damaged_image_is_an_error_in_words(tmp_path: Path, browse: Browse) -> None:
    dataset = build_sample(tmp_path / "damaged", 20, predicted=False, shards=1)
    client = browse([dataset])
    file = dataset.shards[0].images
    data = bytearray(file.read_bytes())
    data[8192:] = bytes(len(data) - 8192)
    file.chmod(0o644)
    file.write_bytes(data)
    answer = client.get("/api/v1/damaged/thumb/3.jpg")
    assert answer.status_code == 500
    assert set(answer.json()) == {"error", "do"}
