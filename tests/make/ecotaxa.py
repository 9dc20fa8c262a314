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
            "split" (tables at the root, images in folders that the file names include), "acquisition" and "taxon"
            (likewise, by acquisition or taxon; the folder of what has none is called None), "one" (one table, images
            in one folder), "doi" (images by taxon, called by internal id and rank).
        same_names: all images of an object had one name; EcoTaxa puts the later ones in a folder of their rank.
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
    same_names: bool = False


FLAVOURS = {
    "import": Flavour(),
    "general": Flavour("split", types=False, iso_dates=True, quoted=True),
    "general_types": Flavour("split", iso_dates=True, quoted=True),
    "backup": Flavour("sample", quoted=True),
    "internal_ids": Flavour("split", types=False, iso_dates=True, quoted=True, internal_ids=True),
    "doi": Flavour("doi", types=False, quoted=True),
    "one_table": Flavour("one", types=False, iso_dates=True, quoted=True),
    "by_acquisition": Flavour("acquisition", types=False, iso_dates=True, quoted=True),
    "by_taxon": Flavour("taxon", iso_dates=True, quoted=True),
    "same_names": Flavour("one", iso_dates=True, quoted=True, same_names=True),
    "same_names_backup": Flavour("sample", quoted=True, same_names=True),
    "legacy_tsv": Flavour("one", types=False, quoted=True),
    "legacy_bak": Flavour("one", quoted=True, newline="\r\n"),
    "legacy_latin_1": Flavour("root", "latin-1", quoted=True),
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
        name = row.get("img_file_name", "")
        folder, in_table = _place(flavour, row, _renamed(row, flavour))
        pixels = random_image(rng)
        package.pixels[row.get("object_id", ""), int(row.get("img_rank", "0") or 0)] = pixels
        if flavour.images and name:
            files[f"{folder}{in_table}"] = as_file(pixels)
        told = {**row, "img_file_name": in_table} if flavour.images else {**row, "img_file_name": ""}
        tables.setdefault(_table_name(flavour, row), []).append(_dressed(told, flavour))
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


def _renamed(row: dict[str, str], flavour: Flavour) -> str:
    """The name of an image, where all images of its object had the same."""
    name, rank = row.get("img_file_name", ""), row.get("img_rank", "0")
    if not flavour.same_names:
        return name
    return f"{row['object_id']}.png" if rank == "0" else f"{rank}/{row['object_id']}.png"


def _taxon(row: dict[str, str], missing: str) -> str:
    return row.get("object_annotation_category", "").partition("<")[0] or missing


def _place(flavour: Flavour, row: dict[str, str], name: str) -> tuple[str, str]:
    """Where an image is, seen from the root, and what the table calls it."""
    sample = row.get("sample_id", "sample")
    if flavour.layout == "doi":
        objid, rank = row["object_id"].rpartition("_")[2], row.get("img_rank", "0")
        return "", f"images/{_taxon(row, 'NoCategory')}__45074/{objid}_{rank}.png"
    return {
        "root": ("", name),
        "one": ("", f"export__TSV_42_20260101_1200/{name}"),
        "sample": (f"{sample}/", name),
        "split": ("", f"{sample}/{name}"),
        "acquisition": ("", f"{row.get('acq_id', 'None')}/{name}"),
        "taxon": ("", f"{_taxon(row, 'None')}/{name}"),
    }[flavour.layout]


def _table_name(flavour: Flavour, row: dict[str, str]) -> str:
    sample = row.get("sample_id", "sample")
    return {
        "root": "ecotaxa_export_42_20260101_1200.tsv",
        "one": "ecotaxa_export__TSV_42_20260101_1200.tsv",
        "sample": f"{sample}/ecotaxa_{sample}.tsv",
        "split": f"ecotaxa_{sample}.tsv",
        "acquisition": f"ecotaxa_{row.get('acq_id', 'None')}.tsv",
        "taxon": f"ecotaxa_{_taxon(row, 'None')}.tsv",
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


RECIPE = """[vignette]
; gamma of the correction, 1 = none
gamma=1.5
# black becomes white
invert=y
scalebarsize_mm=2.0
keeporiginal=y
fontcolor=black
fontheight_px=6
footerheight_px=31
scale=1
Pixel_Size=73
"""


def uvp6_sample(
    name: str, objects: int = 3, *, recipe: str = RECIPE, seed: int = 0
) -> tuple[dict[str, bytes], Package]:
    """A UVP6 sample as it is brought to EcoTaxa: originals in a folder, a table, and the recipe of the vignettes."""
    package = Package(Path(name))
    rng = np.random.default_rng(seed)
    lines, files = [], {"compute_vignette.txt": recipe.encode()} if recipe else {}
    for number in range(objects):
        one = f"20200205-111823_{name}_{number}"
        pixels = random_image(rng)
        package.pixels[one, 0] = pixels
        files[f"sub1/{one}.png"] = as_file(pixels)
        place = {
            "object_lat": "43°41 0",
            "object_lon": "7°19 0",
            "object_depth_min": "12.4",
            "object_depth_max": "12.4",
        }
        time = {"object_date": "20200205", "object_time": "111823", "img_rank": "1"}
        acq = {"acq_id": "uvp6_sn000008lp", "acq_instrument": "uvp6", "acq_pixel": "73", "acq_volimage": "0.652"}
        row = {"object_id": one, **place, **time, **acq, "img_file_name": f"sub1/{one}.png"}
        lines.append({**row, "sample_id": name, "process_id": name})
    files[f"ecotaxa_{name}.tsv"] = table_bytes(lines, Flavour(encoding="utf-8"))
    return files, package
