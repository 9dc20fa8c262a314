"""A model that was released: a model folder with a card that names every file by its SHA-256.

The names of its files, and the proof that they are still those that were released. Whatever is read here came from
somewhere else: sizes are bounded, names cannot lead out of the folder, and nothing is loaded before it is verified.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from aqqua.errors import FormatError, NotFoundError, UnsafeInputError

__all__ = [
    "CARD",
    "CARD_FORMAT",
    "HEADS",
    "HEADS_INFO",
    "INFO",
    "ONNX_FILES",
    "ONNX_INFO",
    "SUMS",
    "WEIGHTS",
    "is_released",
    "read_json",
    "sha256_of",
    "tensors_hash",
    "verify_released",
]

WEIGHTS, INFO = "model.safetensors", "model.json"
HEADS, HEADS_INFO = "heads.safetensors", "heads.json"
CARD, CARD_FORMAT = "model_card.json", "aqqua model card"
SUMS = "SHA256SUMS"
ONNX_INFO = "onnx.json"
ONNX_FILES = {"onnx": "model.onnx", "onnx-int8": "model.int8.onnx"}
"""Engine → file, see `aqqua.models.onnx`."""
_LOADED = (WEIGHTS, INFO, HEADS, HEADS_INFO, ONNX_INFO, *ONNX_FILES.values())
"""What is loaded, and so must be in the card's list."""
_MAX_JSON_BYTES = 16 << 20
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_AGAIN = "fetch the release again from where it was published; do not use this copy"
_TORCH_NAMES = {"F32": "torch.float32", "F16": "torch.float16", "BF16": "torch.bfloat16", "F64": "torch.float64"}
_TORCH_NAMES |= {"I64": "torch.int64", "I32": "torch.int32", "U8": "torch.uint8", "BOOL": "torch.bool"}


def is_released(folder: Path) -> bool:
    """Whether a model folder has the card of a release."""
    return (folder / CARD).is_file()


def verify_released(folder: Path) -> dict[str, Any]:
    """Compare the files of a released model with its card.

    Args:
        folder: with model_card.json.

    Returns:
        The card.

    Raises:
        NotFoundError: there is no card, or a file of the release is missing.
        FormatError: the card is damaged, or a file is not the one that was released.
        UnsafeInputError: the card names a file outside the folder.
    """
    if not is_released(folder):
        do = "give a model that was released by: aqqua export MODEL --to model --out FOLDER"
        raise NotFoundError(f"there is no {CARD}: this is no released model", where=folder, do=do)
    card = read_json(folder / CARD)
    files = card.get("files")
    if card.get("format") != CARD_FORMAT or not isinstance(files, dict):
        raise FormatError("this is not the card of an aqqua model", where=folder / CARD, do=_AGAIN)
    for name, told in files.items():
        _compare(folder, name, told)
    if strangers := [name for name in _LOADED if (folder / name).exists() and name not in files]:
        what = f"{strangers[0]} is not part of this release, somebody put it here later"
        raise FormatError(what, where=folder, do="remove it, or use a copy of the model that is no release")
    for name in (WEIGHTS, INFO):
        if name not in files:
            raise FormatError(f"the card names no {name}", where=folder / CARD, do=_AGAIN)
    _same_model(folder, card)
    _listed(folder)
    return card


def _compare(folder: Path, name: str, told: Any) -> None:
    if not _NAME.fullmatch(name):
        raise UnsafeInputError(f"the card names a file {name!r}", where=folder / CARD, do=_AGAIN)
    expected = told.get("sha256") if isinstance(told, dict) else None
    if not isinstance(expected, str):
        raise FormatError(f"the card has no SHA-256 of {name}", where=folder / CARD, do=_AGAIN)
    path = folder / name
    if not path.is_file():
        raise NotFoundError(f"{name} of this release is missing", where=folder, do=_AGAIN)
    if sha256_of(path) != expected:
        what = f"{name} is damaged, or was exchanged: it is not the file that was released"
        raise FormatError(what, where=path, do=_AGAIN)


def _listed(folder: Path) -> None:
    """The card itself stands in SHA256SUMS, where that is kept with it."""
    sums = folder / SUMS
    lines = sums.read_text(encoding="utf-8", errors="replace").splitlines()[:1000] if sums.is_file() else []
    told = [line.split()[0] for line in lines if line.split()[1:] == [CARD]]
    if told and told[0] != sha256_of(folder / CARD):
        what = f"{CARD} is damaged, or was exchanged: it is not the card that was released"
        raise FormatError(what, where=folder / CARD, do=_AGAIN)


def _same_model(folder: Path, card: dict[str, Any]) -> None:
    info = read_json(folder / INFO)
    for name in ("model_id", "weights_sha256"):
        if info.get(name) != card.get(name):
            what = f"the card is of model {card.get('model_id')}, the files are of model {info.get('model_id')}"
            raise FormatError(what, where=folder, do=_AGAIN)


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object of bounded size.

    Raises:
        NotFoundError: there is no such file.
        FormatError: it is too large, or not JSON.
    """
    if not path.is_file():
        raise NotFoundError(f"there is no {path.name}", where=path.parent, do="give the folder of a model")
    if path.stat().st_size > _MAX_JSON_BYTES:
        raise FormatError(f"{path.name} is too large to be one", where=path, do=_AGAIN)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path.name} is damaged", where=path, do=_AGAIN) from error
    if not isinstance(content, dict):
        raise FormatError(f"{path.name} is damaged", where=path, do=_AGAIN)
    return content


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def tensors_hash(path: Path) -> str:
    """The hash of the tensors in a safetensors file, as `aqqua.models.checkpoint.weights_hash` makes it, without torch.

    Raises:
        FormatError: it is no such file.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if length > min(_MAX_JSON_BYTES, path.stat().st_size):
                raise ValueError("the header is longer than the file")
            header = json.loads(file.read(length))
            header.pop("__metadata__", None)
            for name in sorted(header):
                entry = header[name]
                begin, end = entry["data_offsets"]
                digest.update(f"{name} {_TORCH_NAMES[entry['dtype']]} {tuple(entry['shape'])}\n".encode())
                file.seek(8 + length + begin)
                digest.update(file.read(end - begin))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FormatError(f"{path.name} is damaged", where=path, do=_AGAIN) from error
    return digest.hexdigest()
