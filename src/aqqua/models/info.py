"""model.json of a model folder, read without torch: on a small machine there may be none.

It is untrusted input: of bounded size, of a known format, and the preprocessing must be the one its hash names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from aqqua.errors import ConfigError, FormatError, NotFoundError
from aqqua.models.preprocess import Preprocessing

__all__ = ["AGAIN", "FORMAT_VERSION", "INFO", "from_dict", "preprocessing_of", "read_info"]

FORMAT_VERSION = 1
INFO = "model.json"
AGAIN = "copy the model again from where it came from"
_MAX_JSON_BYTES = 16 * 2**20
_NEEDED = {"model_id", "config", "preprocessing", "preprocessing_hash", "weights_sha256"}


def read_info(folder: Path) -> dict[str, Any]:
    """Read what model.json says.

    Raises:
        NotFoundError: there is none.
        FormatError: it is damaged, of another format, or something is missing in it.
    """
    path = folder / INFO
    if not path.is_file():
        raise NotFoundError("there is no model in this folder", where=folder, do="make one with: aqqua train")
    if path.stat().st_size > _MAX_JSON_BYTES:
        raise FormatError("model.json is too large to be one", where=path, do=AGAIN)
    try:
        info = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise FormatError("model.json is damaged", where=path, do=AGAIN) from error
    if not isinstance(info, dict) or info.get("format") != "aqqua model":
        raise FormatError("this is not the model.json of an aqqua model", where=path, do="give a folder made by train")
    if info.get("format_version") != FORMAT_VERSION:
        raise FormatError(
            f"model format {info.get('format_version')}, this aqqua reads {FORMAT_VERSION}",
            where=path,
            do="update aqqua",
        )
    if missing := _NEEDED - info.keys():
        raise FormatError(f"model.json lacks {', '.join(sorted(missing))}", where=path, do=AGAIN)
    return info


def preprocessing_of(info: Mapping[str, Any], folder: Path) -> Preprocessing:
    """The preprocessing a model was trained with.

    Raises:
        FormatError: it is not the one its hash names.
    """
    preprocessing: Preprocessing = from_dict(Preprocessing, info["preprocessing"], folder)
    if preprocessing.hash != info["preprocessing_hash"]:
        raise FormatError("the preprocessing is not the one the model was trained with", where=folder / INFO, do=AGAIN)
    return preprocessing


def from_dict(cls: type[Any], values: Any, folder: Path) -> Any:
    """Make a dataclass of a part of model.json.

    Raises:
        FormatError: these are not its fields.
    """
    known = {f.name for f in fields(cls)}
    if not isinstance(values, dict) or values.keys() - known:
        raise FormatError(f"model.json: {cls.__name__} cannot be {values!r}"[:300], where=folder / INFO, do=AGAIN)
    try:
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})
    except (TypeError, ConfigError) as error:
        raise FormatError(f"model.json: {error}", where=folder / INFO, do=AGAIN) from error
