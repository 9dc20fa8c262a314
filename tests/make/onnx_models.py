"""A model folder with ONNX files, written without torch: the graph says a few plain things about an image."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from aqqua.models.preprocess import Preprocessing

LENGTH = 3
FILES = {"onnx": "model.onnx", "onnx-int8": "model.int8.onnx"}


def plain_graph(scale: float = 1.0) -> bytes:
    """Mean signal, known size or 0, and number of channels, of each image: (n, 3)."""
    one = np.array([1], dtype=np.int64)
    nodes = [
        helper.make_node("Cast", ["signal"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["float", "scale"], ["scaled"]),
        helper.make_node("ReduceMean", ["scaled", "inner"], ["mean"], keepdims=0),
        helper.make_node("Unsqueeze", ["mean", "one"], ["looks"]),
        helper.make_node("Slice", ["sizes", "zero", "one", "one"], ["long"]),
        helper.make_node("IsNaN", ["long"], ["unknown"]),
        helper.make_node("Where", ["unknown", "nothing", "long"], ["size"]),
        helper.make_node("Shape", ["channels"], ["count"]),
        helper.make_node("Cast", ["count"], ["counted"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["size", "nothing"], ["zeros"]),
        helper.make_node("Add", ["zeros", "counted"], ["kinds"]),
        helper.make_node("Concat", ["looks", "size", "kinds"], ["vector"], axis=1),
    ]
    constants = {
        "scale": np.array(scale, dtype=np.float32),
        "inner": np.array([1, 2, 3], dtype=np.int64),
        "zero": np.array([0], dtype=np.int64),
        "one": one,
        "nothing": np.zeros((1, 1), dtype=np.float32),
    }
    inputs = [
        helper.make_tensor_value_info("signal", TensorProto.INT16, ["n", "c", "height", "width"]),
        helper.make_tensor_value_info("channels", TensorProto.INT64, ["c"]),
        helper.make_tensor_value_info("sizes", TensorProto.FLOAT, ["n", 3]),
    ]
    # Slices along axis 1 from 0 to 1: starts, ends and axes are all given by tensors of one number.
    output = helper.make_tensor_value_info("vector", TensorProto.FLOAT, ["n", LENGTH])
    tensors = [onnx.numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "plain", inputs, [output], tensors)
    opset = [helper.make_opsetid("", 20)]
    content: bytes = helper.make_model(graph, opset_imports=opset, ir_version=9).SerializeToString()
    return content


def write_plain_model(folder: Path, **changed: Any) -> Path:
    """Write model.json, onnx.json and both ONNX files; `changed` entries of onnx.json."""
    folder.mkdir(parents=True, exist_ok=True)
    preprocessing = Preprocessing(max_tokens=36)
    info = {
        "format": "aqqua model",
        "format_version": 1,
        "model_id": "plain-00c0ffee",
        "config": {},
        "preprocessing": asdict(preprocessing),
        "preprocessing_hash": preprocessing.hash,
        "weights_sha256": "00c0ffee" * 8,
        "vector_length": LENGTH,
        "data": [],
    }
    (folder / "model.json").write_text(json.dumps(info), encoding="utf-8")
    files = {}
    for number, (engine, name) in enumerate(FILES.items()):
        content = plain_graph(1 + number / 100)
        (folder / name).write_bytes(content)
        files[name] = {"engine": engine, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    same = {key: info[key] for key in ("model_id", "weights_sha256", "preprocessing_hash", "vector_length")}
    told = {"format": "aqqua onnx", "format_version": 1, **same, "files": files, **changed}
    (folder / "onnx.json").write_text(json.dumps(told), encoding="utf-8")
    return folder
