"""Where things are on the page, and what colour they have: computed beside the page, not asked from it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.e2e.server import Running

__all__ = ["MARGIN", "Chart", "count_of", "having", "opened", "settled"]

MARGIN = 24
"""Empty border of the view that shows everything, in CSS pixels (ui/src/view.ts)."""


PIXELS = """given => { const pixels = layer => {
  const canvas = document.querySelectorAll('.canvas canvas')[layer], copy = document.createElement('canvas');
  [copy.width, copy.height] = [canvas.width, canvas.height];
  const pen = copy.getContext('2d', {willReadFrequently: true});
  pen.drawImage(canvas, 0, 0);
  return [pen.getImageData(0, 0, copy.width, copy.height).data, copy.width, canvas.width / canvas.clientWidth];
}; return ("""
"""Script that reads what is drawn; the rest of it is a function of the argument."""


def having(text: str) -> re.Pattern[str]:
    """A pattern that finds a text anywhere."""
    return re.compile(re.escape(text))


def opened(page: Page, state: str = "", *, any_points: bool = True) -> Chart:
    """Open the page, wait until points and pictures are there."""
    page.goto(f"/#{state}")
    if any_points:
        expect(page.get_by_test_id("points")).not_to_have_attribute("data-points", "0")
    expect(page.get_by_test_id("shown")).to_have_attribute("data-shown", re.compile(r"\d+"))
    expect(page.locator(".map .progress")).to_have_count(0)
    return Chart(page)


def count_of(page: Page) -> int:
    """How many images the page says are shown."""
    return int(page.get_by_test_id("shown").get_attribute("data-shown") or -1)


class Chart:
    """The map on the page.

    Args:
        page: the page.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.element: Locator = page.get_by_test_id("map")
        box = self.element.bounding_box()
        assert box is not None
        self.left, self.top, self.width, self.height = box["x"], box["y"], box["width"], box["height"]

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Page coordinates of a point given in shares of the (square) extent, when all is in view."""
        scale = min(self.width, self.height) - 2 * MARGIN
        return (
            self.left + self.width / 2 + (x - 0.5) * scale,
            self.top + self.height / 2 - (y - 0.5) * scale,
        )

    def free(self, x: float, y: float) -> bool:
        """Whether nothing but the map is at page coordinates."""
        script = "([x, y]) => document.elementFromPoint(x, y)?.closest('.canvas') !== null"
        return all(self.page.evaluate(script, [x + dx, y + dy]) for dx in (-40, 0, 40) for dy in (-40, 0, 40))

    def colours(self, places: Sequence[tuple[float, float]]) -> list[tuple[int, ...]]:
        """Colours of the drawn points at page coordinates."""
        inside = [[x - self.left, y - self.top] for x, y in places]
        found = self.page.evaluate(
            PIXELS
            + """places => { const [data, width, ratio] = pixels(0);
              return places.map(([x, y]) => {
                const at = 4 * (Math.floor(y * ratio) * width + Math.floor(x * ratio));
                return [...data.slice(at, at + 3)];
              }) })(given) }""",
            inside,
        )
        return [tuple(colour) for colour in found]

    def colour(self, x: float, y: float) -> tuple[int, ...]:
        """Colour of the drawn points at page coordinates."""
        return self.colours([(x, y)])[0]

    def coloured(self, layer: int = 0) -> int:
        """Number of pixels that differ from the first: points (layer 0), or what is drawn over them (1)."""
        count = """layer => { const words = new Uint32Array(pixels(layer)[0].buffer);
          return words.reduce((n, word) => n + (word !== words[0]), 0) })(given) }"""
        return int(self.page.evaluate(PIXELS + count, layer))

    def lasso(self, x: float, y: float, radius: float) -> None:
        """Draw around a place on the page with Shift held."""
        mouse = self.page.mouse
        self.page.keyboard.down("Shift")
        mouse.move(x + radius, y)
        mouse.down()
        for k in range(1, 33):
            mouse.move(x + radius * math.cos(k * math.tau / 32), y + radius * math.sin(k * math.tau / 32))
        mouse.up()
        self.page.keyboard.up("Shift")

    def region(self) -> list[list[float]]:
        """The polygon that the address of the page holds."""
        self.page.wait_for_url(having("polygon="))
        text = self.page.evaluate("new URLSearchParams(location.hash.slice(1)).get('polygon')")
        return [[float(v) for v in point.split(",")] for point in text.split(";")]


def settled(page: Page, running: Running, body: dict[str, Any], store: str = "cruise") -> int:
    """The server's own count for a query; waits until the page shows it."""
    total = int(running.ask(f"{store}/query", {"limit": 0, **body})["total"])
    expect(page.get_by_test_id("shown")).to_have_attribute("data-shown", str(total))
    return total
