"""The desk in a real browser: by keyboard and by mouse, with scripts and without, to the receipt and beyond."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from aqqua.collect.form import questions
from aqqua.collect.registry import Registry, State
from tests.e2e.contributor import Visit, fill_in, visiting, walk
from tests.make.desks import free_port, running_desk
from tests.make.mailbox import Mailbox, mail_server
from tests.make.submissions import whole_answers

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

REFUSED = "the server responded with a status of 4"  # what Chromium says of a page that tells what is missing


@dataclass(frozen=True)
class Desk:
    """A desk that is open, its registry, and where its letters come in."""

    address: str
    registry: Registry
    box: Mailbox


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, chromium_path: str) -> Iterator[Desk]:
    folder, port = tmp_path_factory.mktemp("desk"), free_port()
    address = f"http://127.0.0.1:{port}"
    with mail_server() as box, running_desk(folder, port, "--address", address, AQQUA_SMTP=box.address):
        registry = Registry.open(folder / "registry.sqlite")
        yield Desk(address, registry, box)
        registry.close()


@pytest.fixture
def visit(browser: Browser, desk: Desk) -> Iterator[Visit]:
    with visiting(browser, desk.address) as visit:
        yield visit


def hand_in(page: Page) -> str:
    """Press the button; return the private link."""
    page.locator(".actions").get_by_role("button", name="Hand in").click()
    expect(page.locator(".way .now")).to_have_text("submitted")
    return page.url.partition("?")[0]


def letter_about(box: Mailbox, id: str) -> str:
    """The text of the one letter about a submission, and the names of what is attached to it."""
    for _ in range(100):
        found = [one for one in box.letters if id in str(one["Subject"])]
        if found:
            break
        time.sleep(0.1)
    [one] = found
    body = one.get_body()
    assert body is not None
    attached = ", ".join(str(part.get_filename()) for part in one.iter_attachments())
    return f"To: {one['To']}\nAttached: {attached}\n{body.get_content()}"


def test_with_nothing_but_the_keyboard(visit: Visit, desk: Desk, tmp_path: Path) -> None:
    people = [*whole_answers()["people"], {"name": "Nils Okafor", "roles": "Software", "author": "yes"}]
    answers = whole_answers(title="By keyboard", people=people)
    page = visit("/")
    page.get_by_role("link", name="Share a dataset").click()
    stops = walk(page, answers)
    assert [stop for stop in stops if stop == "Add a person"] == ["Add a person"] * 2
    page.keyboard.press("Enter")
    expect(page.locator(".way .now")).to_have_text("submitted")
    [made] = desk.registry.all(text="By keyboard")
    assert [(one["name"], one["author"]) for one in made.answers["people"]] == [
        ("Ada Larsen", True),
        ("Jo Adeyemi", False),
        ("Nils Okafor", True),
    ]
    assert {name: made.answers[name] for name in ("instrument", "formats", "licence", "training", "publish_on")} == {
        "instrument": "IFCB",
        "formats": ["ifcb"],
        "licence": "CC-BY-4.0",
        "training": True,
        "publish_on": questions()["publish_on"].default,
    }
    expect(page.get_by_role("status")).to_contain_text(made.id)
    with page.expect_download() as download:
        page.get_by_role("link", name="PDF").click()
    download.value.save_as(tmp_path / "receipt.pdf")
    assert download.value.suggested_filename == f"{made.id}.pdf"
    assert (tmp_path / "receipt.pdf").read_bytes().startswith(b"%PDF")
    letter = letter_about(desk.box, made.id)
    assert letter.startswith(f"To: Ada Larsen <ada.larsen@institute.example>\nAttached: {made.id}.pdf")
    assert page.url.partition("?")[0] in letter


def test_questions_come_and_go_with_the_answers(visit: Visit) -> None:
    page = visit("/form")
    for name, value, asked in (
        ("instrument", "other", ["instrument_other"]),
        ("habitat", "culture", ["culture_place", "culture_time"]),
        ("copies", "several", ["copies_raw"]),
        ("location", "server", ["address"]),
        ("publish", "on", ["publish_on", "publish_licence"]),
    ):
        for one in asked:
            expect(page.locator(f"#{one}")).to_be_hidden()
        page.select_option(f"#{name}", value)
        for one in asked:
            expect(page.locator(f"#{one}")).to_be_visible()
        page.select_option(f"#{name}", "")
        for one in asked:
            expect(page.locator(f"#{one}")).to_be_hidden()


def test_the_advice_follows_and_the_help_shows(visit: Visit) -> None:
    page = visit("/form")
    advice = page.locator("#advice")
    page.select_option("#location", "disk")
    page.fill("#size_gb", "5")
    page.locator("#size_gb").blur()
    expect(advice).to_contain_text("A cloud share")
    page.fill("#size_gb", "4000")
    page.locator("#size_gb").blur()
    expect(advice).to_contain_text("A disk by post")
    page.select_option("#location", "ecotaxa")
    expect(advice.locator("pre")).to_contain_text("aqqua ecotaxa grant")
    tip = page.locator("#help-has_pixel_size")
    expect(tip).to_be_hidden()
    page.locator("#field-has_pixel_size .what").hover()
    expect(tip).to_contain_text("Micrometres per pixel")
    page.locator("#field-area .what").focus()
    expect(page.locator("#help-area")).to_be_visible()
    page.mouse.move(2, 2)
    page.keyboard.press("Escape")
    expect(page.locator("#help-area")).to_be_hidden()


def test_a_draft_saves_itself_and_is_resumed_in_another_browser(visit: Visit, desk: Desk) -> None:
    page = visit("/login")
    page.clock.install()
    page.goto("/form")
    fill_in(page, {"contact_name": "Ada Larsen", "title": "In two sittings", "habitat": "brackish"})
    page.clock.run_for(20_000)
    expect(page.locator("#saved")).to_contain_text("Draft saved")
    link = page.locator("#saved a").get_attribute("href")
    assert link is not None
    assert [one.title for one in desk.registry.all(state="draft")] == ["In two sittings"]
    other = visit(link)
    expect(other.locator("#title")).to_have_value("In two sittings")
    expect(other.locator("#habitat")).to_have_value("brackish")
    other.get_by_role("button", name="Save, and go on later").click()
    expect(other.get_by_role("status").first).to_contain_text("keep it to go on later")
    fill_in(other, whole_answers(title="In two sittings, done"))
    assert hand_in(other).endswith(link)
    assert desk.registry.all(state="draft") == []
    assert [one.title for one in desk.registry.all(text="In two sittings")] == ["In two sittings, done"]


def test_without_scripts(visit: Visit, desk: Desk) -> None:
    page = visit("/form", expected=(REFUSED,), java_script_enabled=False)
    expect(page.locator("#field-address .only")).to_contain_text("only if")
    people = [{"name": f"Person {number}", "author": "yes"} for number in range(4)]
    fill_in(page, whole_answers(title="No scripts", people=people, contact_email="nobody"))
    page.locator(".actions").get_by_role("button", name="Hand in").click()
    expect(page.get_by_role("alert")).to_contain_text("1 thing to mend")
    page.get_by_role("alert").get_by_role("link").click()
    page.fill("#contact_email", "ada@institute.example")
    link = hand_in(page)
    [made] = desk.registry.all(text="No scripts")
    assert [one["name"] for one in made.answers["people"]] == [one["name"] for one in people]
    with page.expect_download() as download:
        page.get_by_role("link", name="PDF").click()
    assert download.value.path().read_bytes().startswith(b"%PDF")
    assert link in letter_about(desk.box, made.id)
    page.get_by_role("link", name="Correct it").click()
    page.fill("#title", "No scripts, corrected")
    page.locator(".actions").get_by_role("button", name="Keep the corrections").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("No scripts, corrected")


def test_a_curator_agrees(visit: Visit, desk: Desk) -> None:
    made = desk.registry.submit(whole_answers(title="To be agreed on"))
    password = desk.registry.add_curator("ada")
    page = visit("/login", expected=(REFUSED,))
    for word in ("wrong", password):
        page.get_by_label("Name").fill("ada")
        page.get_by_label("Password").fill(word)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("alert" if word == "wrong" else "table")).to_be_visible()
    page.get_by_label("Text").fill("to be agreed")
    page.keyboard.press("Enter")
    page.get_by_role("link", name=made.id).click()
    page.get_by_label("Note").fill("by telephone")
    page.get_by_role("button", name="Agree to the terms").click()
    expect(page.locator(".way .now")).to_have_text("agreed")
    expect(page.locator("pre")).to_contain_text(f"aqqua collect receive {made.id} --by ada")
    assert desk.registry.get(made.id).state is State.AGREED
    page.get_by_role("button", name="Log out ada").click()
    page.goto(f"/desk/{made.id}")
    expect(page).to_have_url(re.compile("/login$"))


FLAWS = """() => {
  const light = (text) => {
    const linear = (v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    const [r, g, b] = text.match(/[\\d.]+/g).map((v) => linear(v / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (one) => {
    for (; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      if (!/, 0\\)$|transparent/.test(colour)) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const ratio = (a, b) => {
    const [x, y] = [light(a), light(b)];
    return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
  };
  const flaws = [];
  for (const one of document.querySelectorAll('body *')) {
    const shown = one.checkVisibility() && !one.closest('[aria-hidden=true], svg');
    if (!shown) continue;
    const said = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    const contrast = ratio(getComputedStyle(one).color, ground(one));
    if (said && contrast < 4.5) flaws.push(`${one.textContent.trim().slice(0, 30)}: ${contrast.toFixed(2)}`);
    const field = one.matches('input:not([type=hidden]), select, textarea');
    if (field && !one.labels.length && !one.ariaLabel) flaws.push(`no label: ${one.name}`);
    if (one.matches('[placeholder]')) {
      const faint = ratio(getComputedStyle(one, '::placeholder').color, ground(one));
      if (faint < 4.5) flaws.push(`placeholder of ${one.name}: ${faint.toFixed(2)}`);
    }
    if (one.matches('button, a') && !(one.textContent.trim() || one.ariaLabel)) flaws.push(`no name: ${one.outerHTML}`);
    for (const id of (one.getAttribute('aria-describedby') || '').split(' ').filter(Boolean)) {
      if (!document.getElementById(id)) flaws.push(`described by nothing: ${id}`);
    }
  }
  const ids = [...document.querySelectorAll('[id]')].map((one) => one.id);
  if (new Set(ids).size !== ids.length) flaws.push(`ids twice: ${ids.filter((id, k) => ids.indexOf(id) !== k)}`);
  if (document.querySelectorAll('h1').length !== 1) flaws.push('not one h1');
  if (!document.documentElement.lang || !document.title) flaws.push('no language or title');
  const wide = document.documentElement.scrollWidth;
  if (wide > innerWidth) flaws.push(`${wide} pixels wide`);
  return flaws;
}"""


@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_can_be_read_and_used_by_all(visit: Visit, desk: Desk, theme: str, width: int) -> None:
    made = desk.registry.submit(whole_answers(title=f"Seen {theme} {width}"))
    gone = desk.registry.submit(whole_answers(title="Gone"))
    desk.registry.change(gone.id, State.WITHDRAWN, by="contributor", note="x")
    password = desk.registry.add_curator(f"eve-{theme}-{width}")
    page = visit("/", expected=(REFUSED,), color_scheme=theme, viewport={"width": width, "height": 800})
    flaws = {}
    links = (f"/mine/{made.token}?new=1", f"/mine/{made.token}/correct", f"/mine/{gone.token}", f"/mine/{'x' * 32}")
    for path in ("/", "/form", *links, "/progress", "/login", "/desk", f"/desk/{made.id}"):
        if path == "/desk":
            page.get_by_label("Name").fill(f"eve-{theme}-{width}")
            page.get_by_label("Password").fill(password)
            page.get_by_role("button", name="Log in").click()
        page.goto(path)
        for summary in page.locator("summary").all():
            summary.click()
        flaws[path] = page.evaluate(FLAWS)
    page.goto("/form")
    page.locator(".actions").get_by_role("button", name="Hand in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    flaws["problems"] = page.evaluate(FLAWS)
    assert {path: found for path, found in flaws.items() if found} == {}
