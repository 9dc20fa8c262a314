"""Other people's models in the same run: weights from a folder on this machine, or vectors they made elsewhere.

`hf:FOLDER` is a vision model as `transformers` saves it (and, where timm is installed, one of timm's saved so):
config.json, model.safetensors, preprocessor_config.json. `aqqua:FOLDER` is another model of aqqua. `vectors:FILE` is a
Parquet table with `uid`, `vector` and, where uids are not unique, `dataset` (uuid). Nothing is fetched, no code of a
model's folder is run, and nothing is unpickled.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aqqua.bench.labelled import Images, Seen
from aqqua.bench.vectors import Describer, Network
from aqqua.errors import ConfigError, FormatError, MissingExtraError, NotFoundError, UnknownNameError

__all__ = ["KINDS", "Peer", "open_peer"]

KINDS = ("hf", "aqqua", "vectors")
_BATCH = 32
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Peer:
    """Something to stand beside.

    Args:
        name: in the table.
        describer: what makes its vectors, or None if they are in a table.
        table: vectors made elsewhere.
    """

    name: str
    describer: Describer | None = None
    table: Path | None = None

    def read(self, images: Images) -> Floats:
        """The vectors of images from the table.

        Raises:
            FormatError: the table lacks columns or images.
        """
        assert self.table is not None
        return _from_table(self.table, images)


def open_peer(spec: str) -> Peer:
    """Open a peer given as KIND:PATH.

    Raises:
        ConfigError: it is not written so.
        UnknownNameError: there is no such kind.
        NotFoundError: there is nothing at the path.
        MissingExtraError: transformers is not installed.
    """
    kind, colon, rest = spec.partition(":")
    if not colon:
        raise ConfigError(f"{spec!r} names no peer", do="write --peer hf:FOLDER, aqqua:FOLDER or vectors:FILE")
    if kind not in KINDS:
        raise UnknownNameError("kind of peer", kind, KINDS)
    path = Path(rest)
    if not path.exists():
        raise NotFoundError(
            "there is no such peer", where=path, do="peers are not fetched: give a path of this machine"
        )
    if kind == "vectors":
        return Peer(path.stem, table=path)
    if kind == "aqqua":
        from aqqua.models.checkpoint import load

        model = load(path)
        key = f"model-{str(model.info['weights_sha256'])[:16]}-{model.preprocessing.hash}"
        return Peer(model.model_id, Network(model.network, model.preprocessing, key))
    return Peer(path.name, Transformers.load(path))


@dataclass(frozen=True)
class Transformers:
    """A vision model of `transformers`: the first token beside the mean of the others, or the mean over a map.

    Args:
        model: in evaluation mode.
        processor: its own image processor.
        key: names the weights.
    """

    model: Any
    processor: Any
    key: str

    @classmethod
    def load(cls, folder: Path) -> Transformers:
        """Load from a folder; weights must be safetensors."""
        if not (folder / "config.json").is_file() or not list(folder.glob("*.safetensors")):
            told = "this folder holds no model of transformers (config.json and *.safetensors)"
            raise NotFoundError(
                told, where=folder, do="save it there: model.save_pretrained, processor.save_pretrained"
            )
        auto_model, auto_processor = _auto_classes()
        try:
            model = auto_model.from_pretrained(folder, local_files_only=True, use_safetensors=True)
            processor = auto_processor.from_pretrained(folder, local_files_only=True, backend="pil")
        except (OSError, ValueError, ImportError, RuntimeError, KeyError) as error:
            raise FormatError(f"transformers cannot open this model: {error}"[:400], where=folder) from error
        return cls(model.eval(), processor, f"hf-{_digest(folder)}")

    def __call__(self, window: Sequence[Seen]) -> Floats:
        """(n, length)."""
        import torch

        found = []
        with torch.inference_mode():
            for first in range(0, len(window), _BATCH):
                pictures = [as_rgb(one.pixels) for one in window[first : first + _BATCH]]
                pixels = self.processor(pictures, return_tensors="pt")["pixel_values"]
                found.append(_pooled(self.model(pixel_values=pixels).last_hidden_state).float().numpy())
        return np.concatenate(found)


def _pooled(hidden: Any) -> Any:
    import torch

    if hidden.ndim == 4:
        return hidden.mean(dim=(2, 3))
    return torch.cat([hidden[:, 0], hidden[:, 1:].mean(dim=1)], dim=1)


def as_rgb(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Any image as three channels of 8 bits, as models of photographs want it: 16 bits by their upper eight."""
    small = (pixels >> 8).astype(np.uint8) if pixels.dtype == np.uint16 else pixels.astype(np.uint8)
    planes = small[..., None] if small.ndim == 2 else small
    if planes.shape[2] != 3:
        planes = np.repeat(planes.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
    return np.ascontiguousarray(planes)


def _auto_classes() -> tuple[Any, Any]:
    try:
        import transformers  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("this peer", "transformers", "bench") from error
    _mend_torchvision()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from transformers import AutoImageProcessor, AutoModel
    return AutoModel, AutoImageProcessor


def _mend_torchvision() -> None:
    """A torchvision built for another torch cannot be imported for want of two operators, and transformers with it.

    Neither is called by any image model; with their names declared, the import works.
    """
    import torch

    try:
        import torchvision  # noqa: F401
    except ImportError:
        return
    except RuntimeError:
        library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
        for name in ("nms", "qnms"):
            boxes = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
            library.define(name + boxes)  # type: ignore[no-untyped-call]
        _LIBRARIES.append(library)


_LIBRARIES: list[Any] = []
"""What is declared is forgotten with its object."""


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted([*folder.glob("*.json"), *folder.glob("*.safetensors")]):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]


def _from_table(path: Path, images: Images) -> Floats:
    try:
        frame = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise FormatError(f"the vectors cannot be read: {error}", where=path) from error
    do = "columns: uid, vector (a list of numbers), and dataset (uuid) where several datasets are given"
    if not {"uid", "vector"} <= set(frame.columns):
        raise FormatError("this table holds no vectors", where=path, do=do)
    uuids = pl.Series([ds.uuid for ds in images.datasets])
    mine = images.table.select(pl.col("uid").cast(pl.UInt64), dataset=uuids[images.table["dataset"].to_list()])
    on = ["uid", "dataset"] if "dataset" in frame.columns else ["uid"]
    told = frame.select(pl.col("uid").cast(pl.UInt64), *(pl.col(name) for name in on[1:]), "vector").unique(on)
    both = mine.join(told, on=on, how="left", maintain_order="left")
    if missing := both["vector"].null_count():
        raise FormatError(f"{missing:,} of {len(both):,} images have no vector in this table", where=path, do=do)
    vectors = np.array(both["vector"].to_list(), dtype=np.float32)
    if vectors.ndim != 2:
        raise FormatError("the vectors are not all of one length", where=path, do=do)
    return vectors
