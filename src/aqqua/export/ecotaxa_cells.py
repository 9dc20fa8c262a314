"""Rules of EcoTaxa's importer about single cells: positions, dates, numbers, lengths, annotations, images."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from datetime import date, time
from functools import partial

import polars as pl

from aqqua.export.ecotaxa_package import FIRST_ROW, NUMBERS, Package, Table, is_free
from aqqua.metadata.check import Finding
from aqqua.metadata.taxa import match

__all__ = ["MAX_ID", "MAX_SIDE", "MAX_TEXT", "QUESTIONS", "RULES"]

MAX_ID, MAX_TEXT, MAX_SIDE = 255, 250, 20_000
_STATES = {"predicted", "validated", "dubious", "discarded", "noid", ""}
_MISSING = {"", "na", "nan"}
_FORMATS = ("JPEG", "PNG", "GIF")
_HIDDEN_RANK = 100
_DEGREES_MINUTES = re.compile(r"(-?\d+)°(\d+(?:\.\d+)?) (\d+(?:\.\d+)?)")
_IMPLAUSIBLE_TAXON = 10_000_000  # EcoTaxa's taxon ids have at most seven digits
_LONG = {"object_id", "sample_id", "acq_id", "process_id", "img_file_name", "object_link"}
Test = Callable[[str], bool]


def positions(package: Package, table: Table) -> Iterator[Finding]:
    """Latitude and longitude are decimal degrees, or ddd°MM SS (code position)."""
    for column, word, most in (("object_lat", "Lat", 90), ("object_lon", "Long", 180)):
        for line, value in _bad(table, column, partial(_within, most)):
            message = f"Invalid {word}. value '{value}' for field '{column}'. Correct range is -{most}/+{most}°."
            yield _error("position", table, line, column, message, "write decimal degrees, for example -24.4166")


def dates(package: Package, table: Table) -> Iterator[Finding]:
    """Dates are YYYYMMDD or YYYY-MM-DD (code date)."""
    for column in ("object_date", "object_annotation_date"):
        for line, value in _bad(table, column, _is_date):
            message = f"Invalid Date value '{value}' for field '{column}'."
            yield _error("date", table, line, column, message, "write YYYYMMDD, UTC")


def times(package: Package, table: Table) -> Iterator[Finding]:
    """Times are HHMMSS, HHMM or HH:MM:SS (code time)."""
    for column in ("object_time", "object_annotation_time"):
        for line, value in _bad(table, column, _is_time):
            message = f"Invalid Time value '{value}' for field '{column}'."
            yield _error("time", table, line, column, message, "write HHMMSS, UTC")


def numbers(package: Package, table: Table) -> Iterator[Finding]:
    """Columns of numbers hold numbers with a decimal point; infinity is stored but never shown (code number)."""
    for column, kind in table.type_of.items():
        predefined = column in NUMBERS and column not in {"object_lat", "object_lon"}
        free = kind == "[f]" and is_free(column) and column.startswith("object_")
        if not table.has(column) or not (predefined or free):
            continue
        suspect = pl.col(column).cast(pl.Float64, strict=False).is_finite().fill_null(value=False).not_()
        for line, row in table.lines([column], suspect):
            value = row[column]
            if value.lower() in _MISSING or (_is_float(value) and math.isfinite(float(value))):
                continue
            if _is_float(value):
                message = f"'{value}' of field '{column}' is stored as infinity and shown as nothing"
                yield _warning("infinite", table, line, column, message, "leave the cell empty")
            else:
                message = f"Invalid float value '{value}' for field '{column}'."
                yield _error("number", table, line, column, message, "write a number with a decimal point, or nothing")


def lengths(package: Package, table: Table) -> Iterator[Finding]:
    """Texts fit into the database, which else ends the import with a traceback (code too_long)."""
    for column in table.frame.columns:
        stored_as_number = column.startswith("object_") and table.type_of[column] == "[f]"
        if (is_free(column) and not stored_as_number) or column in _LONG:
            most = MAX_ID if column in _LONG else MAX_TEXT
            for line, row in table.lines([column], pl.col(column).str.len_chars() > most):
                message = f"value too long for type character varying({most}): '{row[column][:30]}…'"
                yield _error("too_long", table, line, column, message, f"shorten it to {most} characters")


def object_ids(package: Package, table: Table) -> Iterator[Finding]:
    """Every row names its object (code object_id)."""
    if table.has("object_id"):
        for line, _ in table.lines([], pl.col("object_id") == ""):
            yield _error("object_id", table, line, "object_id", "Missing object_id.", "give the object a name")


def parent_cells(package: Package, table: Table) -> Iterator[Finding]:
    """A row without the id of its sample, acquisition or process gets an invented one (code dummy_id)."""
    for column in ("sample_id", "acq_id", "process_id"):
        if table.has(column):
            for line, _ in table.lines([], pl.col(column) == ""):
                message = f"{column} is empty: EcoTaxa would call it __DUMMY_ID__{line}__"
                yield _warning("dummy_id", table, line, column, message, f"fill {column} in every row")


def states(package: Package, table: Table) -> Iterator[Finding]:
    """The status is one of EcoTaxa's (code status)."""
    for line, value in _bad(table, "object_annotation_status", lambda text: text.lower() in _STATES):
        message = f"Invalid Annotation Status '{value}' for field 'object_annotation_status'."
        do = "write predicted, validated, dubious or discarded"
        yield _error("status", table, line, "object_annotation_status", message, do)


def state_has_category(package: Package, table: Table) -> Iterator[Finding]:
    """A status needs a category; with both category columns it is the name that counts (code no_category)."""
    if table.has("object_annotation_status"):
        stated = pl.col("object_annotation_status").str.to_lowercase().is_in(["", "noid"]).not_()
        for line, row in table.lines(["object_annotation_status"], stated & (_category(table) == "")):
            state = row["object_annotation_status"]
            message = f"When annotation status '{state}' is provided there has to be a category."
            do = "write only object_annotation_category_id, or fill object_annotation_category too"
            yield _error("no_category", table, line, "object_annotation_status", message, do)


def category_has_state(package: Package, table: Table) -> Iterator[Finding]:
    """A category without status is refused, or forgotten in silence, by version (code no_status)."""
    state = pl.col("object_annotation_status") if table.has("object_annotation_status") else pl.lit("")
    category = _category(table)
    found = table.frame.with_row_index("line", FIRST_ROW).select("line", category.alias("name"), state.alias("state"))
    for line, name in found.filter((pl.col("state") == "") & (pl.col("name") != "")).select("line", "name").iter_rows():
        message = f"When a category ({name}) is provided it has to be with a status."
        yield _error("no_status", table, line, "object_annotation_status", message, "write predicted or validated")


def category_ids(package: Package, table: Table) -> Iterator[Finding]:
    """Category ids are of EcoTaxa's taxonomy (code taxon_id)."""

    def known(text: str) -> bool:
        if not _is_float(text) or float(text) != round(float(text)):
            return False
        number = int(float(text))
        return 0 < number < _IMPLAUSIBLE_TAXON and (package.taxon_ids is None or number in package.taxon_ids)

    column = "object_annotation_category_id"
    for line, value in _bad(table, column, known):
        message = f"Some specified classif_id don't exist, correct them prior to reload: {value}"
        yield _error("taxon_id", table, line, column, message, "look the taxon up in EcoTaxa's taxonomy")


def names_of_taxa(package: Package, table: Table) -> Iterator[Finding]:
    """A category given by name only is looked up; if it is unknown or ambiguous, the job stops to ask (code asks)."""
    column = "object_annotation_category"
    if not table.has(column) or not table.has("object_annotation_status"):
        return
    with_id = "object_annotation_category_id"
    alone = pl.col(with_id) == "" if table.has(with_id) else pl.lit(value=True)
    named = table.lines([column], (pl.col(column) != "") & alone & pl.col(column).is_first_distinct())
    for line, row in named:
        taxon = match(row[column])
        if taxon is None or taxon.ecotaxa_id is None:
            message = f"the import stops and asks if EcoTaxa has no taxon '{row[column]}', or several"
            yield _warning("asks", table, line, column, message, "give object_annotation_category_id")


def names_of_people(package: Package, table: Table) -> Iterator[Finding]:
    """Who has judged is looked up too, but for predictions; who is unknown stops the job (code asks)."""
    column = "object_annotation_person_name"
    if table.has(column) and table.has("object_annotation_status"):
        judged = pl.col("object_annotation_status").str.to_lowercase().is_in(["validated", "dubious", "discarded"])
        lines = [line for line, _ in table.lines([], judged & (pl.col(column) != ""))]
        if lines:  # told without the names: messages are kept
            message = f"{len(lines)} rows name who has judged; the import stops and asks if EcoTaxa does not know them"
            yield _warning("asks", table, lines[0], column, message, "leave the column out: then it is who imports")


def ranks(package: Package, table: Table) -> Iterator[Finding]:
    """Ranks of images are whole numbers from 0; from 100 on EcoTaxa hides the image (code rank)."""
    for line, value in _bad(table, "img_rank", lambda text: not _is_float(text) or _is_rank(float(text))):
        message = f"img_rank '{value}' is no whole number from 0 to 99; from 100 on the image is hidden"
        yield _warning("rank", table, line, "img_rank", message, "count the images of an object from 0")


def images(package: Package, table: Table) -> Iterator[Finding]:
    """Every image is there, readable, of a known format and not too large (code image)."""
    if not table.has("img_file_name"):
        return
    for line, name in table.frame.with_row_index("", FIRST_ROW).select("", "img_file_name").iter_rows():
        if problem := _image_problem(package, table, name):
            message, do = problem
            yield _error("image", table, line, "img_file_name", message, do)


def _image_problem(package: Package, table: Table, name: str) -> tuple[str, str] | None:
    path = table.image_path(name)
    if not name or path.startswith(("..", "/")):
        return f"Missing Image '{name}'.", "name an image that lies beside the table or below"
    picture = package.picture(path)
    if picture is None:
        return f"Missing Image '{name}'.", "put the image beside the table (PNG, JPEG or GIF)"
    if picture.problem:
        return f"Error while reading image '{name}': {picture.problem}", "write the image anew"
    if picture.format not in _FORMATS:
        told = f"Unsupported image format: {picture.format}, please convert to one of {{'JPEG', 'PNG', 'GIF'}}"
        return f"Error while reading image '{name}': {told}", "convert it to PNG"
    if max(picture.width, picture.height) > MAX_SIDE:
        size = f"{picture.width}×{picture.height}"
        return f"image '{name}' has {size} pixels, more than {MAX_SIDE:,} on a side", "cut it into parts"
    return None


def _bad(table: Table, column: str, good: Test) -> Iterator[tuple[int, str]]:
    """Line and value of filled cells that fail a test; each distinct value is tested once."""
    if not table.has(column):
        return
    wrong = [value for value in table.frame[column].unique(maintain_order=True) if value and not good(value)]
    if wrong:
        for line, row in table.lines([column], pl.col(column).is_in(wrong)):
            yield line, row[column]


def _category(table: Table) -> pl.Expr:
    for column in ("object_annotation_category", "object_annotation_category_id"):
        if table.has(column):
            return pl.col(column)
    return pl.lit("")


def _within(most: float, text: str) -> bool:
    return abs(_degrees(text)) <= most


def _degrees(text: str) -> float:
    """Degrees of a position; NaN if it is none, infinite never passes."""
    if found := _DEGREES_MINUTES.fullmatch(text):
        degrees, minutes, seconds = (float(part) for part in found.groups())
        if minutes >= 60 or seconds >= 60:
            return math.nan
        return math.copysign(abs(degrees) + minutes / 60 + seconds / 3600, -1 if text.startswith("-") else 1)
    return float(text) if _is_float(text) else math.nan


def _is_date(text: str) -> bool:
    found = re.fullmatch(r"(\d{4})(\d\d)(\d\d)|(\d{4})-(\d\d)-(\d\d)", text)
    try:
        return found is not None and bool(date(*(int(part) for part in found.groups() if part)))
    except ValueError:
        return False


def _is_time(text: str) -> bool:
    if found := re.fullmatch(r"(\d\d):(\d\d):(\d\d)", text):
        parts = [int(part) for part in found.groups()]
    elif re.fullmatch(r"\d{1,6}", text):
        digits = text.zfill(4 if len(text) <= 4 else 6).ljust(6, "0")
        parts = [int(digits[k : k + 2]) for k in (0, 2, 4)]
    else:
        return False
    try:
        time(parts[0], parts[1], parts[2])
    except ValueError:
        return False
    return True


def _is_float(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text


def _is_rank(value: float) -> bool:
    return value == math.floor(value) and 0 <= value < _HIDDEN_RANK if math.isfinite(value) else False


def _error(code: str, table: Table, line: int, column: str, message: str, do: str) -> Finding:
    return Finding("error", code, message, f"{table.path}, line {line}, {column}", do=do)


def _warning(code: str, table: Table, line: int, column: str, message: str, do: str) -> Finding:
    return Finding("warning", code, message, f"{table.path}, line {line}, {column}", do=do)


Rule = Callable[[Package, Table], Iterator[Finding]]
RULES: tuple[Rule, ...] = (
    object_ids,
    parent_cells,
    positions,
    dates,
    times,
    numbers,
    lengths,
    states,
    state_has_category,
    category_has_state,
    category_ids,
    ranks,
    images,
)
QUESTIONS: tuple[Rule, ...] = (names_of_taxa, names_of_people)
"""What stops an import half-way: EcoTaxa asks who or what is meant. Exports say so in their own words."""
