"""The contributor's own page: reached by the private link, and by nothing else."""

from __future__ import annotations

import json

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from aqqua.collect.advice import advise
from aqqua.collect.answers import read_answers
from aqqua.collect.receipt import receipt_html, receipt_pdf, receipt_text
from aqqua.collect.registry import State, Submission
from aqqua.collect.web.keys import form_key_fits
from aqqua.collect.web.pages import page
from aqqua.collect.web.public import desk_of, show_form
from aqqua.collect.web.written import answers_of
from aqqua.collect.withdraw import revoke, withdraw
from aqqua.errors import ConfigError, NotFoundError

__all__ = ["router"]

router = APIRouter(prefix="/mine/{token}")


@router.get("")
def mine(request: Request, token: str) -> HTMLResponse:
    """A draft to go on with, or how far the submission is."""
    registry, settings = desk_of(request)
    one = _mine(request, token)
    if one.state is State.DRAFT:
        link = settings.link(token)
        note = f"Saved. This page is your private link; keep it to go on later: {link}"
        return show_form(request, one.answers, token=token, note=note)
    return page(
        request,
        settings,
        "mine",
        one=one,
        advice=advise(one.answers),
        link=settings.link(token),
        new="new" in request.query_params,
        history=registry.history(one.id),
        consents=registry.consents(one.id),
        token=token,
    )


@router.get("/correct")
def correct(request: Request, token: str) -> HTMLResponse:
    """The form with what was said, to be corrected."""
    one = _mine(request, token)
    return show_form(request, one.answers, token=token, action=f"/mine/{token}/correct")


@router.post("/correct")
async def corrected(request: Request, token: str) -> Response:
    """Take the corrected form."""
    registry, settings = desk_of(request)
    form = await request.form(max_files=1, max_fields=3000)
    written, one, action = answers_of(form), _mine(request, token), f"/mine/{token}/correct"
    if not form_key_fits(request, settings, str(form.get("key", ""))):
        note = "Your browser had forgotten this page. Nothing is lost: please send it again."
        return show_form(request, written, token=token, note=note, status=403, action=action)
    read = read_answers(written)
    if str(form.get("do")) == "more" or not read.whole:
        more = str(form.get("do")) == "more"
        problems = None if more else read.problems
        return show_form(request, written, token=token, problems=problems, more=3 * more, action=action)
    registry.answers_changed(one.id, written, by="contributor")
    return RedirectResponse(f"/mine/{token}", 303)


@router.get("/receipt.{kind}")
def receipt(request: Request, token: str, kind: str) -> Response:
    """The receipt as page, text or PDF."""
    _, settings = desk_of(request)
    one, link = _mine(request, token), settings.link(token)
    if kind == "pdf":
        headers = {"Content-Disposition": f'attachment; filename="{one.id}.pdf"'}
        return Response(receipt_pdf(one, link=link), media_type="application/pdf", headers=headers)
    if kind == "txt":
        return Response(receipt_text(one, link=link), media_type="text/plain; charset=utf-8")
    if kind == "html":
        headers = {"Content-Disposition": f'attachment; filename="{one.id}.html"'}
        return Response(receipt_html(one, link=link), media_type="text/html; charset=utf-8", headers=headers)
    raise NotFoundError("there is no such receipt")


@router.get("/personal.json")
def personal(request: Request, token: str) -> Response:
    """All that is kept about the people of the submission."""
    registry, _ = desk_of(request)
    kept = registry.personal(_mine(request, token).id)
    headers = {"Content-Disposition": 'attachment; filename="personal-data.json"'}
    return Response(json.dumps(kept, indent=2, ensure_ascii=False), media_type="application/json", headers=headers)


@router.post("/erase")
async def erase(request: Request, token: str) -> Response:
    """Erase what is kept about people."""
    registry, _ = desk_of(request)
    await _confirmed(request, "erase")
    registry.erase(_mine(request, token).id, by="contributor")
    return RedirectResponse(f"/mine/{token}", 303)


@router.post("/withdraw")
async def take_back(request: Request, token: str) -> Response:
    """Take the submission back, or one consent of it."""
    registry, settings = desk_of(request)
    one = _mine(request, token)
    form = await _confirmed(request, "withdraw")
    reason, what = form.get("reason", ""), form.get("what", "all")
    if what == "all":
        done = await run_in_threadpool(withdraw, registry, one.id, reason=reason, by="contributor")
    else:
        done = revoke(registry, one.id, what, reason=reason or "asked by the contributor", by="contributor")
    return page(request, settings, "withdrawn", done=done, token=token)


async def _confirmed(request: Request, word: str) -> dict[str, str]:
    """What came with a form that was really ours, and really meant."""
    _, settings = desk_of(request)
    form = await request.form(max_files=0, max_fields=20)
    plain = {name: value for name, value in form.items() if isinstance(value, str)}
    if not form_key_fits(request, settings, plain.get("key", "")):
        raise ConfigError("your browser had forgotten this page", do="go back, load the page anew, and do it again")
    if plain.get("sure") != "yes":
        raise ConfigError(f"nothing was done: to {word}, tick the box as well", do="go back and tick it")
    return plain


def _mine(request: Request, token: str) -> Submission:
    """The submission of a private link; nothing tells a wrong link from one that has ended."""
    found = desk_of(request)[0].by_token(token)
    if found is None:
        do = "Check that it was copied whole, or ask us for a new one."
        raise NotFoundError("This link leads to no submission", do=do)
    return found
