"""A model on disk: a folder with model.safetensors (weights) and model.json (everything else).

model.json names the architecture, the preprocessing with its hash, the hash of the weights, how it was trained and on
which data. Both files are read as untrusted input: no pickle, sizes compared with the architecture before anything
large is made, hashes verified.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as tensors_to_bytes
from torch import Tensor

from aqqua import __version__
from aqqua.errors import ConfigError, FormatError, NotFoundError
from aqqua.models.preprocess import Preprocessing
from aqqua.models.vit import VisionTransformer, ViTConfig

__all__ = ["Model", "load", "save", "weights_hash"]

FORMAT_VERSION = 1
WEIGHTS, INFO = "model.safetensors", "model.json"
_MAX_JSON_BYTES = 16 * 2**20
_MAX_DIM, _MAX_DEPTH = 8192, 256


@dataclass(frozen=True)
class Model:
    """A trained network with all that is needed to use it and to know where it came from.

    Args:
        folder: where it lies.
        network: in evaluation mode.
        preprocessing: how pixels become what the network sees.
        info: the content of model.json.
    """

    folder: Path
    network: VisionTransformer
    preprocessing: Preprocessing
    info: Mapping[str, Any]

    @property
    def model_id(self) -> str:
        """Name and the first eight digits of the weights' hash: "nano-1f0c33aa"."""
        return str(self.info["model_id"])


def save(
    folder: Path | str,
    network: VisionTransformer,
    preprocessing: Preprocessing,
    *,
    name: str,
    training: Mapping[str, Any],
    data: list[dict[str, Any]],
) -> Model:
    """Write a model folder.

    Args:
        folder: made if it is not there; a model in it is replaced.
        network: the weights.
        preprocessing: what the network was trained with.
        name: first part of the model id.
        training: configuration and summary of the training, JSON-ready.
        data: the datasets it learned from, one dict each.

    Returns:
        The model as it would be loaded.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    weights = {key: value.detach().cpu().contiguous() for key, value in network.state_dict().items()}
    digest = weights_hash(weights)
    info = {
        "format": "aqqua model",
        "format_version": FORMAT_VERSION,
        "model_id": f"{name}-{digest[:8]}",
        **_about(network, preprocessing),
        "weights_sha256": digest,
        "training": dict(training),
        "data": data,
        "aqqua_version": __version__,
        "created_utc": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    _write(folder / WEIGHTS, tensors_to_bytes(weights))
    _write(folder / INFO, (json.dumps(info, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode())
    return Model(folder, network.eval(), preprocessing, info)


def _about(network: VisionTransformer, preprocessing: Preprocessing) -> dict[str, Any]:
    return {
        "architecture": "vit",
        "config": asdict(network.config),
        "preprocessing": asdict(preprocessing),
        "preprocessing_hash": preprocessing.hash,
        "vector_length": network.vector_length,
    }


def load(folder: Path | str, *, device: str = "cpu") -> Model:
    """Read a model folder, and verify it.

    Args:
        folder: with model.json and model.safetensors.
        device: where the network is to be.

    Raises:
        NotFoundError: there is no model.
        FormatError: it is of a newer format, damaged, or not what its hash says.
    """
    folder = Path(folder)
    info = _read_info(folder)
    network, preprocessing = _build(info, folder)
    weights = _read_weights(folder / WEIGHTS, network)
    if weights_hash(weights) != info["weights_sha256"]:
        raise FormatError("the weights are not those model.json describes", where=folder / WEIGHTS, do=_AGAIN)
    network.load_state_dict(weights, assign=True)
    return Model(folder, network.to(device).eval(), preprocessing, info)


_AGAIN = "copy the model again from where it came from"


def weights_hash(weights: Mapping[str, Tensor]) -> str:
    """SHA-256 over names, types, shapes and bytes of all tensors, in the order of their names."""
    digest = hashlib.sha256()
    for key in sorted(weights):
        tensor = weights[key].contiguous()
        digest.update(f"{key} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _read_info(folder: Path) -> dict[str, Any]:
    path = folder / INFO
    if not path.is_file() or not (folder / WEIGHTS).is_file():
        raise NotFoundError("there is no model in this folder", where=folder, do="make one with: aqqua train")
    if path.stat().st_size > _MAX_JSON_BYTES:
        raise FormatError("model.json is too large to be one", where=path, do=_AGAIN)
    try:
        info = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FormatError("model.json is damaged", where=path, do=_AGAIN) from error
    if not isinstance(info, dict) or info.get("format") != "aqqua model":
        raise FormatError("this is not the model.json of an aqqua model", where=path, do="give a folder made by train")
    if info.get("format_version") != FORMAT_VERSION:
        raise FormatError(
            f"model format {info.get('format_version')}, this aqqua reads {FORMAT_VERSION}",
            where=path,
            do="update aqqua",
        )
    missing = {"model_id", "config", "preprocessing", "preprocessing_hash", "weights_sha256"} - info.keys()
    if missing:
        raise FormatError(f"model.json lacks {', '.join(sorted(missing))}", where=path, do=_AGAIN)
    return info


def _build(info: Mapping[str, Any], folder: Path) -> tuple[VisionTransformer, Preprocessing]:
    """The network without memory behind its weights, and the preprocessing."""
    config = _from_dict(ViTConfig, info["config"], folder)
    preprocessing = _from_dict(Preprocessing, info["preprocessing"], folder)
    if preprocessing.hash != info["preprocessing_hash"]:
        raise FormatError("the preprocessing is not the one the model was trained with", where=folder / INFO, do=_AGAIN)
    if not (0 < config.dim <= _MAX_DIM and 0 < config.depth <= _MAX_DEPTH):
        raise FormatError(f"a network of {config.depth} layers of {config.dim}", where=folder / INFO, do=_AGAIN)
    with torch.device("meta"):
        return VisionTransformer(config), preprocessing


def _from_dict(cls: type[Any], values: Any, folder: Path) -> Any:
    known = {f.name for f in fields(cls)}
    if not isinstance(values, dict) or values.keys() - known:
        raise FormatError(f"model.json: {cls.__name__} cannot be {values!r}"[:300], where=folder / INFO, do=_AGAIN)
    try:
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})
    except (TypeError, ConfigError) as error:
        raise FormatError(f"model.json: {error}", where=folder / INFO, do=_AGAIN) from error


def _read_weights(path: Path, network: VisionTransformer) -> dict[str, Tensor]:
    """Read the tensors, after comparing names and shapes with those the architecture has."""
    expected = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    try:
        with safe_open(path, framework="pt") as file:
            there = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118 (no mapping)
            if there != expected:
                odd = sorted(k for k in there.keys() | expected.keys() if there.get(k) != expected.get(k))
                raise FormatError(
                    f"the weights do not fit the network of model.json: {', '.join(odd[:5])}", where=path, do=_AGAIN
                )
            return {key: file.get_tensor(key) for key in there}
    except SafetensorError as error:
        raise FormatError(f"model.safetensors is damaged: {error}", where=path, do=_AGAIN) from error


def _write(path: Path, content: bytes) -> None:
    """Write under another name first, so that a file with its final name is whole."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.replace(path)
