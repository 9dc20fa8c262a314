"""Single images in the browser: the card, similar ones, the grid, export; and all of it by keyboard alone."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from aqqua.app.sample import MODEL
from tests.e2e.server import Running
from tests.e2e.where import count_of, having, opened, settled


def first_row(explorer: Running, **query: object) -> dict[str, object]:
    """The first image of a query."""
    row: dict[str, object] = explorer.ask("cruise/query", {"limit": 1, **query})["rows"][0]
    return row


def test_a_card_shows_the_image_to_scale_and_all_that_is_known(page: Page, explorer: Running) -> None:
    opened(page)
    row = first_row(explorer)
    page.locator(f"[data-uid='{row['uid']}']").first.click()
    item = explorer.ask(f"cruise/item/{row['uid']}")
    card = page.get_by_test_id("card")
    expect(card).to_have_attribute("data-uid", str(row["uid"]))
    image = page.get_by_test_id("image")
    expect(image).to_have_js_property("naturalWidth", row["width"])
    shown = image.bounding_box()
    bar = page.get_by_test_id("scale-bar")
    line = bar.locator(".bar-line").bounding_box()
    assert shown is not None
    assert line is not None
    um_per_pixel = float(str(row["width"])) * float(str(row["pixel_um"])) / shown["width"]
    assert line["width"] * um_per_pixel == pytest.approx(float(bar.get_attribute("data-um") or 0), rel=0.02)
    expect(card).to_contain_text(MODEL)
    for name, value in item["raw"].items():
        expect(card.locator(".raw")).to_contain_text(name)
        expect(card.locator(".raw")).to_contain_text(str(value or "–"))
    expect(card.locator(".fields").first).to_contain_text("° N" if item["converted"]["latitude"] >= 0 else "° S")
    page.keyboard.press("Escape")
    expect(card).to_have_count(0)


def test_contrast_is_only_how_it_is_shown(page: Page, explorer: Running) -> None:
    opened(page, f"item={first_row(explorer)['uid']}")
    image = page.get_by_test_id("image")
    expect(image).to_have_js_property("complete", True)
    expect(image).to_have_css("filter", "none")
    page.get_by_role("button", name="Invert").click()
    expect(image).to_have_css("filter", "invert(1)")
    page.get_by_role("button", name="Auto").click()
    assert "contrast" in image.evaluate("img => getComputedStyle(img).filter")
    page.get_by_role("button", name="Reset", exact=True).click()
    expect(image).to_have_css("filter", "none")


def test_channels_are_chosen_by_name(page: Page, explorer: Running) -> None:
    row = first_row(explorer, filter={"range": ["channels", 2, 2]})
    opened(page, f"item={row['uid']}")
    page.get_by_role("combobox", name="Channel").select_option("chlorophyll")
    expect(page.get_by_test_id("image")).to_have_attribute("src", having("channel=chlorophyll"))


def test_similar_images_come_best_first(page: Page, explorer: Running) -> None:
    row = first_row(explorer)
    opened(page, f"item={row['uid']}")
    page.get_by_role("button", name="Similar images").click()
    found = explorer.ask("cruise/similar", {"uids": [row["uid"]], "k": 200})
    expect(page.get_by_test_id("grid-count")).to_have_text(str(len(found)))
    cells = page.locator(".open-cell")
    expect(cells.first).to_have_attribute("data-uid", found[0]["uid"])
    scores = [float(text) for text in cells.locator(".caption").all_inner_texts()]
    assert scores == sorted(scores, reverse=True)
    page.go_back()
    expect(page.get_by_test_id("card")).to_have_attribute("data-uid", str(row["uid"]))


def test_the_grid_is_sorted_by_the_server_and_shows_true_size(page: Page, explorer: Running) -> None:
    opened(page)
    page.get_by_test_id("sort").select_option("longest_side_um")
    page.get_by_role("button", name="Smallest first").click()
    rows = explorer.ask("cruise/query", {"limit": 40, "sort": "longest_side_um", "desc": True})["rows"]
    expect(page.locator(".open-cell").first).to_have_attribute("data-uid", rows[0]["uid"])
    expect(page.locator(".frame canvas.waiting")).to_have_count(0)
    page.get_by_role("button", name="True size").click()
    page.get_by_role("button", name="Largest first").click()
    small = explorer.ask("cruise/query", {"limit": 8, "sort": "longest_side_um"})["rows"]
    expect(page.locator(".open-cell").first).to_have_attribute("data-uid", small[0]["uid"])
    widths = [
        page.locator(f"[data-uid='{row['uid']}'] canvas").evaluate("c => parseFloat(c.style.width)") for row in small
    ]
    assert max(widths) <= 60, "what is small is shown small"


def test_the_grid_holds_only_what_is_in_sight(page: Page) -> None:
    opened(page)
    assert page.locator(".cell").count() < 80
    page.get_by_test_id("grid").evaluate("grid => grid.scrollTo(0, 1e9)")
    expect(page.locator("[data-cell='399']")).to_be_visible()
    assert page.locator(".cell").count() < 80


def test_picked_images_are_exported_as_a_table(page: Page, explorer: Running, tmp_path: Path) -> None:
    opened(page)
    page.locator("[data-cell='1']").click(modifiers=["Control"])
    page.locator("[data-cell='4']").click(modifiers=["Shift"])
    expect(page.get_by_role("group", name="Picked images")).to_contain_text("4 images picked")
    page.keyboard.press("e")
    expect(page.get_by_test_id("export-count")).to_have_text("4 images")
    page.get_by_text("Table (CSV)").click()
    with page.expect_download() as waiting:
        page.get_by_test_id("export-go").click()
    waiting.value.save_as(tmp_path / "out.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text())))
    wanted = [row["uid"] for row in explorer.ask("cruise/query", {"limit": 5})["rows"][1:]]
    assert [row["uid"] for row in rows] == wanted


def test_a_filter_is_exported_for_ecotaxa(page: Page, explorer: Running, tmp_path: Path) -> None:
    name = explorer.ask("cruise/meta")["clusters"][0]["label"]
    opened(page, f'filter={{"cluster":{{"values":["{name}"]}}}}')
    total = settled(page, explorer, {"filter": {"in": ["cluster", [name]]}})
    page.get_by_role("button", name="Export").first.click()
    with page.expect_download() as waiting:
        page.get_by_test_id("export-go").click()
    waiting.value.save_as(tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        tables = [entry for entry in archive.namelist() if fnmatchcase(entry, "*/ecotaxa*.tsv")]
        texts = [archive.read(table).decode("utf-8-sig").splitlines() for table in tables]
    objects = {row["object_id"] for lines in texts for row in csv.DictReader([lines[0], *lines[2:]], delimiter="\t")}
    assert len(objects) == total


def test_everything_by_keyboard(page: Page, explorer: Running) -> None:
    opened(page)
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.testid") == "map":
            break
    else:
        page.keyboard.press("m")
    assert page.evaluate("document.activeElement.dataset.testid") == "map"
    for _ in range(3):
        page.keyboard.press("+")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("a")
    page.wait_for_url(having("polygon="))
    page.keyboard.press("Escape")
    settled(page, explorer, {})
    page.keyboard.press("0")
    page.keyboard.press("g")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    expect(page.locator(".picked-bar")).to_contain_text("1 image picked")
    page.keyboard.press("Enter")
    card = page.get_by_test_id("card")
    expect(card).to_have_attribute("data-uid", re.compile(r"\d+"))
    before = card.get_attribute("data-uid")
    page.keyboard.press("j")
    expect(card).not_to_have_attribute("data-uid", str(before))
    page.keyboard.press("s")
    expect(page.get_by_role("heading", name="Similar images")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+?")
    expect(page.get_by_role("dialog", name="Help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Help")).to_have_count(0)
    page.keyboard.press("f")
    expect(page.locator(".filters")).to_have_count(0)
    page.keyboard.press("/")
    expect(page.locator(".filters .fold").first).to_be_focused()
    assert count_of(page) == 400


def test_all_controls_have_names(page: Page, explorer: Running) -> None:
    opened(page, f"item={first_row(explorer)['uid']}")
    expect(page.get_by_test_id("card").locator(".neighbour img").first).to_be_visible()
    nameless = page.evaluate("""() => {
      const all = [...document.querySelectorAll('button, select, input, img, [role=slider], [tabindex="0"]')];
      const said = e => [e.ariaLabel, e.title, e.textContent, e.alt, e.closest('label')?.textContent];
      return all.filter(e => !said(e).some(t => t?.trim())).map(e => e.outerHTML)}""")
    assert nameless == []
    assert page.evaluate("[...document.querySelectorAll('[tabindex]')].filter(e => e.tabIndex > 0).length") == 0
    assert page.evaluate("document.querySelectorAll('h1').length") == 1
