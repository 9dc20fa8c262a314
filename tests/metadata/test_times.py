"""Dates and times: each form, and the columns like the single texts."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqqua.metadata.times import clock, day, moment, moments

DAYS = st.dates(date(1801, 1, 1), date(2199, 12, 31))
CLOCKS = st.times().map(lambda moment: moment.replace(microsecond=0))


@pytest.mark.parametrize(
    "text",
    ["20140528", "20140528.0", "2014-05-28", "2014/5/28", "2014.05.28", "28.05.2014", "28.5.2014", "28/05/2014",
     "05/28/2014", "28-05-2014", "28 May 2014", "28-MAY-2014", "May 28, 2014", "28th May 2014", " 2014-05-28 "],
)  # fmt: skip
def test_days(text: str) -> None:
    assert day(text) == date(2014, 5, 28)


@pytest.mark.parametrize(
    "text", ["03/04/2014", "2014-13-01", "20140231", "2014", "140528", "28 Foo 2014", "nan", "", None]
)
def test_what_is_no_day_or_could_be_two(text: str | None) -> None:
    assert day(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("042000", time(4, 20)),
        ("420", time(4, 20)),
        ("930", time(9, 30)),
        ("0930", time(9, 30)),
        ("90239", time(9, 2, 39)),
        ("23700", time(2, 37)),
        ("0", time(0, 0)),
        ("7", time(0, 7)),
        ("420.0", time(4, 20)),
        ("04:20", time(4, 20)),
        ("9:30:15", time(9, 30, 15)),
        ("09:30:15.25", time(9, 30, 15, 250_000)),
        ("093015.250", time(9, 30, 15, 250_000)),
        ("12:00 am", time(0, 0)),
        ("2:30 PM", time(14, 30)),
        ("09:30:15Z", time(9, 30, 15)),
        ("09h30", time(9, 30)),
    ],
)
def test_clocks(text: str, expected: time) -> None:
    assert clock(text) == expected


@pytest.mark.parametrize("text", ["2400", "99:99", "1260", "13:00 PM", "-5", "1234567", "noon", "", None])
def test_what_is_no_clock(text: str | None) -> None:
    assert clock(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2013-05-26T09:52:07Z", datetime(2013, 5, 26, 9, 52, 7)),
        ("2013-05-26 09:52:07", datetime(2013, 5, 26, 9, 52, 7)),
        ("2013-05-26T09:52:07.5", datetime(2013, 5, 26, 9, 52, 7, 500_000)),
        ("2013-05-26T09:52:07+02:00", datetime(2013, 5, 26, 7, 52, 7)),
        ("2013-05-26 09:52 -0330", datetime(2013, 5, 26, 13, 22)),
        ("20220522T003051", datetime(2022, 5, 22, 0, 30, 51)),
        ("D20220522T003051", datetime(2022, 5, 22, 0, 30, 51)),
        ("20240508-0220", datetime(2024, 5, 8, 2, 20)),
        ("Jul/17/2022 16:17:39.00 UTC", datetime(2022, 7, 17, 16, 17, 39)),
        ("28 May 2014 12:30", datetime(2014, 5, 28, 12, 30)),
        ("28.05.2014, 12:30", datetime(2014, 5, 28, 12, 30)),
    ],
)
def test_moments_of_one_text(text: str, expected: datetime) -> None:
    assert moment(text) == expected.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["2014-05-28", "12:30", "2014-05-28T25:00", "03/04/2014 12:30", "2014-05-28 12:30 CEST", "", None]
)
def test_what_is_no_moment(text: str | None) -> None:
    assert moment(text) is None


@given(DAYS, CLOCKS, st.integers(-14 * 60, 14 * 60))
def test_iso_with_any_offset(on: date, at: time, minutes: int) -> None:
    there = datetime.combine(on, at, timezone(timedelta(minutes=minutes)))
    assert moment(there.isoformat()) == there
    assert moment(there.strftime("%Y-%m-%d %H:%M:%S%z")) == there


@given(DAYS, CLOCKS)
def test_every_way_to_write_a_moment(on: date, at: time) -> None:
    expected = datetime.combine(on, at, UTC)
    for written in ("%Y%m%dT%H%M%S", "%Y-%m-%d %H:%M:%S", "%d %b %Y %H:%M:%S", "%d.%m.%Y %H:%M:%S UTC"):
        assert moment(expected.strftime(written)) == expected
    assert day(on.strftime("%Y%m%d")) == on
    assert clock(at.strftime("%H%M%S")) == at


@given(CLOCKS)
def test_leading_zeros_that_a_spreadsheet_ate(at: time) -> None:
    eaten = at.strftime("%H%M%S").lstrip("0")
    if len(eaten) >= 5:
        assert clock(eaten) == at


@given(st.text(max_size=30))
def test_no_text_breaks_the_parsers(text: str) -> None:
    day(text), clock(text), moment(text)


@given(
    st.lists(
        st.one_of(DAYS.map(str), st.datetimes(datetime(1900, 1, 1)).map(str), st.text(max_size=12), st.none()),
        min_size=1,
    )
)
def test_a_column_is_read_like_its_texts(texts: list[str | None]) -> None:
    parsed = moments(pl.Series(texts, dtype=pl.String))
    for text, value in zip(texts, parsed["value"].to_list(), strict=True):
        one = moment(text)
        midnight = day(text)
        expected = one or (datetime.combine(midnight, time(), UTC) if midnight else None)
        assert value == (expected and expected.replace(microsecond=expected.microsecond // 1000 * 1000))


def test_two_columns() -> None:
    on = pl.Series(["20140420", "2014-04-20", "x", None, "2014-01-01T01:02:03Z", "20140420", "20140101", None, None])
    at = pl.Series(["420", None, "5", "930", None, "99:99", "2015-01-01 05:00:00", None, "2016-01-01T00:00:01"])
    parsed = moments(on, at)
    assert parsed["value"].to_list() == [
        datetime(2014, 4, 20, 4, 20, tzinfo=UTC),
        datetime(2014, 4, 20, tzinfo=UTC),
        None,
        None,
        datetime(2014, 1, 1, 1, 2, 3, tzinfo=UTC),
        None,
        datetime(2015, 1, 1, 5, tzinfo=UTC),
        None,
        datetime(2016, 1, 1, 0, 0, 1, tzinfo=UTC),
    ]
    assert parsed["bad"].to_list() == [False, False, True, True, False, True, False, False, False]
    assert parsed["dateonly"].to_list() == [False, True, False, False, False, False, False, False, False]


def test_no_columns_and_no_rows() -> None:
    assert moments(None).height == 0
    assert moments(pl.Series([], dtype=pl.String)).schema["value"] == pl.Datetime("ms", "UTC")
