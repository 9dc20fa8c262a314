"""All objects of a project as rows by field name, never by position: the server drops fields it does not know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aqqua.errors import RemoteError, UnknownNameError
from aqqua.sources.ecotaxa_api.client import EcotaxaClient
from aqqua.sources.ecotaxa_api.models import Project

__all__ = ["FIELDS", "check_fields", "iter_objects", "known_fields"]

_OBJECT = """objid orig_id objdate objtime latitude longitude depth_min depth_max sunpos classif_id classif_qual
classif_who classif_when classif_score object_link complement_info imgcount"""
_IMAGE = "imgid file_name orig_file_name width height imgrank thumb_file_name"

FIELDS = frozenset(
    {f"obj.{name}" for name in _OBJECT.split()}
    | {f"img.{name}" for name in _IMAGE.split()}
    | {"txo.id", "txo.name", "txo.display_name", "usr.name"}
    | {"sam.orig_id", "sam.latitude", "sam.longitude", "sam.dataportal_descriptor", "acq.orig_id", "acq.instrument"}
)
"""What may be asked for in every project; `fre.<column>` comes in addition per project (its `obj_free_cols`).

Images are the visible one only. Free columns of samples, acquisitions and processes have their own addresses.
"""
_ROWS_PER_PAGE = 5000


def known_fields(project: Project) -> set[str]:
    """All fields that may be asked for in a project."""
    return {*FIELDS, *(f"fre.{name}" for name in project.obj_free_cols)}


def check_fields(project: Project, fields: Sequence[str]) -> None:
    """Refuse a field that the server would leave out without a word.

    Raises:
        UnknownNameError: a field is not on the list.
    """
    known = known_fields(project)
    for name in fields:
        if name not in known:
            raise UnknownNameError("field of EcoTaxa objects", name, known, where=f"project {project.projid}")


def iter_objects(
    client: EcotaxaClient,
    project: Project,
    fields: Sequence[str],
    filters: Mapping[str, Any] | None = None,
    *,
    start: int = 0,
    page: int = _ROWS_PER_PAGE,
) -> Iterator[dict[str, Any]]:
    """Yield each object as a row: the fields asked for, and object_id, acquisition_id, sample_id.

    Args:
        client: where to ask.
        project: the project, for its free columns.
        fields: as in `known_fields`.
        filters: as EcoTaxa has them: statusfilter, samples, taxo …
        start: how many objects to pass over.
        page: how many to ask for at once.

    Raises:
        UnknownNameError: a field the server would drop.
        RemoteError: it dropped one all the same, or objects came or went meanwhile.
    """
    check_fields(project, fields)
    seen: set[int] = set()
    while True:
        found = client.query(project.projid, fields, filters, start=start + len(seen), size=page)
        for objid, acquisid, sampleid, row in zip(
            found.object_ids, found.acquisition_ids, found.sample_ids, found.details, strict=True
        ):
            if len(row) != len(fields):
                what = f"the server left out {len(fields) - len(row)} of {len(fields)} fields"
                raise RemoteError(what, where=f"project {project.projid}", do="ask for fewer fields")
            if objid in seen:
                what = "objects came or went while they were listed"
                raise RemoteError(what, where=f"project {project.projid}", do="start again")
            seen.add(objid)
            named = dict(zip(fields, row, strict=True))
            yield {"object_id": objid, "acquisition_id": acquisid, "sample_id": sampleid, **named}
        if not found.object_ids or start + len(seen) >= found.total_ids:
            return
