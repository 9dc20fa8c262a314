"""Raw sources to measure on: real images where there are any, in the files instruments and databases write."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from benchmarks._machine import shared_data

__all__ = ["ecotaxa_zip", "ifcb_folder", "jpeg_folder", "real_isiis", "real_rois"]

CARD = """\
title: benchmark
licence: unknown
defaults: {latitude: 25.0, longitude: -79.8, time_utc: 2014-06-05T00:00:00Z, depth_min_m: 0, depth_max_m: 150}
"""
_FEATURES = 30
_BIN = 500
_ADC = (
    "trigger#, ADCtime, PMTA, PMTB, PMTC, PMTD, PeakA, PeakB, PeakC, PeakD, TimeOfFlight, GrabTimeStart, GrabTimeEnd, "
    "RoiX, RoiY, RoiWidth, RoiHeight, StartByte, ComparatorOut, StartPoint, SignalLength, Status, RunTime, InhibitTime"
)


def real_isiis(count: int) -> list[bytes]:
    """JPEG files of the real ISIIS set, from all classes alike."""
    archive = shared_data("images/isiis_planktonset/isiis_planktonset.zip")
    if archive is None:
        raise SystemExit("there are no real images (set AQQUA_SHARED_DATA)")
    with zipfile.ZipFile(archive) as files:
        names = sorted(name for name in files.namelist() if name.endswith(".jpg"))
        return [files.read(name) for name in names[:: max(1, len(names) // count)][:count]]


def real_rois(count: int) -> list[np.ndarray]:
    """ROIs of real IFCB bins, then their mirror images, again and again."""
    from aqqua.sources.ifcb import Ifcb

    folder = shared_data("ifcb")
    if folder is None:
        raise SystemExit("there are no real images (set AQQUA_SHARED_DATA)")
    found = []
    for part in Ifcb().parts(folder):
        usable = [row for row, reason in enumerate(part.table()["_reason"]) if reason is None]
        found += [pixels for pixels in part.images(usable) if isinstance(pixels, np.ndarray)]
    mirrored = [np.ascontiguousarray(image[::up, ::left]) for up in (1, -1) for left in (1, -1) for image in found]
    return list(islice(cycle(mirrored), count))


def jpeg_folder(folder: Path, files: Sequence[bytes]) -> Path:
    """JPEG files in 50 class folders, with a card."""
    for number, data in enumerate(files):
        path = folder / f"class_{number % 50:02}" / f"{number:06}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (folder / "card.yaml").write_text(CARD.replace("defaults: {", "defaults: {instrument: ISIIS, pixel_um: 68, "))
    return folder


def ecotaxa_zip(path: Path, files: Sequence[bytes]) -> Path:
    """A general export: one table of 60 columns, images beside it."""
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(path, "w") as archive:
        columns = {
            "img_file_name": "[t]", "img_rank": "[f]", "object_id": "[t]", "object_lat": "[f]", "object_lon": "[f]",
            "object_date": "[t]", "object_time": "[t]", "object_depth_min": "[f]", "object_depth_max": "[f]",
            "object_annotation_category": "[t]", "object_annotation_status": "[t]",
        }  # fmt: skip
        columns |= {f"object_feature_{number}": "[f]" for number in range(_FEATURES)}
        shared = {
            "sample_id": "s1", "sample_ship": "rv", "sample_stationid": "st1", "sample_net_type": "wp2",
            "sample_tot_vol": "120", "sample_comment": "none", "process_id": "p1", "process_date": "20240601",
            "process_pixel": "0.068", "process_software": "x", "acq_id": "a1", "acq_instrument": "isiis",
            "acq_hardware": "y", "acq_min_mesh": "200", "acq_max_mesh": "999999", "acq_sub_part": "1",
            "acq_sub_method": "none", "acq_pixel": "68", "acq_tag": "t",
        }  # fmt: skip
        lines = ["\t".join([*columns, *shared]), "\t".join([*columns.values(), *("[t]" for _ in shared)])]
        for number, data in enumerate(files):
            archive.writestr(f"{number:06}.png", data)
            own = [f"{number:06}.png", "0", f"o{number:06}", "25.01", "-79.82", "20140605", "101500", "5", "25"]
            own += [("Copepoda", "detritus", "Chaetognatha")[number % 3], "validated"]
            own += [f"{value:.4f}" for value in rng.lognormal(3, 1, _FEATURES)]
            lines.append("\t".join([*own, *shared.values()]))
        archive.writestr("ecotaxa_export.tsv", "\n".join(lines) + "\n", zipfile.ZIP_DEFLATED)
        card = CARD.replace("defaults: {", "defaults: {instrument: ISIIS, pixel_um: 68, ")
        archive.writestr("card.yaml", card)
    return path


def ifcb_folder(folder: Path, rois: Sequence[np.ndarray]) -> Path:
    """Bins of 500 ROIs, with a card."""
    folder.mkdir(parents=True)
    for number, first in enumerate(range(0, len(rois), _BIN)):
        name = f"D20240409T{number // 60:02}{number % 60:02}00_IFCB999"
        members = rois[first : first + _BIN]
        (folder / f"{name}.roi").write_bytes(b"".join(roi.tobytes() for roi in members))
        (folder / f"{name}.adc").write_text("".join(_adc_lines(members)))
        header = ["sampleTime: 2024-04-09T09:05:00Z", "runTime: 1200", "inhibitTime: 100", f"ADCFileFormat: {_ADC}"]
        (folder / f"{name}.hdr").write_text("\n".join(header) + "\n")
    (folder / "card.yaml").write_text(CARD)
    return folder


def _adc_lines(rois: Sequence[np.ndarray]) -> Iterator[str]:
    rng, at = np.random.default_rng(0), 0
    for number, roi in enumerate(rois, 1):
        height, width = roi.shape
        signals = ",".join(f"{value:.8f}" for value in rng.lognormal(-3, 1, 9))
        clock = 2.0 * number
        box = f"600,300,{width},{height},{at}"
        times = f"{clock:.7f},{clock + 0.04:.7f}"
        yield f"{number},{clock:.7f},{signals},{times},{box},0,0,0,0,{clock:.9f},{clock / 12:.9f}\n"
        at += roi.size
