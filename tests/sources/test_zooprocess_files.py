"""Headers and tables of .pid files, and the notation of ZooProcess."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqqua.sources.zooprocess_files import (
    Header,
    in_decimal_degrees,
    is_pid,
    parse_header,
    parse_pid,
    position,
    quantity,
    sampled_utc,
)
from tests.make.zooprocess import HEADER, objects, pid_bytes

ROWS = objects()[0]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_header_and_table(newline: str) -> None:
    text = pid_bytes(ROWS, newline=newline).decode("latin-1")
    assert is_pid(text.replace("\r\n", "\n"))
    pid = parse_pid(text, "x.pid")
    assert pid.header.get("sample_zmax") == "60.0"
    assert pid.header.get("Sample_Date") == "20150711-1255"
    assert pid.header.get("Info_Resolution") == "2400"
    assert pid.header.get("Sample_Nothing") is None
    assert pid.table.frame.columns == list(ROWS[0])
    assert pid.table.frame.to_dicts() == ROWS
    lines = text.replace("\r\n", "\n").split("\n")
    assert [lines[number - 1].split(";")[0] for number in pid.table.lines] == ["1", "2", "3", "4"]


def test_a_table_of_plankton_identifier() -> None:
    text = pid_bytes(ROWS, "", delimiter="\t").decode()
    assert is_pid(text.replace("\r\n", "\n"))
    pid = parse_pid(text, "x.txt")
    assert pid.header.values == {}
    assert pid.table.frame.to_dicts() == ROWS
    assert pid.table.lines == [2, 3, 4, 5]


@pytest.mark.parametrize("text", ["", "PID", "PID\n", "PID\nnot a section", "Item;Label;Area", "12345\n", "!Item"])
def test_other_texts_are_none(text: str) -> None:
    assert not is_pid(text)


@pytest.mark.parametrize(
    ("text", "decimal", "degrees"),
    [
        ("27.3015300", False, 27 + 30.153 / 60),
        ("-27.3015300", False, -(27 + 30.153 / 60)),
        ("0.3000", False, 0.5),
        ("-0.3000", False, -0.5),
        ("7", False, 7.0),
        ("27,30", False, 27.5),
        ("27.3015300", True, 27.30153),
        ("27°30 36", False, 27.51),
        ("27°30.6' S", True, -27.51),
        ("99999.0000000", False, None),
        ("NaN", False, None),
        ("somewhere", False, None),
        (None, False, None),
    ],
)
def test_positions(text: str | None, decimal: bool, degrees: float | None) -> None:
    found = position(text, "latitude", decimal=decimal)
    assert found == (None if degrees is None else pytest.approx(degrees))


@given(degrees=st.integers(-89, 89), minutes=st.floats(0, 59.99))
def test_every_degree_and_minute(degrees: int, minutes: float) -> None:
    text = f"{'-' if degrees < 0 else ''}{abs(degrees) + minutes / 100:.7f}"
    sign = -1 if degrees < 0 else 1
    expected = sign * (abs(degrees) + minutes / 60)
    assert position(text, "latitude", decimal=False) == pytest.approx(expected, abs=1e-6)


def test_sixty_minutes_cannot_be() -> None:
    def told(latitude: str) -> bool:
        return in_decimal_degrees(Header({"Sample_Latitude": latitude, "Sample_Longitude": "7.19"}))

    assert [told(text) for text in ("43.41", "43.5999", "43.60", "-43.95", "99999.0", "NaN")] == [
        *(False, False, True, True, False, False)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20240508-0220", "2024-05-08T02:20:00Z"),
        ("20240508_022030", "2024-05-08T02:20:30Z"),
        (" 20240508-2400", None),
        ("20241308-0220", None),
        ("soon", None),
        (None, None),
    ],
)
def test_dates(text: str | None, expected: str | None) -> None:
    assert sampled_utc(text) == expected


@pytest.mark.parametrize(
    ("text", "number"),
    [("931.6", 931.6), ("1,5", 1.5), ("99999", None), ("-99999", None), ("nan", None), ("inf", None), ("", None)],
)
def test_quantities(text: str, number: float | None) -> None:
    assert quantity(text) == number


@given(text=st.text(alphabet="PID\n[]=!ItemLabel;\t12.", max_size=200))
def test_any_text_is_read_without_a_crash(text: str) -> None:
    parse_header(text)
    parse_pid(text, "x.pid")
    is_pid(text)


@given(cut=st.integers(0, len(pid_bytes(ROWS))))
def test_a_file_cut_anywhere_keeps_its_whole_lines(cut: int) -> None:
    found = parse_pid(pid_bytes(ROWS).decode("latin-1")[:cut], "x.pid")
    rows = found.table.frame.to_dicts() if found.table.frame.width == len(ROWS[0]) else []
    assert rows[:-1] == ROWS[: max(0, len(rows) - 1)]
    assert parse_header(HEADER).values.items() >= dict(list(found.header.values.items())[:-1]).items()
