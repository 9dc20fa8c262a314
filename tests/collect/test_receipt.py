"""Receipts: everything that was answered, three times the same."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import unescape

from aqqua.collect.answers import read_answers
from aqqua.collect.receipt import receipt_html, receipt_pdf, receipt_text
from aqqua.collect.registry import State, Submission
from tests.make.submissions import whole_answers

WHEN = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LINK = "https://desk.example/mine/abcdefghijklmnopqrstuvwxyz"


def made(**other: object) -> Submission:
    return Submission("AQ-7K2M9P", State.SUBMITTED, read_answers(whole_answers(**other)).answers, WHEN, WHEN)


def test_text_and_page_say_the_same() -> None:
    text = " ".join(receipt_text(made(), link=LINK).split())
    page = " ".join(unescape(re.sub(r"<[^>]+>", " ", receipt_html(made(), link=LINK))).split())
    for said in (
        "AQ-7K2M9P",
        "1,200,000 images",
        "85 GB",
        "CC BY 4.0",
        "The link is enough",
        "Ada Larsen · 0000-0002-1825-0097",
        LINK,
    ):
        assert said in text
        assert said in page
    assert max(map(len, receipt_text(made()).splitlines())) <= 80


def test_a_page_shows_what_people_write_and_runs_none_of_it() -> None:
    page = receipt_html(made(title="<script>alert(1)</script> & 'x'"))
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &#x27;x&#x27;" in page


def test_pdf_is_one_that_can_be_read_and_always_the_same() -> None:
    title = "Zoë's <b>ζῷον</b> & 海, " + "long" * 60
    content = receipt_pdf(made(title=title, abstract="line\n" * 300), link=LINK)
    assert content.startswith(b"%PDF-1.")
    assert content.rstrip().endswith(b"%%EOF")
    assert len(re.findall(rb"/Type /Page\b", content)) > 1
    assert content == receipt_pdf(made(title=title, abstract="line\n" * 300), link=LINK)
