"""From a checkpoint to ONNX files that need no torch: written, then compared with torch before they get their names.

The network's own `describe` is exported as one graph, whitening and size waves with it; the number of images, channels,
rows and columns stays open, and the rotations of the places are computed within it.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from aqqua import __version__
from aqqua.errors import AqquaError, ConfigError, MissingExtraError
from aqqua.models.checkpoint import Model
from aqqua.models.describe import describe
from aqqua.models.onnx import INPUTS, MAX_BYTES, OUTPUT, load_onnx
from aqqua.models.preprocess import CHANNEL_TYPES, UNIT, Prepared, Preprocessing
from aqqua.models.released import INFO, ONNX_INFO
from aqqua.models.released import ONNX_FILES as FILES
from aqqua.models.vit import PATCH, VisionTransformer, ViTConfig

__all__ = ["sample_images", "write_onnx"]

OPSET = 20
LEAST_COSINE = {"onnx": 0.9999, "onnx-int8": 0.95}
"""Mean cosine to the vectors of torch; what is farther is not written."""


class _Described(nn.Module):
    """What the graph is of: from the signal as it is prepared to the vector as it is kept."""

    def __init__(self, network: VisionTransformer) -> None:
        super().__init__()
        self.network = network

    def forward(self, signal: Tensor, channels: Tensor, sizes: Tensor) -> Tensor:
        return self.network.describe(signal.float() / UNIT, channels, sizes)


def write_onnx(model: Model, out: Path, images: Sequence[Prepared] = ()) -> dict[str, Any]:
    """Write model.onnx, model.int8.onnx and onnx.json.

    Args:
        model: a loaded model, on the CPU.
        out: folder that is there, with the model's model.json.
        images: real ones to compare the engines on; drawn ones, if there are none.

    Returns:
        The content of onnx.json.

    Raises:
        MissingExtraError: onnx, onnxscript or onnxruntime is not installed.
        ConfigError: the network is too large for one ONNX file.
        AqquaError: the vectors are not those of torch.
    """
    _require()
    if 4 * sum(value.numel() for value in model.network.state_dict().values()) > MAX_BYTES // 2:
        raise ConfigError("this network is too large for one ONNX file", where=model.folder, do="use --engine torch")
    chosen = list(images) or sample_images(model.preprocessing)
    wanted = describe(model.network, chosen)
    info: dict[str, Any] = {
        "format": "aqqua onnx",
        "format_version": 1,
        **{key: model.info[key] for key in ("model_id", "weights_sha256", "preprocessing_hash", "vector_length")},
        "opset": OPSET,
        "software": _software(),
        "compared_on": f"{len(chosen)} {'images' if images else 'drawn images'}",
    }
    with tempfile.TemporaryDirectory(dir=out, prefix=".onnx-") as name:
        part = Path(name)
        (part / INFO).write_bytes((out / INFO).read_bytes())
        _export(model.network, part / FILES["onnx"])
        _quantise(part / FILES["onnx"], part / FILES["onnx-int8"], model.network.config)
        info["files"] = {file: _entry(part / file, engine) for engine, file in FILES.items()}
        _write_json(part / ONNX_INFO, info)
        for engine, file in FILES.items():
            info["files"][file] |= _compared(load_onnx(part, engine).describe(chosen), wanted)
        _refuse(info, out)
        _write_json(part / ONNX_INFO, info)
        for file in (*info["files"], ONNX_INFO):
            (part / file).replace(out / file)
    return info


def sample_images(preprocessing: Preprocessing, n: int = 64) -> list[Prepared]:
    """Blobs on noise in many sizes and channels, for comparisons where no real images are at hand."""
    rng = np.random.default_rng(0)
    return [preprocessing.prepare(_blob(i, rng), (10.0, None)[i % 5 == 4]) for i in range(n)]


def _blob(number: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    height, width = (int(side) for side in np.exp(rng.uniform(np.log(8), np.log(250), 2)))
    y, x = np.mgrid[:height, :width]
    blob = 150 * np.exp(-4 * ((2 * y / height - 1) ** 2 + (2 * x / width - 1) ** 2))
    channels = (1, 1, 3, 2)[number % 4]
    image = 200 - blob[..., None] * rng.uniform(0.3, 1, channels) + rng.normal(0, 6, (height, width, channels))
    pixels: NDArray[np.uint8] = np.clip(image, 0, 255).astype(np.uint8)
    return pixels[..., 0] if channels == 1 else pixels


def _require() -> None:
    for module in ("onnx", "onnxscript", "onnxruntime"):
        try:
            __import__(module)
        except ImportError as error:
            raise MissingExtraError("the export to ONNX", module, "onnx-export") from error


def _export(network: VisionTransformer, path: Path) -> None:
    """One graph, open in images, channels, rows and columns; the example's differ, lest one be taken for another."""
    images, kinds, rows, columns = 5, 2, 3, 7
    signal = torch.zeros(images, kinds, PATCH * rows, PATCH * columns, dtype=torch.int16)
    size = torch.zeros(images, 3)
    n, c, r, k = (torch.export.Dim(name) for name in ("images", "kinds", "rows", "columns"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter about itself
        program = torch.onnx.export(
            _Described(network).eval(),
            (signal, torch.arange(kinds) % len(CHANNEL_TYPES), size),
            dynamo=True,
            dynamic_shapes=({0: n, 1: c, 2: PATCH * r, 3: PATCH * k}, {0: c}, {0: n}),
            input_names=INPUTS,
            output_names=(OUTPUT,),
            opset_version=OPSET,
            verbose=False,
        )
        if program is None:
            raise AqquaError("torch wrote no ONNX program", where=path)
        program.save(path, external_data=False)


def _quantise(path: Path, out: Path, config: ViTConfig) -> None:
    """Give the products of the blocks 8 bits: weights for good, activations as they come.

    Convolutions, measures and whitening stay as they are: the first would be slower, the last blows up what is rounded.

    Args:
        path: of the float32 graph.
        out: file to write.
        config: shape of the network.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.shape_inference import quant_pre_process

    ready = path.with_suffix(".ready")
    quant_pre_process(path, ready, skip_symbolic_shape=True)
    graph = onnx.load(ready).graph
    shape = {one.name: tuple(one.dims) for one in graph.initializer}
    dim, hidden = config.dim, int(config.dim * config.mlp_ratio)
    blocks = {(dim, 3 * dim), (dim, dim), (dim, hidden), (hidden, dim)}
    chosen = [n.name for n in graph.node if n.op_type == "MatMul" and shape.get(n.input[1]) in blocks]
    if len(chosen) < 4 * config.depth:
        raise AqquaError(f"only {len(chosen)} products of the {config.depth} blocks are in the graph", where=path)
    quantize_dynamic(
        ready,
        out,
        op_types_to_quantize=["MatMul"],
        nodes_to_quantize=chosen,
        per_channel=True,
        weight_type=QuantType.QInt8,
    )
    ready.unlink()


def _compared(found: NDArray[np.float32], wanted: NDArray[np.float32]) -> dict[str, float]:
    """How far the vectors are from torch's."""
    cosine = (found * wanted).sum(axis=1)
    return {
        "largest_difference": round(float(np.abs(found - wanted).max()), 9),
        "least_cosine": round(float(cosine.min()), 6),
        "mean_cosine": round(float(cosine.mean()), 6),
    }


def _refuse(info: dict[str, Any], out: Path) -> None:
    """Leave out 8 bits that are too far from torch, as with a network that knows little; 32 bits must be near."""
    for engine, file in FILES.items():
        told = info["files"][file]
        if told["mean_cosine"] >= LEAST_COSINE[engine]:
            continue
        what = f"the vectors of {file} differ by {told['largest_difference']:.2g} from those of torch"
        what += f" (mean cosine {told['mean_cosine']:.4f})"
        if engine == "onnx":
            raise AqquaError(what, where=out, do="use --engine torch, and tell us about this model")
        info["files"].pop(file)
        info["left_out"] = {file: what}
        (out / file).unlink(missing_ok=True)


def _entry(path: Path, engine: str) -> dict[str, Any]:
    content = path.read_bytes()
    return {"engine": engine, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _software() -> dict[str, str]:
    import onnx
    import onnxruntime

    versions = {"torch": torch.__version__, "onnx": onnx.__version__, "onnxruntime": onnxruntime.__version__}
    return {"aqqua": __version__, **{name: str(version) for name, version in versions.items()}}


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")
