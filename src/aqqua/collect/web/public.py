"""Pages for everybody: the start, the form, the form as a file, the progress of the collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.datastructures import FormData, UploadFile

from aqqua.collect.advice import advise
from aqqua.collect.answers import Problem, read_answers
from aqqua.collect.mail import letter, send
from aqqua.collect.paper import parse_paper
from aqqua.collect.progress import count, progress_html
from aqqua.collect.receipt import receipt_pdf, receipt_text
from aqqua.collect.registry import Registry, Submission
from aqqua.collect.registry.submission import new_token
from aqqua.collect.web.keys import form_key_fits
from aqqua.collect.web.pages import page
from aqqua.collect.web.settings import Settings
from aqqua.collect.web.written import answers_of, rows_of
from aqqua.errors import AqquaError, ConfigError

__all__ = ["desk_of", "router", "show_form"]

router = APIRouter()
MAX_PAPER_BYTES = 1 << 20
_MORE_ROWS = 3


def desk_of(request: Request) -> tuple[Registry, Settings]:
    """Registry and settings of the desk that is asked."""
    return request.app.state.registry, request.app.state.settings


@router.get("/")
def start(request: Request) -> HTMLResponse:
    """What AqQua asks for, and how far the collection is."""
    registry, settings = desk_of(request)
    return page(request, settings, "start", progress=count(registry, settings.data))


@router.get("/form")
def empty_form(request: Request) -> HTMLResponse:
    """The form with nothing in it but what is usual."""
    return show_form(request, {}, token=new_token())


@router.post("/form")
async def written_form(request: Request) -> Response:
    """Save, hand in, or show with more rows what was written."""
    async with request.form(max_files=4, max_fields=3000) as form:
        return await run_in_threadpool(_take, request, form, answers_of(form))


@router.post("/paper")
async def paper(request: Request) -> Response:
    """Read a form that was filled in as a file, and show it to be handed in."""
    _, settings = desk_of(request)
    async with request.form(max_files=1, max_fields=10) as form:
        file = form.get("file")
        if not form_key_fits(request, settings, str(form.get("key", ""))) or not isinstance(file, UploadFile):
            raise ConfigError("no file came with this", do="choose the form you filled in, and send it again")
        written = parse_paper(await file.read(MAX_PAPER_BYTES + 1), "your file")
    return show_form(request, written, token=new_token(), problems=read_answers(written).problems)


@router.get("/advice")
def advice(location: str = "", size_gb: str = "", transfer: str = "", address: str = "") -> JSONResponse:
    """The transfer advice for some answers, for the form while it is being filled in."""
    written = {"location": location, "size_gb": size_gb, "transfer": transfer or "advice", "address": address}
    told = advise(read_answers(written).answers)
    return JSONResponse({"title": told.title, "steps": told.steps, "command": told.command})


@router.get("/progress")
def progress(request: Request, embed: str = "") -> HTMLResponse:
    """How far the collection is; with `?embed=1` to be shown within other pages."""
    registry, settings = desk_of(request)
    answer = HTMLResponse(progress_html(count(registry, settings.data), embed=embed == "1", home="/"))
    answer.headers["Cache-Control"] = "public, max-age=300"
    return answer


@router.get("/progress.json")
def progress_numbers(request: Request) -> JSONResponse:
    """The same as numbers."""
    registry, settings = desk_of(request)
    return JSONResponse(count(registry, settings.data).to_dict())


@router.get("/health")
def health(request: Request) -> JSONResponse:
    """Whether the registry answers, for whoever watches the server."""
    desk_of(request)[0].curators()
    return JSONResponse({"ok": True})


def show_form(
    request: Request,
    answers: Mapping[str, Any],
    *,
    token: str,
    problems: list[Problem] | None = None,
    note: str = "",
    more: int = 0,
    status: int = 200,
    action: str = "/form",
) -> HTMLResponse:
    """The form with answers, and what is wrong with them beside each.

    Args:
        request: that is answered.
        answers: as they were written.
        token: of the private link, known or new.
        problems: to be shown.
        note: to be shown above.
        more: further rows for persons.
        status: of the answer.
        action: where the form goes.
    """
    found: dict[str, list[Problem]] = {}
    for problem in problems or []:
        found.setdefault(problem.name, []).append(problem)
    return page(
        request,
        desk_of(request)[1],
        "form",
        status=status,
        note=note,
        action=action,
        token=token,
        answers=answers,
        people=rows_of(answers, more),
        problems=found,
        grave=[problem for problem in problems or [] if problem.grave],
        advice=advise(read_answers(answers).answers),
    )


def _take(request: Request, form: FormData, written: dict[str, Any]) -> Response:
    registry, settings = desk_of(request)
    token, action = str(form.get("token", "")), str(form.get("do", "submit"))
    if not form_key_fits(request, settings, str(form.get("key", ""))):
        note = "Your browser had forgotten this page (cookies?). Nothing is lost: please send it again."
        return show_form(request, written, token=token or new_token(), note=note, status=403)
    if action == "more":
        return show_form(request, written, token=token, more=_MORE_ROWS)
    try:
        if action == "save":
            kept = registry.draft(written, token=token, fresh=True)
            return RedirectResponse(f"/mine/{kept.token or token}?saved=1", 303)
        read = read_answers(written)
        if not read.whole:
            return show_form(request, written, token=token, problems=read.problems, status=422)
        made = registry.submit(written, token=token, fresh=True)
    except ConfigError as error:
        return show_form(request, written, token=new_token(), note=f"{error.what}. {error.do or ''}", status=422)
    _write_to(made, settings, token)
    return RedirectResponse(f"/mine/{token}?new=1", 303)


def _write_to(made: Submission, settings: Settings, token: str) -> None:
    """Send the receipt; what goes wrong with the letter must not undo the submission."""
    link = settings.link(token)
    try:
        message = letter(
            str(made.answers["contact_email"]),
            f"Receipt {made.id}: {made.title}",
            receipt_text(made, link=link),
            sender=settings.mail.sender,
            name=str(made.answers.get("contact_name", "")),
            attachments={f"{made.id}.pdf": receipt_pdf(made, link=link)},
        )
        send(settings.mail, message)
    except AqquaError as error:
        from aqqua.progress import say

        say(f"[yellow]the receipt of {made.id} could not be written: {type(error).__name__}[/]")
