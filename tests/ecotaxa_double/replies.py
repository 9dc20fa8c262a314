"""How the server says no: JSON with a detail, or a traceback as plain text where it did not expect something."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

__all__ = ["Crash", "Refusal", "as_response", "traceback_text"]

_FRAMES = """
----------- BACK-END -------------
  File "<server path>", line 236, in dispatch
    response = await call_next(request)
  File "<server path>", line 807, in run
    result = context.run(func, *args)
"""


class Refusal(Exception):
    """An answer of status 4xx with a detail."""

    def __init__(self, status: int, detail: Any) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


class Crash(Exception):
    """An answer of status 500: a traceback that ends with these lines."""


def forbidden() -> Refusal:
    """What everybody hears who may not do something."""
    return Refusal(403, "You can't do this.")


def missing(*places: tuple[str | int, ...]) -> Refusal:
    """Fields that a body lacks."""
    details = [{"loc": ["body", *place], "msg": "field required", "type": "value_error.missing"} for place in places]
    return Refusal(422, details)


def traceback_text(end: str) -> str:
    """A traceback as the server sends it."""
    return f"{_FRAMES}{end}\n"


def as_response(_: Request, error: Exception) -> Response:
    """The answer to an exception of a handler."""
    if isinstance(error, Refusal):
        return JSONResponse({"detail": error.detail}, error.status)
    return PlainTextResponse(traceback_text(str(error)), 500)
