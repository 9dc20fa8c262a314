"""What EcoTaxa's importer sees: tables `ecotaxa*.tsv` with two header lines, and the images they name."""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from posixpath import basename, dirname, join, normpath, splitext
from tempfile import TemporaryDirectory

import polars as pl

from aqqua.errors import AqquaError, SourceError
from aqqua.sources.archive import MAX_TABLE_BYTES, Tree

__all__ = ["FIRST_ROW", "PREDEFINED", "Package", "Picture", "Table", "is_free", "read_package"]

FIRST_ROW = 3
"""Number of the first line with data: names and types come before it."""
NUMBERS = {
    "img_rank",
    "object_lat",
    "object_lon",
    "object_depth_min",
    "object_depth_max",
    "object_annotation_category_id",
}
TEXTS = {
    "img_file_name",
    "object_id",
    "object_date",
    "object_time",
    "object_link",
    "object_annotation_status",
    "object_annotation_category",
    "object_annotation_person_name",
    "object_annotation_person_email",
    "object_annotation_date",
    "object_annotation_time",
    "object_annotation_hierarchy",
    "complement_info",
    "sample_id",
    "sample_dataportal_descriptor",
    "acq_id",
    "acq_instrument",
    "process_id",
}
PREDEFINED = NUMBERS | TEXTS
"""Columns with a meaning of their own; all others are free columns of object, acq, process or sample."""
_DELETED_ON_UPLOAD = {".bmp", ".webp"}


def is_free(column: str) -> bool:
    """Whether a column is one that its project may name as it likes."""
    return column not in PREDEFINED and column.partition("_")[0] in {"object", "acq", "process", "sample"}


@dataclass(frozen=True)
class Picture:
    """What is known of an image file: format as Pillow names it, size in pixels, and what is wrong with it."""

    format: str = ""
    width: int = 0
    height: int = 0
    problem: str = ""


@dataclass(frozen=True)
class Table:
    """One TSV.

    Args:
        path: its place in the package.
        header: names of the columns as written, trimmed and in lower case.
        types: the line below, one per column.
        frame: all data as text without surrounding blanks; missing is "".
        encoding: "utf-8-sig", or "latin-1": what the importer takes everything for that has no byte order mark.
        surplus: line number → values beyond the last column.
        problem: why it cannot be read at all.
    """

    path: str
    header: tuple[str, ...]
    types: tuple[str, ...]
    frame: pl.DataFrame
    encoding: str = "utf-8-sig"
    surplus: dict[int, list[str]] = field(default_factory=dict)
    problem: str = ""

    @property
    def type_of(self) -> dict[str, str]:
        """Column → type, as the second line gives it."""
        return dict(zip(self.header, self.types, strict=True))

    def has(self, column: str) -> bool:
        """Whether it has a column."""
        return column in self.frame.columns

    def lines(self, columns: Sequence[str], where: pl.Expr) -> list[tuple[int, dict[str, str]]]:
        """Line number and values of the given columns, of all rows where something is true."""
        found = self.frame.with_row_index("", FIRST_ROW).filter(where).select("", *columns)
        return [(row.pop(""), row) for row in found.iter_rows(named=True)]

    def image_path(self, file_name: str) -> str:
        """Where in the package an image lies that the table names: beside the table, or below."""
        return normpath(join(dirname(self.path), file_name))


@dataclass(frozen=True)
class Package:
    """Everything one import reads.

    Args:
        name: what to call it in messages.
        tables: its tables.
        picture: looks at an image of the package; None where there is none.
        nbytes: size of the zip to upload, 0 if it is not one.
        n_tables: how many tables it has; more than were read if there are too many.
        taxon_ids: ids that EcoTaxa's taxonomy has, where that is known.
        bundles: zip within the package (UVP6: one per sample) → what is wrong with it, or "".
    """

    name: str
    tables: Sequence[Table]
    picture: Callable[[str], Picture | None]
    nbytes: int = 0
    n_tables: int = 0
    taxon_ids: Collection[int] | None = None
    bundles: Mapping[str, str] = field(default_factory=dict)


def read_package(path: Path | str, *, most: int = 2000, taxon_ids: Collection[int] | None = None) -> Package:
    """Read the tables of a folder or zip as EcoTaxa's importer would.

    Args:
        path: the folder or zip.
        most: how many tables to read.
        taxon_ids: ids that EcoTaxa's taxonomy has, where that is known.

    Raises:
        UnsafeInputError: a member of the zip would escape, is encrypted, or claims an absurd size.
    """
    tree = Tree(path)
    names = [name for name in tree.members if _is_table(basename(name))]
    inner = [_read_bundle(tree, name) for name in tree.members if fnmatchcase(basename(name), "*Images.zip")]
    unpacked = {name: picture for bundle in inner for name, picture in bundle.pictures.items()}
    tables = [_read_table(tree, name) for name in names[:most]]
    return Package(
        name=tree.path.name,
        tables=[*tables, *(table for bundle in inner for table in bundle.tables)],
        picture=lambda name: unpacked[name] if name in unpacked else _picture(tree, name),
        nbytes=tree.path.stat().st_size if tree.is_zip else 0,
        n_tables=len(names) + sum(len(bundle.tables) for bundle in inner),
        taxon_ids=taxon_ids,
        bundles={bundle.name: bundle.problem for bundle in inner},
    )


@dataclass(frozen=True)
class _Bundle:
    """A zip within a package, looked at as if it were unpacked beside the rest."""

    name: str
    tables: Sequence[Table] = ()
    pictures: Mapping[str, Picture | None] = field(default_factory=dict)
    problem: str = ""


def _read_bundle(tree: Tree, name: str) -> _Bundle:
    """Look into a zip of one UVP6 sample: "x_Images.zip" holds "ecotaxa_x.tsv" and the images."""
    folder = name.removesuffix(".zip")
    wanted = f"ecotaxa_{basename(folder).removesuffix('Images').removesuffix('_')}.tsv"
    with TemporaryDirectory() as place:
        copy = Path(place, basename(name))
        try:
            with copy.open("wb") as out:
                out.writelines(tree.blocks(name))
            inner = Tree(copy)
            found = [member for member in inner.members if basename(member) == wanted]
            tables = [replace(_read_table(inner, member), path=f"{folder}/{member}") for member in found]
        except SourceError as error:
            return _Bundle(name, problem=error.what)
        pictures = {f"{folder}/{member}": _picture(inner, member) for member in inner.members if member not in found}
    return _Bundle(name, tables, pictures, "" if tables else f"there is no table {wanted} in it")


def _is_table(name: str) -> bool:
    """The importer's own pattern; case counts."""
    return fnmatchcase(name, "ecotaxa*.tsv") or fnmatchcase(name, "ecotaxa*.txt")


def _read_table(tree: Tree, name: str) -> Table:
    data = tree.read(name, MAX_TABLE_BYTES)
    encoding = "utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "latin-1"
    try:
        lines = list(csv.reader(io.StringIO(data.decode(encoding), newline=""), delimiter="\t", quotechar='"'))
    except (csv.Error, UnicodeDecodeError) as error:
        return Table(name, (), (), pl.DataFrame(), encoding, problem=str(error))
    return parse_table(name, [line for line in lines if line], encoding)


def parse_table(path: str, lines: Sequence[Sequence[str]], encoding: str = "utf-8-sig") -> Table:
    """Make a table from its cells, the two header lines first."""
    header = tuple(cell.strip().lower() for cell in lines[0]) if lines else ()
    types = lines[1] if len(lines) > 1 else ()
    padded = tuple(types[k].strip() if k < len(types) else "" for k in range(len(header)))
    rows = lines[2:]
    columns = {name: [row[k].strip() if k < len(row) else "" for row in rows] for k, name in enumerate(header) if name}
    surplus = {
        number: [value for value in row[len(header) :] if value.strip()]
        for number, row in enumerate(rows, FIRST_ROW)
        if len(row) > len(header)
    }
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    return Table(path, header, padded, frame, encoding, {line: values for line, values in surplus.items() if values})


def _picture(tree: Tree, name: str) -> Picture | None:
    from PIL import Image

    if name not in tree.members or splitext(name)[1].lower() in _DELETED_ON_UPLOAD:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(tree.read(name))) as image:
                facts = image.format or "", *image.size
                image.verify()
    except (AqquaError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        return Picture(problem=str(error).replace(str(tree.path), tree.path.name))
    return Picture(*facts)
