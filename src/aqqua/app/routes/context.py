"""What every route needs: the dataset it speaks about, numbers from the address, and limits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Request, Response

from aqqua.app.view import View
from aqqua.errors import ConfigError, NotFoundError

__all__ = ["PUBLIC", "Limited", "Limits", "Opened", "cached", "plain", "row_at", "rows_in"]


@dataclass(frozen=True)
class Limits:
    """How much one request may ask for.

    Args:
        points: points in one frame.
        page: rows of one page.
        export: images of one export.
        neighbours: similar images.
        body: bytes of a request.
        per_second: requests per second and client, in the long run; None: any number.
        private: whether paths of this machine and names of people in Raw Metadata may be shown.
    """

    points: int = 2_000_000
    page: int = 1_000
    export: int | None = None
    neighbours: int = 1_000
    body: int = 8 << 20
    per_second: float | None = None
    private: bool = True


PUBLIC = Limits(points=300_000, page=500, export=10_000, neighbours=200, body=1 << 20, per_second=40, private=False)
"""For an explorer that others may look at."""


def _view(store: str, request: Request) -> View:
    views: Mapping[str, View] = request.app.state.views
    if store not in views:
        raise NotFoundError(f"no dataset is called {store[:80]!r}", do=f"there is: {', '.join(views)}")
    return views[store]


def _limits(request: Request) -> Limits:
    limits: Limits = request.app.state.limits
    return limits


Opened = Annotated[View, Depends(_view)]
Limited = Annotated[Limits, Depends(_limits)]


def row_at(view: View, index: int) -> int:
    """A row number from an address.

    Raises:
        ConfigError: there is no such row.
    """
    if not 0 <= index < len(view):
        raise ConfigError(f"there is no row {index}", do=f"rows go from 0 to {len(view) - 1}")
    return index


def rows_in(view: View, text: str, most: int) -> list[int]:
    """Row numbers from an address, separated by commas.

    Raises:
        ConfigError: there are none, more than `most`, or one is not a row.
    """
    parts = text.split(",")
    if not 1 <= len(parts) <= most or not all(p.isascii() and p.isdecimal() and len(p) < 12 for p in parts):
        raise ConfigError(f"not 1 to {most} row numbers", do="give for example 0,1,2")
    return [row_at(view, int(part)) for part in parts]


def cached(request: Request, version: str, tag: str, make: Any, media_type: str) -> Response:
    """An answer that never changes under its address, if that names the version (`?v=`); else it is asked for anew.

    Args:
        request: the request.
        version: the version of the view.
        tag: what the answer is, within its version.
        make: makes the bytes, only if the browser does not have them.
        media_type: of the bytes.
    """
    etag = f'"{version}-{tag}"'
    steady = request.query_params.get("v") == version
    headers = {"ETag": etag, "Cache-Control": "private, max-age=31536000, immutable" if steady else "no-cache"}
    known = [part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(",")]
    if etag in known:
        return Response(status_code=304, headers=headers)
    return Response(make(), media_type=media_type, headers=headers)


def plain(value: Any, name: str = "") -> Any:
    """A value as JSON can hold it: times as text, no NaN, hashes and ids of 64 bit as text."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, int) and not isinstance(value, bool) and (abs(value) > 1 << 53 or name in {"uid", "xxh3"}):
        return str(value)
    return value
