"""The rules of EcoTaxa's importer, so that a package is refused here, at once and with advice, and not there.

Each rule is one small function with a code. The messages are those that EcoTaxa gives, as far as it gives any: some
faults it accepts in silence, and they are the worse ones. Sources: behaviour of a running EcoTaxa 3.2.1, observed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl

from aqqua.export import ecotaxa_cells, ecotaxa_columns
from aqqua.export.ecotaxa_package import FIRST_ROW, Package, Table, read_package
from aqqua.metadata.check import Finding

__all__ = ["LIMITS", "MAX_TABLES", "MAX_UPLOAD_BYTES", "check_package", "validate"]

MAX_UPLOAD_BYTES = 681_574_400
"""Largest file that can be uploaded in one request (`max_upload_size` of /constants)."""
MAX_TABLES = 2000
LIMITS = ecotaxa_columns.LIMITS
_NAMED = 20
"""So many findings of one kind are told one by one; the rest as a number."""


def validate(path: Path | str, *others: Path | str, taxon_ids: Collection[int] | None = None) -> list[Finding]:
    """Say what EcoTaxa would complain about, or do in silence, if this package were imported as new objects.

    Args:
        path: a zip or folder.
        others: packages that go or went into the same project before.
        taxon_ids: ids that EcoTaxa's taxonomy has, where that is known.

    Returns:
        Findings; errors are what stops the import, and of warnings those called "asks" until somebody answers.

    Raises:
        NotFoundError: nothing is there.
        UnsafeInputError: a member of the zip would escape its folder.
    """
    package = read_package(path, most=MAX_TABLES, taxon_ids=taxon_ids)
    before = [table for other in others for table in read_package(other, most=MAX_TABLES).tables]
    found = check_package(package, before)
    return [
        *found,
        *_few(one for table in package.tables for ask in ecotaxa_cells.QUESTIONS for one in ask(package, table)),
    ]


def check_package(package: Package, before: Iterable[Table] = ()) -> list[Finding]:
    """Apply every rule to a package, read or still to be written.

    Args:
        package: the tables, and what is known of the images.
        before: tables that go or went into the same project before.
    """
    found: list[Finding] = []
    for check in (has_tables, whole_bundles, not_too_many_tables, has_objects, fits_upload):
        found += check(package)
    for table in package.tables:
        for rule in (*ecotaxa_columns.RULES, *ecotaxa_cells.RULES):
            found += _few(rule(package, table))
    tables = [*before, *package.tables]
    for check_all in (one_sample_per_acquisition, one_process_per_acquisition, object_in_one_sample):
        found += _few(check_all(tables))
    found += ecotaxa_columns.free_columns_fit(tables)
    found += ecotaxa_columns.one_type_per_column(tables)
    found += _few(image_once(package.tables))
    return found


def has_tables(package: Package) -> Iterator[Finding]:
    """There is something to import (code no_table)."""
    if not package.tables and not any(package.bundles.values()):
        message = "No object to import. No .txt or .tsv file was found, of which name starts with 'ecotaxa'."
        yield Finding("error", "no_table", message, package.name, do="name the table ecotaxa_<something>.tsv")


def whole_bundles(package: Package) -> Iterator[Finding]:
    """Zips within the package, one per UVP6 sample, can be read and hold their table (code sub_bundle)."""
    for name, problem in package.bundles.items():
        if problem:
            message = f"the zip within the package cannot be imported: {problem}"
            do = "put ecotaxa_<sample>.tsv and the images into <sample>_Images.zip"
            yield Finding("error", "sub_bundle", message, f"{package.name}, {name}", do=do)


def not_too_many_tables(package: Package) -> Iterator[Finding]:
    """At most 2000 tables (code too_many_tables)."""
    if package.n_tables > MAX_TABLES:
        message = f"You tried to import too many files, max. is {MAX_TABLES}."
        do = "split the package, or put several samples into one table"
        yield Finding("error", "too_many_tables", message, package.name, package.n_tables, do)


def has_objects(package: Package) -> Iterator[Finding]:
    """Not all tables are empty; a single one may be, but it is told (code no_object)."""
    empty = [table for table in package.tables if table.frame.is_empty()]
    severe = len(empty) == len(package.tables)
    for table in empty:
        message = "No object to import. TSV file(s) might be empty." if severe else "the table has no rows"
        do = "write names, types, then one line per image"
        yield Finding("error" if severe else "warning", "no_object", message, table.path, do=do)


def fits_upload(package: Package) -> Iterator[Finding]:
    """The zip can be uploaded in one request (code upload_size)."""
    if package.nbytes > MAX_UPLOAD_BYTES:
        message = f"the zip has {package.nbytes:,} bytes; an upload may have {MAX_UPLOAD_BYTES:,}"
        yield Finding("error", "upload_size", message, package.name, do="split it, or use the resumable upload (tus)")


def one_sample_per_acquisition(tables: Iterable[Table]) -> Iterator[Finding]:
    """An acquisition belongs to one sample (code acquisition_in_two_samples)."""
    owners: dict[str, str] = {}
    for table, line, acquisition, sample in _pairs(tables, "acq_id", "sample_id"):
        owner = owners.setdefault(acquisition, sample)
        if owner != sample:
            message = (
                f"Acquisition '{acquisition}' is already associated with sample '{owner}', "
                f"it cannot be associated as well with '{sample}'"
            )
            where = f"{table.path}, line {line}, acq_id"
            do = "give acquisitions of different samples different names"
            yield Finding("error", "acquisition_in_two_samples", message, where, do=do)


def one_process_per_acquisition(tables: Iterable[Table]) -> Iterator[Finding]:
    """An acquisition has one process; EcoTaxa keeps one of them in silence (code two_processes)."""
    owners: dict[str, str] = {}
    for table, line, acquisition, process in _pairs(tables, "acq_id", "process_id"):
        owner = owners.setdefault(acquisition, process)
        if owner != process:
            message = f"acquisition '{acquisition}' has two processes, '{owner}' and '{process}'"
            where = f"{table.path}, line {line}, process_id"
            yield Finding("warning", "two_processes", message, where, do="give each acquisition one process_id")


def object_in_one_sample(tables: Iterable[Table]) -> Iterator[Finding]:
    """An object_id is one object; in another sample it silently becomes one more image of it (code object_id_twice)."""
    owners: dict[str, str] = {}
    for table, line, name, sample in _pairs(tables, "object_id", "sample_id"):
        owner = owners.setdefault(name, sample)
        if owner != sample:
            message = f"object '{name}' is in samples '{owner}' and '{sample}': EcoTaxa would make one object of both"
            where = f"{table.path}, line {line}, object_id"
            yield Finding("warning", "object_id_twice", message, where, do="put the sample into the object_id")


def image_once(tables: Iterable[Table]) -> Iterator[Finding]:
    """An object has an image only once (code duplicate)."""
    seen: dict[tuple[str, str], tuple[str, int]] = {}
    for table, line, name, image in _pairs(tables, "object_id", "img_file_name"):
        before = seen.setdefault((name, image), (table.path, line))
        if before == (table.path, line):
            continue
        there = f"this TSV line {before[1]}" if before[0] == table.path else "EcoTaxa or being imported"
        message = f"(Object '{name}', Image '{image}') is already in {there}."
        where = f"{table.path}, line {line}, object_id"
        yield Finding("error", "duplicate", message, where, do="remove the line, or give each image its own name")


def _pairs(tables: Iterable[Table], one: str, other: str) -> Iterator[tuple[Table, int, str, str]]:
    """Table, line and both values wherever two columns are filled, each pair once per table for parents."""
    for table in tables:
        if table.has(one) and table.has(other):
            filled = table.frame.with_row_index("", FIRST_ROW).filter((pl.col(one) != "") & (pl.col(other) != ""))
            if other != "img_file_name":
                filled = filled.unique([one, other], keep="first", maintain_order=True)
            for line, left, right in filled.select("", one, other).iter_rows():
                yield table, line, left, right


def _few(findings: Iterable[Finding]) -> list[Finding]:
    """Tell the first findings of a kind one by one, the rest as a number."""
    kinds: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        told = kinds[finding.code]
        if len(told) <= _NAMED:
            told.append(finding)
        else:
            told[-1] = replace(told[-1], count=told[-1].count + 1)
    return [finding for told in kinds.values() for finding in told]
