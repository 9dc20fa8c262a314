"""A model by what a person calls it: a folder, or the DOI of a release; verified before anything of it is loaded."""

from __future__ import annotations

import os
import re
from pathlib import Path

from aqqua.errors import ConfigError, FormatError, NotFoundError
from aqqua.models.released import (
    CARD,
    HEADS,
    HEADS_INFO,
    INFO,
    ONNX_FILES,
    ONNX_INFO,
    SUMS,
    WEIGHTS,
    is_released,
    verify_released,
)
from aqqua.models.shipped import SHIPPED, shipped
from aqqua.progress import say

__all__ = ["cache_folder", "obtain"]

CACHE_ENV = "AQQUA_MODELS"
_FILES = (
    WEIGHTS,
    INFO,
    HEADS,
    HEADS_INFO,
    ONNX_INFO,
    *ONNX_FILES.values(),
    CARD,
    "MODEL_CARD.md",
    "CITATION.cff",
    "LICENSE",
    SUMS,
)
_WHOLE = ".verified"
"""In a folder of the cache that has once been fetched as a whole."""
_ADDRESS = re.compile(r"(doi:|https?://)", re.IGNORECASE)


def obtain(model: Path | str) -> Path:
    """The folder of a model, fetched if need be; files of a release are compared with its card.

    Args:
        model: a model folder, the name of a model that comes with aqqua ("aqqua-nano"), or `doi:10.5281/zenodo.N` of a
            release. A folder of that name in the working directory wins. Fetched releases are kept in the cache, below
            `$AQQUA_MODELS`, else `~/.cache/aqqua/models`, and not fetched again.

    Returns:
        The folder; a model without a card (made by `aqqua train`) is verified when it is loaded.

    Raises:
        NotFoundError: there is no model.
        FormatError: a file is not the one that was released.
        RemoteError: the release cannot be fetched.
    """
    if isinstance(model, str) and _ADDRESS.match(model):
        return _fetched(model)
    folder = Path(model)
    if str(model) in SHIPPED and not folder.exists():
        folder = shipped(str(model))
    if is_released(folder):
        verify_released(folder)
    return folder


def cache_folder() -> Path:
    """Where fetched models are kept."""
    usual = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "aqqua" / "models"
    return Path(os.environ.get(CACHE_ENV) or usual)


def _fetched(address: str) -> Path:
    from aqqua.sources.transfer import fetch
    from aqqua.sources.transfer.doi import bare_doi

    doi = bare_doi(address)
    if doi is None:
        raise ConfigError(f"{address!r} is no DOI of a model", do="write doi:10.5281/zenodo.N, or the path of a folder")
    folder = cache_folder() / re.sub(r"[^a-z0-9.]+", "-", doi)
    whole = folder / _WHOLE
    if not whole.is_file():
        say(f"Fetching the model doi:{doi} to {folder}")
        try:
            fetch([f"doi:{doi}"], folder, only=_FILES)
        except ConfigError as error:
            do = f"look at https://doi.org/{doi}"
            raise NotFoundError("this record holds no aqqua model", where=f"doi:{doi}", do=do) from error
    try:
        verify_released(folder)
    except FormatError as error:
        error.do = f"remove {folder}, and run it again; if it stays, tell those who published doi:{doi}"
        raise
    whole.touch()
    return folder
