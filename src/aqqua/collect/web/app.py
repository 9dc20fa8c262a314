"""The desk put together: routes, errors in words, all behind the guard."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from aqqua import __version__
from aqqua.collect.registry import Registry
from aqqua.collect.web import desk, private, public
from aqqua.collect.web.guard import DeskGuard
from aqqua.collect.web.pages import page
from aqqua.collect.web.settings import Settings
from aqqua.errors import AqquaError, NotFoundError, StorageError

__all__ = ["create_desk"]


def create_desk(registry: Registry, settings: Settings) -> DeskGuard:
    """The ASGI application of the desk.

    Args:
        registry: where submissions are kept.
        settings: of the desk.
    """
    app = FastAPI(
        title="aqqua data desk",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.registry, app.state.settings = registry, settings
    for module in (public, private, desk):
        app.include_router(module.router)
    app.mount("/static", StaticFiles(directory=Path(str(files("aqqua.collect.web") / "static"))))
    app.add_exception_handler(AqquaError, _told)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _refused)
    app.add_exception_handler(Exception, _failed)
    return DeskGuard(app, settings)


def _told(request: Request, error: Exception) -> Response:
    assert isinstance(error, AqquaError)
    status = 404 if isinstance(error, NotFoundError) else 503 if isinstance(error, StorageError) else 422
    what = "The registry cannot be reached just now; nothing is lost." if status == 503 else error.what
    do = "Please try again in a minute." if status == 503 else error.do or ""
    return _say(request, status, what, do)


def _refused(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 422
    what = {404: "There is no such page.", 413: "This is too large."}.get(status, "This cannot be understood.")
    return _say(request, status, what, "Check that the address was copied whole.")


def _failed(request: Request, error: Exception) -> Response:
    return _say(request, 500, "The desk met an error it does not know.", "Please try again, or write to us.")


def _say(request: Request, status: int, what: str, do: str) -> Response:
    return page(request, request.app.state.settings, "message", status=status, title=what, text=do)
