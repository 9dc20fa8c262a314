"""Meta and histograms agree with the dataset."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from aqqua.app.sample import MODEL
from aqqua.app.view import View
from tests.app.client import Client

STORE = "/api/v1/sample-cruise"


def test_meta_describes_the_dataset(client: Client, view: View) -> None:
    meta = client.get(f"{STORE}/meta").json()
    assert (meta["n"], meta["model"], meta["models"], meta["note"]) == (300, MODEL, [MODEL], None)
    assert meta["card"]["title"] == "Sample cruise"
    assert meta["extent"] == view.extent
    columns = {column["name"]: column for column in meta["columns"]}
    assert {"label", "taxon", "label_status", "taxon_knn", "p_linear", "cluster", "depth_min_m", "time_utc"} <= set(
        columns
    )
    assert [columns[n]["kind"] for n in ("label", "depth_min_m", "time_utc")] == ["category", "number", "time"]
    assert sum(count for _, count in columns["label"]["values"]) + columns["label"]["missing"] == 300
    assert columns["depth_min_m"]["values"] is None
    assert columns["depth_min_m"]["min"] <= columns["depth_min_m"]["max"]
    clusters = [value for value, _ in columns["cluster"]["values"]]
    assert meta["clusters"]
    for cluster in meta["clusters"]:
        assert clusters[cluster["color_index"]] == cluster["label"]
        assert meta["extent"][0] <= cluster["x"] <= meta["extent"][2]


def test_meta_without_predictions_says_what_to_do(client: Client) -> None:
    meta = client.get("/api/v1/plain/meta").json()
    assert meta["model"] is None
    assert "aqqua predict MODEL" in meta["note"]


@pytest.mark.parametrize("store", ["sample-cruise", "plain"])
def test_every_column_can_be_counted_drawn_and_sorted_by(client: Client, store: str) -> None:
    address = f"/api/v1/{store}"
    columns = client.get(f"{address}/meta").json()["columns"]
    assert any(column["missing"] == client.get(f"{address}/meta").json()["n"] for column in columns)
    for name in [column["name"] for column in columns]:
        assert client.get(f"{address}/hist", params={"column": name}).status_code == 200, name
        assert client.get(f"{address}/points", params={"color": name}).status_code == 200, name
        assert client.post(f"{address}/query", {"sort": name, "limit": 3}).status_code == 200, name


@pytest.mark.parametrize("column", ["label", "cluster", "taxon_knn", "channel_names"])
@pytest.mark.parametrize("tree", [None, {"range": ["depth_min_m", None, 100]}, {"missing": "cluster"}])
def test_a_histogram_of_words_counts_each(
    client: Client, view: View, column: str, tree: dict[str, object] | None
) -> None:
    found = client.get(
        f"{STORE}/hist", params={"column": column, **({"filter": json.dumps(tree)} if tree else {})}
    ).json()
    mask = view.mask(tree)
    series = view.table.frame[column] if mask is None else view.table.frame[column].filter(mask)
    counts = dict(series.drop_nulls().cast(pl.String).value_counts().iter_rows())
    assert {value: count for value, count in found["values"] if count} == counts
    assert [value for value, _ in found["values"]] == [value for value, _ in view.table.columns[column].values]
    assert (found["total"], found["missing"], found["other"]) == (len(series), series.null_count(), 0)


@pytest.mark.parametrize("column", ["depth_min_m", "volume_l", "time_utc", "altitude_m"])
def test_a_histogram_of_numbers_counts_every_row_once(client: Client, column: str) -> None:
    whole = client.get(f"{STORE}/hist", params={"column": column, "bins": 7}).json()
    assert sum(whole["counts"]) + whole["missing"] == whole["total"] == 300
    part = client.get(f"{STORE}/hist", params={"column": column, "bins": 7, "filter": '{"in":["label",["Calanoida"]]}'})
    assert part.json()["edges"] == whole["edges"]
    assert (np.array(part.json()["counts"]) <= np.array(whole["counts"])).all()
    assert len(whole["counts"]) == (0 if column == "altitude_m" else 7)


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("column=lable", "did you mean label?"),
        ("column=", "there is:"),
        ("", "documentation"),
        ("column=label&bins=0", "documentation"),
        ("column=label&bins=x", "documentation"),
        ("column=label&filter={", "for example"),
        ('column=label&filter={"in":["taxn",["x"]]}', "did you mean taxon"),
        ("column=uid", "did you mean width?"),
    ],
)
def test_wrong_questions_are_answered_with_advice(client: Client, query: str, hint: str) -> None:
    answer = client.get(f"{STORE}/hist?{query}")
    assert answer.status_code == 422
    assert hint in answer.json()["do"]


@pytest.mark.parametrize("column", ["label", "depth_min_m", "time_utc"])
def test_a_histogram_of_a_region_counts_what_lies_in_it(client: Client, view: View, column: str) -> None:
    x0, y0, x1, y1 = view.extent
    left = [[x0, y0], [(x0 + x1) / 2, y0], [(x0 + x1) / 2, y1], [x0, y1]]
    right = [[(x0 + x1) / 2, y0], [x1, y0], [x1, y1], [(x0 + x1) / 2, y1]]
    whole = client.get(f"{STORE}/hist", params={"column": column}).json()
    parts = [client.post(f"{STORE}/hist", {"column": column, "polygon": half}).json() for half in (left, right)]
    assert 0 < parts[0]["total"] < whole["total"]
    kind = "values" if column == "label" else "counts"
    numbers = [[n[1] if kind == "values" else n for n in part[kind]] for part in (whole, *parts)]
    assert numbers[0] == [a + b for a, b in zip(*numbers[1:], strict=True)]
    tree = {"missing": "label"}
    both = client.post(f"{STORE}/hist", {"column": column, "polygon": left, "filter": tree}).json()
    assert both["total"] == len(view.select(tree, left))


def test_a_histogram_of_a_wrong_region_is_refused(client: Client) -> None:
    for body in ({"column": "label", "polygon": [[0, 0]]}, {"column": "nope"}, {"column": "label", "sql": "x"}, {}):
        assert client.post(f"{STORE}/hist", body).status_code == 422
