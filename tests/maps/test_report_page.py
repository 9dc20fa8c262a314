"""The page of a report: whole in itself, safe, and right in what it says."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

from aqqua.maps.figures_style import LIGHT, drawing, new_figure
from aqqua.maps.report_chapter import Chapter, chapters_of
from aqqua.maps.report_page import STYLE, encoded, page, picture, policy
from aqqua.maps.report_words import amount, amounts, html_unit
from tests.make.mapped import write_mapped

VOID = {"meta", "img", "source"}


class Tags(HTMLParser):
    """Which elements there are, whether each is closed, and what they load."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        assert not any(name.startswith("on") or name == "style" for name, _ in attrs), tag
        self.loads += [value or "" for name, value in attrs if name in {"src", "srcset", "href"}]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def whole(tmp_path: Path) -> str:
    chapters = chapters_of(write_mapped(tmp_path, skipped="3 of 50 places <b>"), "Copepoda")
    with drawing(LIGHT):
        one = encoded(new_figure(0.5, 0.5), dpi=20)
    shown = {chapters[0].name: {"map": picture(one, one, 'map of "it"')}}
    return page(chapters, shown, "Maps <of> all", "seed: 7 # <script>alert(1)</script>")


def test_the_page_needs_nothing_else_and_runs_nothing(tmp_path: Path) -> None:
    text = whole(tmp_path)
    tags = Tags()
    tags.feed(text)
    assert tags.open == []
    assert not {"script", "link", "iframe", "object", "form"} & tags.seen
    assert all(load.startswith(("data:image/png;base64,", "#c")) for load in tags.loads)
    assert "&lt;script&gt;alert(1)" in text
    assert "<title>Maps &lt;of&gt; all</title>" in text


def test_its_policy_allows_its_own_style_only(tmp_path: Path) -> None:
    text = whole(tmp_path)
    styles = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(styles[0].encode()).digest()).decode()
    assert styles == [STYLE]
    assert f"'sha256-{digest}'" in policy()
    assert policy() in text
    assert "unsafe" not in policy()


def test_it_says_what_was_found(tmp_path: Path) -> None:
    text = whole(tmp_path)
    for words in (
        "not interpolated: 3 of 50 places &lt;b&gt;",
        "0.1 (0.08 – 0.13) Pg",
        "inside the area of applicability",
        "How to read this",
        "Be careful",
        "neighbours only",
        "sha256:00ff",
        "mg m<sup>−3</sup>",
        "10° blocks",
    ):
        assert words in text, words


def test_a_page_of_nothing_is_a_page() -> None:
    assert "not interpolated: no data" in page([Chapter("A", (0, 1), skipped="no data")], {}, "None")


def test_amounts_are_told_in_units_people_speak_of() -> None:
    assert amount(1.163e17, "mg m-3 m3") == "0.116 Pg"
    assert amount(2.5e15, "mg m-3 m3") == "2.5 Tg"
    assert amount(2.5e11, "mg m-3 m3") == "0.25 Gg"
    assert amounts([1e17, 8e16, 1.3e17], "mg m-3 m3") == "0.1 (0.08 – 0.13) Pg"
    assert amounts([12.0, 10.0, 15.0], "m-3 m3") == "12 (10 – 15)"
    assert html_unit("mg m-2 d-1") == "mg m<sup>−2</sup> d<sup>−1</sup>"
