"""Samples, acquisitions, objects and their classification; unknown fields of a query are dropped without a word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.ecotaxa_double.asking import Ask
from tests.ecotaxa_double.replies import Crash, Refusal
from tests.ecotaxa_double.state import World
from tests.ecotaxa_double.tables import Classification, Obj, Project
from tests.ecotaxa_double.taxa import resolve, taxon_json
from tests.ecotaxa_double.views import (
    HEADER,
    acquisition_json,
    finite,
    history_json,
    iso,
    object_json,
    process_json,
    sample_json,
)

# ---- what a project consists of


def search_samples(ask: Ask) -> list[dict[str, Any]]:
    """Samples without their free columns."""
    wanted = set(ask.ints("project_ids"))
    for projid in wanted:
        ask.need_to_see(ask.project(projid))
    samples = sorted(ask.world.samples.values(), key=lambda sample: sample.id)
    return [sample_json(ask.world, sample, alone=False) for sample in samples if sample.projid in wanted]


def search_acquisitions(ask: Ask) -> list[dict[str, Any]]:
    """Acquisitions without their free columns."""
    project = ask.project(int(ask.query["project_id"]))
    ask.need_to_see(project)
    found = sorted(ask.world.acquisitions.values(), key=lambda acquisition: acquisition.id)
    mine = [acquisition for acquisition in found if acquisition.sample.projid == project.projid]
    return [acquisition_json(ask.world, acquisition, alone=False) for acquisition in mine]


def get_sample(ask: Ask) -> dict[str, Any]:
    sample = ask.row(ask.world.samples, "sample_id", "Sample")
    ask.need_to_see(ask.project(sample.projid))
    return sample_json(ask.world, sample, alone=True)


def get_acquisition(ask: Ask) -> dict[str, Any]:
    found = ask.row(ask.world.acquisitions, "acquisition_id", "Acquisition")
    ask.need_to_see(ask.project(found.sample.projid))
    return acquisition_json(ask.world, found, alone=True)


def get_process(ask: Ask) -> dict[str, Any]:
    found = ask.row(ask.world.acquisitions, "process_id", "Process")
    ask.need_to_see(ask.project(found.sample.projid))
    return process_json(ask.world, found)


def get_object(ask: Ask) -> dict[str, Any]:
    return object_json(ask.world, _object(ask))


def get_history(ask: Ask) -> list[dict[str, Any]]:
    return history_json(ask.world, _object(ask))


def _object(ask: Ask) -> Obj:
    obj: Obj = ask.row(ask.world.objects, "object_id", "Object")
    ask.need_to_see(ask.project(obj.id // 10**8))
    return obj


# ---- queries


def query(ask: Ask) -> dict[str, Any]:
    """Objects by id; a row of details is as long as the fields the server knows."""
    project = ask.project()
    ask.need_to_see(project)
    hits = [obj for obj in ask.world.objects_of(project.projid) if _matches(obj, ask.json or {}, ask.user is None)]
    start, size = int(ask.query.get("window_start") or 0), ask.query.get("window_size")
    shown = hits[start : start + int(size) if size else None]
    getters = _getters(ask.world, project, ask.query.get("fields", "").split(","))
    return {
        "object_ids": [obj.id for obj in shown],
        "acquisition_ids": [obj.acquisition.id for obj in shown],
        "sample_ids": [obj.acquisition.sample.id for obj in shown],
        "project_ids": [project.projid for obj in shown],
        "details": [[finite(get(obj)) for get in getters] for obj in shown],
        "total_ids": len(hits),
    }


def _matches(obj: Obj, filters: dict[str, Any], anonymous: bool) -> bool:
    qual = obj.now.qual
    status = filters.get("statusfilter") or ""
    states = {"": True, "U": qual is None, "NV": qual != "V", "PV": qual in {"P", "V"}}
    if (anonymous and qual != "V") or not states.get(status, qual == status):
        return False
    samples, taxa = filters.get("samples"), filters.get("taxo")
    if samples and str(obj.acquisition.sample.id) not in str(samples).split(","):
        return False
    return not taxa or str(obj.now.taxon) in str(taxa).split(",")


Getter = Callable[[Obj], Any]


def _getters(world: World, project: Project, fields: list[str]) -> list[Getter]:
    known = _FIELDS | _of_other_tables(world)
    free = project.columns["obj_field"]
    found: list[Getter] = []
    for name in fields:
        if name in known:
            found.append(known[name])
        elif name.startswith("fre.") and name[4:] in free:
            found.append(lambda obj, column=name[4:]: obj.free.get(column))  # type: ignore[misc]
    return found


def _of_other_tables(world: World) -> dict[str, Getter]:
    def taxon(obj: Obj, name: str) -> Any:
        return None if obj.now.taxon is None else getattr(world.taxa[obj.now.taxon], name)

    def sample(obj: Obj, name: str) -> Any:
        return sample_json(world, obj.acquisition.sample, alone=False)[name]

    return {
        "sam.latitude": lambda obj: sample(obj, "latitude"),
        "sam.longitude": lambda obj: sample(obj, "longitude"),
        "txo.id": lambda obj: taxon(obj, "id"),
        "txo.name": lambda obj: taxon(obj, "name"),
        "txo.display_name": lambda obj: taxon(obj, "name"),
        "usr.name": lambda obj: None if obj.now.who is None else world.people[obj.now.who].name,
    }


_FIELDS: dict[str, Getter] = {
    "obj.objid": lambda obj: obj.id,
    "obj.orig_id": lambda obj: obj.orig_id,
    **{f"obj.{name}": (lambda obj, name=name: obj.header.get(name)) for name in HEADER},  # type: ignore[misc]
    "obj.classif_id": lambda obj: obj.now.taxon,
    "obj.classif_qual": lambda obj: obj.now.qual,
    "obj.classif_score": lambda obj: obj.now.score,
    "obj.classif_who": lambda obj: obj.now.who,
    "obj.classif_when": lambda obj: None if obj.now.qual == "P" else iso(obj.now.when),
    "obj.imgcount": lambda obj: len(obj.pictures),
    "img.imgid": lambda obj: obj.visible and obj.visible.imgid,
    "img.file_name": lambda obj: obj.visible and obj.visible.file_name,
    "img.orig_file_name": lambda obj: obj.visible and obj.visible.orig_file_name,
    "img.width": lambda obj: obj.visible and obj.visible.width,
    "img.height": lambda obj: obj.visible and obj.visible.height,
    "img.imgrank": lambda obj: None if obj.visible is None else obj.visible.rank,
    "img.thumb_file_name": lambda obj: obj.visible and obj.visible.thumb_name,
    "sam.orig_id": lambda obj: obj.acquisition.sample.orig_id,
    "sam.dataportal_descriptor": lambda obj: obj.acquisition.sample.dataportal_descriptor,
    "acq.orig_id": lambda obj: obj.acquisition.orig_id,
    "acq.instrument": lambda obj: obj.acquisition.instrument,
}


def summary(ask: Ask) -> dict[str, Any]:
    project = ask.project()
    ask.need_to_see(project)
    states = [
        obj.now.qual for obj in ask.world.objects_of(project.projid) if _matches(obj, ask.json or {}, ask.user is None)
    ]
    if ask.flag("only_total"):
        return {"total_objects": len(states), **dict.fromkeys(_STATES)}
    return {"total_objects": len(states), **{name: states.count(state) for name, state in _STATES.items()}}


_STATES = {"validated_objects": "V", "dubious_objects": "D", "predicted_objects": "P"}


def taxo_stats(ask: Ask) -> list[dict[str, Any]]:
    """Counts per taxon and state; -1 stands for no taxon."""
    found = []
    for projid in ask.ints("ids"):
        ask.need_to_see(ask.project(projid))
        objects = ask.world.objects_of(projid)
        for taxon in sorted({obj.now.taxon or -1 for obj in objects}):
            states = [obj.now.qual for obj in objects if (obj.now.taxon or -1) == taxon]
            found.append(
                {
                    "projid": projid,
                    "used_taxa": [taxon],
                    "nb_unclassified": states.count(None),
                    "nb_validated": states.count("V"),
                    "nb_dubious": states.count("D"),
                    "nb_predicted": states.count("P"),
                }
            )
    return found


# ---- classification


def classify(ask: Ask) -> int:
    """What people decide: -1 keeps the taxon."""
    body, changed = ask.json, 0
    user = _of_one_project(ask, body["target_ids"], "Annotate")
    for objid, taxon in zip(body["target_ids"], body["classifications"], strict=True):
        obj = ask.world.objects[objid]
        chosen, qual = obj.now.taxon if taxon == -1 else taxon, body["wanted_qualification"]
        if (chosen, qual) == (obj.now.taxon, obj.now.qual):
            continue
        obj.become(Classification(chosen, qual, None, user, ask.world.now()))
        changed += 1
    return changed


def classify_auto(ask: Ask) -> int:
    """One prediction per object."""
    body = ask.json
    many = {
        **body,
        "classifications": [[taxon] for taxon in body["classifications"]],
        "scores": [[score] for score in body["scores"]],
    }
    return _predict(ask, many)


def classify_auto_multiple(ask: Ask) -> int:
    """Several predictions per object, best first; validated and dubious ones stay as they are."""
    return _predict(ask, ask.json)


def _predict(ask: Ask, body: dict[str, Any]) -> int:
    scores = body["scores"]
    _of_one_project(ask, body["target_ids"], "Annotate")
    if not all(isinstance(score, int | float) and 0 <= score <= 1 for row in scores for score in row):
        raise Crash("AssertionError: Scores should be floats between 0 and 1")
    for taxon in (taxon for row in body["classifications"] for taxon in row):
        if taxon not in ask.world.taxa:
            raise Crash(
                "sqlalchemy.exc.IntegrityError: (psycopg2.errors.ForeignKeyViolation) insert or update on table "
                '"prediction" violates foreign key constraint "prediction_classif_id_fkey"\n'
                f'DETAIL:  Key (classif_id)=({taxon}) is not present in table "taxonomy".\n'
            )
    now, changed = ask.world.now(), 0
    for objid, taxa, row in zip(body["target_ids"], body["classifications"], scores, strict=True):
        obj = ask.world.objects[objid]
        if obj.now.qual in {None, "P"}:
            obj.become(Classification(taxa[0], "P", float(row[0]), None, now), list(zip(taxa, row, strict=True)))
            changed += 1
    return changed


def _of_one_project(ask: Ask, objids: list[int], right: str) -> int:
    unknown = [objid for objid in objids if objid not in ask.world.objects]
    if unknown:
        raise Refusal(404, "Objects not found")
    projects = {objid // 10**8 for objid in objids}
    if len(projects) != 1:
        raise Crash("AssertionError: Too many or no projects for objects")
    return ask.need(ask.project(projects.pop()), right).id


def predictions(ask: Ask) -> dict[str, Any]:
    ask.who()
    rows = [
        [objid, taxon, score] for objid in sorted(ask.json) for taxon, score in ask.world.objects[objid].scores
    ]  # fmt: skip
    return {"result": rows}


# ---- taxonomy


def get_taxon(ask: Ask) -> dict[str, Any] | None:
    taxon = ask.world.taxa.get(int(ask.path["taxon_id"]))
    return None if taxon is None else taxon_json(ask.world.taxa, taxon)


def query_taxa(ask: Ask) -> list[dict[str, Any]]:
    taxa = ask.world.taxa
    return [taxon_json(taxa, taxa[taxon]) for taxon in ask.ints("ids") if taxon in taxa]


def search_taxa(ask: Ask) -> list[dict[str, Any]]:
    text = ask.query.get("query", "").lower()
    exact = resolve(ask.world.taxa, text)
    hits = [taxon for taxon in ask.world.taxa.values() if taxon.name.lower().startswith(text) or taxon.id == exact]
    return [
        {"id": t.id, "status": t.status, "text": t.name, "pr": 0, "aphia_id": t.aphia_id, "renm_id": t.renamed_to}
        for t in hits
    ]
