"""Miniature EcoTaxa packages in every flavour that EcoTaxa writes or reads (see the flavours at the end)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.make.images import as_file, random_image
from tests.make.packing import pack


@dataclass(frozen=True)
class Flavour:
    """How a package is written.

    Args:
        layout: "root" (images beside the table), "sample" (a folder per sample: backup, import),
            "split" (tables at the root, images in folders that the file names include), "doi" (images by taxon).
    """

    layout: str = "sample"
    encoding: str = "utf-8-sig"
    types: bool = True
    iso_dates: bool = False
    comma: bool = False
    quoted: bool = False
    newline: str = "\n"
    images: bool = True
    internal_ids: bool = False


FLAVOURS = {
    "import": Flavour(),
    "general": Flavour("split", types=False, iso_dates=True, quoted=True),
    "general_types": Flavour("split", iso_dates=True, quoted=True),
    "backup": Flavour("sample", quoted=True),
    "internal_ids": Flavour("split", types=False, iso_dates=True, quoted=True, internal_ids=True),
    "doi": Flavour("doi", types=False, quoted=True),
    "legacy_comma": Flavour("root", "latin-1", types=False, comma=True, quoted=True),
    "no_bom": Flavour("root", "utf-8"),
    "windows": Flavour("root", "utf-16", newline="\r\n"),
    "old_mac": Flavour("root", "latin-1", newline="\r"),
}


@dataclass
class Package:
    """What was written: the path, and the pixels by object and rank."""

    path: Path
    pixels: dict[tuple[str, int], np.ndarray] = field(default_factory=dict)


def rows(objects: int = 6, samples: int = 2, ranks: int = 2) -> list[dict[str, str]]:
    """Rows with complete metadata: every third object has several images."""
    made = []
    for number in range(objects):
        sample = f"sample_{number % samples}"
        for rank in range(ranks if number % 3 == 0 else 1):
            made.append(
                {
                    "object_id": f"{sample}_{number}",
                    "object_lat": f"{10.5 + number}",
                    "object_lon": "-24.25",
                    "object_date": "20140420",
                    "object_time": "042000",
                    "object_depth_min": "300.0",
                    "object_depth_max": "600.0",
                    "object_annotation_status": "validated",
                    "object_annotation_category": "Copepoda<Multicrustacea",
                    "object_comment": "µm, ° and é",
                    "object_area": f"{100.5 + number}",
                    "img_file_name": f"{sample}_{number}_{rank}.png",
                    "img_rank": str(rank),
                    "sample_id": sample,
                    "sample_tot_vol": "12.5",
                    "acq_id": f"acq_{sample}",
                    "acq_instrument": "zooscan",
                    "acq_sub_part": "4",
                    "process_id": f"process_{sample}",
                    "process_particle_pixel_size_mm": "0.0106",
                }
            )
    return made


def write_package(path: Path, flavour: Flavour, table: list[dict[str, str]] | None = None, seed: int = 0) -> Package:
    """Write a package; each row's image is noise of its own."""
    rng = np.random.default_rng(seed)
    table = rows() if table is None else table
    package, files = Package(path), {}
    tables: dict[str, list[dict[str, str]]] = {}
    for row in table:
        sample, name = row.get("sample_id", "sample"), row.get("img_file_name", "")
        folder, in_table = _place(flavour, sample, name)
        pixels = random_image(rng)
        package.pixels[row.get("object_id", ""), int(row.get("img_rank", "0") or 0)] = pixels
        if flavour.images and name:
            files[f"{folder}{in_table}"] = as_file(pixels)
        told = {**row, "img_file_name": in_table} if flavour.images else {**row, "img_file_name": ""}
        tables.setdefault(_table_name(flavour, sample), []).append(_dressed(told, flavour))
    files |= {name: table_bytes(lines, flavour) for name, lines in tables.items()}
    pack(path, files)
    return package


def table_bytes(lines: list[dict[str, str]], flavour: Flavour) -> bytes:
    """Write one table."""
    header = list(dict.fromkeys(column for line in lines for column in line))
    texts = {"object_area", "object_lat", "object_lon", "object_depth_min", "object_depth_max", "img_rank"}
    out = ["\t".join(_quote(column, flavour) for column in header)]
    if flavour.types:
        out.append("\t".join(_quote("[f]" if column in texts else "[t]", flavour) for column in header))
    for line in lines:
        out.append("\t".join(_quote(line.get(column, ""), flavour, column in texts) for column in header))
    return (flavour.newline.join(out) + flavour.newline).encode(flavour.encoding)


def _place(flavour: Flavour, sample: str, name: str) -> tuple[str, str]:
    return {
        "root": ("", name),
        "sample": (f"{sample}/", name),
        "split": ("", f"{sample}/{name}"),
        "doi": ("", f"images/Copepoda__45074/{name}"),
    }[flavour.layout]


def _table_name(flavour: Flavour, sample: str) -> str:
    return {
        "root": "ecotaxa_export_42_20260101_1200.tsv",
        "sample": f"{sample}/ecotaxa_{sample}.tsv",
        "split": f"ecotaxa_{sample}.tsv",
        "doi": "ecotaxa_export_42_20260101_1200.tsv",
    }[flavour.layout]


def _dressed(row: dict[str, str], flavour: Flavour) -> dict[str, str]:
    row = dict(row)
    if flavour.iso_dates and len(row.get("object_date", "")) == 8:
        day, time = row["object_date"], row["object_time"]
        row["object_date"] = f"{day[:4]}-{day[4:6]}-{day[6:]}"
        row["object_time"] = f"{time[:2]}:{time[2:4]}:{time[4:]}"
    if flavour.comma:
        numbers = ("object_lat", "object_lon", "object_depth_min", "object_depth_max", "object_area")
        row |= {name: row[name].replace(".", ",") for name in numbers if name in row}
    if flavour.internal_ids:
        row |= {"objid": "4200000001", "classif_id": "45074", "sample_lat": "10.5"}
    return row


def _quote(text: str, flavour: Flavour, number: bool = False) -> str:
    return f'"{text}"' if flavour.quoted and not number else text
