"""Maps in the explorer: a list, reports as they are, and single maps as pictures.

A report is a file that somebody gave us: it is shown without any script, as a page of no origin (`sandbox`) that loads
nothing but the pictures within it. Its own style may be any, since reports outlive versions: without anything to load
from, style can tell nobody anything. (Reports of ours say in their own policy which style is theirs.)
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from html import escape
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse, HTMLResponse, Response

from aqqua.app.atlas import Atlas, draw_sheet
from aqqua.errors import ConfigError, NotFoundError

__all__ = ["router"]

router = APIRouter()

STYLE = (
    ":root{--ground:#f3f5f7;--surface:#fff;--line:#dde2e7;--ink:#16212b;--soft:#52606d;--here:#00678a;"
    "color-scheme:light dark}@media(prefers-color-scheme:dark){:root{--ground:#0b1015;--surface:#10161c;"
    "--line:#26313b;--ink:#e8eef3;--soft:#9fb0bd;--here:#62c8e8}}*{box-sizing:border-box}"
    "body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif}"
    "main{max-width:72rem;margin:0 auto;padding:2rem 1.5rem}h1{font-size:1.6rem;margin:0 0 1rem}"
    "section{background:var(--surface);border:1px solid var(--line);border-radius:8px;padding:1.25rem;margin:1.25rem 0}"
    "h2{font-size:1.15rem;margin:0 0 .6rem}a{color:var(--here)}p{color:var(--soft)}"
    "img{display:block;width:100%;height:auto;aspect-ratio:72/70}ul{columns:2;padding-left:1.2rem}"
)
_OWN = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_OWN}'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; sandbox"
)


def _atlas(name: str, request: Request) -> Atlas:
    known: Mapping[str, Atlas] = request.app.state.atlas
    if name not in known:
        raise NotFoundError(f"no maps are called {name[:80]!r}", do=f"there is: {', '.join(known) or 'nothing'}")
    return known[name]


Shown = Annotated[Atlas, Depends(_atlas)]


@router.get("/api/v1/maps")
def listed(request: Request) -> list[dict[str, Any]]:
    """What there is to see."""
    known: Mapping[str, Atlas] = request.app.state.atlas
    return [
        {"name": one.name, "report": one.report is not None, "maps": [sheet.title for sheet in one.sheets]}
        for one in known.values()
    ]


@router.get("/maps", response_class=HTMLResponse)
def overview(request: Request) -> HTMLResponse:
    """The list as a page."""
    known: Mapping[str, Atlas] = request.app.state.atlas
    parts = [_section(one) for one in known.values()]
    if not parts:
        parts = ["<p>There are no maps here. Name some: <code>aqqua explore DATASET --maps PATH</code></p>"]
    return _page("Maps", "".join(parts))


@router.get("/maps/{name}/report", response_class=FileResponse)
def report(atlas: Shown) -> FileResponse:
    """A report as it is, without any right."""
    if atlas.report is None or not atlas.report.is_file():
        raise NotFoundError("there is no report", do="write one: aqqua map interpolate report RECIPE")
    headers = {"Content-Security-Policy": REPORT_POLICY}
    return FileResponse(atlas.report, media_type="text/html; charset=utf-8", headers=headers)


@router.get("/maps/{name}/{number}.png", response_class=Response)
def picture(atlas: Shown, number: int, dark: bool = False) -> Response:
    """One map as a picture."""
    if not 0 <= number < len(atlas.sheets):
        raise ConfigError(f"there is no map {number}", do=f"maps go from 0 to {len(atlas.sheets) - 1}")
    return Response(draw_sheet(atlas.sheets[number], dark), media_type="image/png")


@router.get("/maps/{name}/{number}", response_class=HTMLResponse)
def single(atlas: Shown, number: int) -> HTMLResponse:
    """One map as a page."""
    if not 0 <= number < len(atlas.sheets):
        raise ConfigError(f"there is no map {number}", do=f"maps go from 0 to {len(atlas.sheets) - 1}")
    title, address = escape(atlas.sheets[number].title), f"/maps/{atlas.name}/{number}.png"
    shown = (
        f'<section><picture><source media="(prefers-color-scheme: dark)" srcset="{address}?dark=true">'
        f'<img src="{address}" alt="Map of {title} and its relative uncertainty"></picture></section>'
        '<p><a href="/maps">All maps</a></p>'
    )
    return _page(atlas.sheets[number].title, shown)


def _section(atlas: Atlas) -> str:
    links = "".join(
        f'<li><a href="/maps/{atlas.name}/{number}">{escape(sheet.title)}</a></li>'
        for number, sheet in enumerate(atlas.sheets)
    )
    page = (
        f'<p><a href="/maps/{atlas.name}/report">The report, with all there is to know</a></p>' if atlas.report else ""
    )
    return f"<section><h2>{escape(atlas.name)}</h2>{page}{f'<ul>{links}</ul>' if links else ''}</section>"


def _page(title: str, body: str) -> HTMLResponse:
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{STYLE}</style></head>'
        f'<body><main><p><a href="/">Images</a></p><h1>{escape(title)}</h1>{body}</main></body></html>'
    )
    return HTMLResponse(text, headers={"Content-Security-Policy": POLICY})
