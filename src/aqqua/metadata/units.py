"""Numbers and units as people, tables and instruments write them.

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
    "plain_numbers",
    "unit_of",
]

Quantity = Literal["pixel", "volume", "length", "angle", "ratio", "pressure"]

# The units of the house, one per quantity; every number of a field is in one of them.
QUANTITY_OF_UNIT: dict[str, Quantity] = {
    "1": "ratio", "L": "volume", "m": "length", "deg": "angle", "um/px": "pixel", "dbar": "pressure",
}  # fmt: skip

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
_DECIBARS = {"dbar": 1.0, "db": 1.0, "bar": 10.0, "mbar": 0.01, "hpa": 0.01, "kpa": 0.1, "mpa": 100.0, "pa": 1e-4}
# Degrees and minutes in one number: 43.4108 and 4341.08 for 43° 41.08'.
_SEXAGESIMAL = {"dd.mmmm": 100.0, "ddmm.mm": 1.0}
_SPELLINGS = (
    (r"[µμ�]|Âµ|\\u00b5", "u"),
    (r"[³]|\^3|\*\*3", "3"),
    (r"\b(micro(met(er|re))?s?|microns?|mikron)\b", "um"),
    (r"\bmillimet(er|re)s?\b", "mm"),
    (r"\bcentimet(er|re)s?\b", "cm"),
    (r"\bmet(er|re)s?\b", "m"),
    (r"\bdecibars?\b", "dbar"),
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

    The house's units are um/px, L, m, deg, dbar and 1. A value becomes `value × factor`, or `factor ÷ value` where
    `inverse`; in `sexagesimal` units `value × factor` is read as degrees × 100 + minutes.

    Args:
        symbol: as it is written in provenance.
        quantity: what it measures.
        factor: of the conversion.
        inverse: true for resolutions such as px/um and dpi.
        sexagesimal: true for degrees and minutes in one number.
    """

    symbol: str
    quantity: Quantity
    factor: float
    inverse: bool = False
    sexagesimal: bool = False

    def convert(self, value: Any) -> Any:
        """A number, series or expression in the house's unit."""
        if self.sexagesimal:
            size = abs(value) * self.factor
            whole = size // 100
            sign = value.sign() if hasattr(value, "sign") else math.copysign(1.0, value)
            return sign * (whole + (size - 100 * whole) / 60)
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
    return _pixel_unit(symbol) if quantity == "pixel" else _UNITS[quantity].get(symbol)


def _tables() -> dict[Quantity, dict[str, Unit]]:
    """Symbol → unit, for all quantities but pixels."""
    degrees = dict.fromkeys(("deg", "degree", "degrees", "dd", "°"), Unit("deg", "angle", 1.0))
    minutes = {name: Unit(name, "angle", factor, sexagesimal=True) for name, factor in _SEXAGESIMAL.items()}
    return {
        "volume": {name: Unit(name.replace("l", "L"), "volume", factor) for name, factor in _LITRES.items()},
        "length": {name: Unit(name, "length", factor) for name, factor in _METRES.items()},
        "pressure": {name: Unit(name, "pressure", factor) for name, factor in _DECIBARS.items()},
        "angle": degrees | minutes,
        "ratio": dict.fromkeys(("1", "x", "-"), Unit("1", "ratio", 1.0)),
    }


_UNITS = _tables()


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


def plain_numbers(stripped: pl.Series) -> pl.Series:
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
    value = plain_numbers(stripped)
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
