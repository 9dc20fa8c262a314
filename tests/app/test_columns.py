"""Columns are described and coded as the front end expects."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from aqqua.app.columns import Table, read_frame
from aqqua.app.sample import MODEL
from aqqua.store.dataset import Dataset


def test_the_frame_holds_metadata_labels_and_predictions_in_storage_order(sample: Dataset) -> None:
    frame = read_frame(sample, MODEL)
    assert frame["uid"].to_list() == sample.metadata(["key"])["uid"].to_list()
    labels = dict(sample.labels().select("uid", "label").iter_rows())
    assert frame["label"].to_list() == [labels.get(uid) for uid in frame["uid"].to_list()]
    said = dict(sample.predictions(MODEL, ["uid", "p_linear"]).iter_rows())
    assert frame["p_linear"].to_list() == [said[uid] for uid in frame["uid"].to_list()]
    assert {"label_status", "taxon", "taxon_knn", "outlier", "depth_min_m", "longest_side_um"} <= set(frame.columns)
    assert not {"xxh3", "key", "nbytes"} & set(frame.columns)
    first = frame.row(0, named=True)
    assert first["longest_side_um"] == pytest.approx(max(first["width"], first["height"]) * first["pixel_um"])


def test_without_predictions_there_are_no_such_columns(plain: Dataset) -> None:
    assert "taxon_knn" not in read_frame(plain, None).columns


def test_values_are_listed_by_count_and_coded_in_that_order() -> None:
    words = ["b"] * 3 + ["a"] * 2 + [None] + ["c"] * 2
    table = Table(pl.DataFrame({"uid": range(8), "label": words}))
    column = table.columns["label"]
    assert column.values == (("b", 3), ("a", 2), ("c", 2))
    assert (column.missing, column.distinct, column.kind) == (1, 3, "category")
    assert table.codes("label").code.tolist() == [1, 1, 1, 2, 2, 0, 3, 3]


def test_rare_values_beyond_the_list_share_one_code() -> None:
    words = [f"v{i:03d}" for i in range(300)] + ["v000", None]
    table = Table(pl.DataFrame({"uid": range(302), "label": words}))
    assert len(table.columns["label"].values) == 200
    assert table.columns["label"].distinct == 300
    code = table.codes("label").code
    assert code[:3].tolist() == [1, 2, 3]
    assert (code[200:300] == 255).all()
    assert code[301] == 0


def test_numbers_are_coded_between_the_first_and_the_last_percentile() -> None:
    values = [*map(float, range(1000)), 1e9, None]
    table = Table(pl.DataFrame({"uid": range(1002), "depth_min_m": values}))
    codes = table.codes("depth_min_m")
    assert codes.kind == 1
    assert codes.low == pytest.approx(10)
    assert codes.high == pytest.approx(990)
    assert codes.code[[0, 5, 500, 999, 1000, 1001]].tolist() == [1, 1, 128, 255, 255, 0]
    assert table.columns["depth_min_m"].maximum == 1e9


@pytest.mark.parametrize(("values", "codes"), [([5.0, 5.0, None], [128, 128, 0]), ([None, None], [0, 0]), ([], [])])
def test_columns_without_variety_have_codes_too(values: list[float | None], codes: list[int]) -> None:
    frame = pl.DataFrame({"uid": range(len(values)), "p_knn": pl.Series(values, dtype=pl.Float32)})
    assert Table(frame).codes("p_knn").code.tolist() == codes


def test_a_column_of_words_without_any_is_missing_throughout() -> None:
    table = Table(pl.DataFrame({"uid": range(2), "label": pl.Series([None, None], dtype=pl.String)}))
    assert table.codes("label").code.tolist() == [0, 0]
    assert (table.columns["label"].values, table.columns["label"].distinct) == ((), 0)


def test_times_are_milliseconds(sample: Dataset) -> None:
    table = Table(read_frame(sample, None))
    column = table.columns["time_utc"]
    assert column.kind == "time"
    lowest = sample.metadata(["time_utc"])["time_utc"].dt.timestamp("ms").min()
    assert column.minimum == lowest
    assert table.codes("time_utc").code.min() == 1


def test_what_is_not_finite_is_missing(sample: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = sample.metadata()
    frame = frame.with_columns(latitude=pl.Series(np.where(np.arange(len(frame)) % 2, np.inf, np.nan)))
    monkeypatch.setattr(Dataset, "metadata", lambda self, columns=None: frame)
    assert Table(read_frame(sample, None)).columns["latitude"].missing == len(frame)


def test_every_column_says_what_it_is(sample: Dataset) -> None:
    table = Table(read_frame(sample, MODEL))
    for column in table.columns.values():
        assert column.doc, column.name
    assert list(table.columns)[:2] == ["label", "taxon"]
    assert table.columns["depth_min_m"].unit == "m"
