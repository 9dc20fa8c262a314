"""A contributor in a browser: with the mouse, question by question, or with nothing but the keyboard."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page

from aqqua.collect.form import questions
from tests.e2e.conftest import SIZE, Watch

__all__ = ["Visit", "fill_in", "visiting", "walk"]

Visit = Callable[..., Page]
_FOCUS = """() => {
  const one = document.activeElement, box = one.getBoundingClientRect();
  const bar = document.querySelector('.sheet > .actions');
  const style = getComputedStyle(one);
  return {
    name: one.name || '', kind: one.type || one.tagName, text: one.textContent.trim(), value: one.value || '',
    row: one.closest('[data-rows]')?.children.length || 0,
    ringed: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
    seen: box.top >= 0 && (bar.contains(one) || box.bottom <= bar.getBoundingClientRect().top + 1),
    index: one.options ? [...one.options].map((option) => option.value) : [],
  };
}"""


@contextmanager
def visiting(browser: Browser, address: str) -> Iterator[Visit]:
    """Open pages at the desk, each in a browser of its own; afterwards none has asked elsewhere or complained."""
    watches = []
    contexts = []

    def visit(path: str, *, expected: tuple[str, ...] = (), **options: Any) -> Page:
        usual: dict[str, Any] = {"viewport": SIZE, "base_url": address, "accept_downloads": True, "locale": "en-US"}
        context = browser.new_context(**usual | options)
        context.set_default_timeout(30_000)
        page = context.new_page()
        watches.append((Watch(page), expected))
        contexts.append(context)
        page.goto(path)
        return page

    yield visit
    for context in contexts:
        context.close()
    for watch, expected in watches:
        unexpected = [said for said in watch.complaints if not any(known in said for known in expected)]
        assert not watch.elsewhere(), watch.elsewhere()
        assert not unexpected, unexpected


def fill_in(page: Page, answers: Mapping[str, Any]) -> None:
    """Answer questions with the mouse and by typing."""
    for name, value in answers.items():
        kind = questions()[name].kind
        if kind == "people":
            _people(page, value)
        elif kind == "choice":
            page.select_option(f"#{name}", value)
        elif kind == "choices":
            for one in value:
                page.check(f"[name={name}][value={one}]")
        elif kind in {"agree", "yes_no"}:
            page.check(f"[name={name}][value={value}]")
        else:
            page.fill(f"#{name}", value)


def _people(page: Page, people: list[dict[str, str]]) -> None:
    for number, person in enumerate(people):
        if not page.locator(f"[name='people[{number}][name]']").count():
            page.get_by_role("button", name="Add a person").click()
        for key, text in person.items():
            field = page.locator(f"[name='people[{number}][{key}]']")
            field.set_checked(text == "yes") if key == "author" else field.fill(text)


def walk(page: Page, answers: Mapping[str, Any]) -> list[str]:
    """Fill the whole form in with the keyboard alone, from its first field to "Hand in"; return what was focused."""
    written = {name: value for name, value in answers.items() if name != "people"}
    for number, person in enumerate(answers["people"]):
        written |= {f"people[{number}][{key}]": text for key, text in person.items()}
    page.locator("#contact_name").focus()
    stops: list[str] = []
    while page.evaluate(_FOCUS)["text"] != "Hand in":
        focus = page.evaluate(_FOCUS)
        assert focus["ringed"], f"nothing shows that {focus} has the focus"
        assert focus["seen"], f"{focus} is out of sight"
        stops.append(focus["text"] if focus["kind"] in {"submit", "button"} else focus["name"])
        assert len(stops) < 400, "the way to the button never ends"
        if focus["text"] == "Add a person" and f"people[{_rows(page)}][name]" in written:
            page.keyboard.press("Enter")
            continue
        _answer(page, focus, written)
        page.keyboard.press("Tab")
    return stops


def _rows(page: Page) -> int:
    return page.locator(".person").count()


def _answer(page: Page, focus: Mapping[str, Any], written: dict[str, Any]) -> None:
    """Type what belongs into the field that has the focus."""
    name, kind = focus["name"], focus["kind"]
    if kind == "checkbox" and isinstance(written.get(name), list):
        if focus["value"] in written[name]:
            page.keyboard.press("Space")
        return
    value = written.pop(name, None)
    if value is None or kind == "date":
        return  # the date is there beforehand
    if kind == "select-one":
        for _ in range(focus["index"].index(value) - focus["index"].index(focus["value"])):
            page.keyboard.press("ArrowDown")
    elif kind == "radio":
        page.keyboard.press("Space" if value == focus["value"] else "ArrowRight")
    elif kind == "checkbox":
        if value == "yes":
            page.keyboard.press("Space")
    else:
        page.keyboard.type(value)
