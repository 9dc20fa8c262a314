"""Tables as people deliver them (TSV, CSV, Excel) → columns of text, with the line each row stood on.

Nothing is interpreted: no numbers, no dates. Encoding, delimiter, line ends and quotes are found out; a row that does
not fit its header stays, with the reason beside it.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from posixpath import splitext
from typing import TYPE_CHECKING, NamedTuple, TextIO

import polars as pl

from aqqua.errors import MissingExtraError, SourceError
from aqqua.metadata.check import Finding

if TYPE_CHECKING:
    from aqqua.sources.archive import Tree

__all__ = [
    "TABLE_SUFFIXES",
    "Line",
    "TextTable",
    "build_table",
    "decode_text",
    "encoding_of",
    "head_of",
    "open_text",
    "pass_over",
    "read_lines",
    "read_table",
]

TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".xlsx"})
_BLOCK = 20_000
_MAX_COLUMNS = 4096
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class Line(NamedTuple):
    """One record of a table: the line of the file it begins on (from 1), and its cells."""

    number: int
    cells: list[str]


@dataclass
class TextTable:
    """A table of text.

    Args:
        frame: the columns; empty cells are null.
        lines: line of the file for each row, from 1.
        trouble: row → (field, reason) for rows that do not fit their header.
        findings: what was noticed on the way.
    """

    frame: pl.DataFrame
    lines: list[int]
    trouble: dict[int, tuple[str, str]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def encoding_of(blocks: Iterable[bytes]) -> str:
    """Encoding of a text: by its byte order mark, else UTF-8 if all of it is valid, else Latin-1 (as EcoTaxa does)."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    first = True
    try:
        for block in blocks:
            for bom, encoding in _BOMS if first else ():
                if block.startswith(bom):
                    return encoding
            decoder.decode(block)
            first = False
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


def decode_text(data: bytes) -> str:
    """Decode a short text."""
    return data.decode(encoding_of([data]), errors="replace")


def head_of(tree: Tree, name: str, nbytes: int) -> str:
    """The beginning of a member as text with plain line ends; of a damaged one, nothing.

    Args:
        tree: the source.
        name: the member.
        nbytes: how much of it.
    """
    try:
        return decode_text(next(tree.blocks(name, nbytes), b"")).replace("\r\n", "\n").replace("\r", "\n")
    except SourceError:
        return ""


def open_text(tree: Tree, name: str) -> TextIO:
    """Open a member as lines of text, whatever its encoding and line ends.

    Raises:
        SourceError: the member is damaged (all of it is read once, to find out the encoding).
    """
    encoding = encoding_of(tree.blocks(name))
    return io.TextIOWrapper(tree.open(name), encoding, errors="replace", newline=None)


def pass_over(lines: Iterator[str], count: int, number: int) -> tuple[Iterator[str], int, int]:
    """Leave out records at the beginning without taking them apart, up to the first line with a quotation mark.

    Args:
        lines: of text delimited by tabs, before a record.
        count: how many records.
        number: of the next line.

    Returns:
        The lines that are left, how many records are still to be left out, and the number of the next line.
    """
    while count and (line := next(lines, None)) is not None:
        if '"' in line:
            return chain((line,), lines), count, number
        number += 1
        count -= bool(line.strip("\n\t"))
    return lines, count, number


def read_lines(lines: Iterable[str], delimiter: str, start: int = 1) -> Iterator[Line]:
    """Yield the records of delimited text, whose first line has the number `start`; empty lines are left out.

    A quotation mark that is opened and never closed would swallow the lines after it. Such a record is recognised (a
    cell that holds both a line end and a delimiter, or is beyond all bounds) and its lines are read again one by one,
    quotes taken literally.
    """
    taken: list[str] = []
    reader = csv.reader(_noted(lines, taken), delimiter=delimiter)
    while True:
        try:
            cells = next(reader, None)
            swallowed = len(taken) > 1 and any("\n" in cell and delimiter in cell for cell in cells or ())
        except csv.Error:
            cells, swallowed = [], True
        if cells is None:
            return
        if swallowed:
            plain = ((number, line.rstrip("\n")) for number, line in enumerate(taken, start))
            yield from (Line(number, line.split(delimiter)) for number, line in plain if line.strip())
        elif any(cells):
            yield Line(start, cells)
        start += len(taken)
        taken.clear()


def _noted(lines: Iterable[str], taken: list[str]) -> Iterator[str]:
    for line in lines:
        taken.append(line)
        yield line


def read_table(data: bytes, name: str) -> TextTable:
    """Read a table file with a header line.

    Args:
        data: the content of the file.
        name: its name; the suffix says whether it is Excel.

    Raises:
        SourceError: there is no header, or no row below it.
        MissingExtraError: an Excel table, and the package to read it is not installed.
    """
    if splitext(name)[1].lower() == ".xlsx":
        return _read_excel(data, name)
    text = decode_text(data)
    records = list(read_lines(io.StringIO(text, newline=None), _delimiter(text)))
    if len(records) < 2:
        raise SourceError("the table has no rows", where=name, do="give a header line and one line per image or sample")
    header = [cell.strip() for cell in records[0].cells]
    return build_table(header, records[1:], name)


def build_table(
    header: Sequence[str], records: Iterable[Line], name: str, before: tuple[list[pl.DataFrame], int] | None = None
) -> TextTable:
    """Put records under their header; missing cells are null, surplus ones make the row a problem.

    A header that stands twice keeps its first column; where the two differ, the row is a problem. Both are kept.

    Args:
        header: names of the columns.
        records: in order.
        name: of the table, for messages.
        before: rows that came before, one a line, as frames of all columns; and the number of their first line.
    """
    columns, findings = _unique(header, name)
    blocks, line = before or ([], 1)
    blocks = [frame.rename(dict(zip(frame.columns, columns, strict=True))) for frame in blocks]
    lines = list(range(line, line + sum(map(len, blocks))))
    table = TextTable(pl.DataFrame(), lines, {}, findings)
    block: list[list[str]] = []
    short = 0
    for number, found in records:
        cells = found
        if len(cells) != len(columns):
            surplus = [cell for cell in cells[len(columns) :] if cell.strip()]
            if surplus:
                told = f"the line has {len(cells)} cells, its header {len(columns)}: nobody knows which is which"
                table.trouble[len(table.lines)] = (surplus[0].strip()[:40], told)
            short += len(cells) < len(columns)
            cells = [*cells[: len(columns)], *[""] * (len(columns) - len(cells))]
        block.append(cells)
        table.lines.append(number)
        if len(block) == _BLOCK:
            blocks.append(_frame(columns, block))
            block = []
    table.frame = pl.concat([*blocks, _frame(columns, block)])
    if short:
        told = "rows have fewer cells than the header; the missing ones are taken as empty"
        findings.append(Finding("info", "short_rows", told, name, short))
    _twice(table, header, columns)
    return table


def _frame(columns: Sequence[str], block: list[list[str]]) -> pl.DataFrame:
    values = zip(*block, strict=True) if block else [[] for _ in columns]
    frame = pl.DataFrame([pl.Series(column, cells, pl.String) for column, cells in zip(columns, values, strict=True)])
    return frame.with_columns(pl.when(pl.all() != "").then(pl.all()).name.keep()) if columns else frame


def _unique(header: Sequence[str], name: str) -> tuple[list[str], list[Finding]]:
    if len(header) > _MAX_COLUMNS:
        do = "is this a table with one row per image or sample?"
        raise SourceError(f"the table has {len(header)} columns, more than {_MAX_COLUMNS}", where=name, do=do)
    columns: list[str] = []
    for position, column in enumerate(header, 1):
        base = column or f"column_{position}"
        number = 2
        unique = base
        while unique in columns:
            unique, number = f"{base}.{number}", number + 1
        columns.append(unique)
    twice = sorted({column for column in header if column and list(header).count(column) > 1})
    told = [
        Finding(
            "warning", "column_twice", f"column {column!r} stands more than once in the header", name, do="keep one"
        )
        for column in twice
    ]
    return columns, told


def _twice(table: TextTable, header: Sequence[str], columns: Sequence[str]) -> None:
    """Rows whose repeated columns say different things are problems."""
    for original, renamed in zip(header, columns, strict=True):
        if not original or original == renamed:
            continue
        differ = table.frame.select(pl.col(renamed).is_not_null() & pl.col(renamed).ne_missing(pl.col(original)))
        for row in differ.to_series().arg_true():
            one, two = table.frame[original][row], table.frame[renamed][row]
            table.trouble[row] = (original, f"column {original!r} stands twice, with {one!r} and {two!r}")


def _delimiter(text: str) -> str:
    """Tab, semicolon or comma: whichever the header line has most of."""
    first = text.lstrip("\r\n").split("\n", 1)[0]
    return max("\t;,", key=first.count)


def _read_excel(data: bytes, name: str) -> TextTable:
    try:
        import fastexcel
    except ImportError as error:
        raise MissingExtraError("reading Excel tables", "fastexcel", "excel") from error
    try:
        book = fastexcel.read_excel(data)
        sheet = book.load_sheet(0, header_row=None, dtypes="string")
        rows = sheet.to_arrow().to_pylist()
    except Exception as error:  # the reader's own errors have no common class
        raise SourceError(f"the Excel table cannot be read: {error}", where=name, do="save it as CSV") from error
    records = [
        Line(number, ["" if cell is None else str(cell) for cell in row.values()]) for number, row in enumerate(rows, 1)
    ]
    records = [record for record in records if any(record.cells)]
    if len(records) < 2:
        raise SourceError("the table has no rows", where=name, do="put the table on the first sheet")
    return build_table([cell.strip() for cell in records[0].cells], records[1:], name)
