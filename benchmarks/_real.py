"""The mixed real set: every plankton image of the shared data that can be read, in one shuffled list."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks._machine import shared_data

__all__ = ["MixedSet", "mixed_set", "png"]

_SUFFIXES = {".png", ".jpg", ".jpeg", ".tif", ".tiff"}


@dataclass(frozen=True)
class MixedSet:
    """Images in random order, and which camera each is from."""

    images: list[np.ndarray]
    cameras: list[str]

    def composition(self) -> list[str]:
        """Rows of a table in Markdown: what the set is made of."""
        rows = []
        for camera in dict.fromkeys(sorted(self.cameras)):
            mine = [image for image, name in zip(self.images, self.cameras, strict=True) if name == camera]
            kinds = " and ".join(sorted({"RGB" if image.ndim == 3 else "gray" for image in mine}))
            raw = sum(image.nbytes for image in mine)
            rows.append(f"| {camera} | {kinds} | {len(mine):,} | {raw / len(mine):,.0f} | {raw / 1e6:.1f} |")
        return rows


def mixed_set(limit: int | None = None) -> MixedSet | None:
    """Load the set, or None where there is no shared data.

    Args:
        limit: at most this many images, drawn from all (for a quick look).
    """
    pairs = [(camera, image) for camera, images in _cameras().items() for image in images]
    if not pairs:
        return None
    order = np.random.default_rng(0).permutation(len(pairs))[:limit]
    return MixedSet([pairs[i][1] for i in order], [pairs[i][0] for i in order])


def png(image: np.ndarray) -> bytes:
    """The image as Pillow writes it with its own settings."""
    out = io.BytesIO()
    Image.fromarray(image).save(out, "PNG")
    return out.getvalue()


def _cameras() -> dict[str, Iterator[np.ndarray]]:
    zips = {
        "ISIIS": "images/isiis_planktonset/isiis_planktonset.zip",
        "SPC": "images/spc_pwssc/spc_pwssc.zip",
        "FlowCam": "flowcam/visualspreadsheet/visualspreadsheet_rois.zip",
    }
    folders = {"UVP5": "images/uvp5_morphr/inst/extdata/plank", "IFCB": "ifcb", "EcoTaxa": "ecotaxa/qa_packages"}
    found = {name: _in_zip(path) for name, file in zips.items() if (path := shared_data(file))}
    found |= {name: _in_folder(path) for name, folder in folders.items() if (path := shared_data(folder))}
    if bins := shared_data("ifcb"):
        found["IFCB bins"] = _in_bins(bins)
    return found


def _in_zip(path: Path) -> Iterator[np.ndarray]:
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            if Path(name).suffix.lower() in _SUFFIXES and "__MACOSX" not in name:
                yield from _opened(archive.read(name))


def _in_folder(folder: Path) -> Iterator[np.ndarray]:
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in _SUFFIXES:
            yield from _opened(path.read_bytes())


def _in_bins(folder: Path) -> Iterator[np.ndarray]:
    """Regions of interest out of raw bins, by our own reader."""
    from aqqua.sources.ifcb import Ifcb

    for path in sorted({file.parent for file in folder.rglob("*.roi")}):
        for part in Ifcb().parts(path):
            for row in part.read().frame.to_dicts():
                if row["_reason"] is None:
                    yield part.picture(row).pixels


def _opened(data: bytes) -> Iterator[np.ndarray]:
    """The image, if it is one of 8 bits (some of the packages are broken on purpose)."""
    try:
        image = np.asarray(Image.open(io.BytesIO(data)))
    except OSError:
        return
    if image.dtype == np.uint8:
        yield image
