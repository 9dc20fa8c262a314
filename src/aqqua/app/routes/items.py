"""Rows of a selection, one image with all that is known about it, and what is similar to images."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import polars as pl
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from aqqua.app.filters import parse_filter
from aqqua.app.pictures import names_of
from aqqua.app.routes.context import Limited, Opened, plain, rows_in
from aqqua.app.routes.overview import check_column
from aqqua.app.view import View
from aqqua.errors import ConfigError

__all__ = ["brief", "router"]

BRIEF = ("object_id", "label", "taxon", "label_status", "taxon_linear", "p_linear", "taxon_knn", "p_knn", "outlier",
         "cluster", "width", "height", "pixel_um", "channels", "instrument", "depth_min_m", "depth_max_m",
         "time_utc")  # fmt: skip
MAX_BRIEF = 256

_PEOPLE = re.compile(
    r"person|people|mail|user|author|annotator|operator|contact|scientist|investigator|(^|_)who($|_)", re.IGNORECASE
)
"""Raw columns that may name people: a public explorer does not show them."""

router = APIRouter()


class Selection(BaseModel):
    """What to select, and which page of it in which order."""

    model_config = ConfigDict(extra="forbid")
    filter: Any = None
    polygon: list[list[float]] | None = None
    offset: int = Field(0, ge=0)
    limit: int = Field(100, ge=0)
    sort: str | None = None
    desc: bool = False


class Similar(BaseModel):
    """Which images to compare with, and among which to look."""

    model_config = ConfigDict(extra="forbid")
    uids: list[str] = Field(min_length=1, max_length=1_000)
    k: int = Field(50, ge=1)
    filter: Any = None


@router.get("/api/v1/{store}/ids")
def ids(
    view: Opened,
    limits: Limited,
    filter: str | None = None,
    region: str | None = None,
    offset: int = Query(0, ge=0),
    limit: int = Query(100, ge=0),
    sort: str | None = None,
    desc: bool = False,
) -> dict[str, Any]:
    """A page of the rows that fulfil a filter and lie in a region (a polygon as JSON)."""
    return _page(view, limits, parse_filter(filter), _region(region), offset, limit, sort, desc)


@router.post("/api/v1/{store}/query")
def query(view: Opened, limits: Limited, wanted: Selection) -> dict[str, Any]:
    """The same, for filters and polygons too long for an address."""
    given = wanted
    return _page(view, limits, given.filter, given.polygon, given.offset, given.limit, given.sort, given.desc)


def _region(text: str | None) -> Any:
    if not text:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError("the region is not JSON", do="give [[x, y], [x, y], [x, y], …]") from error


def _page(
    view: View, limits: Limited, tree: Any, polygon: Any, offset: int, limit: int, sort: str | None, desc: bool
) -> dict[str, Any]:
    rows = view.select(tree, polygon)
    if sort is not None:
        check_column(view, sort)
        rows = _sorted(view, rows, sort, desc)
    page = rows[offset : offset + min(limit, limits.page)]
    return {"total": len(rows), "rows": brief(view, page, extra=sort)}


def _sorted(view: View, rows: np.ndarray, name: str, desc: bool) -> np.ndarray:
    """Rows by the values of a column; missing ones last, equal ones in the order of the dataset."""
    series = view.table.frame[name]
    if series.dtype == pl.Categorical:
        series = series.cast(pl.String)
    order = pl.DataFrame({"row": rows, "by": series[rows]}).sort(
        "by", descending=desc, nulls_last=True, maintain_order=True
    )
    return order["row"].to_numpy()


def brief(view: View, rows: np.ndarray, extra: str | None = None) -> list[dict[str, Any]]:
    """Rows with the few columns that a list shows."""
    names = [name for name in dict.fromkeys([*BRIEF, *([extra] if extra else [])]) if name in view.table.columns]
    table = view.table.frame.select(names)[rows].to_dicts() if names else [{} for _ in rows]
    return [
        {"index": int(row), "uid": str(view.table.uid[row])} | {name: plain(v, name) for name, v in values.items()}
        for row, values in zip(rows, table, strict=True)
    ]


@router.get("/api/v1/{store}/brief")
def of_rows(view: Opened, indices: str) -> dict[str, Any]:
    """Some rows in short, in the order asked for: points of the map are known by their row only."""
    return {"rows": brief(view, np.array(rows_in(view, indices, MAX_BRIEF), np.int64))}


@router.get("/api/v1/{store}/item/{uid}")
def item(view: Opened, limits: Limited, uid: str) -> dict[str, Any]:
    """All that is known about one image."""
    row = int(view.rows_of([uid])[0])
    number = int(uid)
    converted = {name: plain(value, name) for name, value in view.dataset.row(number).items()}
    history = view.dataset.label_history(number)
    x, y = view.prepared.positions[row]
    raw = view.dataset.raw([number])[0]
    address = f"image/{uid}.png?v={view.version}"
    return {
        "uid": uid,
        "index": row,
        "x": float(x),
        "y": float(y),
        "cluster": view.table.frame["cluster"][row],
        "converted": converted,
        "raw": {name: text for name, text in raw.items() if limits.private or not _PEOPLE.search(name)},
        "labels": [_values(label) for label in history.drop("uid", strict=False).to_dicts()],
        "predictions": {model: _values(said) for model, said in view.predictions_of(number).items()},
        "channels": names_of(converted.get("channel_names"), int(converted.get("channels") or 1)),
        "thumb": f"thumb/{row}.jpg?v={view.version}",
        "image": address,
        "link": f"#item={uid}",
    }


def _values(row: dict[str, Any]) -> dict[str, Any]:
    return {name: plain(value, name) for name, value in row.items()}


@router.post("/api/v1/{store}/similar")
def similar(view: Opened, limits: Limited, wanted: Similar) -> list[dict[str, Any]]:
    """The images most like some images, without these; the score is the cosine of their vectors."""
    rows = view.rows_of(wanted.uids)
    found, score = view.prepared.neighbours.similar(rows, min(wanted.k, limits.neighbours), view.mask(wanted.filter))
    return [
        about | {"score": round(float(s), 6)}
        for about, s in zip(brief(view, found.astype(np.int64)), score, strict=True)
    ]
