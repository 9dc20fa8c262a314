"""Which datasets there are, and what is in each: columns, clusters, extent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from aqqua.app.columns import MAX_LISTED, numbers
from aqqua.app.filters import parse_filter
from aqqua.app.routes.context import Limited, Opened
from aqqua.app.view import View
from aqqua.errors import UnknownNameError

__all__ = ["check_column", "router"]

router = APIRouter()


@router.get("/api/v1/stores")
def stores(request: Request) -> list[dict[str, Any]]:
    """The datasets of this explorer."""
    views: Mapping[str, View] = request.app.state.views
    return [
        {"store": name, "title": _title(view), "n": len(view), "models": view.models} for name, view in views.items()
    ]


@router.get("/api/v1/{store}/meta")
def meta(view: Opened, limits: Limited) -> dict[str, Any]:
    """Columns, clusters, extent and card of a dataset."""
    colours = {value: i for i, (value, _) in enumerate(view.table.columns["cluster"].values)}
    return {
        "title": _title(view),
        "n": len(view),
        "version": view.version,
        "model": view.model,
        "models": view.models,
        "note": view.note(view.dataset.path if limits.private else view.dataset.path.name),
        "columns": [column.describe() for column in view.table.columns.values()],
        "extent": view.extent,
        "clusters": [asdict(cluster) | {"color_index": colours.get(cluster.label)} for cluster in view.clusters],
        "card": _card(view),
    }


class Wanted(BaseModel):
    """Which column to count, among which rows."""

    model_config = ConfigDict(extra="forbid")
    column: str
    bins: int = Field(40, ge=1, le=500)
    filter: Any = None
    polygon: list[list[float]] | None = None


@router.get("/api/v1/{store}/hist")
def hist(view: Opened, column: str, bins: int = Query(40, ge=1, le=500), filter: str | None = None) -> dict[str, Any]:
    """How the values of a column are distributed, among the rows that fulfil a filter; exact."""
    return _distribution(view, column, bins, view.mask(parse_filter(filter)))


@router.post("/api/v1/{store}/hist")
def hist_of_region(view: Opened, wanted: Wanted) -> dict[str, Any]:
    """The same, among the rows that also lie in a polygon."""
    hits = np.zeros(len(view), bool)
    hits[view.select(wanted.filter, wanted.polygon)] = True
    return _distribution(view, wanted.column, wanted.bins, hits)


def _distribution(view: View, column: str, bins: int, mask: np.ndarray | None) -> dict[str, Any]:
    check_column(view, column)
    about, series = view.table.columns[column], view.table.frame[column]
    if mask is not None:
        series = series.filter(mask)
    result = {"column": column, "kind": about.kind, "total": len(series), "missing": series.null_count(), "exact": True}
    if about.kind == "category":
        counts = np.bincount(view.table.codes(column).code[slice(None) if mask is None else mask], minlength=256)
        listed = [[value, int(counts[i + 1])] for i, (value, _) in enumerate(about.values)]
        return result | {"values": listed, "other": int(counts[MAX_LISTED + 1 :].sum())}
    if about.minimum is None or about.maximum is None:
        return result | {"counts": [], "edges": []}
    counts, edges = np.histogram(numbers(series.drop_nulls()), bins, (about.minimum, about.maximum))
    return result | {"counts": counts.tolist(), "edges": edges.tolist()}


def _title(view: View) -> str:
    return view.dataset.card.title or view.dataset.path.name


def _card(view: View) -> dict[str, Any]:
    shown = ("title", "abstract", "licence", "instruments", "project", "citation", "doi", "source")
    card = view.dataset.card.to_dict()
    return {name: card[name] for name in shown if name in card}


def check_column(view: View, name: str) -> None:
    """Raise UnknownNameError unless there is such a column."""
    if name not in view.table.columns:
        raise UnknownNameError("column", name[:80], view.table.columns)
