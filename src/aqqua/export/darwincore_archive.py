"""The file of a Darwin Core archive: tables as text, their description (meta.xml), and all in one zip.

Tables are tab separated without any quoting (as OBIS's and GBIF's own tools write them): tabs, line breaks and what
else could break a row become a blank, XML's forbidden characters and anybody's e-mail address are left out.
"""

from __future__ import annotations

import io
import math
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import polars as pl

from aqqua.export.darwincore_occurrences import number_text
from aqqua.export.darwincore_terms import EMOF, EVENT, OCCURRENCE, ROW_TYPES
from aqqua.metadata.private import without_addresses
from aqqua.store.atomic import whole

__all__ = ["TABLES", "cell", "meta_xml", "table_text", "write_archive", "xml_text"]

TABLES: Mapping[str, Mapping[str, str]] = {"event": EVENT, "occurrence": OCCURRENCE, "emof": EMOF}
"""Table → its columns and their addresses; the first is the core."""
_META = "http://rs.tdwg.org/dwc/text/"
_BREAKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_NOT_XML = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TIME = (1980, 1, 1, 0, 0, 0)


def cell(value: Any) -> str:
    r"""A value as one cell: no tab, no line break, no control character; missing is empty.

    >>> cell(" a\tb\n"), cell(None), cell(2.0)
    ('a b', '', '2')
    """
    if value is None:
        return ""
    if isinstance(value, float):
        return number_text(value, digits=9) if math.isfinite(value) else ""
    return without_addresses(xml_text(_BREAKS.sub(" ", str(value)).strip()))


def xml_text(text: str) -> str:
    """The text without characters that no XML file may hold, and that are no text."""
    return _NOT_XML.sub("", text)


def table_text(frame: pl.DataFrame, columns: Mapping[str, str]) -> Iterator[str]:
    """Lines of a table: names, then the rows; columns the frame does not have are empty."""
    yield "\t".join(columns) + "\n"
    missing = [pl.lit(None, pl.String).alias(name) for name in columns if name not in frame.columns]
    for row in frame.with_columns(missing).select(columns.keys()).iter_rows():
        yield "\t".join(map(cell, row)) + "\n"


def meta_xml() -> bytes:
    """What the tables are: which is the core, which column means what, which leads to the core."""
    ET.register_namespace("", _META)
    root = ET.Element(f"{{{_META}}}archive", {"metadata": "eml.xml"})
    for number, (table, columns) in enumerate(TABLES.items()):
        core = number == 0
        about = {
            "encoding": "UTF-8",
            "fieldsTerminatedBy": "\\t",
            "linesTerminatedBy": "\\n",
            "fieldsEnclosedBy": "",
            "ignoreHeaderLines": "1",
            "rowType": ROW_TYPES[table],
        }
        entry = ET.SubElement(root, f"{{{_META}}}{'core' if core else 'extension'}", about)
        files = ET.SubElement(entry, f"{{{_META}}}files")
        ET.SubElement(files, f"{{{_META}}}location").text = f"{table}.txt"
        ET.SubElement(entry, f"{{{_META}}}{'id' if core else 'coreid'}", {"index": "0"})
        for index, term in enumerate(columns.values()):
            ET.SubElement(entry, f"{{{_META}}}field", {"index": str(index), "term": term})
    ET.indent(root)
    text: bytes = ET.tostring(root, "utf-8", xml_declaration=True)
    return text + b"\n"


def write_archive(path: Path, tables: Mapping[str, pl.DataFrame], eml: bytes) -> None:
    """Write the archive as a whole; the same content gives the same bytes.

    Raises:
        StorageError: the disk is full.
    """
    with whole(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for table, columns in TABLES.items():
            with archive.open(_entry(f"{table}.txt"), "w", force_zip64=True) as file:
                text = io.TextIOWrapper(file, "utf-8", newline="\n", write_through=False)
                text.writelines(table_text(tables[table], columns))
                text.flush()
                text.detach()
        archive.writestr(_entry("meta.xml"), meta_xml())
        archive.writestr(_entry("eml.xml"), eml)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _TIME)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry
