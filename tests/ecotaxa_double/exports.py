"""Export jobs: who may (a viewer never, but of open projects), and what is in the zip."""

from __future__ import annotations

import re
from typing import Any

from tests.ecotaxa_double.asking import Ask
from tests.ecotaxa_double.export_files import Style, write_zip
from tests.ecotaxa_double.jobs import new_job
from tests.ecotaxa_double.replies import Crash, forbidden, traceback_text
from tests.ecotaxa_double.state import World
from tests.ecotaxa_double.tables import Job, Project

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
    if job.type == "SummaryExport":
        _summarise(world, project, job)
        return
    flavour = wanted.get("exp_type", "BAK" if job.type == "BackupExport" else "TSV")
    images = wanted.get("with_images", "all" if job.type == "BackupExport" else "none")
    images = {True: "all", False: "none"}.get(images, images)
    style = Style(
        flavour,
        images,
        split="sample" if flavour == "BAK" else wanted.get("split_by", "none"),
        types=flavour == "BAK" or wanted.get("with_types_row", False) or wanted.get("only_annotations", False),
        ids=wanted.get("with_internal_ids", False),
        annotations=wanted.get("only_annotations", False),
    )
    stem = f"export__{flavour}_{project.projid}_20261123_0525"
    job.file, rows = write_zip(world, project, style, stem, {f"job_{job.id}.log": job.log.encode()})
    job.result = {"rowcount": rows, "out_file": f"{stem}.zip"}


def _summarise(world: World, project: Project, job: Job) -> None:
    objects = world.objects_of(project.projid)
    if any(obj.now.qual is None for obj in objects):
        what = "'<' not supported between instances of 'NoneType' and 'str'"
        job.state, job.progress_pct, job.progress_msg = "E", 30, what
        job.errors = [f"{line}\n" for line in traceback_text(f"TypeError: {what}").splitlines()]
    else:
        job.result = {"rowcount": len(objects), "out_file": f"export__SUM_{project.projid}.tsv"}
