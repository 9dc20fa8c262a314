"""How the server shows its rows as JSON."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

from tests.ecotaxa_double.state import World
from tests.ecotaxa_double.tables import Acquisition, Classification, Job, Obj, Person, Project, Sample

__all__ = ["acquisition_json", "history_json", "job_json", "object_json", "person_json", "project_json", "sample_json"]

ROLES = {"managers": "Manage", "annotators": "Annotate", "viewers": "View"}
_INSTRUMENT_URLS = {"Zooscan": "TOOL1581", "UVP6": "TOOL1578", "IFCB": "TOOL1588", "FlowCam": "TOOL1557"}
FREE_COLUMNS = {
    "obj_field": "obj_free_cols",
    "samples": "sample_free_cols",
    "acquisitions": "acquisition_free_cols",
    "process": "process_free_cols",
}
SETTINGS: dict[str, Any] = {
    "classifsettings": None,
    "classiffieldlist": None,
    "popoverfieldlist": None,
    "comments": None,
    "rf_models_used": None,
    "cnn_network_id": None,
    "formulae": None,
    "bodc_variables": {},
    "init_classif_list": [],
}


def member_json(person: Person) -> dict[str, Any]:
    """A person as projects name them."""
    return {"id": person.id, "email": person.email, "name": person.name, "organisation": person.organisation}


def person_json(person: Person) -> dict[str, Any]:
    """A person as they see themselves."""
    shown = {
        "country": "France",
        "orcid": "",
        "usercreationdate": "2026-11-23T05:25:40.224406",
        "password": "?",
        "status": person.status,
        "status_date": "2026-11-23T05:25:40.236112",
        "status_admin_comment": None,
        "usercreationreason": "acceptance test",
        "mail_status": False,
        "mail_status_date": "2026-11-23T05:25:40.236112",
        "can_do": list(person.can_do),
        "last_used_projects": [],
    }
    if person.id == 1:
        old = ["country", "orcid", "status_date", "usercreationreason", "mail_status", "mail_status_date"]
        shown |= dict.fromkeys(old)
    return member_json(person) | shown | person.extra


def project_json(world: World, project: Project, viewer: Person | None, *, alone: bool) -> dict[str, Any]:
    """A project: inactive members are hidden; `highest_right` is there only if it is asked for alone."""
    shown_rights = {who: right for who, right in project.rights.items() if active(world, who)}
    by_role = {
        role: [member_json(world.people[who]) for who, right in shown_rights.items() if right == name]
        for role, name in ROLES.items()
    }
    contact = project.contact if project.contact is not None and active(world, project.contact) else None
    shown = {
        "projid": project.projid,
        "title": project.title,
        "access": project.access,
        "status": "Annotate",
        **counts(world, project),
        **SETTINGS,
        **project.settings,
        **{name: dict(project.columns[table]) for table, name in FREE_COLUMNS.items()},
        **by_role,
        "contact": None if contact is None else member_json(world.people[contact]),
        "instrument": project.instrument,
        "instrument_url": f"http://vocab.nerc.ac.uk/collection/L22/current/{_INSTRUMENT_URLS.get(project.instrument)}/",
        "highest_right": project.rights.get(viewer.id, "") if viewer and alone else "",
    }
    if viewer is None and not alone:
        shown |= {name: {} for name in FREE_COLUMNS.values()} | {role: [] for role in ROLES} | {"contact": None}
    return shown


def active(world: World, who: int) -> bool:
    """Whether an account is in use."""
    return world.people[who].status == 1


def counts(world: World, project: Project) -> dict[str, float | None]:
    """Statistics of a project; the share of classified ones is null where there is none."""
    states = [obj.now.qual for obj in world.objects_of(project.projid)]
    if not states:
        return {"objcount": None, "pctvalidated": None, "pctclassified": None}
    classified = sum(state is not None for state in states)
    return {
        "objcount": float(len(states)),
        "pctvalidated": 100 * states.count("V") / len(states),
        "pctclassified": 100 * classified / len(states) if classified else None,
    }


def sample_json(world: World, sample: Sample, *, alone: bool) -> dict[str, Any]:
    """A sample; in lists without its free columns."""
    places = [obj.header for obj in world.objects.values() if obj.acquisition.sample is sample]
    columns = world.projects[sample.projid].columns["samples"]
    return {
        "sampleid": sample.id,
        "projid": sample.projid,
        "orig_id": sample.orig_id,
        "latitude": places[0]["latitude"] if places else None,
        "longitude": places[0]["longitude"] if places else None,
        "dataportal_descriptor": sample.dataportal_descriptor,
        "free_columns": {name: sample.free.get(name) for name in columns} if alone else {},
    }


def acquisition_json(world: World, acquisition: Acquisition, *, alone: bool) -> dict[str, Any]:
    """An acquisition; in lists without its free columns."""
    columns = world.projects[acquisition.sample.projid].columns["acquisitions"]
    return {
        "acquisid": acquisition.id,
        "acq_sample_id": acquisition.sample.id,
        "orig_id": acquisition.orig_id,
        "instrument": acquisition.instrument,
        "free_columns": {name: acquisition.free.get(name) for name in columns} if alone else {},
    }


def process_json(world: World, acquisition: Acquisition) -> dict[str, Any]:
    """The processing of an acquisition."""
    columns = world.projects[acquisition.sample.projid].columns["process"]
    free = {name: acquisition.process_free.get(name) for name in columns}
    return {"processid": acquisition.id, "orig_id": acquisition.process_orig_id, "free_columns": free}


def object_json(world: World, obj: Obj) -> dict[str, Any]:
    """An object with all its images."""
    now, header = obj.now, obj.header
    auto = now if now.qual == "P" else Classification()
    columns = world.projects[obj.id // 10**8].columns["obj_field"]
    images = [
        {
            "imgid": picture.imgid,
            "objid": obj.id,
            "imgrank": picture.rank,
            "width": picture.width,
            "height": picture.height,
            "orig_file_name": picture.orig_file_name,
            "thumb_width": picture.thumb[0],
            "thumb_height": picture.thumb[1],
            "file_name": picture.file_name,
            "thumb_file_name": picture.thumb_name,
        }
        for picture in obj.pictures
    ]
    return {
        "classif_when": None if now.qual == "P" else iso(now.when),
        "classif_auto_id": auto.taxon,
        "classif_auto_score": auto.score,
        "classif_auto_when": iso(auto.when),
        "objid": obj.id,
        "acquisid": obj.acquisition.id,
        "classif_who": now.who,
        "classif_id": now.taxon,
        **{name: finite(header.get(name)) for name in HEADER},
        "classif_qual": now.qual,
        "classif_score": now.score,
        "orig_id": obj.orig_id,
        "sample_id": obj.acquisition.sample.id,
        "project_id": obj.acquisition.sample.projid,
        "images": images,
        "free_columns": {name: finite(obj.free.get(name)) for name in columns},
        "classif_crossvalidation_id": None,
        "similarity": None,
        "random_value": obj.random_value,
    }


_PLACE = ("latitude", "longitude", "depth_min", "depth_max")
HEADER = ("objtime", *_PLACE, "objdate", "sunpos", "object_link", "complement_info")


def history_json(world: World, obj: Obj) -> list[dict[str, Any]]:
    """Former states of an object, newest first."""
    return [
        {
            "objid": obj.id,
            "classif_id": past.taxon,
            "classif_date": iso(past.when),
            "classif_who": past.who,
            "classif_type": "A" if past.qual == "P" else "M",
            "classif_qual": past.qual,
            "classif_score": past.score,
            "user_name": None if past.who is None else world.people[past.who].name,
            "taxon_name": None if past.taxon is None else world.taxa[past.taxon].name,
        }
        for past in obj.history
    ]


def job_json(job: Job) -> dict[str, Any]:
    """A job."""
    running = job.looks > 0
    return {
        "params": job.params,
        "result": {} if running else job.result,
        "errors": [] if running else job.errors,
        "question": {} if running else job.question,
        "reply": job.reply,
        "inside": {} if running else job.inside,
        "id": job.id,
        "owner_id": job.owner,
        "type": job.type,
        "state": "R" if running else job.state,
        "step": None,
        "progress_pct": 5 if running else job.progress_pct,
        "progress_msg": "Running" if running else job.progress_msg,
        "creation_date": iso(job.created),
        "updated_on": iso(job.updated),
    }


def iso(time: datetime | None) -> str | None:
    """A naive time in ISO form."""
    return None if time is None else time.isoformat(timespec="microseconds")


def finite(value: Any) -> Any:
    """A value as JSON shows it: infinities become null."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
