"""The files of an EcoPart export: which they are, read as text within bounds, and what the summary says of profiles."""

from __future__ import annotations

import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from aqqua.errors import NotFoundError, SourceError, UnsafeInputError
from aqqua.metadata.check import Finding

__all__ = ["Member", "number", "profile_rows", "read_members"]

_MAX_BYTES = 256 << 20
_MAX_FILES = 100_000
_NAME = re.compile(r"(?i)(?:^|_)(PAR|ZOO)(?:_[^/]*)?\.tsv(?:\.gz)?$")
_SUMMARY = re.compile(r"(?i)metadata_summary\.tsv(?:\.gz)?$")
_ADDRESSES = (r"\s*\([^()]*@[^()]*\)", r"\S*@\S*")
_PROFILE = {
    "export": pl.String,
    "Profile": pl.String,
    "latitude": pl.Float64,
    "longitude": pl.Float64,
    "owner": pl.String,
    "cruise": pl.String,
}


@dataclass(frozen=True)
class Member:
    """One table of an export.

    Args:
        kind: "PAR", "ZOO" or "summary".
        name: path, with "!" before the name within a zip.
        rows: all as text, names of columns without blanks at their ends.
    """

    kind: str
    name: str
    rows: pl.DataFrame

    @property
    def export(self) -> str:
        """Which export it is of: profiles of several exports may bear one name ("001")."""
        return re.split(r"(?i)_?(?:PAR|ZOO|Export_metadata|metadata_summary)(?=[_.])", self.name, maxsplit=1)[0]


def read_members(paths: Sequence[Path]) -> list[Member]:
    """All tables of exports, each once.

    Raises:
        NotFoundError: a path is not there.
        SourceError: one cannot be read.
        UnsafeInputError: one is beyond all bounds.
    """
    found: dict[str, Member] = {}
    for path in paths:
        for name, content in _contents(path):
            kind = _kind(name)
            if kind and name not in found:
                found[name] = Member(kind, name, _table(content, name))
            if len(found) > _MAX_FILES:
                raise UnsafeInputError(f"more than {_MAX_FILES:,} tables", where=path)
    return list(found.values())


def profile_rows(summaries: Iterable[Member], findings: list[Finding]) -> pl.DataFrame:
    """What summaries say of profiles: export, Profile, sample_id, latitude, longitude, owner without address.

    A profile is a sample by its name, or by cruise and name where several cruises have one of this name.
    """
    parts = []
    for one in summaries:
        names = {name.lower(): name for name in one.rows.columns}
        if lacking := {"profile", "latitude", "longitude"} - set(names):
            told = f"the summary has no column {', '.join(sorted(lacking))}"
            findings.append(Finding("warning", "no_position", told, one.name, 1, "export it again from EcoPart"))
            continue
        owner, cruise = (pl.col(names[name]) if name in names else pl.lit("") for name in ("dataowner", "cruise"))
        for pattern in _ADDRESSES:
            owner = owner.str.replace_all(pattern, "")
        parts.append(
            one.rows.select(
                export=pl.lit(one.export),
                Profile=pl.col(names["profile"]),
                latitude=number(names["latitude"]),
                longitude=number(names["longitude"]),
                owner=owner,
                cruise=cruise.fill_null(""),
            )
        )
    known = pl.concat([pl.DataFrame(schema=_PROFILE), *parts]).unique(["export", "Profile"], keep="first")
    several = pl.col("cruise").n_unique().over("Profile") > 1
    name = pl.when(several).then(pl.format("{}/{}", "cruise", "Profile")).otherwise("Profile")
    return known.with_columns(sample_id=name).drop("cruise")


def number(name: str) -> pl.Expr:
    """A column of text as numbers; null where it is none."""
    value = pl.col(name).str.strip_chars().cast(pl.Float64, strict=False)
    return pl.when(value.is_finite()).then(value)


def _kind(name: str) -> str | None:
    if _SUMMARY.search(name):
        return "summary"
    match = _NAME.search(name)
    return match[1].upper() if match else None


def _contents(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.is_dir():
        files = sorted(one for one in path.rglob("*") if one.is_file() and not one.is_symlink())
        for one in files:
            if _kind(one.name):
                yield str(one), _read(one)
            elif one.suffix.lower() == ".zip":
                yield from _zipped(one)
    elif not path.is_file():
        raise NotFoundError("there is no such export", where=path, do="check the path")
    elif path.suffix.lower() == ".zip":
        yield from _zipped(path)
    else:
        if _kind(path.name) is None:
            raise SourceError("this is no table of EcoPart by its name", where=path, do="…_PAR_….tsv or …_ZOO_….tsv")
        yield str(path), _read(path)
        beside = [one for one in path.parent.glob("*") if _SUMMARY.search(one.name)]
        yield from ((str(one), _read(one)) for one in sorted(beside))


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        content = file.read(_MAX_BYTES + 1)
    return _unpacked(_bounded(content, path), path)


def _zipped(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist()[:_MAX_FILES]:
                if _kind(info.filename):
                    with archive.open(info) as file:
                        name = f"{path}!{info.filename}"
                        yield name, _unpacked(_bounded(file.read(_MAX_BYTES + 1), name), name)
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, zlib.error) as error:
        raise SourceError(f"the zip cannot be read ({error})", where=path, do="download it again") from error


def _unpacked(content: bytes, where: object) -> bytes:
    if content[:2] != b"\x1f\x8b":
        return content
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            return _bounded(file.read(_MAX_BYTES + 1), where)
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(f"the file cannot be unpacked ({error})", where=where, do="download it again") from error


def _bounded(content: bytes, where: object) -> bytes:
    if len(content) > _MAX_BYTES:
        raise UnsafeInputError(f"a table of more than {_MAX_BYTES >> 20} MB", where=where)
    return content


def _table(content: bytes, where: str) -> pl.DataFrame:
    text = content.decode("latin-1")
    if not text.strip():
        return pl.DataFrame()
    try:
        rows = pl.read_csv(
            text.encode(), separator="\t", infer_schema_length=0, quote_char=None, truncate_ragged_lines=True
        )
    except pl.exceptions.PolarsError as error:
        raise SourceError(f"the table cannot be read ({error})", where=where, do="export it again as TSV") from error
    named = {name: name.strip() for name in rows.columns}
    return rows.rename(named) if len(set(named.values())) == len(named) else rows
