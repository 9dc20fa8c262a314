"""Header, lines and volume of IFCB bins."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from aqqua.sources.ifcb_files import (
    NEW_COLUMNS,
    OLD_COLUMNS,
    BinName,
    parse_adc,
    parse_header,
    volume_from_adc,
    volume_from_header,
)
from tests.make.ifcb import NEW_HEADER, OLD_HDR

NEW = BinName("D20220522T003051_IFCB134", datetime(2022, 5, 22, 0, 30, 51, tzinfo=UTC), "IFCB134", old=False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("D20220522T003051_IFCB134", NEW),
        (
            "IFCB5_2012_028_081515",
            BinName("IFCB5_2012_028_081515", datetime(2012, 1, 28, 8, 15, 15, tzinfo=UTC), "IFCB5", True),
        ),
        (
            "IFCB1_2012_366_235959",
            BinName("IFCB1_2012_366_235959", datetime(2012, 12, 31, 23, 59, 59, tzinfo=UTC), "IFCB1", True),
        ),
        ("D20221322T003051_IFCB134", None),
        ("IFCB5_2013_366_081515", None),
        ("D20220522T003051_IFCB134_00002", None),
        ("notes", None),
    ],
)
def test_names(text: str, expected: BinName | None) -> None:
    assert BinName.parse(text) == expected


def test_headers_of_both_generations() -> None:
    new = parse_header(
        "syringe number 75\nsampleTime: 2013-05-26T09:52:07Z\nHumidityAlarmThreshold(%): 75\nimagerID: 13\t\n"
    )
    assert new == {
        "syringe_number": "75",
        "sampleTime": "2013-05-26T09:52:07Z",
        "HumidityAlarmThreshold": "75",
        "imagerID": "13",
    }
    old = parse_header(OLD_HDR)
    assert old["SyringeStatus"] == "0"
    assert old["PMT1hv_ssc"] == ".675"
    assert parse_header("") == {}


def test_columns_have_one_name_however_the_header_spells_them() -> None:
    spelt = "trigger#, ADC_time, PMTA, time of flight, ROIx, ROIwidth,start_byte, STartPoint, newThing"
    columns, _ = parse_adc("", {"ADCFileFormat": spelt}, old=False)
    names = "trigger adc_time pmt_a time_of_flight roi_x roi_width start_byte start_point newThing"
    assert " ".join(columns) == names
    assert parse_adc("", {"ADCFileFormat": NEW_HEADER}, old=False)[0] == NEW_COLUMNS
    assert parse_adc("1,2\n", {}, old=False)[0] == NEW_COLUMNS
    assert parse_adc("1,2\n", {}, old=True)[0] == OLD_COLUMNS


def test_more_cells_than_columns_are_kept() -> None:
    columns, rows = parse_adc(",".join(map(str, range(26))), {}, old=False)
    assert columns[24:] == ["column_25", "column_26"]
    assert len(rows[0]) == 26


def test_volume_of_the_header() -> None:
    volume = volume_from_header({"runTime": "56.8045", "inhibitTime": "36.7328"})
    assert volume is not None
    assert volume.ml == pytest.approx(0.25 * (56.8045 - 36.7328) / 60)
    assert volume_from_header({"runTime": "10", "inhibitTime": "11"}) is None
    assert volume_from_header({"runTime": "x"}) is None


def test_volume_of_the_lines_skips_a_badly_logged_last_one() -> None:
    columns = ["trigger", "adc_time", "run_time", "inhibit_time"]
    good, bad = ["1", "100", "100.02", "4"], ["2", "160", "0", "0"]
    volume = volume_from_adc(NEW, columns, [good, bad])
    assert volume is not None
    assert volume.look_s == pytest.approx(96.02)
    assert volume_from_adc(NEW, columns, [bad]) is None
    assert volume_from_adc(NEW, columns, []) is None


def test_volume_of_an_old_bin_past_midnight() -> None:
    name = BinName.parse("IFCB5_2012_028_235950")
    assert name is not None
    columns = ["trigger", "trigger_open_time", "frame_grab_time"]
    volume = volume_from_adc(
        name, columns, [["1", "0", "1"], ["2", "1.1", "5"], ["2", "1.1", "5"], ["3", "-86390", "-86380"]]
    )
    assert volume is not None
    assert volume.run_s == pytest.approx(20)
    assert volume.look_s == pytest.approx(20 - (1.1 - 1) - (10 - 5) - 0.073)


@pytest.mark.parametrize(
    ("name", "ml", "look_s", "run_s"),
    [
        ("IFCB5_2012_028_081515", 0.003391470833333334, 0.8139530000000001, 1.251953),
        ("D20130526T095207_IFCB013", 5.080841170833334, 1219.401881, 1231.024861),
    ],
)
def test_volume_is_what_pyifcb_says(shared_data: Path, name: str, ml: float, look_s: float, run_s: float) -> None:
    """The numbers stand in pyifcb `ifcb/tests/metrics/test_ml_analyzed.py` for these very bins."""
    folder = shared_data / "ifcb" / "ifcbkit" / name
    header = parse_header((folder / f"{name}.hdr").read_text())
    said = BinName.parse(name)
    assert said is not None
    columns, rows = parse_adc((folder / f"{name}.adc").read_text(), header, old=said.old)
    volume = volume_from_header(header) or volume_from_adc(said, columns, rows)
    assert volume is not None
    assert (volume.ml, volume.look_s, volume.run_s) == pytest.approx((ml, look_s, run_s))
