"""A model on disk: a folder with model.safetensors (weights) and model.json (everything else).

model.json names the architecture, the preprocessing with its hash, the hash of the weights, how it was trained and on
which data. Both files are read as untrusted input: no pickle, sizes compared with the architecture before anything
large is made, hashes verified.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as tensors_to_bytes
from torch import Tensor

from aqqua import __version__
from aqqua.errors import FormatError, NotFoundError
from aqqua.models.describe import describe
from aqqua.models.info import AGAIN, FORMAT_VERSION, INFO, from_dict, preprocessing_of, read_info
from aqqua.models.preprocess import Prepared, Preprocessing
from aqqua.models.vit import VisionTransformer, ViTConfig

__all__ = ["Model", "load", "save", "weights_hash"]

WEIGHTS = "model.safetensors"
_MAX_DIM, _MAX_DEPTH = 8192, 256


@dataclass(frozen=True)
class Model:
    """A trained network with all that is needed to use it and to know where it came from.

    Args:
        folder: where it lies.
        network: in evaluation mode.
        preprocessing: how pixels become what the network sees.
        info: the content of model.json.
        bfloat16: whether vectors are computed with 16 bits where that is safe; about twice as quick where the
            processor is made for it.
    """

    folder: Path
    network: VisionTransformer
    preprocessing: Preprocessing
    info: Mapping[str, Any]
    bfloat16: bool = False

    @property
    def model_id(self) -> str:
        """Name and the first eight digits of the weights' hash, "nano-1f0c33aa"; "nano-1f0c33aa-bf16" with 16 bits."""
        return str(self.info["model_id"]) + ("-bf16" if self.bfloat16 else "")

    @property
    def engine(self) -> str:
        """What computes the vectors, see `aqqua.models.engines`."""
        return "torch-bf16" if self.bfloat16 else "torch"

    @property
    def engine_facts(self) -> dict[str, str]:
        """What predictions tell about the engine."""
        device = next(self.network.parameters()).device.type
        return {"engine": self.engine, "engine_version": f"torch {torch.__version__} ({device})"}

    @property
    def vector_length(self) -> int:
        """Length of the vectors."""
        return self.network.vector_length

    def describe(
        self, images: Sequence[Prepared], *, advance: Callable[[int], object] = lambda n: None
    ) -> NDArray[np.float32]:
        """Vectors (n, length) of prepared images, in their order."""
        return describe(self.network, images, advance=advance, bfloat16=self.bfloat16)


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
    if not (folder / WEIGHTS).is_file():
        raise NotFoundError("there is no model in this folder", where=folder, do="make one with: aqqua train")
    info = read_info(folder)
    network, preprocessing = _build(info, folder)
    weights = _read_weights(folder / WEIGHTS, network)
    if weights_hash(weights) != info["weights_sha256"]:
        raise FormatError("the weights are not those model.json describes", where=folder / WEIGHTS, do=AGAIN)
    network.load_state_dict(weights, assign=True)
    return Model(folder, network.to(device).eval(), preprocessing, info)


def weights_hash(weights: Mapping[str, Tensor]) -> str:
    """SHA-256 over names, types, shapes and bytes of all tensors, in the order of their names."""
    digest = hashlib.sha256()
    for key in sorted(weights):
        tensor = weights[key].contiguous()
        digest.update(f"{key} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _build(info: Mapping[str, Any], folder: Path) -> tuple[VisionTransformer, Preprocessing]:
    """The network without memory behind its weights, and the preprocessing."""
    config = from_dict(ViTConfig, info["config"], folder)
    preprocessing = preprocessing_of(info, folder)
    if not (0 < config.dim <= _MAX_DIM and 0 < config.depth <= _MAX_DEPTH):
        raise FormatError(f"a network of {config.depth} layers of {config.dim}", where=folder / INFO, do=AGAIN)
    with torch.device("meta"):
        return VisionTransformer(config), preprocessing


def _read_weights(path: Path, network: VisionTransformer) -> dict[str, Tensor]:
    """Read the tensors, after comparing names and shapes with those the architecture has."""
    expected = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    try:
        with safe_open(path, framework="pt") as file:
            there = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118 (no mapping)
            if there != expected:
                odd = sorted(k for k in there.keys() | expected.keys() if there.get(k) != expected.get(k))
                raise FormatError(
                    f"the weights do not fit the network of model.json: {', '.join(odd[:5])}", where=path, do=AGAIN
                )
            return {key: file.get_tensor(key) for key in there}
    except SafetensorError as error:
        raise FormatError(f"model.safetensors is damaged: {error}", where=path, do=AGAIN) from error


def _write(path: Path, content: bytes) -> None:
    """Write under another name first, so that a file with its final name is whole."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.replace(path)
