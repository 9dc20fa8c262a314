"""Rows, single images, and similar ones."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from aqqua.app.sample import MODEL, true_names
from aqqua.app.view import View
from aqqua.store.dataset import Dataset
from tests.app.client import Client
from tests.app.conftest import Browse

STORE = "/api/v1/sample-cruise"


def test_pages_together_are_the_whole_selection(client: Client, view: View) -> None:
    tree = {"range": ["depth_min_m", 50, None]}
    rows: list[dict[str, Any]] = []
    while True:
        answer = client.get(
            f"{STORE}/ids", params={"filter": json.dumps(tree), "offset": len(rows), "limit": 37}
        ).json()
        rows += answer["rows"]
        if not answer["rows"]:
            break
    expected = np.flatnonzero(view.table.frame["depth_min_m"].to_numpy() >= 50)
    assert [row["index"] for row in rows] == expected.tolist()
    assert answer["total"] == len(expected)
    assert [row["uid"] for row in rows] == [str(uid) for uid in view.table.uid[expected]]


@pytest.mark.parametrize("desc", [False, True])
@pytest.mark.parametrize("column", ["depth_min_m", "label", "volume_l", "time_utc"])
def test_rows_are_sorted_with_missing_ones_last(client: Client, column: str, desc: bool) -> None:
    rows = client.post(f"{STORE}/query", {"sort": column, "desc": desc, "limit": 300}).json()["rows"]
    values = [row[column] for row in rows]
    there = [value for value in values if value is not None]
    assert there == sorted(there, reverse=desc)
    assert all(value is None for value in values[len(there) :])


def test_the_lasso_selects_what_lies_in_it(client: Client, view: View) -> None:
    x0, y0, x1, y1 = view.extent
    triangle = [[x0, y0], [x1, y0], [x0, y1]]
    answer = client.post(f"{STORE}/query", {"polygon": triangle, "limit": 300}).json()
    x, y = view.prepared.positions.T
    below = (x - x0) / (x1 - x0) + (y - y0) / (y1 - y0) < 1
    assert [row["index"] for row in answer["rows"]] == np.flatnonzero(below).tolist()
    same = client.get(f"{STORE}/ids", params={"region": json.dumps(triangle), "limit": 300}).json()
    assert same == answer


def test_an_item_has_all_that_is_known(client: Client, sample: Dataset, view: View) -> None:
    labelled = int(np.flatnonzero(view.table.frame["label"].is_not_null())[0])
    uid = int(view.table.uid[labelled])
    item = client.get(f"{STORE}/item/{uid}").json()
    assert (item["uid"], item["index"]) == (str(uid), labelled)
    assert (item["x"], item["y"]) == tuple(map(float, view.prepared.positions[labelled]))
    row = sample.row(uid)
    assert item["converted"]["object_id"] == row["object_id"]
    assert item["converted"]["xxh3"] == str(row["xxh3"])
    assert item["converted"]["time_utc"].endswith("Z")
    assert item["raw"] == sample.raw([uid])[0]
    assert item["labels"][0]["label"] == view.table.frame["label"][labelled]
    assert item["predictions"][MODEL]["taxon_knn"] == view.table.frame["taxon_knn"][labelled]
    assert client.get(f"{STORE}/{item['image']}").status_code == 200
    assert client.get(f"{STORE}/{item['thumb']}").status_code == 200
    assert len(item["channels"]) == row["channels"]


def test_a_public_explorer_shows_neither_people_nor_paths(
    browse: Browse, plain: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = {
        "object_area": "7",
        "object_annotation_person_email": "a@example.org",
        "sample_scan_operator": "A",
        "Author": "B",
    }
    monkeypatch.setattr(Dataset, "raw", lambda self, uids: [raw])
    uid = plain.metadata(["key"])["uid"][0]
    assert browse(public=True).get(f"/api/v1/plain/item/{uid}").json()["raw"] == {"object_area": "7"}
    assert browse().get(f"/api/v1/plain/item/{uid}").json()["raw"] == raw
    assert str(plain.path) not in browse(public=True).get("/api/v1/plain/meta").text
    assert str(plain.path) in browse().get("/api/v1/plain/meta").text


def test_an_item_without_predictions_opens(client: Client, plain: Dataset) -> None:
    uid = plain.metadata(["key"])["uid"][0]
    assert client.get(f"/api/v1/plain/item/{uid}").json()["predictions"] == {}


@pytest.mark.parametrize(
    ("uid", "status"),
    [("99999", 404), ("18446744073709551615", 404), ("18446744073709551616", 422), ("-1", 422), ("1.5", 422),
     ("abc", 422),
     ("٣", 422), ("1" * 100, 422), ("%00", 422), ("0x1", 422)],
)  # fmt: skip
def test_what_is_no_image_is_said(client: Client, uid: str, status: int) -> None:
    for path in (f"item/{uid}", f"image/{uid}.png"):
        answer = client.get(f"{STORE}/{path}")
        assert answer.status_code == status
        assert answer.json()["do"]


def test_similar_images_are_of_the_same_kind_and_not_the_asked_ones(client: Client, sample: Dataset) -> None:
    names = dict(true_names(sample).iter_rows())
    asked = [str(uid) for uid in names][:2]
    alike = []
    for uid in list(names)[:12]:
        found = client.post(f"{STORE}/similar", {"uids": [str(uid)], "k": 10}).json()
        assert len(found) == 10
        alike += [names[int(row["uid"])] == names[uid] for row in found]
    assert np.mean(alike) > 0.6, "by chance: 0.15"
    scores = [row["score"] for row in found]
    assert scores == sorted(scores, reverse=True)
    both = client.post(f"{STORE}/similar", {"uids": asked, "k": 298}).json()
    assert not set(asked) & {row["uid"] for row in both}
    assert len(both) == 298
    tree = {"in": ["label", ["Radiolaria"]]}
    kept = client.post(f"{STORE}/similar", {"uids": asked[:1], "k": 5, "filter": tree}).json()
    assert {row["label"] for row in kept} == {"Radiolaria"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("query", []), ("query", {"limit": -1}), ("query", {"polygon": [[0, 0]]}), ("query", {"polygon": "x"}),
        ("query", {"sql": "DROP TABLE"}), ("query", {"filter": {"sql": "1=1"}}), ("query", {"offset": "x"}),
        ("query", None), ("query", {"sort": "nope"}),
        ("query", {"polygon": [[0, 0], [1, 1], [1, 1e400]]}),
        ("similar", {}), ("similar", {"uids": []}), ("similar", {"uids": ["x"]}), ("similar", {"uids": [5]}),
        ("similar", {"uids": ["1"] * 1001}), ("similar", {"uids": "1"}), ("similar", {"uids": ["1"], "k": 0}),
        ("export", {}), ("export", {"to": "pdf"}), ("export", {"to": "csv", "uids": ["-1"]}),
        ("export", {"to": "csv", "uids": []}),
        ("export", {"to": "csv", "filter": {"in": ["label", ["no such"]]}}),
    ],
)  # fmt: skip
def test_wrong_requests_are_refused_with_advice(client: Client, path: str, body: Any) -> None:
    content = json.dumps(body).replace("Infinity", "1e400")
    answer = client.request("POST", f"{STORE}/{path}", content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["error"]
    assert answer.json()["do"]


@pytest.mark.parametrize(
    "body", ["{", "", '{"filter":' + "[" * 100_000 + "]" * 100_000 + "}", b"\xff\xfe", '{"limit": 1e999}']
)
def test_broken_json_is_refused(client: Client, body: str | bytes) -> None:
    answer = client.request("POST", f"{STORE}/query", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in {400, 422}
    assert set(answer.json()) == {"error", "do"}


@pytest.mark.parametrize("region", ["5", "{", "[[0,0],[1,1]]", "[" * 15_000])
def test_wrong_regions_are_refused(client: Client, region: str) -> None:
    answer = client.get(f"{STORE}/ids", params={"region": region})
    assert answer.status_code in {414, 422}


def test_rows_are_told_in_short_in_the_order_asked_for(client: Client, view: View) -> None:
    rows = client.get(f"{STORE}/brief", params={"indices": "7,0,299,7"}).json()["rows"]
    assert [row["index"] for row in rows] == [7, 0, 299, 7]
    assert [row["uid"] for row in rows] == [str(view.table.uid[i]) for i in (7, 0, 299, 7)]
    assert {"width", "height", "pixel_um", "instrument", "depth_min_m", "time_utc"} <= set(rows[0])


@pytest.mark.parametrize("indices", ["", "x", "300", "-1", "1,,2", "0," * 256 + "0", "1e2"])
def test_rows_that_are_not_there_are_refused(client: Client, indices: str) -> None:
    answer = client.get(f"{STORE}/brief", params={"indices": indices})
    assert answer.status_code == 422
    assert answer.json()["do"]
