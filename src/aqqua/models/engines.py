"""What computes the vectors of a model: torch, or onnxruntime where there is no torch.

| engine | needs | vectors |
|---|---|---|
| torch | aqqua[train] | float32, the reference |
| torch-bf16 | aqqua[train] | products with 16 bits; quick where the processor is made for it |
| onnx | aqqua[onnx] | float32, those of torch to the last bits |
| onnx-int8 | aqqua[onnx] | products with 8 bits, less than half of the file |

What is not exactly torch's float32 has a model id of its own, so that predictions never mix.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from aqqua.errors import MissingExtraError, NotFoundError, UnknownNameError
from aqqua.models.onnx import load_onnx
from aqqua.models.preprocess import Prepared, Preprocessing
from aqqua.models.released import ONNX_FILES as FILES
from aqqua.models.released import WEIGHTS

__all__ = ["ENGINES", "Describer", "choose_engine", "open_model"]

ENGINES = ("auto", "torch", "torch-bf16", "onnx", "onnx-int8")


class Describer(Protocol):
    """A model that turns prepared images into vectors, whatever computes them."""

    @property
    def folder(self) -> Path:
        """Where it lies."""

    @property
    def preprocessing(self) -> Preprocessing:
        """How pixels become what it sees."""

    @property
    def info(self) -> Mapping[str, Any]:
        """The content of model.json."""

    @property
    def model_id(self) -> str:
        """Names the weights and, if it is not torch, the engine."""

    @property
    def engine(self) -> str:
        """One of `ENGINES` but "auto"."""

    @property
    def engine_facts(self) -> dict[str, str]:
        """What predictions tell about the engine."""

    @property
    def vector_length(self) -> int:
        """Length of the vectors."""

    def describe(
        self, images: Sequence[Prepared], *, advance: Callable[[int], object] = lambda n: None
    ) -> NDArray[np.float32]:
        """Vectors (n, length) of prepared images, in their order."""


def open_model(folder: Path | str, engine: str = "auto") -> Describer:
    """Load a model folder with an engine.

    Args:
        folder: of the model.
        engine: one of `ENGINES`; "auto" is torch where torch and the weights are, else what was exported.

    Raises:
        UnknownNameError: there is no such engine.
        NotFoundError: there is no model, or none for this engine.
        MissingExtraError: the engine is not installed.
        FormatError: the model is damaged.
    """
    folder = Path(folder)
    chosen = choose_engine(folder, engine)
    if chosen in FILES:
        return load_onnx(folder, chosen)
    if not _installed("torch"):
        raise MissingExtraError("prediction", "torch", "train")
    import torch

    from aqqua.models.checkpoint import load

    device = "cuda" if torch.cuda.is_available() else "cpu"
    return replace(load(folder, device=device), bfloat16=chosen == "torch-bf16")


def choose_engine(folder: Path, engine: str = "auto") -> str:
    """The engine that "auto" means for a model folder on this machine; any other is itself.

    Raises:
        MissingExtraError: nothing is installed that could compute.
        NotFoundError: there is no model.
    """
    if engine not in ENGINES:
        raise UnknownNameError("engine", engine, ENGINES)
    if engine != "auto":
        return engine
    weights, exported = (folder / WEIGHTS).is_file(), [name for name in FILES if (folder / FILES[name]).is_file()]
    if weights and _installed("torch"):
        return "torch"
    if exported and _installed("onnxruntime"):
        return exported[0]
    if exported:
        raise MissingExtraError("prediction", "onnxruntime (or torch)", "onnx")
    if weights:
        raise MissingExtraError("prediction", "torch", "train")
    raise NotFoundError("there is no model in this folder", where=folder, do="make one with: aqqua train")


def _installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None
