"""Filters select the rows that plain Python selects, and nothing but filters is accepted."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aqqua.app.columns import Table
from aqqua.app.filters import MAX_CHARS, compile_filter, parse_filter
from aqqua.errors import ConfigError, UnknownNameError

T0 = datetime(2024, 1, 1, tzinfo=UTC)
WORDS = ["Copepoda", "copepod nauplius", "Ørsted", "a.c", ""]
words = st.sampled_from(WORDS) | st.none()
numbers = st.integers(-3, 3).map(float) | st.none()
times = st.integers(0, 5).map(lambda d: T0 + timedelta(days=d)) | st.none()
rows = st.lists(st.tuples(words, numbers, times), min_size=1, max_size=20)

leaf = st.one_of(
    st.builds(lambda v: {"in": ["label", v]}, st.lists(words, max_size=3)),
    st.builds(lambda v: {"in": ["depth_min_m", v]}, st.lists(numbers, max_size=3)),
    st.builds(lambda a, b: {"range": ["depth_min_m", a, b]}, numbers, numbers),
    st.builds(lambda a, b: {"range": ["time_utc", a and a.isoformat(), b and b.timestamp() * 1000]}, times, times),
    st.builds(lambda t: {"contains": ["label", t]}, st.sampled_from(["COPE", ".", "ø", "", "zz"])),
    st.builds(lambda c: {"missing": c}, st.sampled_from(["label", "depth_min_m", "time_utc"])),
)
trees: st.SearchStrategy[dict[str, Any]] = st.recursive(
    leaf,
    lambda part: st.one_of(
        st.builds(lambda p: {"and": p}, st.lists(part, max_size=3)),
        st.builds(lambda p: {"or": p}, st.lists(part, max_size=3)),
        st.builds(lambda p: {"not": p}, part),
    ),
    max_leaves=6,
)


def table(found: list[tuple[Any, Any, Any]]) -> Table:
    frame = pl.DataFrame(
        {
            "uid": range(len(found)),
            "label": pl.Series([row[0] for row in found], dtype=pl.String),
            "depth_min_m": pl.Series([row[1] for row in found], dtype=pl.Float32),
            "time_utc": pl.Series([row[2] for row in found], dtype=pl.Datetime("ms", "UTC")),
        }
    )
    return Table(frame)


def holds(tree: dict[str, Any], row: dict[str, Any]) -> bool:
    """What a filter means, for one row."""
    ((operator, argument),) = tree.items()
    if operator in {"and", "or"}:
        parts = [holds(part, row) for part in argument]
        return all(parts) if operator == "and" else any(parts)
    if operator == "not":
        return not holds(argument, row)
    if operator == "missing":
        return row[argument] is None
    value = row[argument[0]]
    if operator == "in":
        return value in argument[1]
    if value is None:
        return False
    if operator == "contains":
        return str(argument[1]).lower() in value.lower()
    low, high = argument[1:]
    if argument[0] == "time_utc":
        low = datetime.fromisoformat(low) if low is not None else None
        high = datetime.fromtimestamp(high / 1000, UTC) if high is not None else None
    return (low is None or value >= low) and (high is None or value <= high)


@given(rows, trees)
@settings(max_examples=200, deadline=None)
def test_a_filter_selects_what_brute_force_selects(found: list[tuple[Any, Any, Any]], tree: dict[str, Any]) -> None:
    data = table(found)
    expression = compile_filter(json.loads(json.dumps(tree)), data.columns)
    assert expression is not None
    selected = data.frame.with_columns(hit=expression)["hit"].to_list()
    expected = [holds(tree, dict(zip(("label", "depth_min_m", "time_utc"), row, strict=True))) for row in found]
    assert selected == expected


def test_text_is_found_whatever_its_case() -> None:
    data = table([(word, None, None) for word in WORDS])
    for text, hits in (("COPE", 2), ("ØRST", 1), ("a.", 1), ("x", 0)):
        expression = compile_filter({"contains": ["label", text]}, data.columns)
        assert expression is not None
        assert data.frame.select(expression.alias("hit"))["hit"].sum() == hits


def test_no_filter_lets_everything_through() -> None:
    assert compile_filter(None, {}) is None
    assert parse_filter(None) is parse_filter("") is None


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"in": ["lable", ["x"]]}, "did you mean label?"),
        ({"rnage": ["depth_min_m", 0, 1]}, "did you mean range?"),
        ({"and": [{"missing": "detph_min_m"}]}, "did you mean depth_min_m?"),
        ({"in": ["uid", [1]]}, "no column is called 'uid'"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(tree: Any, message: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        compile_filter(tree, table([("a", 1.0, T0)]).columns)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "tree",
    [
        "label = 'x'", 5, [], {}, {"and": 5}, {"and": {"missing": "label"}}, {"not": []}, {"in": "label"},
        {"in": ["label"]}, {"in": ["label", "x"]}, {"in": ["label", [1]]}, {"in": ["label", [["x"]]]},
        {"in": ["depth_min_m", ["x"]]}, {"in": ["depth_min_m", [True]]}, {"in": [["label"], ["x"]]},
        {"in": ["label", ["x"] * 10_001]}, {"missing": "label", "in": ["label", []]},
        {"range": ["label", "a", "b"]}, {"range": ["depth_min_m", 0]}, {"range": ["depth_min_m", "0", None]},
        {"range": ["time_utc", "yesterday", None]}, {"range": ["time_utc", 1e300, None]},
        {"range": ["time_utc", [], None]}, {"range": ["time_utc", float("nan"), None]},
        {"missing": ["label"]}, {"missing": None}, {"contains": ["depth_min_m", "1"]}, {"contains": ["label", 1]},
        {"and": [{"missing": "label"}] * 501},
    ],
)  # fmt: skip
def test_what_is_no_filter_is_refused_with_advice(tree: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        compile_filter(tree, table([("a", 1.0, T0)]).columns)
    assert caught.value.do


def test_deep_filters_are_refused() -> None:
    tree: Any = {"missing": "label"}
    for _ in range(15):
        tree = {"not": tree}
    columns = table([("a", 1.0, T0)]).columns
    assert compile_filter(tree, columns) is not None
    with pytest.raises(ConfigError, match="too large"):
        compile_filter({"not": tree}, columns)


@pytest.mark.parametrize("text", ["{", "[" * 100_000, "x" * (MAX_CHARS + 1), "None"])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_filter(text)
