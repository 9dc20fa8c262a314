"""Points of a viewport as one binary frame.

Little endian: magic "AQP1", u32 n, u32 total in view, u32 kind (0 category, 1 number), f32 low, f32 high, u64 zero;
then n × u32 row, n × u16 x, n × u16 y (steps over the extent), n × u8 colour code.
"""

from __future__ import annotations

import math
import struct

import numpy as np
from fastapi import APIRouter, Query, Response

from aqqua.app.columns import Codes
from aqqua.app.filters import parse_filter
from aqqua.app.routes.context import Limited, Opened
from aqqua.app.routes.overview import check_column
from aqqua.app.strata import SIDE, Rectangle, Sample
from aqqua.errors import ConfigError

__all__ = ["encode_frame", "router"]

HEADER = struct.Struct("<4sIIIffQ")
BUDGET = 200_000

router = APIRouter()


@router.get("/api/v1/{store}/points", response_class=Response)
def points(
    view: Opened,
    limits: Limited,
    x0: float | None = None,
    y0: float | None = None,
    x1: float | None = None,
    y1: float | None = None,
    budget: int = Query(BUDGET, ge=0),
    filter: str | None = None,
    color: str | None = None,
) -> Response:
    """A random sample of the points in a rectangle of the map, and how many there are."""
    if color is not None:
        check_column(view, color)
    rectangle = _rectangle(view.extent, (x0, y0, x1, y1))
    sample = view.prepared.strata.sample(rectangle, min(budget, limits.points), view.mask(parse_filter(filter)))
    return Response(
        encode_frame(sample, None if color is None else view.table.codes(color)),
        media_type="application/octet-stream",
        headers={"Cache-Control": "no-store"},
    )


def encode_frame(sample: Sample, codes: Codes | None) -> bytes:
    """The frame of a sample; without codes, all are 0."""
    kind, low, high = (0, 0.0, 0.0) if codes is None else (codes.kind, codes.low, codes.high)
    code = np.zeros(len(sample.rows), np.uint8) if codes is None else codes.code[sample.rows]
    columns = (sample.rows.astype("<u4"), sample.x.astype("<u2"), sample.y.astype("<u2"), code)
    header = HEADER.pack(b"AQP1", len(sample.rows), sample.total, kind, low, high, 0)
    return header + b"".join(column.tobytes() for column in columns)


def _rectangle(extent: list[float], corners: tuple[float | None, ...]) -> Rectangle:
    """The grid steps that lie within given corners."""
    given = [edge if corner is None else corner for corner, edge in zip(corners, extent, strict=True)]
    if not all(math.isfinite(number) for number in given):
        raise ConfigError("a corner of the view is not a number", do="give finite x0, y0, x1, y1")
    width, height = extent[2] - extent[0], extent[3] - extent[1]
    steps = [
        (given[0] - extent[0]) / width,
        (given[1] - extent[1]) / height,
        (given[2] - extent[0]) / width,
        (given[3] - extent[1]) / height,
    ]
    whole = [min(max(step, -1.0), 2.0) * (SIDE - 1) for step in steps]
    return Rectangle(
        max(0, math.ceil(whole[0])),
        max(0, math.ceil(whole[1])),
        min(SIDE - 1, math.floor(whole[2])),
        min(SIDE - 1, math.floor(whole[3])),
    )
