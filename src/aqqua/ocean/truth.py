"""The sealed truth: who was in the water, who was imaged, where each image is, which pixels are the organism.

truth/organisms.parquet       everybody in the water that was looked at, detected or not
truth/sightings.parquet       organism × instrument: detected or missed, file, mask, size in the image
truth/samples.parquet         visits: where, when
truth/acquisitions.parquet    instrument × visit: volume, depth, source
truth/parcels.parquet         water shared by instruments, in litres
truth/concentrations.parquet  mean concentration per population and rig
truth/profiles.parquet        temperature and chlorophyll
truth/flaws.parquet           mistakes made on purpose
truth/masks.zip               an 8-bit PNG per image: 0 water, 1 antennae, spines, tentacles, 2 body
truth/SEAL.json               SHA-256 of all of this and of the raw sources
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from aqqua.errors import FormatError, NotFoundError
from aqqua.ocean.files import StillZip, sha256_of
from aqqua.ocean.flaws import Flaw
from aqqua.ocean.organisms import TAXA
from aqqua.ocean.sightings import Sighting, Written, mask_measures, png_bytes
from aqqua.ocean.survey import RIGS, Deployment, Organism
from aqqua.ocean.world import POPULATIONS, Visit

__all__ = ["GENERATOR_VERSION", "TruthWriter", "seal", "verify_seal"]

GENERATOR_VERSION = "1"
"""Changes whenever the same seed gives another ocean."""

SEAL = "SEAL.json"


class TruthWriter:
    """Collects the truth while the sources are written.

    Args:
        folder: `truth/`, empty.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._masks = StillZip(folder / "masks.zip")
        self._tables: dict[str, list[dict[str, Any]]] = {
            name: []
            for name in (
                "organisms", "sightings", "samples", "acquisitions", "parcels", "concentrations", "profiles", "flaws",
            )
        }  # fmt: skip

    def visit(self, visit: Visit) -> None:
        """Record a visit, its profiles and all concentrations."""
        station = visit.station
        self._tables["samples"].append(
            {
                "sample_id": visit.name, "station": station.name, "latitude": station.latitude,
                "longitude": station.longitude, "bottom_m": station.bottom_m, "time_utc": visit.time_utc,
            }
        )  # fmt: skip
        depth = np.unique(np.concatenate([np.arange(0, 60, 5), np.arange(60, 201, 10), [visit.deepest_m]]))
        for level in depth[depth <= visit.deepest_m]:
            self._tables["profiles"].append(
                {
                    "sample_id": visit.name,
                    "depth_m": float(level),
                    "temperature_c": float(visit.temperature_c(float(level))),
                    "chlorophyll_mg_m3": float(visit.chlorophyll_mg_m3(float(level))),
                }
            )
        for rig in RIGS:
            top, bottom = rig.range_m(visit)
            for population in POPULATIONS:
                self._tables["concentrations"].append(
                    {
                        "sample_id": visit.name, "rig": rig.name, "population": population.name,
                        "taxon": population.taxon, "shortest_um": population.shortest_um,
                        "longest_um": population.longest_um, "depth_min_m": top, "depth_max_m": bottom,
                        "concentration_per_l": visit.mean_per_l(population, top, bottom),
                    }
                )  # fmt: skip

    def deployment(self, deployment: Deployment, sources: Mapping[str, str], images: Mapping[str, int]) -> None:
        """Record how much water which instrument looked at.

        Args:
            deployment: rig and visit.
            sources: instrument → name of its source.
            images: instrument → number of images.
        """
        visit, rig = deployment.visit, deployment.rig
        top, bottom = rig.range_m(visit)
        for key in rig.instruments:
            self._tables["acquisitions"].append(
                {
                    "sample_id": visit.name, "rig": rig.name, "instrument": key, "source": sources[key],
                    "volume_l": deployment.volume_l(key), "depth_min_m": top, "depth_max_m": bottom,
                    "start_utc": deployment.start_utc, "minutes": rig.minutes, "images": images[key],
                }
            )  # fmt: skip
        for parcel, volume in deployment.volumes_l.items():
            row = {"sample_id": visit.name, "rig": rig.name, "parcel": "+".join(parcel), "volume_l": volume}
            self._tables["parcels"].append(row)

    def organism(self, organism: Organism) -> None:
        """Record somebody in the water, and the instruments that missed it."""
        traits = organism.body.traits
        taxon = TAXA[organism.population.taxon]
        self._tables["organisms"].append(
            {
                "organism_id": organism.organism_id, "taxon": taxon.name, "hierarchy": taxon.hierarchy,
                "living": taxon.living, "population": organism.population.name, "sample_id": organism.visit.name,
                "parcel": "+".join(organism.parcel), "latitude": organism.latitude,
                "longitude": organism.longitude, "depth_m": organism.depth_m, "time_utc": organism.time_utc,
                "length_um": traits.length_um, "width_um": traits.width_um, "volume_um3": traits.volume_um3,
                "esd_um": traits.esd_um, "stage": traits.stage, "form": traits.form, "eggs": traits.eggs,
                "cells": traits.cells, "lipid_fraction": traits.lipid_fraction,
                "images": sum(organism.detected.values()),
            }
        )  # fmt: skip
        for key, detected in organism.detected.items():
            if not detected:
                self._tables["sightings"].append(_seen_by(organism, key) | {"detected": False})

    def sighting(self, sighting: Sighting, written: Written) -> None:
        """Record an image, and keep its mask."""
        picture, device = sighting.picture, sighting.device
        mask = f"{sighting.key}.png"
        self._masks.add(mask, png_bytes(picture.mask))
        height, width = picture.mask.shape
        self._tables["sightings"].append(
            _seen_by(sighting.organism, device.key)
            | {
                "detected": True, "sighting": sighting.key, "source": written.source,
                "image_path": written.image_path, "object_id": written.object_id,
                "roi_number": written.roi_number, "width": width, "height": height, "pixel_um": device.pixel_um,
                "yaw_deg": picture.pose.yaw_deg, "pitch_deg": picture.pose.pitch_deg,
                "roll_deg": picture.pose.roll_deg, "defocus": picture.defocus, "mask": mask,
                "label": written.label, "label_status": written.label_status,
            }
            | mask_measures(picture, device.pixel_um)
        )  # fmt: skip

    def flaws(self, flaws: Sequence[Flaw]) -> None:
        """Record the mistakes."""
        for flaw in flaws:
            self._tables["flaws"].append(
                {
                    "flaw": flaw.kind.name, "source": flaw.source, "object_id": flaw.object_id,
                    "image_path": flaw.image_path, "field": flaw.kind.field, "expected": flaw.kind.expected,
                    "told": flaw.kind.told,
                }
            )  # fmt: skip

    def close(self) -> None:
        """Write the tables."""
        self._masks.close()
        for name, rows in self._tables.items():
            _frame(name, rows).write_parquet(self._folder / f"{name}.parquet", compression="zstd", statistics=True)


def _seen_by(organism: Organism, key: str) -> dict[str, Any]:
    return {
        "organism_id": organism.organism_id,
        "instrument": key,
        "sample_id": organism.visit.name,
        "taxon": organism.population.taxon,
        "probability": organism.detection[key],
    }


_FLAW_COLUMNS = ("flaw", "source", "object_id", "image_path", "field", "expected", "told")
_MAYBE_EMPTY: dict[str, pl.DataType | type[pl.DataType]] = {
    "stage": pl.String, "form": pl.String, "cells": pl.Int64, "roi_number": pl.Int64, "label": pl.String,
    "label_status": pl.String,
}  # fmt: skip


def _frame(name: str, rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    if name == "flaws":
        return pl.DataFrame(rows, schema=dict.fromkeys(_FLAW_COLUMNS, pl.String))
    columns = list(dict.fromkeys(column for row in rows for column in row))
    full = [{column: row.get(column) for column in columns} for row in rows]
    frame = pl.DataFrame(full, infer_schema_length=None)
    return frame.with_columns(pl.col(c).cast(t) for c, t in _MAYBE_EMPTY.items() if c in frame.columns)


def seal(out: Path, sources: Sequence[Path], **facts: Any) -> Path:
    """Write `SEAL.json`: from now on every changed byte of truth or sources can be found.

    Args:
        out: the ocean's folder.
        sources: files and folders of the raw sources.
        facts: seed and other arguments, to make the ocean again.
    """
    truth = out / "truth"
    sealed = [path for path in _files(truth) if path.name != SEAL]
    sealed += [file for source in sources for file in _files(source)]
    content = {
        "generator": "aqqua.ocean",
        "generator_version": GENERATOR_VERSION,
        **facts,
        "sha256": {path.relative_to(out).as_posix(): sha256_of(path) for path in sealed},
    }
    part = truth / f"{SEAL}.part"
    part.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return part.rename(truth / SEAL)


def _files(source: Path) -> Iterator[Path]:
    return iter(sorted(p for p in source.rglob("*") if p.is_file())) if source.is_dir() else iter([source])


def verify_seal(out: Path) -> list[str]:
    """Compare an ocean with its seal.

    Args:
        out: the ocean's folder.

    Returns:
        What is wrong, a line each: changed, missing or added files; empty if all is as it was sealed.

    Raises:
        NotFoundError: there is no seal.
        FormatError: the seal is not one.
    """
    path = out / "truth" / SEAL
    if not path.is_file():
        raise NotFoundError("there is no sealed ocean here", where=out, do="write one: aqqua ocean OUT")
    try:
        sealed: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))["sha256"]
    except (ValueError, KeyError) as error:
        raise FormatError("the seal is damaged", where=path, do="write the ocean again") from error
    wrong = []
    for name, digest in sealed.items():
        if not (out / name).is_file():
            wrong.append(f"{name}: missing")
        elif sha256_of(out / name) != digest:
            wrong.append(f"{name}: changed")
    tops = {name.split("/")[0] for name in sealed}
    there = {file.relative_to(out).as_posix() for top in tops for file in _files(out / top) if (out / top).exists()}
    return wrong + [f"{name}: added" for name in sorted(there - sealed.keys() - {f"truth/{SEAL}"})]
