"""Folders of images with a table: as people keep what has no format of its own."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from aqqua.metadata.card import Card
from aqqua.ocean.files import make_card, table_text
from aqqua.ocean.flaws import FLAWS, Flaw, choose, cut_short
from aqqua.ocean.organisms import TAXA
from aqqua.ocean.sightings import Sighting, Written, label_of, png_bytes
from aqqua.ocean.survey import Deployment

__all__ = ["FluorescenceFolder", "ImageFolder", "IsiisFolder", "SpcFolders"]

Row = dict[str, Any]
_DESCRIPTION = 270  # TIFF 6.0, ImageDescription


class ImageFolder(ABC):
    """What the three folders share: files, table, card, mistakes.

    Args:
        folder: where it goes.
        seed: of the ocean.
        flawed: whether mistakes are made.
    """

    key = ""
    name = ""

    def __init__(self, folder: Path, seed: int, *, flawed: bool) -> None:
        self._folder = folder / self.name
        self._folder.mkdir(parents=True)
        self._seed, self._flawed = seed, flawed
        self._rows: list[Row] = []

    @abstractmethod
    def file_name(self, sighting: Sighting) -> str:
        """Path of an image within the folder."""

    @abstractmethod
    def row(self, sighting: Sighting, path: str) -> Row:
        """Line of the table."""

    @abstractmethod
    def card(self) -> Card:
        """The card of the source."""

    def image_bytes(self, sighting: Sighting) -> bytes:
        """The image as a file."""
        return png_bytes(sighting.picture.pixels)

    def label(self, sighting: Sighting) -> tuple[str | None, str | None]:
        """What it is called in this source, and how sure."""
        return label_of(sighting)

    def write(self, deployment: Deployment, sightings: Sequence[Sighting]) -> list[Written]:
        """Write the images of one visit, and keep the rows."""
        del deployment
        written = []
        for sighting in sightings:
            path = self.file_name(sighting)
            file = self._folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(self.image_bytes(sighting))
            self._rows.append(self.row(sighting, path))
            written.append(Written(self.name, path, Path(path).stem, None, *self.label(sighting)))
        return written

    def close(self) -> list[Flaw]:
        """Make the mistakes, write table and card."""
        made = self._spoil() if self._flawed else []
        columns = list(self._rows[0]) if self._rows else ["file"]
        (self._folder / "table.csv").write_text(table_text(columns, self._rows), encoding="utf-8", newline="")
        self.card().save(self._folder / "card.yaml")
        return made

    def _spoil(self) -> list[Flaw]:
        made: list[Flaw] = []
        for kind in FLAWS:
            taken = {flaw.image_path for flaw in made}
            files = [row["file"] for row in self._rows if row["file"] not in taken]
            unlucky = choose(kind, files, self._seed) if kind.instrument == self.key else None
            if unlucky is None:
                continue
            row = next(row for row in self._rows if row["file"] == unlucky)
            if kind.name == "corrupt_image":
                cut_short(self._folder / unlucky)
            elif kind.name == "not_in_table":
                self._rows.remove(row)
            elif kind.spoil:
                kind.spoil(row)
            made.append(Flaw(kind, self.name, Path(unlucky).stem, unlucky))
        return made


class IsiisFolder(ImageFolder):
    """Shadowgraph ROIs of a towed ISIIS, a folder per tow, position and depth per image in a table."""

    key = "isiis"
    name = "isiis_folder"

    def file_name(self, sighting: Sighting) -> str:
        """Tow and frame, as from the processing at sea."""
        return f"images/isiis_{sighting.deployment.visit.sample:03d}_{sighting.number:06d}.png"

    def row(self, sighting: Sighting, path: str) -> Row:
        """One line per image."""
        one = sighting.organism
        label, status = label_of(sighting)
        return {
            "file": path,
            "sample_id": f"{one.visit.name}_isiis",
            "latitude": f"{one.latitude:.5f}",
            "longitude": f"{one.longitude:.5f}",
            "depth_m": f"{one.depth_m:.2f}",
            "time_utc": f"{one.time_utc:%Y-%m-%dT%H:%M:%S}.{one.time_utc.microsecond // 100_000}Z",
            "volume_l": f"{sighting.deployment.volume_l(self.key):.6g}",
            "label": label,
            "label_status": status,
        }

    def card(self) -> Card:
        """Pixel size and instrument are said here, once for all."""
        return make_card(
            "Virtual ocean: ISIIS shadowgraphs",
            "ROIs of a towed line-scan shadowgraph camera; volume_l is the water imaged in the whole tow.",
            "ISIIS",
            defaults={"pixel_um": 68, "instrument": "ISIIS"},
        )


class SpcFolders(ImageFolder):
    """Dark-field colour ROIs in class folders, sorted by hand, with a table of where and when."""

    key = "spc"
    name = "spc_classes"

    def file_name(self, sighting: Sighting) -> str:
        """The folder is the class."""
        when = sighting.organism.time_utc
        folder = TAXA[sighting.organism.population.taxon].folder
        return f"{folder}/SPC-AQ24-{when:%Y%m%d%H%M%S}-{sighting.deployment.visit.sample:03d}-{sighting.number:05d}.png"

    def label(self, sighting: Sighting) -> tuple[str | None, str | None]:
        """The name of the folder."""
        return TAXA[sighting.organism.population.taxon].folder, None

    def row(self, sighting: Sighting, path: str) -> Row:
        """One line per image."""
        one = sighting.organism
        return {
            "file": path,
            "sample": f"{one.visit.name}_spc",
            "lat": f"{one.latitude:.5f}",
            "lon": f"{one.longitude:.5f}",
            "depth_m": f"{one.depth_m:.1f}",
            "date": f"{one.time_utc:%Y-%m-%d}",
            "time": f"{one.time_utc:%H:%M:%S}",
            "um_per_px": "7.4",
            "volume_l": f"{sighting.deployment.volume_l(self.key):.6g}",
            "instrument": "SPC",
        }

    def card(self) -> Card:
        """Nothing is missing in the table."""
        return make_card(
            "Virtual ocean: dark-field camera",
            "Colour ROIs of a dark-field camera before the mouth of the net, sorted into class folders.",
            "SPC",
        )


class FluorescenceFolder(ImageFolder):
    """Multi-channel microscopy: 16-bit TIFF, one page per channel, with a table."""

    key = "fluorescence"
    name = "fluorescence"

    def file_name(self, sighting: Sighting) -> str:
        """Well and object."""
        return f"images/{sighting.deployment.visit.name}_{sighting.number:04d}.tif"

    def image_bytes(self, sighting: Sighting) -> bytes:
        """Pages: bright field, chlorophyll, DNA."""
        return tiff_bytes(sighting.picture.pixels, sighting.device.channels)

    def row(self, sighting: Sighting, path: str) -> Row:
        """One line per object."""
        one = sighting.organism
        label, status = label_of(sighting)
        return {
            "file": path,
            "sample_id": f"{one.visit.name}_microscope",
            "latitude": one.visit.station.latitude,
            "longitude": one.visit.station.longitude,
            "depth_min_m": sighting.deployment.rig.top_m,
            "depth_max_m": sighting.deployment.rig.bottom_m,
            "time_utc": f"{one.time_utc:%Y-%m-%dT%H:%M:%SZ}",
            "pixel_um": sighting.device.pixel_um,
            "instrument": sighting.device.name,
            "channel_names": ",".join(sighting.device.channels),
            "volume_l": f"{sighting.deployment.volume_l(self.key):.6g}",
            "label": label,
            "label_status": status,
        }

    def card(self) -> Card:
        """Nothing is missing in the table."""
        return make_card(
            "Virtual ocean: fluorescence microscopy",
            "Three channels per object: bright field, chlorophyll, DNA stain; 16-bit TIFF with a page per channel.",
            "eHFCM",
        )


def tiff_bytes(pixels: npt.NDArray[Any], channels: Sequence[str]) -> bytes:
    """Channels (h, w, c) as the pages of one TIFF file, with a description as ImageJ writes it: pages are channels.

    Args:
        pixels: uint8 or uint16.
        channels: their names, in order.
    """
    file = io.BytesIO()
    count = pixels.shape[2]
    told = f"ImageJ=1.54f\nimages={count}\nchannels={count}\nmode=grayscale\nchannel_names={','.join(channels)}\n"
    pages = [Image.fromarray(np.ascontiguousarray(pixels[..., channel])) for channel in range(pixels.shape[2])]
    pages[0].save(file, "TIFF", save_all=True, append_images=pages[1:], tiffinfo={_DESCRIPTION: told})
    return file.getvalue()
