"""Lists, contexts, summaries and classes of VisualSpreadsheet, whole and damaged."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqqua.sources.flowcam_files import (
    clock_offset,
    first_number,
    imaged_volume_ml,
    is_list,
    is_particle_export,
    parse_classes,
    parse_context,
    parse_export,
    parse_list,
    parse_run_summary,
    parse_summary,
)
from tests.make.flowcam import (
    COLUMNS,
    CONTEXT,
    RUN_SUMMARY,
    SUMMARY,
    class_bytes,
    export_bytes,
    list_bytes,
    particles,
)

ROWS = particles().rows


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_list_names_its_columns(newline: str) -> None:
    text = list_bytes(ROWS, newline=newline).decode()
    assert is_list(text.replace("\r\n", "\n"))
    listed = parse_list(text)
    assert listed.frame.columns == list(COLUMNS)
    assert listed.frame.to_dicts() == ROWS
    assert listed.table.lines == list(range(len(COLUMNS) + 3, len(COLUMNS) + 3 + len(ROWS)))
    assert list(listed.cells("id", "nothing"))[:2] == [{"id": "1", "nothing": ""}, {"id": "2", "nothing": ""}]
    assert not listed.ragged
    assert not listed.cut_off


@pytest.mark.parametrize(
    "text", ["", "017\n", "017\nnum-fields\n", "017\nid|int32\n", "x\nnum-fields|3\n", "a,b\n1,2\n"]
)
def test_other_texts_are_no_lists(text: str) -> None:
    assert not is_list(text)
    assert not is_particle_export(text)


def test_an_export_says_the_same_as_a_list() -> None:
    text = export_bytes(ROWS).decode()
    assert is_particle_export(text)
    listed = parse_export(text)
    assert listed.table.lines[0] == 2
    row = listed.frame.row(0, named=True)
    assert row == {**{key: ROWS[0][key] for key in row if key in ROWS[0]}, "area_abd": "2.0747"}
    assert row["collage_file"] == "run_000001.tif"


def test_a_line_that_is_cut_off_is_told() -> None:
    text = list_bytes(ROWS).decode().rstrip("\n")[:-60]
    listed = parse_list(text)
    assert list(listed.ragged) == [len(ROWS) - 1]
    assert listed.ragged[len(ROWS) - 1] < len(COLUMNS)


def test_a_list_that_ends_among_its_columns() -> None:
    assert parse_list("017\nnum-fields|5\nid|int32\n").cut_off


def test_context_and_summaries() -> None:
    context = parse_context(CONTEXT.replace("\n", "\r\n"))
    assert context["Fluid_FlowCellDepth"] == "100"
    assert context["General_LocationLatitude"] == "54.33"
    summary = parse_run_summary(RUN_SUMMARY)
    assert summary == {
        "Run_Mode": "AutoImage",
        "Run_Fluid_Volume_Imaged": "0.0174 ml",
        "Date_Time_Start": "2024-04-08 10:14:01",
    }
    assert parse_summary(SUMMARY) == {"Count": "3", "Sample_Volume_Imaged_ml": "0.01737"}


def test_the_volume_by_geometry() -> None:
    """1278 × 958 px² · (0.5544 µm)² · 100 µm · 532 frames · 0.8679, in millilitres."""
    assert imaged_volume_ml(parse_context(CONTEXT)) == pytest.approx(0.0173750, rel=1e-5)
    without = CONTEXT.replace("IncludesVolumeCF=1", "IncludesVolumeCF=0")
    assert imaged_volume_ml(parse_context(without)) == pytest.approx(0.0173750 / 0.8679, rel=1e-5)
    assert imaged_volume_ml(parse_context(CONTEXT.replace("RawImageTotal=532", "RawImageTotal=0"))) is None
    assert imaged_volume_ml({}) is None


@pytest.mark.parametrize(
    ("utc", "clock", "hours"),
    [
        ("2024-04-08 08:14:01", "2024-04-08  10:14:01", 2.0),
        ("2024-04-08 23:00:00", "2024-04-08 17:30:00", -5.5),
        ("2023-12-20 14:03:06", "2023-12-20 14:03:06", 0.0),
        ("2024-04-08 08:14:01", "2024-04-08 10:14:09", None),
        ("2024-04-08 08:14:01", "2024-05-08 08:14:01", None),
        ("2024-04-08 08:14:01", "soon", None),
    ],
)
def test_the_clock_of_the_computer(utc: str, clock: str, hours: float | None) -> None:
    found = clock_offset({"General_RunStartTime": utc}, {"Date_Time_Start": clock})
    assert found == (None if hours is None else timedelta(hours=hours))


def test_classes() -> None:
    found = parse_classes(class_bytes({"Junk": ["1", "3"], "diatom": ["3"], "none": []}, filtered=["Junk"]).decode())
    assert found.of == {"1": ["Junk"], "3": ["Junk", "diatom"]}
    assert found.filtered == {"Junk"}
    assert parse_classes("v2\n1\n").of == {}
    assert parse_classes(class_bytes({"Junk": ["1", "3"]}).decode()[:-2]).of == {}


@pytest.mark.parametrize(
    ("texts", "number"),
    [(["0.0174 ml"], 0.0174), ([None, "", "0.0000", "3,5 ml"], 3.5), (["1e-3"], 0.001), (["x", None], None)],
)
def test_the_first_number(texts: list[str | None], number: float | None) -> None:
    assert first_number(texts) == number


@given(text=st.text(alphabet="017\n|num-fieldsid,=[]:v3OR\t ", max_size=300))
def test_any_text_is_read_without_a_crash(text: str) -> None:
    for read in (parse_list, parse_export, parse_context, parse_run_summary, parse_summary, parse_classes):
        read(text)
    assert parse_list(text).frame.width <= 500


@given(cut=st.integers(0, 2000))
def test_a_list_cut_anywhere_gives_whole_lines_or_says_so(cut: int) -> None:
    listed = parse_list(list_bytes(ROWS).decode()[:cut])
    rows = listed.frame.to_dicts()
    assert rows[:-1] == ROWS[: max(0, len(rows) - 1)]
    assert len(listed) == 0 or listed.frame.width == len(COLUMNS)


def test_absurd_numbers_of_columns_and_keys_are_bounded() -> None:
    many = "\n".join(f"name{n}|int32" for n in range(3000))
    assert parse_list(f"017\nnum-fields|3000\n{many}\n").frame.width == 500
    assert len(parse_context("\n".join(f"key{n}=1" for n in range(3000)))) == 1000
