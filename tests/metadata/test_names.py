"""What names of images say: every declared pattern by its examples, real names, and names that say nothing."""

from __future__ import annotations

import re
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aqqua.errors import ConfigError, UnknownNameError
from aqqua.metadata.card import Card
from aqqua.metadata.fields import FIELDS
from aqqua.metadata.inname import Names, instrument_in_names
from aqqua.metadata.mapping import load_mapping, mapping_names
from aqqua.metadata.names import NamePattern, parse_names, said_by_names, times_in_names
from tests.metadata.rows import raw_table

PATTERNS = [(name, pattern) for name in mapping_names() for pattern in load_mapping(name).filenames]
IDS = [f"{name}-{number}" for number, (name, _) in enumerate(PATTERNS)]
EXAMPLES = [(name, pattern, text) for name, pattern in PATTERNS for text in pattern.examples]


def images(*names: str) -> pl.DataFrame:
    """Rows of a folder with these names."""
    return raw_table([{"file": name} for name in names]).with_columns(pl.Series("image_path", names, pl.String))


def said(name: str, text: str) -> dict[str, Any]:
    """Field → value of what the name of an image of an instrument says."""
    names = Names.of(images(text), load_mapping(name))
    found = {}
    for entry in FIELDS.values():
        for reading in (*names.read(entry, None), *names.implied(entry)):
            found[entry.name] = reading.value[0]
    return found


@pytest.mark.parametrize(("name", "pattern", "text"), EXAMPLES, ids=[text for _, _, text in EXAMPLES])
def test_examples(name: str, pattern: NamePattern, text: str) -> None:
    found = said(name, text)
    for field, expected in pattern.examples[text].items():
        value = found.get("depth_min_m" if field == "depth" else field)
        assert value == (pytest.approx(expected, rel=1e-9) if isinstance(expected, float) else expected), field


@pytest.mark.parametrize(
    ("name", "pattern"), PATTERNS, ids=[f"{name}-{index}" for index, (name, _) in enumerate(PATTERNS)]
)
def test_every_pattern_has_example_and_evidence_and_is_its_own(name: str, pattern: NamePattern) -> None:
    assert pattern.examples
    assert pattern.evidence
    for text in pattern.examples if pattern.recognise else ():
        assert instrument_in_names(images(text)) == name


def test_names_of_a_folder_tell_the_instrument_only_where_most_follow_one_convention() -> None:
    spc = "SPC-PWSSC-1459740420-000486-010-2450-1620-84-60.png"
    loki = "20130815 104510 413 000000 0840 0068.bmp"
    assert instrument_in_names(images(spc, spc, "table.png")) == "SPC"
    assert instrument_in_names(images(spc, "a.png", "b.png")) is None
    assert instrument_in_names(images(spc, loki)) is None
    assert instrument_in_names(images("copepod/1.png")) is None


def test_clocks_that_were_not_set_and_times_to_come_are_no_times() -> None:
    pattern = parse_names([{"pattern": "a(?P<epoch_s>[0-9]+)"}], "test")[0]
    found = said_by_names(pattern, [pl.Series(["a0", "a1459740420", "a9999999999", "b", "a99999999999999999999"])])
    told = times_in_names(found)
    assert told["value"].to_list() == [None, datetime(2016, 4, 4, 3, 27, tzinfo=UTC), None, None, None]
    assert told["unset"].to_list()[:2] == [True, False]
    assert told["bad"].to_list()[2] is True


@given(st.datetimes(datetime(1990, 1, 2), datetime(2100, 1, 1)))
def test_every_way_to_write_a_time_gives_the_same(moment: datetime) -> None:
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=UTC)
    written = {
        r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)T(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)\.(?P<fraction>\d+)":
            f"{moment:%Y%m%dT%H%M%S.%f}",
        r"(?P<year>\d{4})_(?P<day_of_year>\d{3})_(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)_(?P<fraction>\d+)":
            f"{moment:%Y_%j_%H%M%S_%f}",
        r"(?P<epoch_us>\d+)": f"{round(moment.timestamp() * 1e6)}",
        r"x(?P<epoch_ms>\d+)": f"x{round(moment.timestamp() * 1e3)}",
    }  # fmt: skip
    for pattern, text in written.items():
        (parsed,) = parse_names([{"pattern": pattern}], "test")
        assert times_in_names(said_by_names(parsed, [pl.Series([text])]))["value"].to_list() == [moment]


@settings(max_examples=15)
@given(st.lists(st.text(), min_size=1, max_size=4))
def test_no_name_breaks_any_pattern(names: list[str]) -> None:
    raw = images(*names)
    for name in mapping_names():
        found = Names.of(raw, load_mapping(name))
        for entry in (FIELDS["time_utc"], FIELDS["latitude"], FIELDS["pixel_um"]):
            assert all(len(reading.value) == len(names) for reading in found.read(entry, None))


@pytest.mark.parametrize(
    ("entry", "error", "told"),
    [
        ({"pattern": "("}, ConfigError, "regular expression"),
        ({"pattern": "(?P<year>[0-9]+)(?=x)"}, ConfigError, "look-around"),
        ({"pattern": "(?P<yaer>[0-9]+)"}, UnknownNameError, "year"),
        ({"pattern": "([0-9]+)"}, ConfigError, "named groups"),
        ({"pattern": ""}, ConfigError, "named groups"),
        ({"pattern": "(?P<depth>x)", "units": {"depth": "mL"}}, ConfigError, "does not fit"),
        ({"pattern": "(?P<depth>x)", "says": {"pixel": 3}}, UnknownNameError, "pixel_um"),
        ({"pattern": "(?P<depth>x)", "status": "sure"}, UnknownNameError, "assumed"),
        ({"patern": "(?P<depth>x)"}, UnknownNameError, "pattern"),
        ("x", ConfigError, "name: value"),
    ],
)
def test_bad_patterns(entry: Any, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=re.escape(told)):
        parse_names([entry], "test")


def test_a_value_from_a_name_is_told_and_can_be_overruled() -> None:
    from aqqua.metadata.harmonise import harmonise

    raw = images("high_mag_cam-1713221004871098-57486995160-7-002-992-512-32-28_rawcolor.png")
    place = {"latitude": 36.8, "longitude": -121.9, "depth_m": 18}
    told = harmonise(raw, source="folder", card=Card(defaults=place))
    codes = {finding.code for finding in told.findings}
    assert {"read_from_name", "nominal_value", "instrument_guessed", "volume_missing"} <= codes
    assert told.provenance["time_utc"] == "the image's name [UTC] (Planktivore, published)"
    assert told.converted["pixel_um"].to_list() == pytest.approx([0.89])
    other = Card(defaults={**place, "pixel_um": 0.86}, overrides={"time_utc": "2024-04-15T22:00:00Z"})
    told = harmonise(raw, source="folder", card=other)
    assert told.converted["pixel_um"].to_list() == pytest.approx([0.86])
    assert told.converted["time_utc"].to_list() == [datetime(2024, 4, 15, 22, tzinfo=UTC)]


def test_a_name_that_tells_no_time_is_no_column() -> None:
    from aqqua.metadata.harmonise import harmonise

    raw = images("SPC-PWSSC-0-000836-087-324-2296-108-80.png")
    (reason,) = harmonise(raw, source="folder", card=Card()).rejects.filter(field="time_utc")["reason"]
    assert reason.endswith("in the image's name stands for no value")


def test_real_names_of_spc(shared_data: Path) -> None:
    """3,213 images: 214 by a clock at zero, two by clocks that run decades ahead."""
    with zipfile.ZipFile(shared_data / "images/spc_pwssc/spc_pwssc.zip") as archive:
        names = [name for name in archive.namelist() if name.endswith(".png")]
    raw = images(*names)
    assert instrument_in_names(raw) == "SPC"
    (reading,) = Names.of(raw, load_mapping("SPC")).read(FIELDS["time_utc"], None)
    kinds = reading.problem.struct.field("kind").value_counts()
    assert dict(kinds.drop_nulls().iter_rows()) == {"sentinel": 214, "impossible": 2}
    times = reading.value.drop_nulls()
    assert len(times) == len(names) - 216
    assert times.dt.year().unique().to_list() == [2016]


def test_real_names_of_loki_and_ifcb(shared_data: Path) -> None:
    loki = [path.name for path in (shared_data / "segmentation/loki_appsilon/example_inputs").glob("*.bmp")]
    assert instrument_in_names(images(*loki)) == "LOKI"
    (reading,) = Names.of(images(*loki), load_mapping("LOKI")).read(FIELDS["time_utc"], None)
    assert reading.value.null_count() == 0
    bins = [path.stem + "_00001.png" for path in (shared_data / "ifcb").rglob("*.adc")]
    assert instrument_in_names(images(*bins)) == "IFCB"
    (new, old) = Names.of(images(*bins), load_mapping("IFCB")).read(FIELDS["time_utc"], None)
    assert (new.value.is_not_null() ^ old.value.is_not_null()).all()
