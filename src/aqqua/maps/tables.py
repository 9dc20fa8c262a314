"""Tables of maps: Parquet or CSV, whole or not there, with where they come from inside.

The provenance is JSON: in a Parquet file in the key-value metadata `aqqua`, beside a CSV in `<name>.csv.about.json`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from aqqua.errors import ConfigError, FormatError, NotFoundError
from aqqua.store.atomic import whole, write_json

__all__ = ["read_table", "write_table"]

_NOTE = "aqqua"
_MAX_ROWS = 200_000_000
_TIMES = "%Y-%m-%dT%H:%M:%S%.3fZ"


def write_table(frame: pl.DataFrame, path: Path | str, about: Mapping[str, Any]) -> Path:
    """Write a table under its name once it is whole.

    Args:
        frame: the rows.
        path: `.parquet`, or `.csv` with the provenance in `<path>.about.json`.
        about: where it comes from: datasets, options …; the version of aqqua is added.

    Returns:
        The path.

    Raises:
        ConfigError: an ending that is neither.
        StorageError: the disk is full or refuses.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "t.parquet"
        >>> write_table(pl.DataFrame({"n": [1]}), path, {"kind": "abundance"}).name
        't.parquet'
        >>> read_table(path)[1]["kind"]
        'abundance'
    """
    from aqqua import __version__

    path, told = Path(path), {"aqqua_version": __version__, **about}
    ending = _ending(path)
    with whole(path) as part:
        if ending == ".csv":
            frame.write_csv(part, datetime_format=_TIMES)
        else:
            note = json.dumps(told, ensure_ascii=False, default=str)
            frame.write_parquet(part, compression="zstd", compression_level=3, metadata={_NOTE: note})
    if ending == ".csv":
        write_json(_beside(path), told)
    return path


def read_table(path: Path | str, *, needs: Collection[str] = ()) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Read a table that `write_table` or anyone else wrote.

    Args:
        path: `.parquet` or `.csv`.
        needs: columns that must be there.

    Returns:
        The rows, and where they come from ({} if the file does not say).

    Raises:
        NotFoundError: there is no such file.
        ConfigError: an ending that is neither, or columns that lack.
        FormatError: it is damaged or not what its ending says.
    """
    path = Path(path)
    ending = _ending(path)
    if not path.is_file():
        raise NotFoundError("there is no such table", where=path, do="check the path; `aqqua map …` writes tables")
    try:
        frame, about = _csv(path) if ending == ".csv" else _parquet(path)
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise FormatError(f"this is no readable {ending[1:]} table ({error})", where=path) from error
    if lacking := [name for name in needs if name not in frame.columns]:
        has = f"it has: {', '.join(frame.columns[:12])}{' …' if len(frame.columns) > 12 else ''}"
        raise ConfigError(f"the table has no column {', '.join(lacking)}", where=path, do=has)
    return frame, about


def _csv(path: Path) -> tuple[pl.DataFrame, dict[str, Any]]:
    frame = _in_utc(pl.read_csv(path, infer_schema_length=None, try_parse_dates=True))
    beside = _beside(path)
    about = json.loads(beside.read_text(encoding="utf-8")) if beside.is_file() else {}
    return frame, about if isinstance(about, dict) else {}


def _in_utc(frame: pl.DataFrame) -> pl.DataFrame:
    """Columns named …_utc are in UTC, whether the text says so or not; dates alone are midnight."""
    times = [name for name, kind in frame.schema.items() if name.endswith("_utc") and kind.is_temporal()]
    moments = frame.with_columns(pl.col(name).cast(pl.Datetime("ms")) for name in times)
    return moments.with_columns(pl.col(name).dt.replace_time_zone("UTC") for name in times)


def _parquet(path: Path) -> tuple[pl.DataFrame, dict[str, Any]]:
    told = pl.read_parquet_metadata(path).get(_NOTE, "{}")
    rows = pl.scan_parquet(path).select(pl.len()).collect().item()
    if rows > _MAX_ROWS:
        raise ValueError(f"it claims {rows:,} rows")
    about = json.loads(told)
    return pl.read_parquet(path), about if isinstance(about, dict) else {}


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.about.json")


def _ending(path: Path) -> str:
    ending = path.suffix.lower()
    if ending not in {".parquet", ".csv"}:
        raise ConfigError(f"tables are .parquet or .csv, not {ending or 'nameless'!r}", where=path)
    return ending
