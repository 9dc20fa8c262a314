"""The text of a ZooProcess `.pid` file, and what its notation means.

A `.pid` file begins with the line PID; then "key= value" lines in [sections] ([Image], [Sample], [Subsample],
[Particules_Process] …), and after [Data] a table with one line per object, its first column called !Item. Tables of
Plankton Identifier are that last part alone. Sources: files of ZooProcess 8; EcoTaxa's own reader for positions.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice

from aqqua.metadata.positions import Axis
from aqqua.metadata.positions import position as any_position
from aqqua.metadata.units import is_missing
from aqqua.sources.tables import TextTable, build_table, read_lines

__all__ = [
    "MINUTES",
    "Header",
    "Pid",
    "in_decimal_degrees",
    "is_pid",
    "parse_header",
    "parse_pid",
    "position",
    "quantity",
    "sampled_utc",
]

MINUTES = 0.6
"""27.30153 stands for 27° 30.153′: what follows the point are minutes by 100, so it stays below this."""
_SENTINELS = {9999.0, 99999.0, 999999.0, -9999.0, -99999.0}
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
_DATA = "[data]"
_MAX_KEYS = 2000


@dataclass(frozen=True)
class Header:
    """What stands above the table.

    Args:
        values: "Sample_Zmin" → "250.2".
        lines: how many lines of the file it takes, the line [Data] included.
    """

    values: dict[str, str] = field(default_factory=dict)
    lines: int = 0

    def get(self, name: str) -> str | None:
        """A value by the name of its section and key, in whatever case; None for what stands for missing."""
        text = self._folded.get(name.lower())
        return None if text is None or is_missing(text) else text

    @property
    def _folded(self) -> dict[str, str]:
        return {key.lower(): value for key, value in self.values.items()}


@dataclass(frozen=True)
class Pid:
    """A file.

    Args:
        header: what stands above the table.
        table: one row per object.
    """

    header: Header
    table: TextTable


def is_pid(head: str) -> bool:
    """Whether a text begins as a .pid file or as a table of Plankton Identifier."""
    lines = [line.strip() for line in head.lstrip("\ufeff").split("\n", 2)]
    if lines[0] == "PID":
        return len(lines) > 1 and lines[1].startswith("[")
    return bool(re.match(r"!Item[\t;]Label[\t;]", lines[0]))


def parse_header(text: str) -> Header:
    """Read the lines above the table; a key that stands twice in a section keeps its first value."""
    values: dict[str, str] = {}
    section = ""
    number = 0
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), 1):
        plain = line.strip()
        if plain.lower() == _DATA:
            return Header(values, number)
        if plain.startswith("!Item"):
            return Header(values, number - 1)
        if hit := re.fullmatch(r"\[(.+)\]", plain):
            section = hit[1]
        elif "=" in plain and len(values) < _MAX_KEYS:
            key, _, value = plain.partition("=")
            values.setdefault(f"{section}_{key.strip()}".strip("_"), value.strip())
    return Header(values, number)


def parse_pid(text: str, where: str, start: int = 0, stop: int | None = None) -> Pid:
    """Read a file, or some of its objects.

    Args:
        text: its content.
        where: what to call it in findings.
        start: first object, from 0.
        stop: first object after the last one; None: all.
    """
    header = parse_header(text)
    lines = text.lstrip("\ufeff").splitlines()[header.lines :]
    first = next((line for line in lines if line.strip()), "")
    delimiter = "\t" if "\t" in first else ";"
    records = read_lines(io.StringIO("\n".join(lines)), delimiter)
    names = next(records, None)
    columns = [name.strip().lstrip("!") for name in names.cells] if names else []
    table = build_table(columns, islice(records, start, stop), where)
    table.lines = [number + header.lines for number in table.lines]
    return Pid(header, table)


def quantity(text: str | None) -> float | None:
    """A number; None for what stands for "not measured" (99999, NaN, nothing)."""
    plain = (text or "").strip().replace(",", ".")
    if not re.fullmatch(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", plain):
        return None
    number = float(plain)
    return None if not math.isfinite(number) or number in _SENTINELS else number


def sampled_utc(text: str | None) -> str | None:
    """Time of sampling: "20240508-0220" or "20240508_022000" → ISO; None where there is none."""
    hit = re.fullmatch(r"(\d{8})[-_ T]?(\d{4}(?:\d{2})?)", (text or "").strip())
    if hit is None:
        return None
    try:
        when = datetime.strptime(f"{hit[1]}{hit[2]:0<6}", "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def in_decimal_degrees(header: Header) -> bool:
    """Whether a position cannot be degrees and minutes, because there would be 60 minutes or more."""
    told = (quantity(header.get(f"Sample_{name}")) for name in ("Latitude", "Longitude"))
    return any(number is not None and math.modf(abs(number))[0] >= MINUTES for number in told)


def position(text: str | None, axis: Axis, *, decimal: bool) -> float | None:
    """A position in degrees.

    Args:
        text: as written: 27.30153 (degrees.minutes), or with marks (27°30 09).
        axis: latitude or longitude, for letters N, S, E, W.
        decimal: whether this source writes decimal degrees.
    """
    number = quantity(text)
    if number is None:
        unmarked = text is None or bool(_NUMBER.fullmatch(text.strip()))
        return None if unmarked else any_position(text, axis)
    if decimal:
        return number
    minutes, degrees = math.modf(number)
    return degrees + minutes / MINUTES


def first_quantity(header: Header, names: Mapping[str, float]) -> float | None:
    """The first of some header values, each multiplied by its factor."""
    told = ((quantity(header.get(name)), factor) for name, factor in names.items())
    return next((number * factor for number, factor in told if number is not None and number > 0), None)
