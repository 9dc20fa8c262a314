"""Files made to do harm: bombs, escapes, absurd sizes."""

from __future__ import annotations

import io
import json
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.fuzz.attack import attack
from tests.fuzz.targets import read_source
from tests.make import folders, frames, ifcb
from tests.make.images import as_file
from tests.make.packing import pack


def png(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


def zip_bomb(path: Path) -> None:
    """3 GB of zeros, as far as the directory says; 20 MB of them are there."""
    _zip_claiming(path, 20 << 20, 3 << 30)


def zip_lies(path: Path) -> None:
    """The directory says 10 bytes, the member has 50 MB."""
    _zip_claiming(path, 50 << 20, 10)


def _zip_claiming(path: Path, size: int, claimed: int) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("card.yaml", folders.CARD)
        archive.writestr("copepod/a.png", bytes(size))
    path.write_bytes(buffer.getvalue().replace(struct.pack("<I", size), struct.pack("<I", claimed)))


def zip_escape(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("../../escape.png", "/etc/escape.png", "..\\..\\escape.png", "a/../../escape.png", "C:\\x.png"):
            archive.writestr(name, as_file(np.zeros((4, 4), np.uint8)))


def zip_link(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("copepod/a.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")


def zip_overlapping(path: Path) -> None:
    """Ten thousand names for one member (a bomb without recursion)."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/0.png", bytes(1 << 20))
        info = archive.infolist()[0]
        for number in range(1, 10_000):
            twin = zipfile.ZipInfo(f"a/{number}.png")
            for name in ("compress_type", "CRC", "compress_size", "file_size", "header_offset"):
                setattr(twin, name, getattr(info, name))
            archive.filelist.append(twin)
            archive.NameToInfo[twin.filename] = twin


def zip_nested(path: Path) -> None:
    data = b"x"
    for _ in range(30):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("inner.zip", data)
        data = buffer.getvalue()
    path.write_bytes(data)


def huge_png(path: Path) -> None:
    pack(path, {"card.yaml": folders.CARD.encode(), "copepod/a.png": png(60_000, 60_000), "copepod/b.png": png(1, 1)})


def huge_tiff(path: Path) -> None:
    tiff = bytearray(as_file(np.zeros((8, 8), np.uint8), "TIFF"))
    at = tiff.find(struct.pack("<HHI", 256, 3, 1))
    at = at if at >= 0 else tiff.find(struct.pack("<HHI", 256, 4, 1))
    tiff[at + 2 : at + 12] = struct.pack("<HII", 4, 1, 4_000_000_000)
    pack(path, {"card.yaml": folders.CARD.encode(), "copepod/a.tif": bytes(tiff)})


def huge_roi(path: Path) -> None:
    files, _ = ifcb.bin_files()
    name = next(name for name in files if name.endswith(".adc"))
    lines = files[name].decode().splitlines()
    cells = [line.split(",") for line in lines]
    for line in cells:
        line[15:18] = ["60000", "60000", "0"]
    pack(path, files | {name: "\n".join(",".join(line) for line in cells).encode()})


def deep_json(path: Path) -> None:
    told = b'{"images": ' + b"[" * 100_000 + b"]" * 100_000 + b', "annotations": [], "categories": []}'
    pack(path, {"annotations/instances.json": told, "images/f1.png": as_file(np.zeros((4, 4), np.uint8))})


def huge_polygon(path: Path) -> None:
    frames.write_coco(path)
    told = path / "annotations" / "instances.json"
    loaded = json.loads(told.read_text())
    for one in loaded["annotations"]:
        one["segmentation"] = [[-1e308, 1e308, 1e308, 1e308, float("nan"), 0]]
        one["bbox"] = [-1e9, -1e9, 1e18, 1e18]
    for one in loaded["images"]:
        one["width"] = one["height"] = 10**12
        one["file_name"] = "../../../../etc/passwd"
    told.write_text(json.dumps(loaded))


def yaml_bomb(path: Path) -> None:
    levels = [f"{b}: &{b} [{','.join(['*' + a] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
    folders.write_classes(path, card="\n".join(["a: &a [x,x,x,x,x,x,x,x,x]", *levels, "checks: *i"]))


def ifdo_bomb(path: Path) -> None:
    levels = [f"{b}: &{b} [{','.join(['*' + a] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
    told = "\n".join(
        ["a: &a [x,x,x,x,x,x,x,x,x]", *levels, "image-set-header: {image-set-name: *i}", "image-set-items: {a.png: *i}"]
    )
    pack(path, {"set.ifdo.yaml": told.encode(), "a.png": as_file(np.zeros((4, 4), np.uint8))})


def yolo_bomb(path: Path) -> None:
    levels = [f"{b}: &{b} [{','.join(['*' + a] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
    told = "\n".join(["a: &a [x,x,x,x,x,x,x,x,x]", *levels, "names: *i"])
    pack(path, {**frames.files_of(frames.frames(), "images/"), **frames.yolo(), "data.yaml": told.encode()})


def npz_pickle(path: Path) -> None:
    path.mkdir()
    np.savez(path / "cells.npz", images=np.array([{"a": 1}, None], dtype=object))


def npy_huge(path: Path) -> None:
    path.mkdir()
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (1000000, 100000, 100000), }"
    header += b" " * (118 - len(header)) + b"\n"
    (path / "cells.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + b"\0" * 64)


def npz_huge(path: Path) -> None:
    npy_huge(path)
    data = (path / "cells.npy").read_bytes()
    (path / "cells.npy").unlink()
    with zipfile.ZipFile(path / "cells.npz", "w") as archive:
        archive.writestr("images.npy", data)


def hdf5_huge(path: Path) -> None:
    import h5py

    path.mkdir()
    with h5py.File(path / "cells.h5", "w") as file:
        file.create_dataset("images", (1_000_000, 50_000, 50_000), "u1", chunks=(1, 1000, 1000))


def hdf5_outside(path: Path) -> None:
    import h5py

    path.mkdir()
    with h5py.File(path / "cells.h5", "w") as file:
        file.create_dataset("images", (2, 8, 8), "u1", external=[("/etc/passwd", 0, 128)])
        file["more"] = h5py.ExternalLink("/etc/passwd", "/x")
        file["loop"] = h5py.SoftLink("/loop")


def long_line(path: Path) -> None:
    folders.write_classes(path)
    (path / "table.csv").write_text("file,lat\n" + "copepod/copepod_0.png," + "9" * 5_000_000 + "\n")


def many_columns(path: Path) -> None:
    folders.write_classes(path)
    names = [f"c{n}" for n in range(60_000)]
    (path / "table.csv").write_text(f"file,{','.join(names)}\ncopepod/copepod_0.png{',1' * len(names)}\n")


def link_out(path: Path) -> None:
    folders.write_classes(path)
    (path / "copepod" / "z.png").symlink_to("/etc/passwd")
    (path / "loop").symlink_to(path)


HARM: list[tuple[Callable[[Path], None], str]] = [
    *((made, "s.zip") for made in (zip_bomb, zip_lies, zip_escape, zip_link, zip_overlapping, zip_nested)),
    *((made, "source") for made in (huge_png, huge_tiff, huge_roi, deep_json, huge_polygon, yaml_bomb, ifdo_bomb)),
    *((made, "source") for made in (yolo_bomb, npz_pickle, npy_huge, npz_huge, hdf5_huge, hdf5_outside)),
    *((made, "source") for made in (long_line, many_columns, link_out)),
]


@pytest.mark.parametrize(("write", "name"), HARM, ids=[write.__name__ for write, _ in HARM])
def test_harm_is_refused_or_harmless(write: Callable[[Path], None], name: str, tmp_path: Path) -> None:
    folder = tmp_path / "inside"
    folder.mkdir()
    write(folder / name)
    attack(lambda: read_source(folder / name), folder)
    assert [path.name for path in tmp_path.iterdir()] == ["inside"]
