"""`AQQUA.json`: what kind of folder this is, which version of the format, and who it is."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from aqqua.errors import FormatError, NotFoundError
from aqqua.store.parquet import FORMAT
from aqqua.store.seal import BLANK, write_sealed_json

__all__ = ["FILE_NAME", "FORMAT_NAME", "new_identity", "read_identity", "tool_versions", "write_identity"]

FILE_NAME = "AQQUA.json"
FORMAT_NAME = "AqQua Data Format"
KNOWN_FEATURES: frozenset[str] = frozenset()
"""Features a dataset may require of its readers that this version has."""

_TOOLS = ("aqqua", "blosc2", "lmdb", "numpy", "polars", "pyarrow", "xxhash", "zstandard")


def new_identity() -> dict[str, Any]:
    """The content of `AQQUA.json` for a new dataset."""
    return {
        "format": FORMAT_NAME,
        "version": {"major": FORMAT[0], "minor": FORMAT[1]},
        "required_features": [],
        "uuid": str(uuid.uuid4()),
        "created_utc": now_text(),
    }


def read_identity(root: Path) -> dict[str, Any]:
    """Read `AQQUA.json` and make sure that this version of aqqua may read the dataset.

    Raises:
        NotFoundError: there is no dataset.
        FormatError: the file is damaged, of a newer major version, or asks for an unknown feature.
    """
    path = root / FILE_NAME
    try:
        identity = json.loads(path.read_text(encoding="utf-8"))
        major, minor = identity["version"]["major"], identity["version"]["minor"]
        features = set(identity.get("required_features", []))
    except FileNotFoundError as error:
        do = "give the folder that holds AQQUA.json, or make a dataset with `aqqua ingest SOURCE DATASET`"
        raise NotFoundError("there is no dataset here", where=root, do=do) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FormatError(f"{FILE_NAME} is damaged ({error!r})", where=path, do="copy the dataset again") from error
    if identity.get("format") != FORMAT_NAME or not isinstance(major, int) or major < 1:
        raise FormatError(f"this is no dataset of the {FORMAT_NAME}", where=path)
    if major > FORMAT[0]:
        what = f"the dataset has format {major}.{minor}, this aqqua reads up to {FORMAT[0]}.x"
        raise FormatError(what, where=path, do="update aqqua: pip install -U aqqua")
    if unknown := sorted(features - KNOWN_FEATURES):
        what = f"the dataset needs {', '.join(unknown)}, which this aqqua does not know"
        raise FormatError(what, where=path, do="update aqqua: pip install -U aqqua")
    return {name: told for name, told in identity.items() if name not in BLANK}


def write_identity(root: Path, identity: Mapping[str, Any], **told: Any) -> None:
    """Write `AQQUA.json` with counts and tool versions, which are told for people and trusted by nobody."""
    write_sealed_json(root / FILE_NAME, {**identity, "tools": tool_versions(), **told})


def tool_versions() -> dict[str, str]:
    """Versions of the packages that write datasets."""
    versions = {}
    for name in _TOOLS:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "not installed as a package"
    return versions


def now_text() -> str:
    """The time now, UTC, to the second."""
    return datetime.now(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
