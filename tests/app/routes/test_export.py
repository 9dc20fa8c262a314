"""What is handed over is what was selected."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from aqqua.app.routes import export
from aqqua.app.sample import MODEL
from aqqua.app.view import View
from aqqua.store.dataset import Dataset
from tests.app.client import Client
from tests.app.conftest import Browse

STORE = "/api/v1/sample-cruise"


def test_a_table_has_the_selected_rows_and_all_columns(
    client: Client, view: View, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "CHUNK", 40)
    tree = {"range": ["depth_min_m", 60, None]}
    answer = client.post(f"{STORE}/export", {"to": "csv", "filter": tree})
    assert answer.headers["content-disposition"] == 'attachment; filename="sample-cruise.csv"'
    table = pl.read_csv(io.BytesIO(answer.content), schema_overrides={"uid": pl.String}, infer_schema_length=None)
    rows = view.select(tree)
    assert len(rows) > 80, "several chunks"
    assert table["uid"].to_list() == [str(uid) for uid in view.table.uid[rows]]
    assert table.columns == ["uid", *view.table.columns, "map_x", "map_y"]
    assert table["label"].to_list() == view.table.frame["label"][rows].to_list()
    assert table["time_utc"].str.ends_with("Z").all()


def test_uids_filter_and_lasso_are_all_to_hold(client: Client, view: View) -> None:
    uids = [str(uid) for uid in view.table.uid[:50]]
    x0, y0, x1, y1 = view.extent
    body = {
        "to": "csv",
        "uids": uids,
        "filter": {"missing": "label"},
        "polygon": [[x0, y0], [x1, y0], [x1, y1], [x0, y1]],
    }
    table = pl.read_csv(io.BytesIO(client.post(f"{STORE}/export", body).content), infer_schema_length=None)
    assert len(table) == view.table.frame["label"][:50].null_count()


def fake(files: list[str], seen: dict[str, Any]) -> Any:
    """An exporter that writes small zips."""

    def hand_over(dataset: Path, *, to: str, out: Path, uids: list[int], model: str | None) -> SimpleNamespace:
        seen.update(dataset=dataset, to=to, uids=uids, model=model, out=out)
        out.mkdir(parents=True)
        for name in files:
            with zipfile.ZipFile(out / name, "w") as archive:
                archive.writestr("ecotaxa_x.tsv", name)
        return SimpleNamespace(files=[out / name for name in files])

    return hand_over


@pytest.mark.parametrize("files", [["one.zip"], ["a.zip", "b.zip"]])
def test_the_zip_for_ecotaxa_is_the_exporters_and_leaves_nothing_behind(
    client: Client, view: View, files: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen: dict[str, Any] = {}
    monkeypatch.setattr("aqqua.export.export", fake(files, seen))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    uid = str(view.table.uid[3])
    answer = client.post(f"{STORE}/export", {"to": "ecotaxa", "uids": [uid]})
    assert answer.headers["content-type"] == "application/zip"
    assert 'filename="sample-cruise_ecotaxa.zip"' in answer.headers["content-disposition"]
    names = zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    assert names == (["ecotaxa_x.tsv"] if len(files) == 1 else files)
    assert (seen["to"], seen["uids"], seen["model"]) == ("ecotaxa", [int(uid)], MODEL)
    assert not list(tmp_path.iterdir())


def test_the_real_zip_holds_the_images_selected(client: Client, view: View, sample: Dataset) -> None:
    uids = view.table.uid[view.table.frame["instrument"] == "ZooScan"][:5]
    answer = client.post(f"{STORE}/export", {"to": "ecotaxa", "uids": [str(uid) for uid in uids]})
    assert answer.status_code == 200
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    tables = [archive.read(name).decode() for name in archive.namelist() if name.endswith(".tsv")]
    assert sum(len(table.splitlines()) - 2 for table in tables) == 5
    ids = {sample.row(int(uid))["object_id"] for uid in uids}
    assert all(any(name in table for table in tables) for name in ids)


def test_a_failed_export_leaves_nothing_behind(client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("aqqua.export.export", fails)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert client.post(f"{STORE}/export", {"to": "ecotaxa"}).status_code == 500
    assert not list(tmp_path.iterdir())


def test_a_public_explorer_exports_only_so_much(browse: Browse, monkeypatch: pytest.MonkeyPatch) -> None:
    from aqqua.app import server
    from aqqua.app.routes.context import Limits

    monkeypatch.setattr(server, "PUBLIC", Limits(export=100))
    answer = browse(public=True).post(f"{STORE}/export", {"to": "csv"})
    assert answer.status_code == 422
    assert "at most 100" in answer.json()["do"]
