"""The explorer in a real browser: what is drawn, hovered, selected, filtered (fixture `page` watches its requests)."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import SIZE
from tests.e2e.server import Running
from tests.e2e.where import MARGIN, count_of, having, opened, settled


def legend_colours(page: Page) -> dict[str, tuple[int, ...]]:
    """Colour of each legend entry by its full name."""
    found = {}
    page.get_by_title("The whole legend").click()
    for entry in page.locator(".legend .legend-entry").all():
        name = str(entry.get_attribute("title")).split(": ")[0]
        text = entry.locator(".dot").evaluate("dot => getComputedStyle(dot).backgroundColor")
        found[name] = tuple(int(v) for v in re.findall(r"\d+", text)[:3])
    page.get_by_title("The whole legend").click()
    return found


def test_points_are_drawn_where_and_as_the_server_says(page: Page, explorer: Running) -> None:
    chart = opened(page, "colour=taxon")
    points = explorer.points("cruise", "taxon")
    columns = {column["name"]: column for column in explorer.ask("cruise/meta")["columns"]}
    names = [value for value, _ in columns["taxon"]["values"]]
    colours = legend_colours(page)
    assert len(set(colours.values())) == len(colours) == len(names) + 1
    named = points["code"] > 0
    drawn = chart.colours([chart.place(x, y) for x, y in zip(points["x"][named], points["y"][named], strict=True)])
    wanted = [colours[names[code - 1]] for code in points["code"][named]]
    right = sum(a == b for a, b in zip(drawn, wanted, strict=True))
    assert right > 0.8 * len(wanted), "points hide others only where they crowd"
    assert chart.colour(chart.left + 70, chart.top + chart.height - 60) == (252, 253, 253)


def test_the_colour_can_be_a_number_with_its_unit(page: Page, explorer: Running) -> None:
    opened(page)
    page.get_by_test_id("colour").select_option("depth_min_m")
    expect(page.locator(".ramp .unit")).to_have_text("m")
    expect(page.locator(".ramp .high")).not_to_have_text("–")
    low, high = page.locator(".ramp .low").inner_text(), page.locator(".ramp .high").inner_text()
    depths = [row["depth_min_m"] for row in explorer.ask("cruise/query", {"limit": 1000})["rows"]]
    assert [float(low), float(high)] == pytest.approx(np.percentile(depths, [1, 99]), rel=0.01)


def test_hovering_tells_what_an_image_is(page: Page, explorer: Running) -> None:
    chart = opened(page)
    points = explorer.points("cruise", "label")
    places = [chart.place(x, y) for x, y in zip(points["x"], points["y"], strict=True)]
    downwards = sorted(range(len(places)), key=lambda i: -places[i][1])
    lowest = next(i for i in downwards if chart.free(*places[i]))
    page.mouse.move(*places[lowest])
    (row,) = explorer.ask(f"cruise/brief?indices={points['row'][lowest]}")["rows"]
    tooltip = page.get_by_test_id("tooltip")
    expect(tooltip).to_contain_text(row["instrument"])
    expect(tooltip).to_contain_text(row["taxon"] or row["label"] or row["taxon_linear"])
    expect(tooltip).to_contain_text(re.compile(r"\d+\s×\s[\d.]+\s(µm|mm)"))
    picture = tooltip.locator("img")
    expect(picture).to_have_js_property("complete", True)
    natural = picture.evaluate("img => [img.naturalWidth, img.naturalHeight]")
    assert natural == [row["width"], row["height"]] or max(natural) == 96


def test_the_lasso_selects_exactly_what_lies_in_it(page: Page, explorer: Running) -> None:
    chart = opened(page)
    x0, y0, x1, y1 = explorer.ask("cruise/meta")["extent"]
    clusters = [
        chart.place((cluster["x"] - x0) / (x1 - x0), (cluster["y"] - y0) / (y1 - y0))
        for cluster in explorer.ask("cruise/meta")["clusters"]
    ]
    at = next(place for place in clusters if chart.free(*place))
    before = chart.coloured()
    chart.lasso(*at, 30)
    region = chart.region()
    total = settled(page, explorer, {"polygon": region})
    assert 0 < total < 400
    expect(page.get_by_test_id("selection")).to_have_attribute("data-selected", str(total))
    expect(page.get_by_test_id("grid-count")).to_have_text(str(total))
    assert abs(chart.coloured() - before) < 0.5 * before, "the rest is dimmed, not hidden"
    counted = explorer.ask("cruise/hist", {"column": "label", "polygon": region})
    first = page.locator(".filters .column", has_text="Label").first.locator("li .count").all_inner_texts()
    assert sum(int(n) for n in first) == sum(n for _, n in counted["values"]) + counted["missing"]
    page.keyboard.press("Escape")
    settled(page, explorer, {})


def test_a_box_of_the_whole_view_holds_everything(page: Page) -> None:
    chart = opened(page)
    page.keyboard.press("b")
    page.mouse.move(chart.left + 60, chart.top + 5)
    page.mouse.down()
    page.mouse.move(chart.left + chart.width - 3, chart.top + chart.height - 3, steps=4)
    page.mouse.up()
    assert len(chart.region()) == 4
    expect(page.get_by_test_id("shown")).to_have_attribute("data-shown", "400")


def test_a_click_in_the_legend_filters_and_hovering_it_points_out(page: Page, explorer: Running) -> None:
    chart = opened(page, "colour=taxon")
    drawn = chart.coloured()
    entry = page.locator(".legend-entry").first
    name = str(entry.get_attribute("title")).split(": ")[0]
    entry.click()
    total = settled(page, explorer, {"filter": {"in": ["taxon", [name]]}})
    assert 0 < total < 400
    expect(page.locator(".chip")).to_contain_text(name)
    expect(page.get_by_test_id("points")).to_have_attribute("data-points", str(total))
    assert chart.coloured() > drawn / 3, "the others stay as ghosts"
    page.get_by_role("button", name="Clear all").click()
    settled(page, explorer, {})
    expect(page.locator(".chip")).to_have_count(0)


def test_a_histogram_is_pulled_and_typed_into(page: Page, explorer: Running) -> None:
    opened(page)
    plot = page.get_by_role("group", name="Histogram of Depth (top)")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 20, steps=4)
    page.mouse.up()
    page.wait_for_url(having("filter="))
    chosen = json.loads(page.evaluate("new URLSearchParams(location.hash.slice(1)).get('filter')"))["depth_min_m"]
    total = settled(page, explorer, {"filter": {"range": ["depth_min_m", chosen["low"], chosen["high"]]}})
    assert 0 < total < 400
    low = page.get_by_role("textbox", name="Depth (top) from")
    middle = round((chosen["low"] + chosen["high"]) / 2)
    low.fill(str(middle))
    low.press("Enter")
    assert settled(page, explorer, {"filter": {"range": ["depth_min_m", middle, chosen["high"]]}}) < total
    handle = page.get_by_role("slider", name="Depth (top), to")
    handle.focus()
    handle.press("Home")
    expect(handle).to_have_attribute("aria-valuenow", str(middle))


def test_filters_that_nothing_passes_say_what_to_do(page: Page, explorer: Running) -> None:
    state = 'filter={"label":{"values":["Calanoida"]},"width":{"low":1,"high":2}}'
    opened(page, state, any_points=False)
    assert count_of(page) == 0
    expect(page.get_by_role("heading", name="No image passes all filters")).to_be_visible()
    page.get_by_role("button", name="Clear all filters").click()
    settled(page, explorer, {})


def test_zoom_keeps_the_place_under_the_cursor_and_the_address_holds_the_view(page: Page, explorer: Running) -> None:
    chart = opened(page, "colour=taxon")
    points = explorer.points("cruise", "taxon")
    named = int(np.flatnonzero(points["code"])[-1])
    left, top = chart.place(points["x"][named], points["y"][named])
    at = round(left), round(top)
    colour = chart.colour(*at)
    page.mouse.move(*at)
    for _ in range(5):
        page.mouse.wheel(0, -200)
    page.wait_for_url(having("view="))
    assert chart.colour(*at) == colour
    address = page.url
    page.reload()
    expect(page.get_by_test_id("points")).not_to_have_attribute("data-points", "0")
    expect(page.locator(".map .progress")).to_have_count(0)
    assert chart.colour(*at) == colour
    assert page.url == address
    page.get_by_role("button", name="Show everything").click()
    page.wait_for_url(re.compile(r"^((?!view=).)*$"))


def test_two_fingers_zoom_and_one_moves(page: Page, explorer: Running) -> None:
    chart = opened(page)
    fingers = page.context.new_cdp_session(page)
    x, y = chart.left + chart.width / 2, chart.top + chart.height / 2

    def touch(kind: str, *at: float) -> None:
        points = [{"x": place, "y": y, "id": i} for i, place in enumerate(at)]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def view() -> list[float]:
        page.wait_for_timeout(350)
        text = page.evaluate("new URLSearchParams(location.hash.slice(1)).get('view')")
        return [float(v) for v in text.split(",")]

    touch("touchStart", x - 40)
    touch("touchStart", x - 40, x + 40)
    for apart in (60, 90, 120):
        touch("touchMove", x - apart, x + apart)
    touch("touchEnd")
    x0, _, x1, _ = explorer.ask("cruise/meta")["extent"]
    whole = (min(chart.width, chart.height) - 2 * MARGIN) / (x1 - x0)
    middle, _, scale = view()
    assert scale == pytest.approx(3 * whole, rel=0.02)
    touch("touchStart", x)
    touch("touchMove", x + 30)
    touch("touchMove", x + 60)
    touch("touchEnd")
    assert view()[2] == scale
    assert middle - view()[0] == pytest.approx(60 / scale, rel=0.1)


def test_pictures_stand_on_the_map(page: Page) -> None:
    chart = opened(page)
    bare = chart.coloured(1)
    page.get_by_role("button", name="Pictures on the map").click()
    for _ in range(100):
        if chart.coloured(1) > bare + 5000:
            break
        page.wait_for_timeout(50)
    assert chart.coloured(1) > bare + 5000


def test_light_and_dark_and_the_choice_is_kept(page: Page) -> None:
    chart = opened(page)
    assert chart.colour(chart.left + 70, chart.top + 5) == (252, 253, 253)
    page.keyboard.press("t")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.wait_for_function(
        "document.querySelector('.canvas canvas').getContext('2d').getImageData(70,5,1,1).data[0] === 12"
    )
    opened(page)
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_another_dataset_without_predictions_says_what_is_missing(page: Page, explorer: Running) -> None:
    opened(page)
    page.get_by_role("combobox", name="Dataset").select_option("plain")
    settled(page, explorer, {}, "plain")
    expect(page.locator(".map-note")).to_contain_text("aqqua predict MODEL")
    expect(page.get_by_test_id("points")).to_have_attribute("data-points", "60")


def test_a_server_that_is_gone_is_told(browser: Browser, explorer: Running) -> None:
    context = browser.new_context(viewport=SIZE, base_url=explorer.address)
    page = context.new_page()
    opened(page)
    page.route("**/api/**", lambda route: route.abort())
    page.get_by_test_id("sort").select_option("outlier")
    expect(page.get_by_role("alert")).to_contain_text("Is aqqua explore still running?")
    page.unroute("**/api/**")
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_test_id("shown")).to_have_attribute("data-shown", "400")
    context.close()
