"""The receipt a contributor gets: as the text of an e-mail, as a page, and as PDF – the same content three times."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from aqqua.collect.advice import advise
from aqqua.collect.form import Question, form
from aqqua.collect.registry import Submission
from aqqua.errors import MissingExtraError

__all__ = ["receipt_html", "receipt_pdf", "receipt_text"]

_THANKS = (
    "Thank you for sharing plankton images with AqQua. This is what you told us, and under which terms. "
    "Please keep it; the private link below lets you look at it, correct it, get a copy of what is kept about "
    "you, have that erased, or withdraw the data."
)


@dataclass(frozen=True)
class _Receipt:
    """What a receipt says, in blocks: a title and lines of label and text."""

    title: str
    lead: str
    blocks: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


def receipt_text(submission: Submission, *, link: str = "") -> str:
    """The receipt as the text of an e-mail.

    Args:
        submission: that was handed in.
        link: the private link.
    """
    import textwrap

    told = _receipt(submission, link)
    lines = [told.title, "=" * len(told.title), "", *textwrap.wrap(told.lead, 76)]
    for title, rows in told.blocks:
        lines += ["", title, "-" * len(title)]
        for label, text in rows:
            head = f"{label}: " if label else ""
            for number, line in enumerate((head + text).split("\n")):
                indent = "    " if number else ""
                lines += textwrap.wrap(
                    line,
                    76,
                    initial_indent=indent,
                    subsequent_indent="    ",
                    break_long_words=False,
                    break_on_hyphens=False,
                )
    return "\n".join(lines) + "\n"


def receipt_html(submission: Submission, *, link: str = "") -> str:
    """The receipt as a page of its own, without anything from elsewhere."""
    told = _receipt(submission, link)
    parts = [f"<h1>{escape(told.title)}</h1><p>{escape(told.lead)}</p>"]
    for title, rows in told.blocks:
        parts.append(f"<h2>{escape(title)}</h2>{_steps(rows) if rows[0][0] == '1' else _table(rows)}")
    style = (
        "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1b2a33}"
        "h1{font-size:1.6rem}h2{font-size:1.1rem;margin-top:2rem;border-bottom:1px solid #b8c7ce}"
        "table{border-collapse:collapse;width:100%}th{text-align:left;font-weight:600;width:34%}"
        "th,td{padding:.25rem .5rem .25rem 0;overflow-wrap:anywhere;vertical-align:top}"
    )
    head = f"<meta charset=utf-8><title>{escape(told.title)}</title><style>{style}</style>"
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>'


def _table(rows: Sequence[tuple[str, str]]) -> str:
    cells = (
        f"<tr><th scope=row>{escape(label)}</th><td>{escape(text).replace(chr(10), '<br>')}</td></tr>"
        for label, text in rows
    )
    return f"<table>{''.join(cells)}</table>"


def _steps(rows: Sequence[tuple[str, str]]) -> str:
    steps = "".join(f"<li>{escape(text)}</li>" for label, text in rows if label)
    commands = "".join(f"<pre>{escape(text)}</pre>" for label, text in rows if not label)
    return f"<ol>{steps}</ol>{commands}"


def receipt_pdf(submission: Submission, *, link: str = "") -> bytes:
    """The receipt as PDF.

    Raises:
        MissingExtraError: reportlab is not installed.
    """
    try:
        from reportlab.lib.colors import HexColor
        from reportlab.lib.pagesizes import A4
        from reportlab.lib.styles import ParagraphStyle
        from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle
    except ImportError as error:
        raise MissingExtraError("receipts as PDF", "reportlab", "collect") from error
    plain, bold = _fonts()
    ink = HexColor("#1b2a33")
    body = ParagraphStyle(
        "body", fontName=plain, fontSize=9.5, leading=13.5, textColor=ink, wordWrap="LTR", splitLongWords=1
    )
    strong = ParagraphStyle("strong", parent=body, fontName=bold)
    title = ParagraphStyle("title", parent=body, fontName=bold, fontSize=15, leading=20, spaceAfter=8)
    heading = ParagraphStyle(
        "heading", parent=body, fontName=bold, fontSize=11, leading=15, spaceBefore=12, spaceAfter=3
    )
    told = _receipt(submission, link)
    story: list[Any] = [Paragraph(escape(told.title), title), Paragraph(escape(told.lead), body), Spacer(1, 4)]
    for name, rows in told.blocks:
        cells = [[Paragraph(escape(a), strong), Paragraph(escape(b).replace("\n", "<br/>"), body)] for a, b in rows]
        table = Table(cells, colWidths=[145, 318], splitInRow=1)
        table.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0)]))
        story += [Paragraph(escape(name), heading), table]
    out = io.BytesIO()
    SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=60,
        rightMargin=60,
        topMargin=54,
        bottomMargin=54,
        title=told.title,
        author="AqQua",
        invariant=1,
    ).build(story)
    return out.getvalue()


def _receipt(submission: Submission, link: str) -> _Receipt:
    said = submission.answers
    advice = advise(said)
    steps = [(str(number), step) for number, step in enumerate(advice.steps, 1)]
    if advice.command:
        steps.append(("", advice.command))
    blocks: list[tuple[str, tuple[tuple[str, str], ...]]] = [
        (
            "Your submission",
            (
                ("Submission id", submission.id),
                ("Received", f"{submission.created_utc:%Y-%m-%d %H:%M} UTC"),
                *((("Private link (do not pass it on)", link),) if link else ()),
            ),
        ),
        (f"How the data come to us: {advice.title}", tuple(steps)),
    ]
    for section in form():
        rows = [(one.label, _told(one, said[one.name])) for one in section.questions if one.name in said]
        if rows:
            blocks.append((section.title, tuple(rows)))
    return _Receipt(f"Receipt for {submission.title}", _THANKS, tuple(blocks))


def _told(question: Question, value: Any) -> str:
    """An answer as people read it."""
    if question.kind == "people":
        return "\n".join(_person(entry) for entry in value)
    if question.kind == "box":
        return "south {:g}°, west {:g}°, north {:g}°, east {:g}°".format(*value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if question.options:
        return ", ".join(question.options.get(one, str(one)) for one in (value if isinstance(value, list) else [value]))
    if question.kind in {"integer", "number"}:
        number = f"{value:,}" if isinstance(value, int) else f"{value:,.10g}"
        return f"{number} {question.unit}".strip()
    return str(value)


def _person(entry: Mapping[str, Any]) -> str:
    parts = [str(entry["name"]), *(str(entry[name]) for name in ("orcid", "affiliation") if entry.get(name))]
    parts += [", ".join(entry["roles"])] if entry.get("roles") else []
    return " · ".join([*parts, "author" if entry.get("author") else "acknowledged"])


@cache
def _fonts() -> tuple[str, str]:
    """Two fonts that have Greek, Cyrillic and accents; those every PDF reader brings have not."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    folders = (Path("/usr/share/fonts/truetype/dejavu"), Path(str(files("reportlab"))) / "fonts")
    for folder, plain, bold in ((folders[0], "DejaVuSans", "DejaVuSans-Bold"), (folders[1], "Vera", "VeraBd")):
        if (folder / f"{plain}.ttf").is_file() and (folder / f"{bold}.ttf").is_file():
            for name in (plain, bold):
                pdfmetrics.registerFont(TTFont(name, str(folder / f"{name}.ttf")))
            return plain, bold
    return "Helvetica", "Helvetica-Bold"
