"""EcoTaxa packages as EcoTaxa exports them: a backup of scanned net samples, a general export of flow images."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2
from pathlib import Path
from typing import Any

from aqqua.ocean.chance import named_rng
from aqqua.ocean.files import StillZip, make_card, table_text
from aqqua.ocean.flaws import FLAWS, Flaw, choose
from aqqua.ocean.sightings import Sighting, Written, hierarchy_of, label_of, pixel_measures, png_bytes
from aqqua.ocean.survey import Deployment

__all__ = ["PlanktoScopeExport", "ZooScanBackup"]

_TEXT_OBJECT = {
    "object_id", "object_link", "object_date", "object_time", "object_annotation_status",
    "object_annotation_person_name", "object_annotation_person_email", "object_annotation_date",
    "object_annotation_time", "object_annotation_category", "object_annotation_hierarchy",
}  # fmt: skip
_HEAD = (
    "img_file_name", "img_rank", "object_id", "object_lat", "object_lon", "object_date", "object_time",
    "object_link", "object_depth_min", "object_depth_max", "object_annotation_status",
    "object_annotation_person_name", "object_annotation_person_email", "object_annotation_date",
    "object_annotation_time", "object_annotation_category",
)  # fmt: skip
_NET_M3 = 6.0


def _types(columns: Sequence[str]) -> list[str]:
    """EcoTaxa's second line: [f] for numbers, [t] for text; acq, process and sample are text throughout."""
    number = [name == "img_rank" or (name.startswith("object_") and name not in _TEXT_OBJECT) for name in columns]
    return ["[f]" if is_number else "[t]" for is_number in number]


def _annotation(sighting: Sighting, date: str, time: str) -> dict[str, Any]:
    label, status = label_of(sighting)
    validated = status == "validated"
    return {
        "object_annotation_category": label or "",
        "object_annotation_status": status or "",
        "object_annotation_person_name": "aqqua.ocean" if validated else "",
        "object_annotation_person_email": "ocean@example.org" if validated else "",
        "object_annotation_date": date if label else "",
        "object_annotation_time": time if label else "",
    }


class ZooScanBackup:
    """Net samples on a flat-bed scanner, as an EcoTaxa backup export (`<sample>/ecotaxa_<sample>.tsv`).

    Args:
        folder: where the zip goes.
        seed: of the ocean.
        flawed: whether mistakes are made.
    """

    key = "zooscan"
    name = "ecotaxa_zooscan.zip"

    def __init__(self, folder: Path, seed: int, *, flawed: bool) -> None:
        self._zip = StillZip(folder / self.name)
        self._seed, self._flawed = seed, flawed
        self._tables: dict[str, list[dict[str, Any]]] = {}
        card = make_card(
            "Virtual ocean: net samples on the ZooScan",
            "Oblique hauls of a net with 200 µm mesh, scanned; exported from EcoTaxa as backup.",
            "ZooScan",
        )
        self._zip.add("card.yaml", card.dump().encode(), packed=True)

    def write(self, deployment: Deployment, sightings: Sequence[Sighting]) -> list[Written]:
        """Write the images of one visit, and keep its table for the end."""
        sample = f"{deployment.visit.name}_net".lower()
        shared = self._shared(deployment, sample)
        rows = self._tables.setdefault(sample, [])
        written = []
        for sighting in sightings:
            name = f"{sample}_1_{sighting.number}"
            self._zip.add(f"{sample}/{name}.png", png_bytes(sighting.picture.pixels))
            rows.append(self._row(sighting, name) | shared)
            label, status = label_of(sighting)
            written.append(Written(self.name, f"{sample}/{name}.png", name, None, label, status))
        return written

    def _row(self, sighting: Sighting, name: str) -> dict[str, Any]:
        visit, rig = sighting.deployment.visit, sighting.deployment.rig
        start = sighting.deployment.start_utc
        top, bottom = rig.range_m(visit)
        corner = named_rng(self._seed, "tray", sighting.key).integers(200, 13800, 2)
        row = {
            "img_file_name": f"{name}.png",
            "img_rank": 0,
            "object_id": name,
            "object_lat": visit.station.latitude,
            "object_lon": visit.station.longitude,
            "object_date": f"{start:%Y%m%d}",
            "object_time": f"{start:%H%M%S}",
            "object_link": "",
            "object_depth_min": top,
            "object_depth_max": bottom,
            "object_bx": int(corner[0]),
            "object_by": int(corner[1]),
        }
        row |= _annotation(sighting, "20240620", "101500")
        return row | {f"object_{key}": value for key, value in pixel_measures(sighting).items()}

    def _shared(self, deployment: Deployment, sample: str) -> dict[str, Any]:
        visit = deployment.visit
        volume_m3, parts = net_volume(deployment.volume_l(self.key))
        return {
            "sample_id": sample,
            "sample_dataportal_descriptor": "",
            "sample_program": "virtual_ocean",
            "sample_ship": "rv_aqqua",
            "sample_stationid": visit.station.name,
            "sample_bottomdepth": f"{visit.station.bottom_m:g}",
            "sample_net_type": "wp2",
            "sample_net_mesh": "200",
            "sample_net_surf": "0.25",
            "sample_zmin": f"{deployment.rig.range_m(visit)[0]:g}",
            "sample_zmax": f"{deployment.rig.range_m(visit)[1]:g}",
            "sample_tot_vol": f"{volume_m3:.6g}",
            "sample_comment": "no organism was harmed",
            "process_id": f"zooprocess_{sample}",
            "process_date": "20240601",
            "process_time": "090000",
            "process_img_resolution": "2400",
            "process_particle_version": "aqqua.ocean",
            "process_particle_pixel_size_mm": "0.0106",
            "process_particle_min_size_mm": "0.3",
            "acq_id": f"{sample}_d1",
            "acq_instrument": "zooscan",
            "acq_hardware": "hydroptic_v3",
            "acq_min_mesh": "200",
            "acq_max_mesh": "999999",
            "acq_sub_part": str(parts),
            "acq_sub_method": "motoda",
        }

    def close(self) -> list[Flaw]:
        """Write the tables."""
        flaws = _spoil(self, [row for rows in self._tables.values() for row in rows], self._seed, self._flawed)
        for sample, rows in self._tables.items():
            if rows:
                _add_table(self._zip, f"{sample}/ecotaxa_{sample}.tsv", list(rows[0]), rows)
        self._zip.close()
        return [
            Flaw(flaw.kind, flaw.source, flaw.object_id, f"{flaw.object_id.rsplit('_', 2)[0]}/{flaw.image_path}")
            for flaw in flaws
        ]


def net_volume(scanned_l: float) -> tuple[float, int]:
    """Water through the net in m³ and the parts it was split into, for a scanned part that stands for some litres."""
    parts = 2 ** max(0, round(log2(1000 * _NET_M3 / scanned_l)))
    return scanned_l * parts / 1000, parts


class PlanktoScopeExport:
    """Concentrated surface water in a PlanktoScope, as a general EcoTaxa export (one table, images in folders).

    Args:
        folder: where the zip goes.
        seed: of the ocean.
        flawed: whether mistakes are made.
    """

    key = "planktoscope"
    name = "ecotaxa_planktoscope.zip"
    _table = "ecotaxa_export__TSV_2024_20240701_0800"

    def __init__(self, folder: Path, seed: int, *, flawed: bool) -> None:
        self._zip = StillZip(folder / self.name)
        self._seed, self._flawed = seed, flawed
        self._rows: list[dict[str, Any]] = []
        card = make_card(
            "Virtual ocean: surface water in the PlanktoScope",
            "Water from 4 m, concentrated five times; bright-field colour images; general export of EcoTaxa.",
            "PlanktoScope",
        )
        self._zip.add("card.yaml", card.dump().encode(), packed=True)

    def write(self, deployment: Deployment, sightings: Sequence[Sighting]) -> list[Written]:
        """Write the images of one visit, and keep the rows."""
        shared = self._shared(deployment)
        written = []
        for sighting in sightings:
            name = f"{deployment.visit.name}_A_{sighting.number:04d}".lower()
            path = f"{self._table}/{name}.png"
            self._zip.add(path, png_bytes(sighting.picture.pixels))
            self._rows.append(self._row(sighting, name, path) | shared)
            label, status = label_of(sighting)
            written.append(Written(self.name, path, name, None, label, status))
        return written

    def _row(self, sighting: Sighting, name: str, path: str) -> dict[str, Any]:
        organism = sighting.organism
        station = organism.visit.station
        row = {
            "img_file_name": path,
            "img_rank": 0,
            "object_id": name,
            "object_lat": station.latitude,
            "object_lon": station.longitude,
            "object_date": f"{organism.time_utc:%Y-%m-%d}",
            "object_time": f"{organism.time_utc:%H:%M:%S}",
            "object_link": "",
            "object_depth_min": sighting.deployment.rig.top_m,
            "object_depth_max": sighting.deployment.rig.bottom_m,
        }
        row |= _annotation(sighting, "2024-06-21", "16:40:00")
        label = row["object_annotation_category"]
        row["object_annotation_hierarchy"] = hierarchy_of(str(label)) if label else ""
        return row | {f"object_{key}": value for key, value in pixel_measures(sighting).items()}

    def _shared(self, deployment: Deployment) -> dict[str, Any]:
        visit = deployment.visit
        concentrated_ml, total_l = 400.0, 2.0
        imaged_ml = deployment.volume_l(self.key) / total_l * concentrated_ml
        return {
            "sample_id": f"{visit.name}_intake",
            "sample_project": "Virtual ocean",
            "sample_ship": "RV aqqua",
            "sample_operator": "aqqua.ocean",
            "sample_sampling_gear": "intake",
            "sample_total_volume": f"{total_l:g}",
            "sample_concentrated_sample_volume": f"{concentrated_ml:g}",
            "sample_dilution_factor": "1",
            "process_id": f"{visit.name}_process",
            "process_pixel": "0.75",
            "process_source": "aqqua.ocean",
            "acq_id": f"{visit.name}_A",
            "acq_instrument": "PlanktoScope v2.6",
            "acq_instrument_id": "Virtual Vellamo",
            "acq_celltype": "300",
            "acq_minimum_mesh": "20",
            "acq_maximum_mesh": "300",
            "acq_volume": f"{imaged_ml * 4:.6g}",
            "acq_imaged_volume": f"{imaged_ml:.6g}",
        }

    def close(self) -> list[Flaw]:
        """Write the table."""
        flaws = _spoil(self, self._rows, self._seed, self._flawed)
        if self._rows:
            _add_table(self._zip, f"{self._table}.tsv", list(self._rows[0]), self._rows)
        self._zip.close()
        return flaws


def _add_table(zipped: StillZip, name: str, columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    order = [*(name for name in _HEAD if name in columns), *(name for name in columns if name not in _HEAD)]
    text = table_text(order, rows, delimiter="\t", quote_text=True, second=_types(order))
    zipped.add(name, text.encode("utf-8-sig"), packed=True)


def _spoil(
    writer: ZooScanBackup | PlanktoScopeExport, rows: Sequence[dict[str, Any]], seed: int, flawed: bool
) -> list[Flaw]:
    """Make the mistakes that belong into a table."""
    made = []
    for kind in FLAWS if flawed else ():
        unlucky = choose(kind, [row["object_id"] for row in rows], seed) if kind.instrument == writer.key else None
        for row in rows:
            if row["object_id"] == unlucky and kind.spoil:
                kind.spoil(row)
                made.append(Flaw(kind, writer.name, row["object_id"], row["img_file_name"]))
    return made
