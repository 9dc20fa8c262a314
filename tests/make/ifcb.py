"""Miniature IFCB bins of both generations."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tests.make.images import random_image

NEW_NAME, OLD_NAME = "D20220522T003051_IFCB134", "IFCB5_2012_028_081515"
NEW_HEADER = (
    "trigger#, ADCtime, PMTA, PMTB, PMTC, PMTD, PeakA, PeakB, PeakC, PeakD, TimeOfFlight, GrabTimeStart, GrabTimeEnd, "
    "RoiX, RoiY, RoiWidth, RoiHeight, StartByte, ComparatorOut, StartPoint, SignalLength, Status, RunTime, InhibitTime"
)
OLD_HDR = """"Imaging FlowCytobot Acquisition Software version 1.0; October 2005"
"Heidi M. Sosik and Robert J. Olson"
"Woods Hole Oceanographic Institution"
"SyringeStatus =  0"
"Temp Humidity BinarizeThresh PMT1hv(ssc) PMT2hv(chl) BlobSizeThresh"
" 11.4799732421875"," 32.167437512207"," 30"," .675"," .6"," 10"
"""


def bin_files(
    name: str = NEW_NAME, *, images: int = 4, blanks: Sequence[int] = (1,), seed: int = 0, header: str = ""
) -> tuple[dict[str, bytes], dict[str, np.ndarray]]:
    """The three files of a bin, and its pixels by object id.

    Args:
        blanks: triggers (from 0) that have no image.
        header: more lines for the .hdr file.
    """
    old = name.startswith("I")
    rng = np.random.default_rng(seed)
    lines: list[str] = []
    roi, pixels = bytearray(b"\0" if old else b""), {}
    for number in range(images + len(blanks)):
        image = np.zeros((0, 0), np.uint8) if number in blanks else random_image(rng)
        height, width = image.shape
        lines.append(_line(number, width, height, len(roi), old=old))
        roi += image.tobytes()
        if image.size:
            pixels[f"{name}_{number + 1:05d}"] = image
    hdr = OLD_HDR if old else f"runTime: 600.0\ninhibitTime: 1.5\nADCFileFormat: {NEW_HEADER}\n{header}"
    return {f"{name}.adc": "".join(lines).encode(), f"{name}.hdr": hdr.encode(), f"{name}.roi": bytes(roi)}, pixels


def write_bin(folder: Path, name: str = NEW_NAME, **options: object) -> dict[str, np.ndarray]:
    """Write a bin; returns its pixels by object id."""
    files, pixels = bin_files(name, **options)  # type: ignore[arg-type]
    folder.mkdir(parents=True, exist_ok=True)
    for file, data in files.items():
        (folder / file).write_bytes(data)
    return pixels


def _line(number: int, width: int, height: int, start: int, *, old: bool) -> str:
    clock = 10.0 * (number + 1)
    x, y = 100 * number, 50 * number
    if old:
        return f"{number + 1},{clock},0,0,0,0,0,{clock - 0.2},{clock - 0.1},{x},{y},{width},{height},{start},-.2,\r\n"
    return (
        f"{number + 1},{clock},.1,.2,.3,.4,.5,.6,.7,.8,54.3,{clock},{clock + 0.04},{x},{y},{width},{height},{start},"
        f"0,0,0,0,{clock + 0.02},{0.08 * number}\n"
    )


def overlapping_bin(folder: Path, name: str = OLD_NAME, seed: int = 0) -> np.ndarray:
    """A bin with two ROIs of one trigger that overlap, and a third apart; returns what the sensor saw.

    The first two together show columns 10 to 40 of rows 10 to 30.
    """
    sensor = np.random.default_rng(seed).integers(0, 256, (60, 80), np.uint8)
    boxes = [(1, 10, 10, 20, 20), (1, 25, 10, 15, 20), (2, 60, 40, 15, 10)]
    lines, roi = [], b""
    for trigger, x, y, width, height in boxes:
        line = _line(trigger - 1, width, height, len(roi), old=name.startswith("I"))
        place = f"{100 * (trigger - 1)},{50 * (trigger - 1)},{width},{height}"
        lines.append(line.replace(place, f"{x},{y},{width},{height}"))
        roi += sensor[y : y + height, x : x + width].tobytes()
    files, _ = bin_files(name, images=0, blanks=())
    folder.mkdir(parents=True, exist_ok=True)
    for file, data in (files | {f"{name}.adc": "".join(lines).encode(), f"{name}.roi": roi}).items():
        (folder / file).write_bytes(data)
    return sensor
