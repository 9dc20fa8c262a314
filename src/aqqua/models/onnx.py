"""A model without torch: NumPy prepares, onnxruntime computes; for ships, small machines and many-processor nodes.

`aqqua export MODEL --to onnx` writes beside model.json (or beside the weights, if the folder is the model's own):

    model.onnx        float32: the same vectors as torch, to the last bits
    model.int8.onnx   weights and activations of the products with 8 bits: less than half of the size
    onnx.json         of which weights these are, their SHA-256, and how far their vectors were from torch's

Everything is read as untrusted input: sizes bounded, hashes verified before onnxruntime sees a byte, and no file but
the one that is named is opened.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aqqua.errors import FormatError, MissingExtraError, NotFoundError, UnknownNameError
from aqqua.models.grids import batches, stacked
from aqqua.models.info import AGAIN, preprocessing_of, read_info
from aqqua.models.preprocess import Prepared, Preprocessing
from aqqua.models.released import ONNX_FILES as FILES
from aqqua.models.released import ONNX_INFO, read_json

__all__ = ["OnnxModel", "load_onnx"]

INPUTS, OUTPUT = ("signal", "channels", "sizes"), "vector"
MAX_BYTES = 2**31 - 1
"""What one ONNX file can hold."""
_SUFFIX = {"onnx": "onnx", "onnx-int8": "int8"}
_TOKENS = 2048


@dataclass(frozen=True)
class OnnxModel:
    """A trained network as onnxruntime sees it.

    Args:
        folder: where it lies.
        preprocessing: how pixels become what the network sees.
        info: the content of model.json.
        engine: "onnx" or "onnx-int8".
        sha256: of the ONNX file.
        session: of onnxruntime.
    """

    folder: Path
    preprocessing: Preprocessing
    info: Mapping[str, Any]
    engine: str
    sha256: str
    session: Any = field(repr=False)

    @property
    def model_id(self) -> str:
        """That of the weights, and what the engine made of them: "nano-1f0c33aa-int8"."""
        return f"{self.info['model_id']}-{_SUFFIX[self.engine]}"

    @property
    def vector_length(self) -> int:
        """Length of the vectors."""
        return int(self.info["vector_length"])

    @property
    def engine_facts(self) -> dict[str, str]:
        """What predictions tell about the engine."""
        from onnxruntime import __version__

        return {"engine": self.engine, "engine_version": f"onnxruntime {__version__}", "engine_sha256": self.sha256}

    def describe(
        self, images: Sequence[Prepared], *, advance: Callable[[int], object] = lambda n: None
    ) -> NDArray[np.float32]:
        """Vectors (n, length) of prepared images, in their order."""
        out = np.empty((len(images), self.vector_length), dtype=np.float32)
        for rows in batches(images, _TOKENS):
            (out[rows],) = self.session.run([OUTPUT], dict(zip(INPUTS, stacked(images, rows), strict=True)))
            advance(len(rows))
        return out


def load_onnx(folder: Path | str, engine: str = "onnx") -> OnnxModel:
    """Read the ONNX file of a model folder, and verify it.

    Args:
        folder: with model.json, onnx.json and the file; the weights of torch need not be there.
        engine: "onnx" or "onnx-int8".

    Raises:
        MissingExtraError: onnxruntime is not installed.
        NotFoundError: there is no model, or it has not been exported.
        FormatError: a file is damaged, of other weights, or not what its hash says.
    """
    folder = Path(folder)
    if engine not in FILES:
        raise UnknownNameError("ONNX engine", engine, FILES)
    info = read_info(folder)
    told = _told(folder, info, FILES[engine])
    content = _read(folder / FILES[engine], told)
    session = _session(content, folder / FILES[engine])
    names = [one.name for one in session.get_inputs()], [one.name for one in session.get_outputs()]
    if names != ([*INPUTS], [OUTPUT]) or session.get_outputs()[0].shape[-1] != info.get("vector_length"):
        raise FormatError("this ONNX file is no model of aqqua", where=folder / FILES[engine], do=_EXPORT)
    return OnnxModel(folder, preprocessing_of(info, folder), info, engine, str(told["sha256"]), session)


_EXPORT = "make it again where the model was trained: aqqua export MODEL --to onnx --out FOLDER"


def _told(folder: Path, info: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """What onnx.json says about a file, if it is of these weights."""
    if not (folder / ONNX_INFO).is_file() or not (folder / name).is_file():
        what = f"this model has no {name}"
        raise NotFoundError(what, where=folder, do="aqqua export MODEL --to onnx --out FOLDER")
    written = read_json(folder / ONNX_INFO)
    if written.get("format") != "aqqua onnx" or written.get("format_version") != 1:
        raise FormatError(f"{ONNX_INFO} is of another format", where=folder / ONNX_INFO, do="update aqqua")
    same = ("weights_sha256", "preprocessing_hash", "vector_length")
    if any(written.get(key) != info.get(key) for key in same):
        raise FormatError(f"{name} was made of other weights than model.json tells of", where=folder, do=_EXPORT)
    files = written.get("files")
    told = files.get(name) if isinstance(files, dict) else None
    if not isinstance(told, dict) or not isinstance(told.get("sha256"), str):
        raise FormatError(f"{ONNX_INFO} has no SHA-256 of {name}", where=folder / ONNX_INFO, do=AGAIN)
    return told


def _read(path: Path, told: Mapping[str, Any]) -> bytes:
    if path.stat().st_size > MAX_BYTES:
        raise FormatError(f"{path.name} is too large to be one", where=path, do=AGAIN)
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != told["sha256"]:
        raise FormatError(f"{path.name} is damaged, or was exchanged", where=path, do=AGAIN)
    return content


def _session(content: bytes, path: Path) -> Any:
    """As many threads as OMP_NUM_THREADS says (one in a pool of processes), and no memory kept for every shape."""
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtraError("prediction without torch", "onnxruntime", "onnx") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS") or 0)
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own classes have no common public one
        raise FormatError(f"onnxruntime cannot read {path.name}: {error}"[:300], where=path, do=_EXPORT) from error
