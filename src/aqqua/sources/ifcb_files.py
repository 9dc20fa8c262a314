"""The text files of an IFCB bin (.hdr, .adc) and what follows from them: time, volume, columns.

Two generations differ. New bins are called D20130526T095207_IFCB013 and say their columns in the header; the columns
of old ones (IFCB5_2012_028_081515) are fixed. Sources: the files themselves; H. M. Sosik, ifcb-analysis (MATLAB), for
the volume; J. Futrelle, pyifcb `metrics/ml_analyzed`, for that of old bins.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

__all__ = [
    "NEW_COLUMNS",
    "OLD_COLUMNS",
    "BinName",
    "Volume",
    "parse_adc",
    "parse_header",
    "volume_from_adc",
    "volume_from_header",
]

_OLD = """trigger processing_end_time pmt_a pmt_b pmt_c pmt_d peak_a trigger_open_time frame_grab_time
roi_x roi_y roi_width roi_height start_byte valve_status"""
_NEW = """trigger adc_time pmt_a pmt_b pmt_c pmt_d peak_a peak_b peak_c peak_d time_of_flight grab_time_start
grab_time_end roi_x roi_y roi_width roi_height start_byte comparator_out
start_point signal_length status run_time inhibit_time"""
OLD_COLUMNS, NEW_COLUMNS = _OLD.split(), _NEW.split()
_KNOWN = {name.replace("_", ""): name for name in (*NEW_COLUMNS, *OLD_COLUMNS)}

FLOW_ML_PER_S = 0.25 / 60
"""The sample syringe delivers 0.25 mL per minute (5 mL in 48,000 steps at 40 steps per second)."""
MIN_PROCESSING_S = 0.073
"""An old IFCB is blind for at least this long after each trigger; see `_min_processing_s`."""

_NEW_NAME = re.compile(r"^D(\d{8}T\d{6})_IFCB(\d+)$")
_OLD_NAME = re.compile(r"^IFCB(\d+)_(\d{4}_\d{3}_\d{6})$")


@dataclass(frozen=True)
class BinName:
    """What the name of a bin says.

    Args:
        text: the name, without suffix.
        time: start of the sample, UTC.
        instrument: serial number, as "IFCB013" or "IFCB5".
        old: whether it is of the first generation.
    """

    text: str
    time: datetime
    instrument: str
    old: bool

    @classmethod
    def parse(cls, text: str) -> BinName | None:
        """Read a name, or None if it is not that of a bin."""
        try:
            if new := _NEW_NAME.match(text):
                when = datetime.strptime(new[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
                return cls(text, when, f"IFCB{new[2]}", old=False)
            if old := _OLD_NAME.match(text):
                when = datetime.strptime(old[2], "%Y_%j_%H%M%S").replace(tzinfo=UTC)
                return cls(text, when, f"IFCB{old[1]}", old=True) if f"{when:%Y}" == old[2][:4] else None
        except ValueError:  # a date that does not exist
            return None
        return None


@dataclass(frozen=True)
class Volume:
    """How much water a bin looked at.

    Args:
        run_s: length of the run, seconds.
        look_s: the time in which the instrument was not blind, seconds.
    """

    run_s: float
    look_s: float

    @property
    def ml(self) -> float:
        """Volume analysed, millilitres."""
        return FLOW_ML_PER_S * self.look_s


def parse_header(text: str) -> dict[str, str]:
    """Read a .hdr file: "key: value" lines, or the quoted lines of the first generation."""
    header: dict[str, str] = {}
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if lines and lines[0].startswith('"'):
        return _parse_old_header(lines)
    for line in lines:
        key, colon, value = line.partition(":")
        if not colon and (numbered := re.match(r"^(.*\D)\s+(\d+)$", line)):
            key, value = numbered[1], numbered[2]
        header[_snake(key)] = value.strip()
    return header


def _parse_old_header(lines: Sequence[str]) -> dict[str, str]:
    plain = [line.strip('"').strip() for line in lines]
    header = {"comment": " / ".join(plain[:3])}
    for line in plain[3:]:
        if " = " in line:
            key, _, value = line.partition("=")
            header[_snake(key)] = value.strip()
    if len(lines) >= 6:  # a line of names, a line of values
        values = [value.strip(' "') for value in lines[-1].split(",")]
        header |= dict(zip(map(_snake, plain[-2].split()), values, strict=False))
    return header


def _snake(key: str) -> str:
    return re.sub(r"\W+", "_", key.strip()).strip("_")


def parse_adc(text: str, header: dict[str, str], *, old: bool) -> tuple[list[str], list[list[str]]]:
    """Read an .adc file.

    Returns:
        Canonical column names (unknown ones as the header calls them), and one list of cells per line of the file.
    """
    rows = [[cell.strip() for cell in line.split(",")] for line in text.splitlines()]
    told = header.get("ADCFileFormat", "")
    columns = (
        list(OLD_COLUMNS) if old else [_canonical(name) for name in told.split(",")] if told else list(NEW_COLUMNS)
    )
    width = max((len(row) for row in rows if any(row)), default=0)
    columns += [f"column_{number}" for number in range(len(columns) + 1, width + 1)]
    return columns, rows


def _canonical(name: str) -> str:
    folded = re.sub(r"[^a-z]", "", name.lower())
    return _KNOWN.get(folded, _snake(name) or "column")


def volume_from_header(header: dict[str, str]) -> Volume | None:
    """Volume by the run and inhibit time of a new .hdr, or None if they are not there."""
    run, inhibit = _number(header.get("runTime")), _number(header.get("inhibitTime"))
    if run is None or inhibit is None or run <= inhibit:
        return None
    return Volume(run, run - inhibit)


def volume_from_adc(name: BinName, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Volume | None:
    """Volume by the times in the .adc file, or None if they make no sense."""
    table = [dict(zip(columns, map(_number, row), strict=False)) for row in rows if any(row)]
    volume = _old_volume(name, table) if name.old else _new_volume(table)
    return volume if volume and volume.look_s > 0 else None


def _new_volume(table: Sequence[dict[str, float | None]]) -> Volume | None:
    """Run minus inhibit time of the last line; of the line before where the last was badly logged."""
    for row in (*table[-1:], *table[-2:-1]):
        run, inhibit, clock = row.get("run_time"), row.get("inhibit_time"), row.get("adc_time")
        if run and inhibit is not None and run > inhibit and (clock is None or abs(run - clock) < 0.3):
            return Volume(run, run - inhibit)
    return None


def _old_volume(name: BinName, table: Sequence[dict[str, float | None]]) -> Volume | None:
    """Time to the last frame, less the time from each frame until the trigger is open again."""
    first = {row["trigger"]: row for row in reversed(table) if row.get("trigger") is not None}
    opened = [_past_midnight(row.get("trigger_open_time")) for row in first.values()][::-1]
    grabbed = [_past_midnight(row.get("frame_grab_time")) for row in first.values()][::-1]
    if not opened or any(math.isnan(time) for time in (*opened, *grabbed)):
        return None
    least = _min_processing_s(name)
    blind = least + sum(max(after - before, least) for after, before in zip(opened[1:], grabbed, strict=False))
    return Volume(grabbed[-1], grabbed[-1] - blind)


def _min_processing_s(name: BinName) -> float:
    """IFCB5 became faster in June 2015 (pyifcb, `compute_ml_analyzed`)."""
    return 0.05 if name.instrument == "IFCB5" and name.time >= datetime(2015, 6, 1, tzinfo=UTC) else MIN_PROCESSING_S


def _past_midnight(seconds: float | None) -> float:
    """Old clocks jump back by a day at midnight; nan: no time."""
    if seconds is None:
        return math.nan
    return seconds + 86_400 if seconds < 0 else seconds


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
