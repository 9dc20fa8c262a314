"""All objects of a project as one table of text, page by page; a page that is there is not asked for again.

Only fields that every server knows are asked for, and free columns by the project's own list. Long lists of fields go
in several requests, because they travel in the address.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import polars as pl

from aqqua.errors import RemoteError
from aqqua.sources.ecotaxa_api.client import EcotaxaClient
from aqqua.sources.ecotaxa_api.models import Page, Project
from aqqua.sources.ecotaxa_api.objects import check_fields
from aqqua.store.atomic import whole, write_json

__all__ = ["STATE_FIELDS", "field_groups", "list_objects", "object_fields", "read_states", "text_of"]

STATE_FIELDS = (
    "obj.objid", "obj.classif_id", "obj.classif_qual", "obj.classif_score", "obj.classif_when", "txo.display_name"
)  # fmt: skip
"""What an object is called just now. The person who said so is not asked for."""
_FIELDS = (
    *STATE_FIELDS, "obj.orig_id", "obj.objdate", "obj.objtime", "obj.latitude", "obj.longitude",
    "obj.depth_min", "obj.depth_max", "obj.sunpos", "obj.object_link", "obj.complement_info", "obj.imgcount",
    "img.file_name", "img.orig_file_name", "img.imgrank",
)  # fmt: skip
_PARENTS = ("_sample", "_acquisition")
_ROWS_PER_PAGE = 5000
_LONGEST_QUERY = 4000  # characters; proxies refuse addresses of more than about 8000
_STALE = timedelta(hours=24)
_TRIES = 3


def object_fields(project: Project) -> list[str]:
    """The fields to ask for in a project: what `pull` reads of every object, and the project's free columns."""
    fields = [*_FIELDS, *(f"fre.{name}" for name in project.obj_free_cols if "," not in name)]
    check_fields(project, fields)
    return fields


def field_groups(fields: Sequence[str], most: int = _LONGEST_QUERY) -> list[list[str]]:
    """Cut a list of fields so that each part fits into an address.

    >>> field_groups(["obj.objid", "fre.area", "fre.mean"], most=20)
    [['obj.objid', 'fre.area'], ['fre.mean']]
    """
    groups: list[list[str]] = [[]]
    length = 0
    for name in fields:
        size = len(quote(name, safe="")) + 3
        if groups[-1] and length + size > most + 3:
            groups.append([])
            length = 0
        groups[-1].append(name)
        length += size
    return groups


def list_objects(client: EcotaxaClient, project: Project, folder: Path, *, page: int = _ROWS_PER_PAGE) -> pl.DataFrame:
    """All objects of a project, by id; values as text, null where there is none.

    Args:
        client: where to ask.
        project: the project, for its free columns.
        folder: keeps pages until `folder` is removed, so that an interrupted listing goes on.
        page: how many objects to ask for at once.

    Raises:
        RemoteError: the server dropped a field, or objects come and go faster than they can be listed.
    """
    fields = object_fields(project)
    for _ in range(_TRIES):
        _begin(folder, fields, page)
        try:
            return _all_pages(client, project.projid, fields, folder, page)
        except _ChangedMeanwhileError:
            shutil.rmtree(folder)
    what = "objects come and go faster than they can be listed"
    raise RemoteError(what, where=f"project {project.projid}", do="try again when nobody imports or removes objects")


def read_states(client: EcotaxaClient, projid: int, *, page: int = _ROWS_PER_PAGE) -> pl.DataFrame:
    """What each object of a project is called just now: objid, taxon_id, qual, score, when, name.

    Raises:
        RemoteError: the server dropped a field.
    """
    rows: dict[int, list[Any]] = {}
    start = 0
    while True:
        found = client.query(projid, STATE_FIELDS, start=start, size=page)
        rows |= dict(zip(found.object_ids, _rows(found, STATE_FIELDS, projid), strict=True))
        start += len(found.object_ids)
        if not found.object_ids or start >= found.total_ids:
            return state_frame(rows.values())


def state_frame(rows: Any) -> pl.DataFrame:
    """Rows of `STATE_FIELDS` as a typed frame."""
    names = {"objid": pl.Int64, "taxon_id": pl.Int64, "qual": pl.String, "score": pl.Float64, "when": pl.String,
             "name": pl.String}  # fmt: skip
    return pl.DataFrame(list(rows), schema=names, orient="row", strict=False)


def text_of(value: object) -> str | None:
    """A value of JSON as text; nothing and not-a-number are None.

    >>> text_of(43.0), text_of(None), text_of("s1")
    ('43.0', None, 's1')
    """
    if value is None or value != value:  # noqa: PLR0124 (not a number)
        return None
    return value if isinstance(value, str) else json.dumps(value)


class _ChangedMeanwhileError(Exception):
    """Objects came or went between two pages, so that some may have been passed over."""


def _begin(folder: Path, fields: Sequence[str], page: int) -> None:
    """Keep the pages of an interrupted listing, if they are of the same kind and not too old."""
    note = folder / "listing.json"
    if note.is_file():
        told = json.loads(note.read_text(encoding="utf-8"))
        age = datetime.now(UTC) - datetime.fromisoformat(told["begun_utc"])
        if told["fields"] == list(fields) and told["page"] == page and age < _STALE:
            return
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_json(note, {"fields": list(fields), "page": page, "begun_utc": datetime.now(UTC).isoformat()})


def _all_pages(client: EcotaxaClient, projid: int, fields: Sequence[str], folder: Path, page: int) -> pl.DataFrame:
    frames: list[pl.DataFrame] = []
    start, last, total = 0, -1, 0
    while not frames or start < total:
        path = folder / f"{start:012}.parquet"
        if not path.is_file():
            with whole(path) as part:
                _page(client, projid, fields, start, page).write_parquet(part)
        frame = pl.read_parquet(path)
        before, total = total, int(frame["_total"].max() or 0)  # type: ignore[arg-type]
        if frame.is_empty():
            if start < before:
                raise _ChangedMeanwhileError
            break
        if total < before or int(frame["obj.objid"][0]) <= last:
            raise _ChangedMeanwhileError
        start, last = start + len(frame), int(frame["obj.objid"][-1])
        frames.append(frame.drop("_total"))
    return pl.concat(frames) if frames else pl.DataFrame(schema=dict.fromkeys([*_PARENTS, *fields], pl.String))


def _page(client: EcotaxaClient, projid: int, fields: Sequence[str], start: int, size: int) -> pl.DataFrame:
    """One page with all its fields, asked for in as many requests as it takes."""
    columns: dict[str, list[str | None]] = {}
    first: Page | None = None
    for group in field_groups(fields):
        found = client.query(projid, group, start=start, size=size)
        first = first or found
        if found.object_ids != first.object_ids:
            raise _ChangedMeanwhileError
        rows = list(_rows(found, group, projid))
        columns |= {name: [text_of(row[k]) for row in rows] for k, name in enumerate(group)}
    assert first is not None
    above = zip(_PARENTS, (first.sample_ids, first.acquisition_ids), strict=True)
    parents = {name: [text_of(one) for one in ids] for name, ids in above}
    frame = pl.DataFrame({**parents, **columns}, schema=dict.fromkeys([*_PARENTS, *fields], pl.String))
    return frame.with_columns(pl.lit(first.total_ids).alias("_total"))


def _rows(found: Page, fields: Sequence[str], projid: int) -> Iterator[list[Any]]:
    """The rows of an answer, each as long as what was asked for: unknown fields are dropped without a word."""
    for row in found.details:
        if len(row) != len(fields):
            what = f"the server left out {len(fields) - len(row)} of {len(fields)} fields"
            do = "pull again: a column of the project may have been removed just now"
            raise RemoteError(what, where=f"project {projid}", do=do)
        yield row
