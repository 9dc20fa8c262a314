"""Raw IFCB bins: `.adc` (one line per trigger), `.hdr` (settings), `.roi` (pixels), named D20240409T090500_IFCB999.

IFCB files know neither position nor depth: these are in `bins.csv`, which the card names.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from aqqua.ocean.chance import named_rng
from aqqua.ocean.files import make_card, table_text
from aqqua.ocean.flaws import Flaw
from aqqua.ocean.sightings import Sighting, Written
from aqqua.ocean.survey import Deployment

__all__ = ["IfcbBins", "adc_line", "header_lines"]

_ML_PER_S = 0.25 / 60
_MOST_ML = 5.0
_BLIND_S = 0.0813
_CAMERA = (1360, 1024)
_ADC_COLUMNS = (
    "trigger#, ADCtime, PMTA, PMTB, PMTC, PMTD, PeakA, PeakB, PeakC, PeakD, TimeOfFlight, GrabTimeStart, GrabTimeEnd, "
    "RoiX, RoiY, RoiWidth, RoiHeight, StartByte, ComparatorOut, StartPoint, SignalLength, Status, RunTime, InhibitTime"
)


class IfcbBins:
    """A folder of bins.

    Args:
        folder: where it goes.
        seed: of the ocean.
        flawed: bins have no mistakes of their own; taken for all writers alike.
    """

    key = "ifcb"
    name = "ifcb"

    def __init__(self, folder: Path, seed: int, *, flawed: bool) -> None:
        del flawed
        self._folder = folder / self.name
        self._folder.mkdir(parents=True)
        self._seed = seed
        self._bins: list[dict[str, Any]] = []

    def write(self, deployment: Deployment, sightings: Sequence[Sighting]) -> list[Written]:
        """Share the organisms of one visit out among bins of at most 5 mL, and write these."""
        volume_ml = 1000 * deployment.volume_l(self.key)
        count = max(1, math.ceil(volume_ml / _MOST_ML))
        rng = named_rng(self._seed, "bins", deployment.visit.sample)
        where = [int(number) for number in rng.integers(count, size=len(sightings))]
        when = [float(share) for share in rng.random(len(sightings))]
        written: list[Written | None] = [None] * len(sightings)
        for number in range(count):
            members = sorted((i for i in range(len(sightings)) if where[i] == number), key=lambda i: when[i])
            start = deployment.start_utc + timedelta(minutes=25 * number)
            name = f"D{start:%Y%m%dT%H%M%S}_IFCB999"
            chosen = [(when[i], sightings[i]) for i in members]
            roi_numbers = self._bin(name, start, volume_ml / count, chosen)
            self._note(name, deployment, volume_ml / count)
            for i, roi in zip(members, roi_numbers, strict=True):
                written[i] = Written(self.name, f"{name}.roi", f"{name}_{roi:05d}", roi)
        return [one for one in written if one is not None]

    def _bin(
        self, name: str, start: datetime, volume_ml: float, sightings: Sequence[tuple[float, Sighting]]
    ) -> list[int]:
        """Write the three files of one bin; returns the line of the .adc file for each image."""
        rng = named_rng(self._seed, "bin", name)
        look_s = volume_ml / _ML_PER_S
        triggers = _triggers(rng, sightings)
        inhibit_s = _BLIND_S * len(triggers)
        lines, images, roi_numbers, at = [], [], [], 0
        for number, (share, sighting) in enumerate(triggers, 1):
            clock = 4.0 + share * (look_s + inhibit_s - 8.0)
            pixels = None if sighting is None else sighting.picture.pixels
            lines.append(_adc_line(rng, number, clock, sighting, at, clock - 0.02, _BLIND_S * number))
            if pixels is not None:
                images.append(np.ascontiguousarray(pixels).tobytes())
                roi_numbers.append(number)
                at += pixels.size
        (self._folder / f"{name}.adc").write_bytes("".join(f"{line}\r\n" for line in lines).encode())
        (self._folder / f"{name}.roi").write_bytes(b"".join(images))
        header = header_lines(rng, start, len(triggers), len(images), look_s + inhibit_s, inhibit_s)
        (self._folder / f"{name}.hdr").write_bytes("".join(f"{line}\r\n" for line in header).encode())
        return roi_numbers

    def _note(self, name: str, deployment: Deployment, volume_ml: float) -> None:
        station = deployment.visit.station
        self._bins.append(
            {
                "bin": name,
                "station": station.name,
                "latitude": station.latitude,
                "longitude": station.longitude,
                "depth_m": deployment.rig.top_m,
                "comment": f"intake, {volume_ml:.2f} mL looked at",
            }
        )

    def close(self) -> list[Flaw]:
        """Write the table of bins and the card."""
        columns = ["bin", "station", "latitude", "longitude", "depth_m", "comment"]
        (self._folder / "bins.csv").write_text(table_text(columns, self._bins), encoding="utf-8", newline="")
        card = make_card(
            "Virtual ocean: surface water in the Imaging FlowCytobot",
            "Raw bins; positions and depths are in bins.csv.",
            "IFCB",
            table=Path("bins.csv"),
        )
        card.save(self._folder / "card.yaml")
        return []


def _triggers(
    rng: np.random.Generator, sightings: Sequence[tuple[float, Sighting]]
) -> list[tuple[float, Sighting | None]]:
    """All triggers of a bin in time: those with an image, and some without (nothing was found in the frame)."""
    empty: list[tuple[float, Sighting | None]] = [
        (float(share), None) for share in rng.random(int(0.08 * len(sightings)) + 1)
    ]
    return sorted([*sightings, *empty], key=lambda trigger: trigger[0])


def _adc_line(
    rng: np.random.Generator, number: int, clock: float, sighting: Sighting | None, at: int, run: float, inhibit: float
) -> str:
    scatter, green, flight, box = 0.004, 0.02, 12.0, (0, 0, 0, 0)
    if sighting is not None:
        traits = sighting.organism.body.traits
        height, width = sighting.picture.pixels.shape[:2]
        scatter, flight = 2e-4 * traits.esd_um**1.5, 1.1 * traits.length_um
        green = 3e-5 * traits.esd_um**2
        x = 600 + 0.02 * rng.normal() * _CAMERA[0]
        box = (int(x), int(rng.integers(0, max(1, _CAMERA[1] - height))), width, height)
    noise = rng.lognormal(0, 0.3, 2)
    pmt = [scatter * noise[0], green * noise[1], 0.0453, 0.0475]
    peak = [min(3.55, 4 * pmt[0]), min(3.55, 5 * pmt[1]), 0.196, 0.1953]
    return adc_line(number, clock, (*pmt, *peak), flight, box, at if sighting else 0, run, inhibit)


def adc_line(
    number: int,
    clock: float,
    signals: Sequence[float],
    flight: float,
    box: tuple[int, int, int, int],
    at: int,
    run: float,
    inhibit: float,
) -> str:
    """A line of the .adc file.

    Args:
        number: of the trigger, from 1.
        clock: seconds since the start.
        signals: of the four photomultipliers, and their peaks.
        flight: time of flight, µs.
        box: x, y, width and height of the ROI in the frame.
        at: first byte of the ROI in the .roi file.
        run: seconds so far.
        inhibit: seconds of these in which the instrument was blind.
    """
    return ",".join(
        (
            str(number), f"{clock:.7f}", *[f"{value:.8f}" for value in signals], f"{flight:.6f}",
            f"{clock:.7f}", f"{clock + 0.0432:.7f}", *[str(value) for value in box], str(at),
            "0", "0", "0", "0", f"{run:.14f}", f"{inhibit:.14f}",
        )
    )  # fmt: skip


def header_lines(
    rng: np.random.Generator, start: datetime, triggers: int, rois: int, run_s: float, inhibit_s: float
) -> list[str]:
    """The .hdr file."""
    return [
        "SoftwareVersion: aqqua.ocean 1",
        f"sampleTime: {start:%Y-%m-%dT%H:%M:%SZ}",
        "sampleType: Normal",
        f"triggerCount: {triggers}",
        f"roiCount: {rois}",
        f"humidity: {rng.uniform(40, 60):.6f}",
        f"temperature: {rng.uniform(18, 26):.6f}",
        f"runTime: {run_s:.9f}",
        f"inhibitTime: {inhibit_s:.9f}",
        f"ADCFileFormat: {_ADC_COLUMNS}",
        "imagerID: 999",
        "SyringeSampleVolume: 5",
        "PMTAhighVoltage: 0.65",
        "PMTBhighVoltage: 0.55",
        "binarizeThreshold: 6",
        "blobXgrowAmount: 20",
        "minimumBlobArea: 2000",
        "FileComment: no organism was harmed",
    ]
