"""Images, thumbnails, and sheets of thumbnails."""

from __future__ import annotations

import xxhash
from fastapi import APIRouter, Request, Response

from aqqua.app.pictures import GRID, display_png, raw_png, sprite_jpeg, thumb_jpeg
from aqqua.app.routes.context import Opened, cached, row_at, rows_in
from aqqua.app.view import View

__all__ = ["router"]

router = APIRouter()


@router.get("/api/v1/{store}/image/{uid}.png", response_class=Response)
def image(view: Opened, request: Request, uid: str, channel: str | None = None, raw: bool = False) -> Response:
    """One image as PNG: made for the eye, or with `raw=1` bit by bit as it was taken."""
    row = int(view.rows_of([uid])[0])

    def make() -> bytes:
        pixels, names = view.dataset.image(int(uid)), _channel_names(view, row)
        return (raw_png if raw else display_png)(pixels, names, channel)

    tag = xxhash.xxh3_64_hexdigest(f"{uid} {channel} {raw}".encode())
    return cached(request, view.version, tag, make, "image/png")


@router.get("/api/v1/{store}/thumb/{index}.jpg", response_class=Response)
def thumb(view: Opened, request: Request, index: int) -> Response:
    """A thumbnail of at most 96 pixels a side."""
    row = row_at(view, index)

    def make() -> bytes:
        return thumb_jpeg(view.dataset.image(int(view.table.uid[row])), _channel_names(view, row))

    return cached(request, view.version, f"t{row}", make, "image/jpeg")


@router.get("/api/v1/{store}/sprite", response_class=Response)
def sprite(view: Opened, request: Request, ids: str) -> Response:
    """Up to 64 thumbnails on one sheet, 8 in a row."""
    rows = rows_in(view, ids, GRID * GRID)

    def make() -> bytes:
        pixels = view.dataset.images([int(view.table.uid[row]) for row in rows])
        return sprite_jpeg([(image, _channel_names(view, row)) for image, row in zip(pixels, rows, strict=True)])

    return cached(request, view.version, xxhash.xxh3_64_hexdigest(ids.encode()), make, "image/jpeg")


def _channel_names(view: View, row: int) -> str | None:
    name: str | None = view.table.frame["channel_names"][row]
    return name
