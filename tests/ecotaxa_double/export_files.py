"""What is in the zip of an export: tables with byte order mark and quoted text, images beside or below them."""

from __future__ import annotations

import csv
import io
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.ecotaxa_double.state import World
from tests.ecotaxa_double.tables import Obj, Picture, Project
from tests.ecotaxa_double.taxa import lineage

__all__ = ["Style", "write_zip"]

_WORDS = {"P": "predicted", "V": "validated", "D": "dubious", "X": "discarded", None: ""}
_NUMBERS = {
    "object_lat",
    "object_lon",
    "object_date",
    "object_time",
    "object_depth_min",
    "object_depth_max",
    "img_rank",
}
Part = list[tuple[Obj, Picture | None]]


@dataclass(frozen=True)
class Style:
    """How an export is written.

    Args:
        flavour: TSV, BAK or DOI.
        images: none, first or all.
        split: a table and folder per sample, acquisition or taxon.
        types: with a line of types.
        ids: with ids of the database.
        annotations: nothing but who said what.
    """

    flavour: str
    images: str
    split: str = "none"
    types: bool = False
    ids: bool = False
    annotations: bool = False


def write_zip(world: World, project: Project, style: Style, stem: str, more: dict[str, bytes]) -> tuple[bytes, int]:
    """The zip, and how many lines its tables have."""
    folders: dict[str, Part] = defaultdict(list)
    for obj in world.objects_of(project.projid):
        every = style.images == "all" or style.flavour == "BAK"
        pictures: list[Picture | None] = [*obj.pictures] if every else [obj.visible]
        folders[_folder(world, obj, style.split)] += [(obj, picture) for picture in pictures]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for folder, part in folders.items():
            inside = folder or stem
            names = _image_names(world, style, inside, part)
            table = f"{folder}/ecotaxa_{folder}.tsv" if style.flavour == "BAK" else f"ecotaxa_{inside}.tsv"
            file.writestr(table, _table(world, project, style, part, names))
            base = f"{folder}/" if style.flavour == "BAK" else ""
            for _, picture in part:
                if picture and style.images != "none":
                    file.writestr(base + names[picture.imgid], picture.data)
        for name, data in more.items():
            file.writestr(name, data)
    return out.getvalue(), sum(map(len, folders.values()))


def _folder(world: World, obj: Obj, split: str) -> str:
    taxon = obj.now.taxon
    names = {
        "sample": obj.acquisition.sample.orig_id,
        "acquisition": obj.acquisition.orig_id,
        "taxon": "None" if taxon is None else world.taxa[taxon].name,
    }
    return names.get(split, "")


def _image_names(world: World, style: Style, inside: str, part: Part) -> dict[int, str]:
    """Names as the table has them; where two images of a folder have the same, the rank comes before."""
    names: dict[int, str] = {}
    for obj, picture in part:
        if picture is None:
            continue
        name = picture.orig_file_name if style.flavour == "BAK" else f"{inside}/{picture.orig_file_name}"
        if style.flavour == "DOI":
            taxon = world.taxa.get(obj.now.taxon or 0)
            folder = f"{taxon.name}__{taxon.id}" if taxon else "NoCategory"
            name = f"images/{folder}/{obj.id}_{picture.rank}.{picture.file_name.rpartition('.')[2]}"
        if name in names.values():
            head, slash, tail = name.rpartition("/")
            name = f"{head}{slash}{picture.rank}/{tail}"
        names[picture.imgid] = name
    return names


def _table(world: World, project: Project, style: Style, part: Part, names: dict[int, str]) -> bytes:
    """Text stands in quotes, what is missing is an empty text."""
    rows = [
        dict(_annotation(world, obj) if style.annotations else _row(world, project, style, obj, picture, names))
        for obj, picture in part
    ]
    out = io.StringIO()
    writer = csv.writer(out, delimiter="\t", quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(list(rows[0]))
    if style.types:
        free = {f"object_{name}" for name, code in project.columns["obj_field"].items() if code[0] == "n"}
        writer.writerow(["[f]" if name in _NUMBERS | free else "[t]" for name in rows[0]])
    writer.writerows([["" if value is None else value for value in row.values()] for row in rows])
    return out.getvalue().encode("utf-8-sig")


Cells = Iterator[tuple[str, Any]]


def _annotation(world: World, obj: Obj) -> Cells:
    """Object, and who said what."""
    now = obj.now
    who, taxon = world.people.get(now.who or 0), world.taxa.get(now.taxon or 0)
    yield "object_id", obj.orig_id
    yield "object_annotation_status", _WORDS[now.qual]
    yield "object_annotation_person_name", who and who.name
    yield "object_annotation_person_email", who and who.email
    yield "object_annotation_date", now.when and now.when.strftime("%Y%m%d")
    yield "object_annotation_time", now.when and now.when.strftime("%H%M%S")
    yield "object_annotation_category", taxon and taxon.name
    yield "object_annotation_category_id", now.taxon


def _row(
    world: World, project: Project, style: Style, obj: Obj, picture: Picture | None, names: dict[int, str]
) -> Cells:
    """A line; a backup writes dates as an import wants them and ids of taxa, the others their lineage."""
    header, acquisition, columns = obj.header, obj.acquisition, project.columns
    compact = str.maketrans("", "", "-:") if style.flavour == "BAK" else {}
    annotation = dict(_annotation(world, obj))
    yield "object_id", annotation.pop("object_id")
    yield "object_lat", header["latitude"]
    yield "object_lon", header["longitude"]
    yield "object_date", str(header["objdate"] or "").translate(compact)
    yield "object_time", str(header["objtime"] or "").translate(compact)
    yield "object_link", header["object_link"]
    yield "object_depth_min", header["depth_min"]
    yield "object_depth_max", header["depth_max"]
    if style.flavour != "BAK":
        taxon = world.taxa.get(annotation.pop("object_annotation_category_id") or 0)
        lines = taxon and ">".join(node.name for node in reversed(lineage(world.taxa, taxon)))
        annotation["object_annotation_hierarchy"] = lines
    yield from annotation.items()
    if not style.types:
        yield "complement_info", header["complement_info"]
    yield from ((f"object_{name}", obj.free.get(name)) for name in columns["obj_field"])
    yield "sample_id", acquisition.sample.orig_id
    yield from ((f"sample_{name}", acquisition.sample.free.get(name)) for name in columns["samples"])
    yield "process_id", acquisition.process_orig_id
    yield from ((f"process_{name}", acquisition.process_free.get(name)) for name in columns["process"])
    yield "acq_id", acquisition.orig_id
    yield "acq_instrument", acquisition.instrument
    yield from ((f"acq_{name}", acquisition.free.get(name)) for name in columns["acquisitions"])
    if picture is not None:
        yield "img_file_name", names[picture.imgid]
        yield "img_rank", picture.rank
    if style.ids or style.flavour == "DOI":
        yield "objid", obj.id
    if style.ids:
        yield "acq_id_internal", acquisition.id
        yield "sample_id_internal", acquisition.sample.id
        yield "classif_id", obj.now.taxon
        yield "classif_score", obj.now.score
        yield "object_random_value", obj.random_value
