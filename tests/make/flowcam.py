"""Miniature FlowCam runs as VisualSpreadsheet writes them: list, collages, masks, context, summaries, classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.make.images import as_file
from tests.make.packing import pack

COLUMNS = (
    *("id", "image_x", "image_y", "image_w", "image_h", "src_x", "src_y", "src_image", "cal_const", "raw_area"),
    *("abd_area", "timestamp", "collage_file", "image_id"),
)
EXPORT = {
    "id": "Particle ID",
    "image_x": "Image X",
    "image_y": "Image Y",
    "image_w": "Image Width",
    "image_h": "Image Height",
    "cal_const": "Calibration Factor",
    "timestamp": "Timestamp",
    "collage_file": "Image File",
    "image_id": "Original Reference ID",
}
CONTEXT = """[Software]
SoftwareName=VisualSpreadsheet
SoftwareVersion=4.19.3
CameraMagnification=10
SerialNo=6789
[General]
LocationLatitude= 54.33
LocationLongitude= 10.15
RunStartTime=2024-04-08 08:14:01
[Fluid]
FlowCellDepth=100
UseDilutionCalculation=0
SampleDilution=1
FluidVolumeImaged_ml=0.0000
CalibrationConstant=0.5544
[CaptureRegion]
AcceptableLeft=1
AcceptableRight=1278
AcceptableTop=1
AcceptableBottom=958
[CaptureStats]
RawImageTotal=532
VolumeCF=0.8679
IncludesVolumeCF=1
"""
RUN_SUMMARY = """Run:
\tMode:  AutoImage
\tFluid Volume Imaged: 0.0174 ml

Date/Time:
\tStart:  2024-04-08 10:14:01
"""
SUMMARY = "Count,3\nSample Volume Imaged ml,0.01737\n\nSummary Stats,Mean,Min\nArea (ABD),7.93,1.00\n"


@dataclass
class Particles:
    """What a run is made of.

    Args:
        rows: lines of the list.
        files: images by name.
        pixels: of each particle, by id.
        masks: likewise, 0 and 1.
    """

    rows: list[dict[str, str]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    pixels: dict[str, np.ndarray] = field(default_factory=dict)
    masks: dict[str, np.ndarray] = field(default_factory=dict)


def particles(
    name: str = "run", *, sheets: int = 2, each: int = 3, colour: bool = True, dtype: str = "uint8", seed: int = 0
) -> Particles:
    """Particles in a row on each of some collages, with a mask for each collage."""
    rng = np.random.default_rng(seed)
    made = Particles()
    for sheet in range(1, sheets + 1):
        shape = (30, 20 * each + 5, 3) if colour else (30, 20 * each + 5)
        collage = rng.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)
        mask = np.where(rng.random(shape[:2]) < 0.3, 255, 0).astype(np.uint8)
        for place in range(each):
            number = str(len(made.rows) + 1)
            width, height = (int(side) for side in rng.integers(3, 18, 2))
            x, y = 20 * place + 2, int(rng.integers(0, 12))
            box = np.s_[y : y + height, x : x + width]
            made.pixels[number], made.masks[number] = collage[box].copy(), (mask[box] > 0).astype(np.uint8)
            made.rows.append(_row(number, (x, y, width, height), f"{name}_{sheet:06d}.tif"))
        options = {"compression": "tiff_lzw"} if dtype == "uint8" else {}
        made.files[f"{name}_{sheet:06d}.tif"] = as_file(collage, "TIFF", **options)
        made.files[f"{name}_{sheet:06d}_bin.tif"] = as_file(mask, "TIFF", compression="tiff_lzw")
    return made


def _row(number: str, box: tuple[int, int, int, int], sheet: str) -> dict[str, str]:
    x, y, width, height = (str(side) for side in box)
    return {
        "id": number,
        "image_x": x,
        "image_y": y,
        "image_w": width,
        "image_h": height,
        "src_x": "801",
        "src_y": "210",
        "src_image": "32",
        "cal_const": "0.5544",
        "raw_area": "27.0000",
        "abd_area": "2.0747",
        "timestamp": f"2024-04-08T10:14:{10 + int(number) % 50:02d}.131",
        "collage_file": sheet,
        "image_id": f"F59D2663-D450-4397-8E14-{int(number):012X}",
    }


def list_bytes(rows: Sequence[Mapping[str, str]], *, newline: str = "\n", encoding: str = "utf-8") -> bytes:
    """Write a `.lst` file."""
    head = ["017", f"num-fields|{len(COLUMNS)}", *(f"{name}|double" for name in COLUMNS)]
    lines = ["|".join(row[name] for name in COLUMNS) for row in rows]
    return newline.join([*head, *lines, ""]).encode(encoding)


def export_bytes(rows: Sequence[Mapping[str, str]]) -> bytes:
    """Write the `.csv` that VisualSpreadsheet exports."""
    lines = [",".join([*EXPORT.values(), "Area (ABD)"])]
    lines += [",".join([*(row[name] for name in EXPORT), row["abd_area"]]) for row in rows]
    return ("\n".join(lines) + "\n").encode()


def class_bytes(classes: Mapping[str, Sequence[str]], *, filtered: Sequence[str] = ()) -> bytes:
    """Write a `.cla` file with one classification."""
    lines = ["v3", "1", "template", str(len(classes))]
    for name, members in classes.items():
        filters = [r"C:\Users\FlowCam\one.flt"] if name in filtered else []
        lines += [name, "OR", str(len(filters)), *filters, str(len(members)), *members]
    return "\n".join(lines).encode()


def write_run(path: Path, name: str = "run", **options: object) -> Particles:
    """Write a whole run, as a folder or a zip."""
    made = particles(name, **options)  # type: ignore[arg-type]
    beside = {
        f"{name}.lst": list_bytes(made.rows),
        f"{name}.ctx": CONTEXT.encode(),
        f"{name}_run_summary.txt": RUN_SUMMARY.encode(),
        f"{name}_summary.csv": SUMMARY.encode(),
        "cal_image_000001.tif": as_file(np.zeros((9, 9), np.uint8), "TIFF"),
    }
    pack(path, {**made.files, **beside})
    return made
