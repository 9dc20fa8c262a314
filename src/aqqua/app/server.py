"""The web application: datasets opened, routes put together, errors told in words, all behind the guard."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from fastapi.staticfiles import StaticFiles
from rich.markup import escape
from starlette.exceptions import HTTPException

from aqqua import __version__
from aqqua.app.atlas import Atlas, beside, find_maps
from aqqua.app.guard import Guard, RateLimit, allowed_hosts
from aqqua.app.prepare import prepare
from aqqua.app.routes import export, images, items, maps, overview, points
from aqqua.app.routes.context import PUBLIC, Limits
from aqqua.app.view import View
from aqqua.errors import AqquaError, ConfigError, NotFoundError, UnknownNameError
from aqqua.progress import say

if TYPE_CHECKING:
    from aqqua.store.dataset import Dataset

__all__ = ["create_app"]

STATIC = Path(__file__).parent / "static"
STATUS: Mapping[type[AqquaError], int] = {NotFoundError: 404, ConfigError: 422, UnknownNameError: 422}
NO_PAGE = "The explorer's page is not built: make ui\nThe interface is there: /api/v1/stores\n"


def create_app(
    datasets: Sequence[Dataset],
    *,
    host: str = "127.0.0.1",
    public: bool = False,
    model: str | None = None,
    static: Path = STATIC,
    atlas: Sequence[Atlas] | None = None,
) -> Guard:
    """Open datasets, make what is missing, and return the ASGI application.

    Args:
        datasets: the datasets to explore.
        host: the address it will listen on: other names in requests are refused.
        public: with limits, for others to look at.
        model: whose predictions make the map; None: the newest of each dataset.
        static: folder of the built front end.
        atlas: maps to show; None: those that lie beside the datasets.

    Raises:
        UnknownNameError: a dataset has no predictions of this model.
    """
    app = FastAPI(title="aqqua explorer", version=__version__, docs_url=None, redoc_url=None)
    app.state.views = _open(datasets, model)
    app.state.limits = limits = PUBLIC if public else Limits()
    shown = find_maps(beside(datasets), asked=False) if atlas is None else atlas
    app.state.atlas = {one.name: one for one in shown}
    for module in (maps, overview, points, items, images, export):
        app.include_router(module.router)
    _add_pages(app, static)
    _add_errors(app)
    rate = RateLimit(limits.per_second) if limits.per_second else None
    return Guard(app, allowed_hosts(host), limits.body, rate)


def _open(datasets: Sequence[Dataset], model: str | None) -> Mapping[str, View]:
    views: dict[str, View] = {}
    for dataset in datasets:
        slug = re.sub(r"[^a-z0-9]+", "-", dataset.path.name.lower()).strip("-") or "dataset"
        name, number = slug, 1
        while name in views:
            number += 1
            name = f"{slug}-{number}"
        views[name] = prepare(dataset, model)
        if note := views[name].note(dataset.path):
            say(f"[yellow]{escape(note)}[/]")
    return views


def _add_pages(app: FastAPI, static: Path) -> None:
    if (static / "index.html").exists():
        app.mount("/", StaticFiles(directory=static, html=True))
        return

    @app.get("/")
    def no_page() -> PlainTextResponse:
        return PlainTextResponse(NO_PAGE)


def _add_errors(app: FastAPI) -> None:
    """Every error is JSON: what happened, and what to do."""
    app.add_exception_handler(AqquaError, _told)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RecursionError, _too_deep)
    app.add_exception_handler(Exception, _failed)


def _told(request: Request, error: Exception) -> Response:
    assert isinstance(error, AqquaError)
    status = next((status for kind, status in STATUS.items() if isinstance(error, kind)), 500)
    return JSONResponse({"error": error.what, "do": error.do}, status)


def _too_deep(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": "the JSON is nested too deeply", "do": "send a simpler request"}, 422)


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:])
    return JSONResponse({"error": f"{where}: {first['msg']}", "do": "see the documentation of the explorer"}, 422)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": str(error.detail), "do": "check the address"}, error.status_code)


def _failed(request: Request, error: Exception) -> Response:
    return JSONResponse(
        {"error": "the explorer met an error it does not know", "do": "look at its messages in the terminal"}, 500
    )
