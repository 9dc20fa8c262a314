"""Miniature ZooProcess scans: `.pid` file, processed scan, vignettes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.make.images import as_file
from tests.make.packing import pack

SCAN = "bongo_3_d2_1"
HEADER = r"""PID
[Image]
Scanning_date= 20250606_1823
Scanning_area= large
[Input]
RawFileName=C:\\Zooscan\\Zooscan_scan\\_raw\\bongo_3_d2_raw_1=.tif

[Info]
Hardware=  Hydroptic_V4
ImageType=  Zooscan
Resolution=  2400

[Sample]
Project= point b
SampleId= bongo_3
Date= 20150711-1255
Latitude= 43.4100000
Longitude= 7.1900000
Depth= 99999
Zmax= 60.0
Zmin= 0
Vol= 107.65

[Subsample]
SubPart= 8

C:\Zooscan\Zooscan_temp\ C:\\Zooscan
[Particules_Process]
Resolution=  2400
PixSize=   0.0106

[Data]
"""


@dataclass
class Scan:
    """What was written.

    Args:
        path: of the source.
        pixels: of each object, by its name, as cut out of the scan.
        vignettes: likewise, as ZooProcess saves them: with a margin.
    """

    path: Path
    pixels: dict[str, np.ndarray] = field(default_factory=dict)
    vignettes: dict[str, np.ndarray] = field(default_factory=dict)


def pid_bytes(
    rows: Sequence[Mapping[str, str]],
    header: str = HEADER,
    *,
    newline: str = "\r\n",
    encoding: str = "latin-1",
    delimiter: str = ";",
) -> bytes:
    """Write a `.pid` file, or a table of Plankton Identifier if there is no header."""
    names = list(rows[0]) if rows else ["Item", "Label", "Area", "BX", "BY", "Width", "Height"]
    lines = [delimiter.join(["!Item", *names[1:]])]
    lines += [delimiter.join(row[name] for name in names) for row in rows]
    return (header + "\n".join(lines) + "\n").replace("\n", newline).encode(encoding)


def objects(count: int = 4, seed: int = 0) -> tuple[list[dict[str, str]], np.ndarray, dict[str, np.ndarray]]:
    """Rows of the table, the scan, and what is in each box."""
    rng = np.random.default_rng(seed)
    sheet = rng.integers(0, 256, (60, 40 * count), np.uint8)
    rows, pixels = [], {}
    for item in range(1, count + 1):
        width, height = (int(side) for side in rng.integers(4, 30, 2))
        x, y = 40 * (item - 1) + 3, int(rng.integers(0, 20))
        box = {"BX": str(x), "BY": str(y), "Width": str(width), "Height": str(height)}
        rows.append({"Item": str(item), "Label": SCAN, "Area": f"{700.5 + item}", **box})
        pixels[f"{SCAN}_{item}"] = sheet[y : y + height, x : x + width]
    return rows, sheet, pixels


def write_scan(path: Path, *, scan: str = "", vignettes: str = ".jpg", folder: str = "", header: str = HEADER) -> Scan:
    """Write one scan.

    Args:
        path: a folder, or a zip.
        scan: ".tif" or ".zip": the processed scan is there too.
        vignettes: suffix of the vignettes; "" for none.
        folder: where the vignettes are, relative to the file.
        header: of the file.
    """
    rows, sheet, pixels = objects()
    made = Scan(path, pixels)
    files = {f"{SCAN}_dat1.pid": pid_bytes(rows, header)}
    for name, inside in pixels.items():
        made.vignettes[name] = np.pad(inside, 5, constant_values=255)
        if vignettes:
            kind = {".jpg": "JPEG", ".png": "PNG"}[vignettes.lower()]
            files[f"{folder}{name}{vignettes}"] = as_file(made.vignettes[name], kind)
    whole = as_file(sheet, "TIFF")
    if scan == ".zip":
        pack(path.with_name("inner.zip"), {f"{SCAN}_vis1.tif": whole})
        files[f"{SCAN}_vis1.zip"] = path.with_name("inner.zip").read_bytes()
    elif scan:
        files[f"{SCAN}_vis1{scan}"] = whole
    pack(path, files)
    return made
