"""The curators' pages: what has come in, and what is to be done with it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from aqqua.collect.advice import advise
from aqqua.collect.registry import State
from aqqua.collect.registry.history import first_break
from aqqua.collect.web.keys import curator_of, form_key_fits, log_in, log_out
from aqqua.collect.web.pages import page
from aqqua.collect.web.public import desk_of
from aqqua.collect.withdraw import withdraw
from aqqua.errors import ConfigError, RefusedError
from aqqua.safety import RateLimit

__all__ = ["router"]

router = APIRouter()
_PER_PAGE = 50
_tries = RateLimit(1 / 60, burst=8)


@router.get("/login")
def login_page(request: Request) -> HTMLResponse:
    """Where curators log in."""
    return page(request, desk_of(request)[1], "login", wrong=False)


@router.post("/login")
async def login(request: Request) -> Response:
    """Log a curator in; wrong names and wrong passwords are told alike, and only so many tries are taken."""
    registry, settings = desk_of(request)
    form = await _form(request)
    name = form.get("name", "")
    password = form.get("password", "")
    if not _tries.take(name) or not await run_in_threadpool(registry.login, name, password):
        return page(request, settings, "login", wrong=True, status=403)
    answer = RedirectResponse("/desk", 303)
    log_in(answer, settings, name)
    return answer


@router.post("/logout")
async def logout(request: Request) -> Response:
    """Log a curator out."""
    await _form(request)
    answer = RedirectResponse("/", 303)
    log_out(answer)
    return answer


@router.get("/desk")
def desk(request: Request, state: str = "", text: str = "", first: int = 0) -> Response:
    """The submissions, the newest first."""
    if _who(request) is None:
        return RedirectResponse("/login", 303)
    registry, settings = desk_of(request)
    chosen = State(state) if state in set(State) else None
    found = registry.all(state=chosen, text=text or None)
    counts = dict.fromkeys(State, 0)
    for submission in registry.all():
        counts[submission.state] += 1
    shown = found[max(first, 0) : max(first, 0) + _PER_PAGE]
    return page(
        request,
        settings,
        "desk",
        found=shown,
        counts=counts,
        state=state,
        text=text,
        first=max(first, 0),
        per_page=_PER_PAGE,
        total=len(found),
    )


@router.get("/desk/{id}")
def one(request: Request, id: str) -> Response:
    """A submission with everything a curator needs."""
    if _who(request) is None:
        return RedirectResponse("/login", 303)
    registry, settings = desk_of(request)
    found = registry.get(id)
    history = registry.history(found.id)
    return page(
        request,
        settings,
        "one",
        one=found,
        history=history,
        broken=first_break(found.id, history),
        consents=registry.consents(found.id),
        advice=advise(found.answers),
    )


@router.post("/desk/{id}")
async def act(request: Request, id: str) -> Response:
    """Agree, withdraw, or give a new private link."""
    registry, settings = desk_of(request)
    form = await _form(request)
    by = _who(request)
    if by is None:
        raise RefusedError("you are not logged in", do="log in, then do it again")
    found, note, what = registry.get(id), form.get("note", ""), form.get("do", "")
    if what == "agree":
        registry.change(found.id, State.AGREED, by=by, note=note)
    elif what == "publish":
        registry.change(found.id, State.PUBLISHED, by=by, note=note, doi=form.get("doi", ""))
    elif what == "link":
        renewed = registry.renew_link(found.id, by=by)
        text = settings.link(renewed.token or "")
        return page(request, settings, "message", title=f"The new private link of {found.id}", text=text)
    elif what == "withdraw":
        done = await run_in_threadpool(withdraw, registry, found.id, reason=note, by=by)
        return page(request, settings, "withdrawn", done=done, token="")
    else:
        raise ConfigError("this cannot be done", do="use the buttons of the page")
    return RedirectResponse(f"/desk/{found.id}", 303)


async def _form(request: Request) -> dict[str, str]:
    """What came with a form that was really ours."""
    form = await request.form(max_files=0, max_fields=20)
    plain = {name: value for name, value in form.items() if isinstance(value, str)}
    if not form_key_fits(request, desk_of(request)[1], plain.get("key", "")):
        raise ConfigError("your browser had forgotten this page", do="go back, load the page anew, and do it again")
    return plain


def _who(request: Request) -> str | None:
    """The curator who asks, if their login still exists."""
    registry, settings = desk_of(request)
    name = curator_of(request, settings)
    return name if name and name in registry.curators() else None
