"""From file to dataset and back: every format, 8 and 16 bit, gray, colour and many channels – bit for bit."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from aqqua.metadata.card import Card
from aqqua.sources.ingest import ingest
from tests.make import stacks
from tests.make.images import as_file, random_image
from tests.make.packing import pack
from tests.make.pngs import png16
from tests.sources.asking import pixels_of

CARD = Card(defaults={"instrument": "ISIIS", "pixel_um": 68, "time_utc": "2014-06-01T12:00:00Z", "latitude": 25,
                      "longitude": -80, "depth_m": 3})  # fmt: skip


def tiff(pixels: np.ndarray, **options: Any) -> bytes:
    out = io.BytesIO()
    tifffile.imwrite(out, pixels, **options)
    return out.getvalue()


def many(pixels: np.ndarray) -> bytes:
    return tiff(pixels, photometric="minisblack", planarconfig="contig", metadata=None)


def files(seed: int) -> tuple[dict[str, bytes], dict[str, np.ndarray]]:
    """Image files of every kind, and what is in them, by object."""
    rng = np.random.default_rng(seed)

    def noise(channels: int = 1, dtype: str = "uint8") -> np.ndarray:
        return random_image(rng, channels=channels, dtype=dtype, side=30)

    truth = {
        "gray.png": noise(), "deep.png": noise(dtype="uint16"), "colour.png": noise(3), "gray.bmp": noise(),
        "colour.bmp": noise(3), "gray.tif": noise(), "deep.tif": noise(dtype="uint16"), "colour.tif": noise(3),
        "lzw.tif": noise(3), "gray.pgm": noise(), "gray.gif": noise(),
    }  # fmt: skip
    kinds = {".png": "PNG", ".bmp": "BMP", ".tif": "TIFF", ".pgm": "PPM", ".gif": "GIF"}
    made = {
        name: as_file(pixels, kinds[name[-4:]], **({"compression": "tiff_lzw"} if name == "lzw.tif" else {}))
        for name, pixels in truth.items()
    }
    for name, channels, dtype in (("two.tif", 2, "uint8"), ("five.tif", 5, "uint16"), ("twelve.tif", 12, "uint8")):
        truth[name] = noise(channels, dtype)
        made[name] = many(truth[name])
    truth |= {
        "deep_colour.png": noise(3, "uint16"),
        "deep_colour.tif": noise(3, "uint16"),
        "ome.tif": noise(4, "uint16"),
    }
    made["deep_colour.png"] = png16(truth["deep_colour.png"])
    made["deep_colour.tif"] = tiff(truth["deep_colour.tif"], photometric="rgb", metadata=None)
    made["ome.tif"] = tiff(np.moveaxis(truth["ome.tif"], -1, 0), ome=True, metadata={"axes": "CYX"})
    for name, channels in (("gray.jpg", 1), ("colour.jpg", 3)):
        made[name] = as_file(noise(channels), "JPEG")
        truth[name] = np.asarray(Image.open(io.BytesIO(made[name])))
    return made, truth


@pytest.mark.parametrize("seed", range(2))
def test_images_of_every_format(tmp_path: Path, seed: int) -> None:
    made, truth = files(seed)
    pack(tmp_path / "s", made)
    report = ingest([tmp_path / "s"], tmp_path / "data", card=CARD)
    assert report.rejected == 0, str(report)
    found = pixels_of(report.dataset)
    assert len(found) == len(truth)
    for name, pixels in truth.items():
        np.testing.assert_array_equal(found[name, 0], pixels, strict=True)


@pytest.mark.parametrize(
    ("kind", "channels", "dtype"),
    [(".h5", 1, "uint8"), (".npz", 1, "uint16"), (".npy", 3, "uint8"), (".h5", 7, "uint16"), (".npz", 3, "uint8")],
)
def test_stacks_of_every_kind(tmp_path: Path, kind: str, channels: int, dtype: str) -> None:
    images = stacks.stack(shape=(9, 11) if channels == 1 else (9, 11, channels), dtype=dtype)
    stacks.write(tmp_path / f"s{kind}", {"images": images})
    found = pixels_of(ingest([tmp_path / f"s{kind}"], tmp_path / "data", card=CARD).dataset)
    for number, pixels in enumerate(images, 1):
        np.testing.assert_array_equal(found[f"s_{number:06d}", 0], pixels, strict=True)
