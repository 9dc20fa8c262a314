"""Templates, filled in; everything people wrote is escaped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from aqqua.collect.form import form, questions
from aqqua.collect.web.keys import browser_of, curator_of, form_key, keep_browser
from aqqua.metadata.card import CREDIT_ROLES

if TYPE_CHECKING:
    from fastapi import Request

    from aqqua.collect.web.settings import Settings

__all__ = ["page"]

_TEMPLATES = Environment(
    loader=PackageLoader("aqqua.collect.web"),
    autoescape=select_autoescape(default=True, default_for_string=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters["lower_first"] = lambda text: text[:1].lower() + text[1:]
_TEMPLATES.filters["number"] = lambda value: f"{value:,.12g}" if isinstance(value, (int, float)) else value


def page(request: Request, settings: Settings, name: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Fill a template in.

    Args:
        request: that is answered.
        settings: of the desk.
        name: of the template.
        status: of the answer.
        values: for the template.
    """
    browser_of(request)
    usual = {
        "key": form_key(request, settings),
        "curator": curator_of(request, settings),
        "sections": form(),
        "asked": questions(),
    }
    text = _TEMPLATES.get_template(f"{name}.html").render(**usual, credit_roles=CREDIT_ROLES, **values)
    answer = HTMLResponse(text, status)
    keep_browser(request, answer, settings)
    return answer
