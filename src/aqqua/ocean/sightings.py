"""A sighting: one organism before one instrument. What was seen, what it was called, what is true about it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from aqqua.ocean.chance import named_rng
from aqqua.ocean.instruments import INSTRUMENTS, Instrument
from aqqua.ocean.organisms import TAXA
from aqqua.ocean.pictures import Picture, Portrait, take_picture
from aqqua.ocean.survey import Deployment, Organism

__all__ = ["Sighting", "Written", "label_of", "mask_measures", "pixel_measures", "png_bytes", "see"]

_PREDICTED, _UNLABELLED = 0.32, 0.12
_WRONG = 0.12
_CONFUSED = {
    "Calanoida": "Cyclopoida",
    "Cyclopoida": "Calanoida",
    "nauplii<Copepoda": "Cyclopoida",
    "Chaetognatha": "fiber<detritus",
    "Hydrozoa": "Radiolaria",
    "Appendicularia": "Chaetognatha",
    "Limacinidae": "fecal pellets",
    "Radiolaria": "Trichodesmium",
    "Ciliophora": "Dinophyceae",
    "Tintinnida": "Ciliophora",
    "Dinophyceae": "Ciliophora",
    "chain<Bacillariophyceae": "Trichodesmium",
    "Trichodesmium": "chain<Bacillariophyceae",
    "fecal pellets": "detritus",
    "detritus": "fecal pellets",
    "fiber<detritus": "Trichodesmium",
    "bubble": "Radiolaria",
}


@dataclass(frozen=True)
class Sighting:
    """One organism imaged by one instrument.

    Args:
        organism: who.
        device: by what.
        picture: the image, and its exact mask.
        deployment: when and with how much water.
        number: of the sighting within instrument and visit, from 1.
    """

    organism: Organism
    device: Instrument
    picture: Picture
    deployment: Deployment
    number: int

    @property
    def key(self) -> str:
        """Unique name."""
        return f"{self.device.key}-{self.deployment.visit.sample:03d}-{self.number:05d}"


@dataclass(frozen=True)
class Written:
    """Where a sighting stands in a raw source.

    Args:
        source: name of the source within the ocean's folder.
        image_path: within the source.
        object_id: as the source says it.
        roi_number: for IFCB, the line of the .adc file.
        label: taxon given by the source.
        label_status: "validated", "predicted" or None.
    """

    source: str
    image_path: str
    object_id: str
    roi_number: int | None = None
    label: str | None = None
    label_status: str | None = None


def see(organism: Organism, key: str, deployment: Deployment, number: int) -> Sighting:
    """Let an instrument take its picture of an organism."""
    rng = named_rng(deployment.visit.seed, "picture", key, organism.organism_id)
    device = INSTRUMENTS[key]
    return Sighting(organism, device, take_picture(organism.body, device, rng), deployment, number)


def label_of(sighting: Sighting) -> tuple[str | None, str | None]:
    """What somebody called it: validated is right, predicted is sometimes wrong, some are unlabelled.

    Returns:
        Label and status ("validated", "predicted"), or None, None.
    """
    taxon = sighting.organism.population.taxon
    visit = sighting.deployment.visit
    rng = named_rng(visit.seed, "label", sighting.device.key, sighting.organism.organism_id)
    draw, wrong = rng.random(), rng.random() < _WRONG
    if draw < _UNLABELLED:
        return None, None
    if draw < _UNLABELLED + _PREDICTED:
        return (_CONFUSED[taxon] if wrong else taxon), "predicted"
    return taxon, "validated"


def hierarchy_of(label: str) -> str:
    """The path of a label, as EcoTaxa exports it."""
    return TAXA[label].hierarchy


def png_bytes(pixels: npt.NDArray[Any]) -> bytes:
    """An image as PNG (8-bit gray or RGB, 16-bit gray)."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=2)
    return file.getvalue()


def mask_measures(picture: Picture | Portrait, pixel_um: float) -> dict[str, float | int | None]:
    """What the exact mask says about size: box, areas, circle of the same area, longest extent.

    Args:
        picture: with its mask.
        pixel_um: side of a pixel.
    """
    mask = picture.mask
    rows, columns = np.nonzero(mask)
    body = int((mask == 2).sum())
    if len(rows) == 0:
        return {"bbox_x": None, "bbox_y": None, "bbox_width": None, "bbox_height": None, "area_px": 0,
                "body_area_px": 0, "area_um2": 0.0, "ecd_um": 0.0, "feret_um": 0.0}  # fmt: skip
    return {
        "bbox_x": int(columns.min()),
        "bbox_y": int(rows.min()),
        "bbox_width": int(np.ptp(columns)) + 1,
        "bbox_height": int(np.ptp(rows)) + 1,
        "area_px": len(rows),
        "body_area_px": body,
        "area_um2": body * pixel_um**2,
        "ecd_um": float(np.sqrt(4 / np.pi * body) * pixel_um),
        "feret_um": longest_extent(mask == 2) * pixel_um,
    }


def longest_extent(mask: npt.NDArray[np.bool_]) -> float:
    """The longest distance between parallel tangents of a mask in pixels (maximum Feret diameter, to 0.2 %)."""
    rows = np.flatnonzero(mask.any(axis=1))
    if len(rows) == 0:
        return 0.0
    first, last = mask[rows].argmax(axis=1), mask.shape[1] - 1 - mask[rows, ::-1].argmax(axis=1)
    x, y = np.concatenate([first, last]), np.concatenate([rows, rows])
    angle = np.linspace(0, np.pi, 36, endpoint=False)
    along = np.outer(np.cos(angle), x) + np.outer(np.sin(angle), y)
    return float(np.ptp(along, axis=1).max()) + 1.0


def pixel_measures(sighting: Sighting) -> dict[str, float | int]:
    """What a processing software would measure: area, gray levels, box, extent."""
    pixels, mask = sighting.picture.pixels, sighting.picture.mask
    gray = pixels if pixels.ndim == 2 else pixels.mean(axis=2)
    inside = gray[mask > 0] if (mask > 0).any() else gray.ravel()
    rows, columns = np.nonzero(mask) if (mask > 0).any() else np.indices(gray.shape).reshape(2, -1)
    return {
        "area": int((mask > 0).sum()),
        "mean": round(float(inside.mean()), 3),
        "stddev": round(float(inside.std()), 3),
        "min": int(inside.min()),
        "max": int(inside.max()),
        "width": int(np.ptp(columns)) + 1,
        "height": int(np.ptp(rows)) + 1,
        "feret": round(longest_extent(mask > 0), 2),
        "esd": round(float(np.sqrt(4 / np.pi * max(1, int((mask > 0).sum())))), 3),
    }
