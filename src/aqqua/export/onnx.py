"""A trained model for machines without torch: ONNX files, with everything prediction needs in one folder."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from aqqua.errors import ConfigError, MissingExtraError, StorageError
from aqqua.export import ExportReport
from aqqua.metadata.check import Finding
from aqqua.models.released import HEADS, HEADS_INFO, INFO, ONNX_FILES, ONNX_INFO, is_released
from aqqua.store.atomic import storage
from aqqua.store.dataset import Dataset

if TYPE_CHECKING:
    from aqqua.models.preprocess import Prepared, Preprocessing

__all__ = ["export_onnx"]

IMAGES = 512
"""Real images on which the engines are compared."""


def export_onnx(
    folder: Path | str,
    out: Path | str,
    *,
    uids: Sequence[int] | None = None,
    model: str | None = None,
    data: Sequence[Path | str] = (),
) -> ExportReport:
    """Write a model as ONNX, in 32 and in 8 bits; both are compared with torch before they are kept.

    Args:
        folder: of the model.
        out: the same folder, or another one: then model.json and the heads come with it, and the weights of torch
            stay behind.
        uids: not for models.
        model: not for models.
        data: datasets on whose images the engines are compared; drawn images, if there are none.

    Returns:
        The files, and how far their vectors are from those of torch.

    Raises:
        MissingExtraError: torch, onnx, onnxscript or onnxruntime is not installed.
        NotFoundError: there is no model.
        ConfigError: the network is too large for one file.
        StorageError: `out` holds something else, or is a release, which stays as it was published.
    """
    if uids is not None or model is not None:
        raise ConfigError("a model is exported as a whole", do="aqqua export MODEL --to onnx --out FOLDER")
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("the export to ONNX", "torch", "train") from error
    from aqqua.models.checkpoint import load
    from aqqua.models.to_onnx import write_onnx

    folder, out = Path(folder), Path(out)
    loaded = load(folder)
    _require_place(folder, out)
    with storage(out):
        out.mkdir(parents=True, exist_ok=True)
        if out.resolve() != folder.resolve():
            for name in (INFO, HEADS, HEADS_INFO):
                if (folder / name).is_file():
                    shutil.copyfile(folder / name, out / name)
        info = write_onnx(loaded, out, _images(data, loaded.preprocessing))
    notes = [_note(name, told, str(info["compared_on"]), out) for name, told in info["files"].items()]
    notes += [Finding("warning", "onnx", f"left out: {why}", str(out)) for why in info.get("left_out", {}).values()]
    names = (INFO, ONNX_INFO, *ONNX_FILES.values(), HEADS, HEADS_INFO)
    return ExportReport([out / name for name in names if (out / name).is_file()], 0, notes)


def _require_place(folder: Path, out: Path) -> None:
    if is_released(out):
        raise StorageError("a released model stays as it was published", where=out, do="give another folder: --out")
    if out.resolve() == folder.resolve():
        return
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise StorageError("the folder for the ONNX files is not empty", where=out, do="choose another one")


def _images(data: Sequence[Path | str], preprocessing: Preprocessing) -> list[Prepared]:
    """The first images of each shard, prepared."""
    found: list[Prepared] = []
    shards = [(ds, shard) for ds in map(Dataset.open, map(Path, data)) for shard in ds.shards]
    for ds, shard in shards:
        rows = ds.metadata(["pixel_um", "channel_names"]).filter(shard=shard.number).head(IMAGES)
        about = rows.select("pixel_um", "channel_names").iter_rows()
        images = islice(ds.iter_images(shard), -(-IMAGES // len(shards)))
        found += [preprocessing.prepare(pixels, *one) for (_, pixels), one in zip(images, about, strict=False)]
    return found


def _note(name: str, told: dict[str, float], images: str, out: Path) -> Finding:
    text = f"{name}, on {images}: cosine to the vectors of torch at least {told['least_cosine']:.6f}, "
    text += f"largest difference {told['largest_difference']:.1e}"
    return Finding("info", "onnx", text, where=str(out / name))
