"""Import jobs: examine, ask, import or update; an update with empty cells wipes, and overwrites what people decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.ecotaxa_double.asking import Ask
from tests.ecotaxa_double.import_rules import Verdict, examine
from tests.ecotaxa_double.jobs import new_job
from tests.ecotaxa_double.replies import Crash, traceback_text
from tests.ecotaxa_double.state import World
from tests.ecotaxa_double.tables import Acquisition, Classification, Job, Obj, Picture, Project, Sample
from tests.ecotaxa_double.tables_read import Tsv, find_tables
from tests.ecotaxa_double.taxa import resolve
from tests.ecotaxa_double.uvp6 import expand_vignettes, vignette

__all__ = ["file_import", "resume"]

_HEADER = {
    "object_lat": "latitude",
    "object_lon": "longitude",
    "object_date": "objdate",
    "object_time": "objtime",
    "object_depth_min": "depth_min",
    "object_depth_max": "depth_max",
    "object_link": "object_link",
    "complement_info": "complement_info",
}


@dataclass
class Work:
    """One import at work."""

    world: World
    project: Project
    job: Job
    verdict: Verdict
    files: dict[str, bytes]
    start: datetime

    @property
    def mode(self) -> str:
        mode: str = self.job.params["req"]["update_mode"]
        return mode


def file_import(ask: Ask) -> dict[str, Any]:
    """Start an import; it is done at once."""
    project = ask.project()
    user = ask.need(project, "Annotate")
    body = ask.json
    request = {
        "source_path": body["source_path"],
        "taxo_mappings": body.get("taxo_mappings") or {},
        "skip_loaded_files": body.get("skip_loaded_files", False),
        "skip_existing_objects": body.get("skip_existing_objects", False),
        "update_mode": body.get("update_mode") or "",
    }
    job = new_job(ask.world, user.id, "FileImport", {"prj_id": project.projid, "req": request})
    _run(ask.world, job)
    return {"job_id": job.id, "errors": []}


def resume(world: World, job: Job) -> None:
    """Go on with a job that was answered."""
    job.progress_pct, job.progress_msg, job.state = 100, "Done", "F"
    _run(world, job)


def _run(world: World, job: Job) -> None:
    project = world.projects[job.params["prj_id"]]
    request = job.params["req"]
    folder = request["source_path"].strip("/")
    files = expand_vignettes(world.folders.get(job.owner, {}).get(folder, {}))
    tables = find_tables(files)
    verdict = examine(world, project, tables, files, request)
    if verdict.errors:
        job.state, job.errors, job.result = "E", verdict.errors, {"infos": verdict.infos}
        job.progress_pct = 10 if len(tables) > 1 else 0
        job.progress_msg = f"{len(verdict.errors)} error(s) during run"
        return
    work = Work(world, project, job, verdict, files, world.now())
    if _asks(work):
        return
    try:
        _import(work, tables)
    except Crash as error:
        job.state, job.result, job.progress_pct = "E", {}, 0
        lines = traceback_text(str(error)).split("\n", 2)[2]
        job.errors = [line + "\n" for line in lines.splitlines()]
        job.progress_msg = "" if isinstance(error.__cause__, KeyError) else str(error)
        return
    job.result = {"rowcount": verdict.rows}
    if not job.reply:  # the folder of an import that asked stays
        world.folders.get(job.owner, {}).pop(folder, None)
        world.folders.setdefault(job.owner, {}).setdefault("trash.9", {})


def _asks(work: Work) -> bool:
    """Look up names of people and taxa; what is not found makes the job ask, once."""
    world, job, verdict = work.world, work.job, work.verdict
    reply_users, reply_taxa = job.reply.get("users", {}), job.reply.get("taxa", {})
    users: dict[str, dict[str, Any]] = {}
    for name, known in verdict.names_of_users.items():
        email = known.get("email")
        person = next((p for p in world.people.values() if p.name.lower() == name or p.email == email), None)
        users[name] = {**known, "id": person.id} if person else known
        if name in reply_users:
            users[name] = {"id": reply_users[name]}
    taxa = {name: reply_taxa.get(name) or resolve(world.taxa, name) for name in sorted(verdict.names_of_taxa)}
    job.inside = {
        "found_users": users,
        "taxo_found": taxa,
        "col_mapping": {
            table: {code: name for name, code in known.items()} for table, known in verdict.columns.items()
        },
        "nb_rows": verdict.rows,
        "source_path": "<server path>",
    }
    missing_users = [name for name, user in users.items() if "id" not in user]
    missing_taxa = [name for name, taxon in taxa.items() if taxon is None]
    if not missing_users and not missing_taxa:
        return False
    job.state, job.progress_pct = "A", 0
    job.progress_msg = "Some users or taxonomic references could not be matched"
    job.question = {"missing_users": missing_users, "missing_taxa": missing_taxa}
    return True


def _import(work: Work, tables: list[Tsv]) -> None:
    if any("object_annotation_hierarchy" in table.names for table in tables) and not work.mode:
        raise Crash("KeyError: ''") from KeyError("")
    first = work.world.image_block() if not work.mode else 0
    work.project.columns = work.verdict.columns
    for table in tables:
        for number, _ in table.rows:
            values = work.verdict.values[table.path, number]
            _refuse_long_text(work, values)
            if work.mode:
                _update(work, values)
            else:
                first = _insert(work, table, values, first)
    if not work.mode:
        work.world.taken_images(first - 1)


def _refuse_long_text(work: Work, values: dict[str, Any]) -> None:
    """Only the database notices a text that is too long."""
    for name, value in values.items():
        if isinstance(value, str) and len(value) > 250 and name not in {"img_file_name", "object_id", "object_link"}:
            raise Crash(
                "sqlalchemy.exc.DataError: (psycopg2.errors.StringDataRightTruncation) value too long for type "
                f"character varying(250)\n\n[SQL: INSERT INTO obj_field …]\n[parameters: {{'t01': '{value}'}}]\n"
            )


def _insert(work: Work, table: Tsv, values: dict[str, Any], imgid: int) -> int:
    """A new object, or one more image of an object that is there; returns the next image id."""
    world, project = work.world, work.project
    name, image = values["object_id"], values["img_file_name"]
    obj = next((obj for obj in world.objects_of(project.projid) if obj.orig_id == name), None)
    if obj and any(picture.orig_file_name == image for picture in obj.pictures):
        return imgid
    acquisition = _parents(work, values)
    if obj is None:
        obj = Obj(project.projid * 10**8 + project.next_object, name, acquisition, random_value=world.random_value())
        project.next_object += 1
        world.objects[obj.id] = obj
        obj.header = {name: values.get(column) for column, name in _HEADER.items()} | {"sunpos": "D"}
        obj.free = _free(values, "object_", project.columns["obj_field"])
        obj.now = _classification(work, values)
        obj.scores = [(obj.now.taxon, 1.0)] if obj.now.qual == "P" and obj.now.taxon else []
    folder = f"{table.folder}/" if table.folder else ""
    data = work.files[folder + image]
    if f"{folder}compute_vignette.txt" in work.files:
        world.add_picture(obj, imgid, 1, vignette(data), image)
        world.add_picture(obj, imgid + 1, 100, data, image)
        return imgid + 2
    world.add_picture(obj, imgid, _rank(obj.pictures, values.get("img_rank")), data, image)
    return imgid + 1


def _rank(pictures: list[Picture], wanted: float | None) -> int:
    """The rank asked for, else the next free one below the hidden originals."""
    taken = {picture.rank for picture in pictures}
    if wanted is not None and int(wanted) not in taken:
        return int(wanted)
    return next(rank for rank in range(100) if rank not in taken)


def _parents(work: Work, values: dict[str, Any]) -> Acquisition:
    world, project = work.world, work.project
    sample = world.add_sample(project, values.get("sample_id") or "__DUMMY_ID__1__")
    sample.free = _free(values, "sample_", project.columns["samples"]) or sample.free
    known = [a.orig_id for a in world.acquisitions.values() if a.sample.projid == project.projid]
    name = values.get("acq_id") or "__DUMMY_ID__2__"
    acquisition = world.add_acquisition(project, sample, name)
    if name not in known:
        acquisition.instrument = values.get("acq_instrument") or project.instrument
        acquisition.free = _free(values, "acq_", project.columns["acquisitions"])
        acquisition.process_orig_id = values.get("process_id") or "__DUMMY_ID__3__"
        acquisition.process_free = _free(values, "process_", project.columns["process"])
    return acquisition


def _free(values: dict[str, Any], prefix: str, columns: dict[str, str]) -> dict[str, Any]:
    return {name: values[f"{prefix}{name}"] for name in columns if f"{prefix}{name}" in values}


def _classification(work: Work, values: dict[str, Any]) -> Classification:
    """What a row says about its taxon; a score it cannot say: predicted ones get 1."""
    qual = values.get("object_annotation_status")
    if qual is None:
        return Classification()
    name = values.get("object_annotation_category")
    ident = values.get("object_annotation_category_id")
    taxon = int(ident) if ident is not None else work.job.inside["taxo_found"][str(name).lower()]
    if qual == "P":
        return Classification(taxon, "P", 1.0, None, work.start)
    who = str(values.get("object_annotation_person_name") or "").lower()
    person = work.job.inside["found_users"].get(who, {}).get("id", work.job.owner)
    date, time = values.get("object_annotation_date"), values.get("object_annotation_time")
    when = datetime.fromisoformat(f"{date}T{time or '00:00:00'}") if date else work.start
    return Classification(taxon, qual, None, person, when)


def _update(work: Work, values: dict[str, Any]) -> None:
    """Change an object that is there; one that is not there is passed over without a word."""
    obj = next((o for o in work.world.objects_of(work.project.projid) if o.orig_id == values["object_id"]), None)
    if obj is None:
        return
    obj.header |= {name: values[column] for column, name in _HEADER.items() if column in values}
    obj.free |= _free(values, "object_", work.project.columns["obj_field"])
    _update_parents(obj.acquisition, obj.acquisition.sample, work, values)
    if work.mode == "Cla" and "object_annotation_status" in values:
        new = _classification(work, values)
        if (new.taxon, new.qual) != (obj.now.taxon, obj.now.qual) or new.qual == "P":
            obj.become(new, [(new.taxon, 1.0)] if new.qual == "P" and new.taxon else [])


def _update_parents(acquisition: Acquisition, sample: Sample, work: Work, values: dict[str, Any]) -> None:
    columns = work.project.columns
    if values.get("sample_id") == sample.orig_id:
        sample.free |= _free(values, "sample_", columns["samples"])
    if values.get("acq_id") == acquisition.orig_id:
        acquisition.free |= _free(values, "acq_", columns["acquisitions"])
        acquisition.process_free |= _free(values, "process_", columns["process"])
