"""Export jobs: who may (a viewer never, but of open projects), and what is in the zip."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections import defaultdict
from typing import Any

from tests.ecotaxa_double.asking import Ask
from tests.ecotaxa_double.jobs import new_job
from tests.ecotaxa_double.replies import Crash, forbidden, traceback_text
from tests.ecotaxa_double.state import World
from tests.ecotaxa_double.tables import Job, Obj, Picture, Project
from tests.ecotaxa_double.taxa import lineage

_FILTER_NAMES = """taxo taxochild statusfilter MapN MapW MapE MapS depthmin depthmax samples instrum daytime month
fromdate todate fromtime totime inverttime validfromdate validtodate freenum freenumst freenumend freetxt freetxtval
filt_annot filt_last_annot"""
_FILTERS = tuple(re.findall(r"\w+", _FILTER_NAMES))
_GENERAL: dict[str, Any] = {
    "collection_id": None,
    "project_id": 0,
    "split_by": "none",
    "with_images": "none",
    "with_internal_ids": False,
    "with_types_row": False,
    "only_annotations": False,
    "out_to_ftp": False,
}
_LEGACY: dict[str, Any] = {
    "collection_id": None,
    "project_id": 0,
    "exp_type": "TSV",
    "use_latin1": False,
    "tsv_entities": "",
    "only_annotations": False,
    "split_by": "",
    "coma_as_separator": False,
    "format_dates_times": True,
    "with_images": False,
    "with_internal_ids": False,
    "with_types_row": False,
    "only_first_image": False,
    "sum_subtotal": "",
    "formulae": {},
    "out_to_ftp": False,
}
_SUMMARY: dict[str, Any] = {
    "collection_id": None,
    "project_id": 0,
    "quantity": "abundance",
    "summarise_by": "sample",
    "formulae": {},
    "out_to_ftp": False,
}
_WORDS = {"P": "predicted", "V": "validated", "D": "dubious", "X": "discarded", None: ""}


def general(ask: Ask) -> dict[str, Any]:
    """TSV, with images for managers only."""
    wanted = {**_GENERAL, **ask.json["request"]}
    return _start(ask, "GeneralExport", wanted, "Annotate" if wanted["with_images"] == "none" else "Manage")


def backup(ask: Ask) -> dict[str, Any]:
    """A folder per sample, ready to be imported; for managers."""
    wanted = {"collection_id": None, "project_id": 0, "out_to_ftp": False, **ask.json["request"]}
    return _start(ask, "BackupExport", wanted, "Manage")


def summary(ask: Ask) -> dict[str, Any]:
    """Numbers per sample; fails where any object is unclassified."""
    return _start(ask, "SummaryExport", {**_SUMMARY, **ask.json["request"]}, "Annotate")


def legacy(ask: Ask) -> dict[str, Any]:
    """The deprecated one, which gives images to annotators."""
    return _start(ask, "GenExport", {**_LEGACY, **ask.json["request"]}, "Annotate")


def darwin_core(ask: Ask) -> dict[str, Any]:
    """Fails: names have to be mapped first."""
    job = new_job(ask.world, ask.who().id, "DarwinCoreExport", {"req": ask.json})
    job.state, job.errors, job.progress_pct = "E", ["Taxonomy renames is required"], 0
    return {"errors": [], "warnings": [], "job_id": job.id}


def _start(ask: Ask, kind: str, wanted: dict[str, Any], right: str) -> dict[str, Any]:
    ask.who()
    try:
        project = ask.project(int(wanted["project_id"]))
    except ValueError as error:
        raise Crash(f"ValueError: {error}") from error
    if project.access != "2":
        ask.need(project, right)
    elif ask.user is None:
        raise forbidden()
    filters = {**dict.fromkeys(_FILTERS), **(ask.json.get("filters") or {})}
    job = new_job(ask.world, ask.who().id, kind, {"req": wanted, "filters": filters})
    _write(ask.world, project, job, wanted)
    return {"errors": [], "warnings": [], "job_id": job.id}


def _write(world: World, project: Project, job: Job, wanted: dict[str, Any]) -> None:
    objects = world.objects_of(project.projid)
    if job.type == "SummaryExport":
        if any(obj.now.qual is None for obj in objects):
            job.state, job.progress_pct, job.progress_msg = "E", 0, "'<' not supported"
            job.errors = [f"{line}\n" for line in traceback_text("TypeError: '<' not supported").splitlines()]
            return
        job.result = {"rowcount": len(objects), "out_file": f"export__SUM_{project.projid}.tsv"}
        return
    flavour = wanted.get("exp_type", "BAK" if job.type == "BackupExport" else "TSV")
    images = wanted.get("with_images", "all" if job.type == "BackupExport" else "none")
    images = {True: "all", False: "none"}.get(images, images)
    stem = f"export__{flavour}_{project.projid}_20261123_0525"
    rows = [(obj, picture) for obj in objects for picture in _pictures(obj, images)]
    folders: dict[str, list[tuple[Obj, Picture | None]]] = defaultdict(list)
    split = "sample" if flavour == "BAK" else wanted.get("split_by", "none")
    for obj, picture in rows:
        folders[_folder(world, obj, split)].append((obj, picture))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for folder, part in folders.items():
            inside = folder or stem
            table = f"{folder}/ecotaxa_{folder}.tsv" if flavour == "BAK" else f"ecotaxa_{inside}.tsv"
            prefix = "" if flavour == "BAK" else f"{inside}/"
            types = bool(wanted.get("with_types_row")) or flavour == "BAK" or bool(wanted.get("only_annotations"))
            file.writestr(table, _table(world, project, part, prefix, types, bool(wanted.get("with_internal_ids"))))
            for picture in {picture.imgid: picture for _, picture in part if picture}.values():
                if images != "none":
                    file.writestr(f"{inside}/{picture.orig_file_name}", picture.data)
        file.writestr(f"job_{job.id}.log", job.log)
    job.file = out.getvalue()
    job.result = {"rowcount": len(rows), "out_file": f"{stem}.zip"}


def _pictures(obj: Obj, images: str) -> list[Picture | None]:
    return list(obj.pictures) if images == "all" else [obj.visible]


def _folder(world: World, obj: Obj, split: str) -> str:
    taxon = obj.now.taxon
    names = {
        "sample": obj.acquisition.sample.orig_id,
        "acquisition": obj.acquisition.orig_id,
        "taxon": "None" if taxon is None else world.taxa[taxon].name,
    }
    return names.get(split, "")


def _table(
    world: World, project: Project, part: list[tuple[Obj, Picture | None]], prefix: str, types: bool, ids: bool
) -> bytes:
    """UTF-8 with a byte order mark; text in quotes, what is missing is an empty text."""
    rows = [_row(world, project, obj, picture, prefix, types, ids) for obj, picture in part]
    out = io.StringIO()
    writer = csv.writer(out, delimiter="\t", quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(list(rows[0]))
    if types:
        numbers = {name for row in rows for name, value in row.items() if isinstance(value, int | float)}
        writer.writerow(["[f]" if name in numbers else "[t]" for name in rows[0]])
    writer.writerows([["" if value is None else value for value in row.values()] for row in rows])
    return out.getvalue().encode("utf-8-sig")


def _row(
    world: World, project: Project, obj: Obj, picture: Picture | None, prefix: str, plain: bool, ids: bool
) -> dict[str, Any]:
    """A line; with a types row dates are written as an import wants them, and the hierarchy stays."""
    now, header, acquisition = obj.now, obj.header, obj.acquisition
    who = world.people.get(now.who or 0)
    taxon = world.taxa.get(now.taxon or 0)
    compact = str.maketrans("", "", "-:") if plain else {}
    row: dict[str, Any] = {
        "object_id": obj.orig_id,
        "object_lat": header["latitude"],
        "object_lon": header["longitude"],
        "object_date": str(header["objdate"] or "").translate(compact),
        "object_time": str(header["objtime"] or "").translate(compact),
        "object_link": header["object_link"],
        "object_depth_min": header["depth_min"],
        "object_depth_max": header["depth_max"],
        "object_annotation_status": _WORDS[now.qual],
        "object_annotation_person_name": who and who.name,
        "object_annotation_person_email": who and who.email,
        "object_annotation_date": now.when and now.when.strftime("%Y%m%d" if plain else "%Y-%m-%d"),
        "object_annotation_time": now.when and now.when.strftime("%H%M%S" if plain else "%H:%M:%S"),
        "object_annotation_category": taxon and taxon.name,
    }
    if prefix:
        row["object_annotation_hierarchy"] = taxon and ">".join(t.name for t in reversed(lineage(world.taxa, taxon)))
    else:
        row["object_annotation_category_id"] = now.taxon
    row |= {f"object_{name}": obj.free.get(name) for name in project.columns["obj_field"]}
    row |= {"sample_id": acquisition.sample.orig_id}
    row |= {f"sample_{name}": acquisition.sample.free.get(name) for name in project.columns["samples"]}
    row |= {"process_id": acquisition.process_orig_id}
    row |= {f"process_{name}": acquisition.process_free.get(name) for name in project.columns["process"]}
    row |= {"acq_id": acquisition.orig_id, "acq_instrument": acquisition.instrument}
    row |= {f"acq_{name}": acquisition.free.get(name) for name in project.columns["acquisitions"]}
    if picture is not None:
        row |= {"img_file_name": f"{prefix}{picture.orig_file_name}", "img_rank": picture.rank}
    if ids:
        row |= {"objid": obj.id, "acq_id_internal": acquisition.id, "sample_id_internal": acquisition.sample.id}
        row |= {"classif_id": now.taxon, "classif_score": now.score, "object_random_value": obj.random_value}
    return row
