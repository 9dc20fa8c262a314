"""Rules of EcoTaxa's importer about a table as a whole: its encoding, its two header lines, its columns."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import polars as pl

from aqqua.export.ecotaxa_package import PREDEFINED, Package, Table, is_free
from aqqua.metadata.check import Finding

__all__ = ["LIMITS", "RULES", "free_columns_fit", "one_type_per_column"]

LIMITS = {("object", "[f]"): 500, ("object", "[t]"): 20, ("sample", ""): 60, ("acq", ""): 30, ("process", ""): 30}
"""How many free columns a project may have, by table and type; samples, acquisitions and processes hold only text."""
_PREFIXES = {"object", "acq", "process", "sample", "img"}


def readable(package: Package, table: Table) -> Iterator[Finding]:
    """The file is a table (code broken_table)."""
    if table.problem:
        message = f"the file cannot be read as a table: {table.problem}"
        yield Finding("error", "broken_table", message, table.path, do="write it as UTF-8 text, tabs between columns")


def encoding(package: Package, table: Table) -> Iterator[Finding]:
    """UTF-8 without byte order mark is read as Latin-1, which spoils every accent and "°" (code encoding)."""
    if table.encoding != "latin-1":
        return
    rows = table.frame.select(pl.concat_str(pl.all(), ignore_nulls=True)) if table.frame.width else table.frame
    for value in (*table.header, *(text for (text,) in rows.iter_rows())):
        if not value.isascii() and _is_utf8_in_disguise(value):
            message = f"UTF-8 without byte order mark is read as Latin-1, for example {_sample(value)!r}"
            yield Finding("error", "encoding", message, table.path, do="write the file as UTF-8 with BOM (utf-8-sig)")
            return


def _is_utf8_in_disguise(text: str) -> bool:
    try:
        text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return False
    return True


def _sample(text: str) -> str:
    start = next(k for k, letter in enumerate(text) if not letter.isascii())
    return text[max(0, start - 8) : start + 8]


def header_names(package: Package, table: Table) -> Iterator[Finding]:
    """Every name is table_field (code header)."""
    for name in table.header:
        prefix, underscore, field = name.partition("_")
        if not name or name in PREDEFINED:
            continue
        if not underscore or not field:
            message = f"Invalid Header '{name}'. Format must be Table_Field."
        elif prefix not in _PREFIXES:
            message = f"Invalid Header '{name}'. Unknown table prefix '{prefix}'."
        else:
            continue
        do = "begin the name with object_, acq_, process_ or sample_"
        yield Finding("error", "header", message, f"{table.path}, line 1", do=do)


def header_once(package: Package, table: Table) -> Iterator[Finding]:
    """No name stands twice: the last of them wins in silence (code header_twice)."""
    for name, n in Counter(table.header).items():
        if name and n > 1:
            message = f"column '{name}' is there {n} times; EcoTaxa keeps the last"
            yield Finding("error", "header_twice", message, f"{table.path}, line 1", n, "rename or remove one")


def types_line(package: Package, table: Table) -> Iterator[Finding]:
    """The second line is types; where it is missing the first row is taken for it (code types)."""
    if not table.header:
        return
    free = [(name, kind) for name, kind in table.type_of.items() if is_free(name)]
    every = [kind for kind in table.types if kind]
    do = "write [t] (text) or [f] (number) under every column name"
    if not any(kind in {"[t]", "[f]"} for kind in every):
        first = next(((name, kind) for name, kind in table.type_of.items() if kind), (table.header[0], ""))
        message = f"the line of types is missing. Invalid Type '{first[1]}' for field '{first[0]}'."
        yield Finding("error", "types", message, f"{table.path}, line 2", do=do)
        return
    for name, kind in free:
        blank_will_do = not name.startswith("object_")  # parents hold only text
        if kind not in {"[t]", "[f]"} and (kind or not blank_will_do):
            message = f"Invalid Type '{kind}' for field '{name}'."
            yield Finding("error", "types", message, f"{table.path}, line 2, {name}", do=do)


def required_columns(package: Package, table: Table) -> Iterator[Finding]:
    """New objects need a name and an image (code required_column)."""
    for name, message in {
        "object_id": "Missing object_id.",
        "img_file_name": "Missing Image 'absent img_file_name'.",
    }.items():
        if table.header and name not in table.header:
            yield Finding("error", "required_column", message, table.path, do=f"add the column {name}")


def parent_ids(package: Package, table: Table) -> Iterator[Finding]:
    """Columns of a sample, acquisition or process need its id (code parent_id)."""
    for prefix in ("sample", "acq", "process"):
        columns = sorted(name for name in table.header if name.startswith(f"{prefix}_"))
        if columns and f"{prefix}_id" not in columns:
            message = f"Field {prefix}_id is mandatory as there are some {prefix} columns: {columns}."
            yield Finding("error", "parent_id", message, table.path, do=f"add the column {prefix}_id")


def no_hierarchy(package: Package, table: Table) -> Iterator[Finding]:
    """The lineage column of exports makes the import crash (code hierarchy)."""
    if "object_annotation_hierarchy" in table.header:
        message = "object_annotation_hierarchy passes validation, then the import ends with KeyError: ''"
        yield Finding("error", "hierarchy", message, table.path, do="remove the column")


def nothing_beyond(package: Package, table: Table) -> Iterator[Finding]:
    """No values stand beyond the last column (code headerless)."""
    for line, values in table.surplus.items():
        message = f"Value(s) {values} must not be in a header-less column."
        yield Finding("error", "headerless", message, f"{table.path}, line {line}", do="name the column or remove them")


def free_columns_fit(tables: Iterable[Table]) -> Iterator[Finding]:
    """A project has room for so many free columns (code too_many_columns)."""
    columns: dict[str, tuple[str, str]] = {}
    for table in tables:
        for name, kind in table.type_of.items():
            if is_free(name):
                columns.setdefault(name, (kind, table.path))
    room = dict(LIMITS)
    for name, (kind, path) in columns.items():
        prefix = name.split("_")[0]
        slot = (prefix, "" if prefix != "object" else "[f]" if kind == "[f]" else "[t]")
        room[slot] -= 1
        if room[slot] < 0:
            message = f"Field {name} cannot be mapped. Too many custom fields, or bad type."
            do = f"leave out columns of {prefix}: there is room for {LIMITS[slot]} {slot[1]}".rstrip()
            yield Finding("error", "too_many_columns", message, path, do=do)


def one_type_per_column(tables: Iterable[Table]) -> Iterator[Finding]:
    """A column of objects has one type in a project: the first (code type_conflict)."""
    first: dict[str, tuple[str, str]] = {}
    for table in tables:
        for name, kind in table.type_of.items():
            known, path = first.setdefault(name, (kind, table.path))
            if is_free(name) and name.startswith("object_") and kind != known:
                message = f"column '{name}' is {known} in {path} and {kind} here; EcoTaxa keeps the first"
                yield Finding("warning", "type_conflict", message, table.path, do="use the same type everywhere")


def plain_names(package: Package, table: Table) -> Iterator[Finding]:
    """Names of columns hold no control or invisible characters (code header_odd)."""
    for name in table.header:
        if any(unicodedata.category(letter).startswith("C") for letter in name):
            message = f"column {name!r} has an invisible character in its name"
            yield Finding("warning", "header_odd", message, f"{table.path}, line 1", do="type the name anew")


Rule = Callable[[Package, Table], Iterator[Finding]]
RULES: tuple[Rule, ...] = (
    readable,
    encoding,
    header_names,
    header_once,
    plain_names,
    types_line,
    required_columns,
    parent_ids,
    no_hierarchy,
    nothing_beyond,
)
