"""Numbers, units and positions as people, tables and instruments write them.

Every parser has one definition, for one text; the functions on columns take a fast way through Polars for the common
form and send only the distinct remaining texts through that definition.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import polars as pl

__all__ = [
    "MISSING",
    "QUANTITY_OF_UNIT",
    "Quantity",
    "Unit",
    "by_distinct",
    "guess_pixel_unit",
    "is_missing",
    "missing_mask",
    "number",
    "numbers",
    "position",
    "positions",
    "unit_of",
]

Quantity = Literal["pixel", "volume", "length", "angle", "ratio"]

# The units of the house, one per quantity; every number of a field is in one of them.
QUANTITY_OF_UNIT: dict[str, Quantity] = {"1": "ratio", "L": "volume", "m": "length", "deg": "angle", "um/px": "pixel"}

# Texts that mean "no value", lower case.
MISSING = frozenset(
    {"", "nan", "na", "n/a", "(n/a)", "#n/a", "<na>", "null", "none", "nil", "-", "--", "?", "unknown", "tbd"}
    | {"not recorded", "(not recorded)", "inf", "-inf", "+inf", "infinity", "-infinity", "nd", "n.d."}
    | {"missing", "undefined"}
)  # fmt: skip

_METRES = {
    "nm": 1e-9, "um": 1e-6, "mm": 1e-3, "cm": 1e-2, "dm": 1e-1, "m": 1.0, "km": 1e3, "ft": 0.3048, "fathom": 1.8288,
}  # fmt: skip
_LITRES = {
    "nl": 1e-9, "ul": 1e-6, "ml": 1e-3, "cl": 1e-2, "dl": 1e-1, "l": 1.0, "hl": 1e2,
    "mm3": 1e-6, "cm3": 1e-3, "cc": 1e-3, "dm3": 1.0, "m3": 1e3,
}  # fmt: skip
_SPELLINGS = (
    (r"[µμ�]|Âµ|\\u00b5", "u"),
    (r"[³]|\^3|\*\*3", "3"),
    (r"\b(micro(met(er|re))?s?|microns?|mikron)\b", "um"),
    (r"\bmillimet(er|re)s?\b", "mm"),
    (r"\bmet(er|re)s?\b", "m"),
    (r"\bmillilit(er|re)s?\b", "ml"),
    (r"\bmicrolit(er|re)s?\b", "ul"),
    (r"\blit(er|re)s?\b|\bltr\b", "l"),
    (r"\bcubic m\b", "m3"),
    (r"\bcubic cm\b", "cm3"),
    (r"\bfeet\b|\bfoot\b", "ft"),
    (r"\bfathoms\b", "fathom"),
    (r"\b(pixels?|pix)\b", "px"),
    (r"\bppi\b|\bdots per inch\b", "dpi"),
    (r"\s*(\bper\b|/)\s*", "/"),
)


@dataclass(frozen=True)
class Unit:
    """A unit and how its numbers become numbers of the house's unit of that quantity.

    The house's units are um/px, L, m, deg and 1. A value becomes `value × factor`, or `factor ÷ value` where `inverse`.

    Args:
        symbol: as it is written in provenance.
        quantity: what it measures.
        factor: of the conversion.
        inverse: true for resolutions such as px/um and dpi.
    """

    symbol: str
    quantity: Quantity
    factor: float
    inverse: bool = False

    def convert(self, value: Any) -> Any:
        """A number, series or expression in the house's unit."""
        return self.factor / value if self.inverse else value * self.factor


@lru_cache(maxsize=4096)
def unit_of(text: str | None, quantity: Quantity) -> Unit | None:
    """The unit a text names.

    Args:
        text: for example "µm", "px/um", "mm per pixel", "mL", "m3", "dpi"; case does not matter.
        quantity: what is measured: "um" is a pixel's length where pixels are asked for.

    Returns:
        The unit, or None if the text names none of that quantity.
    """
    symbol = _symbol(text or "")
    if quantity == "pixel":
        return _pixel_unit(symbol)
    if quantity == "volume" and symbol in _LITRES:
        return Unit(symbol.replace("l", "L"), "volume", _LITRES[symbol])
    if quantity == "length" and symbol in _METRES:
        return Unit(symbol, "length", _METRES[symbol])
    if quantity == "angle" and symbol in {"deg", "degree", "degrees", "dd", "°"}:
        return Unit("deg", "angle", 1.0)
    if quantity == "ratio" and symbol in {"1", "x", "-"}:
        return Unit("1", "ratio", 1.0)
    return None


def _symbol(text: str) -> str:
    simple = text.strip().strip("[]()").strip().lower().replace("_", " ")
    for pattern, plain in _SPELLINGS:
        simple = re.sub(pattern, plain, simple)
    return simple.strip()


def _pixel_unit(symbol: str) -> Unit | None:
    if symbol == "dpi":
        return Unit("dpi", "pixel", 25400.0, inverse=True)
    above, _, below = symbol.partition("/")
    if above == "px" and below in _METRES:
        return Unit(symbol, "pixel", _micrometres(below), inverse=True)
    if above in _METRES and below in {"", "px"}:
        return Unit(f"{above}/px", "pixel", _micrometres(above))
    return None


def _micrometres(symbol: str) -> float:
    return float(round(_METRES[symbol] * 1e6, 9))


def guess_pixel_unit(value: float) -> Unit | None:
    """The likely unit of a pixel size without one: 0.0005–0.5 mm/px, 0.5–300 um/px.

    The bounds are those of the PSSdb standardisers (about 300 EcoTaxa projects); whoever uses it says so in a finding.
    """
    if 0.0005 <= value < 0.5:
        return unit_of("mm", "pixel")
    if 0.5 <= value <= 300:
        return unit_of("um", "pixel")
    return None


def is_missing(text: str | None) -> bool:
    """Whether a text stands for "no value"."""
    return text is None or text.strip().lower() in MISSING


_NUMBER = re.compile(
    r"(?P<sign>[+\-−]?)\s*(?P<digits>[0-9][0-9.,'\u00a0 ]*|[.,][0-9]+)(?P<exponent>[eE][+\-]?[0-9]{1,3})?"
    r"(?P<unit>[^0-9].*|)",
    re.DOTALL,
)


def number(text: str | None) -> tuple[float | None, str | None]:
    """Read one number, with the unit that may follow it.

    Understands decimal commas, thousands separators, exponents, and units glued on ("0.18_ml").

    Args:
        text: as written.

    Returns:
        Value and text of the unit; (None, None) if it is missing or no number.
    """
    if text is None or is_missing(text):
        return None, None
    hit = _NUMBER.fullmatch(text.strip())
    if hit is None:
        return None, None
    digits = _plain_digits(hit["digits"].strip(" \u00a0"))
    unit = hit["unit"].strip(" _")
    if digits is None or (unit and not _any_unit(unit)):
        return None, None
    value = float(f"{hit['sign'].replace('−', '-')}{digits}{hit['exponent'] or ''}")
    return (value, unit or None) if math.isfinite(value) else (None, None)


def _any_unit(text: str) -> bool:
    return any(unit_of(text, quantity) for quantity in QUANTITY_OF_UNIT.values())


_GROUPS = {mark: re.compile(rf"[0-9]{{1,3}}(?:{re.escape(mark)}[0-9]{{3}})+") for mark in ",.' "}


def _plain_digits(text: str) -> str | None:
    """Digits with at most one point, or None if the separators make no sense."""
    text = text.replace("\u00a0", " ")
    for mark in " '":
        if mark in text:
            whole, point, rest = re.fullmatch(r"([^.,]*)([.,]?)(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
            if not _GROUPS[mark].fullmatch(whole) or mark in rest:
                return None
            text = whole.replace(mark, "") + point + rest
    commas, points = text.count(","), text.count(".")
    if commas and points:
        decimal, thousands = (",", ".") if text.rfind(",") > text.rfind(".") else (".", ",")
        whole, _, rest = text.rpartition(decimal)
        if not _GROUPS[thousands].fullmatch(whole) or thousands in rest:
            return None
        return f"{whole.replace(thousands, '')}.{rest}"
    if commas + points > 1:
        mark = "," if commas else "."
        return text.replace(mark, "") if _GROUPS[mark].fullmatch(text) else None
    return text.replace(",", ".")


def by_distinct(texts: pl.Series, parse: Callable[[str], Any], dtype: pl.DataType) -> pl.Series:
    """Apply a parser once to each distinct text."""
    distinct = texts.unique()
    parsed = [None if text is None else parse(text) for text in distinct.to_list()]
    table = pl.DataFrame({"text": distinct, "value": pl.Series(parsed, dtype=dtype, strict=False)})
    joined = texts.to_frame("text").join(table, on="text", how="left", maintain_order="left")
    return joined["value"]


def missing_mask(texts: pl.Series) -> pl.Series:
    """True where a text stands for "no value"."""
    return texts.is_null() | texts.str.strip_chars().str.to_lowercase().is_in(sorted(MISSING))


_PLAIN = r"^[+-]?([0-9]+[.,]?[0-9]*|[.,][0-9]+)([eE][+-]?[0-9]{1,3})?$"


def _plain_numbers(stripped: pl.Series) -> pl.Series:
    """The numbers in common form, the rest null."""
    plain = stripped.set(~stripped.str.contains(_PLAIN).fill_null(False), None)
    value = plain.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
    return value.set(~value.is_finite().fill_null(False), None)


def numbers(texts: pl.Series) -> pl.DataFrame:
    """Read a column of numbers.

    Args:
        texts: as written, nulls allowed.

    Returns:
        `value` (f64), `unit` (text of a unit behind the number) and `bad` (a text, but no number), row by row.
    """
    stripped = texts.str.strip_chars()
    value = _plain_numbers(stripped)
    rest = stripped.set(value.is_not_null() | missing_mask(texts), None)
    unit = pl.Series([None], dtype=pl.String).new_from_index(0, len(texts))
    if rest.null_count() < len(rest):
        pairs = by_distinct(
            rest,
            lambda text: dict(zip(("value", "unit"), number(text), strict=True)),
            pl.Struct({"value": pl.Float64(), "unit": pl.String()}),
        ).struct.unnest()
        value, unit = pairs["value"].zip_with(rest.is_not_null(), value), pairs["unit"]
    bad = rest.is_not_null() & value.is_null()
    return pl.DataFrame({"value": value, "unit": unit, "bad": bad})


Axis = Literal["latitude", "longitude"]
_HEMISPHERE: dict[Axis, dict[str, int]] = {"latitude": {"N": 1, "S": -1}, "longitude": {"E": 1, "W": -1}}
_PART = r"[0-9]+(?:[.,][0-9]+)?"
# "d", "m" and "s" are no marks here: "s" could be the south.
_POSITION = re.compile(
    rf"(?P<before>[NSEW])?\s*(?P<sign>[+\-−]?)\s*(?P<degrees>{_PART})\s*(?:[°º˚*:]|Â°|DEG(?:REES)?)?\s*"
    rf"(?:(?P<minutes>{_PART})\s*(?:['′’:]|MIN)?\s*(?:(?P<seconds>{_PART})\s*(?:\"|″|”|''|SEC)?\s*)?)?"
    r"(?P<after>[NSEW])?"
)


def position(text: str | None, axis: Axis) -> float | None:
    """Read one latitude or longitude in degrees.

    Understands decimal degrees, degrees and minutes, degrees minutes and seconds (`43°0 0` as UVP6 writes them),
    each with sign or hemisphere. The range is not checked here.

    Args:
        text: as written.
        axis: decides which hemisphere letters make sense.

    Returns:
        Degrees, north and east positive; None if missing or unreadable.
    """
    if text is None or is_missing(text):
        return None
    hit = _POSITION.fullmatch(text.strip().upper())
    if hit is None or (hit["before"] and hit["after"]):
        value, unit = number(text)
        return value if hit is None and (unit is None or unit_of(unit, "angle")) else None
    parts = [float(hit[name].replace(",", ".")) for name in ("degrees", "minutes", "seconds") if hit[name]]
    if any(part > 60 for part in parts[1:]) or any(part % 1 for part in parts[:-1]):
        return None
    size: float = sum(part / 60**power for power, part in enumerate(parts))
    letter = hit["before"] or hit["after"]
    negative = hit["sign"] in {"-", "−"} and bool(hit["sign"])
    if letter is None:
        return -size if negative else size
    direction = _HEMISPHERE[axis].get(letter)
    if direction is None or (negative and direction > 0):
        return None
    return size if direction > 0 else -size


def positions(texts: pl.Series, axis: Axis) -> pl.DataFrame:
    """Read a column of latitudes or longitudes.

    Args:
        texts: as written, nulls allowed.
        axis: which of the two.

    Returns:
        `value` (f64, degrees) and `bad` (there is a text, but no position), row by row.
    """
    stripped = texts.str.strip_chars()
    value = _plain_numbers(stripped)
    rest = stripped.set(value.is_not_null() | missing_mask(texts), None)
    if rest.null_count() < len(rest):
        slow = by_distinct(rest, lambda text: position(text, axis), pl.Float64())
        value = slow.zip_with(rest.is_not_null(), value)
    return pl.DataFrame({"value": value, "bad": rest.is_not_null() & value.is_null()})
