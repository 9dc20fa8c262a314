"""Takes the screenshots of README and docs anew, so that they stay true: `python -m scripts.screenshots`.

Needs Chromium (scripts/system-packages) and a dataset with predictions; without `--dataset`, the one of `make demo`.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import math
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from aqqua.ocean.sheet import contact_sheet

ROOT = Path(__file__).parents[1]
DATASET = ROOT / "aqqua-demo" / "dataset"
OUT = ROOT / "docs" / "_static"
WIDTH, HEIGHT = 1440, 900
MOST_BYTES = 400_000
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@dataclass(frozen=True)
class Shot:
    """One picture: how to get there, and in which theme."""

    pose: Callable[[Page], None]
    theme: Literal["light", "dark"] = "light"


def overview(page: Page) -> None:
    """The page as it opens, with an image under the cursor."""
    left, top, width, height = _map(page)
    for k in range(400):  # outward in a spiral, to the first point that shows its picture
        radius, angle = 2 + k, k * 2.4
        page.mouse.move(left + width / 2 + radius * math.cos(angle), top + height * 0.45 + radius * math.sin(angle))
        if page.locator(".tooltip.point").count():
            page.locator(".tooltip.point strong").wait_for()
            return


def selection(page: Page) -> None:
    """A cluster drawn around with the lasso."""
    left, top, width, height = _map(page)
    x, y, radius = *_crowd(page), min(width, height) / 7
    x, y = min(max(x, left + radius + 60), left + width - radius), min(max(y, top + radius), top + height - radius)
    page.keyboard.down("Shift")
    page.mouse.move(x + radius, y)
    page.mouse.down()
    for k in range(1, 40):
        r = radius * (1 + 0.08 * math.sin(3 * k * math.tau / 40))
        page.mouse.move(x + r * math.cos(k * math.tau / 40), y + r * math.sin(k * math.tau / 40))
    page.mouse.up()
    page.keyboard.up("Shift")
    page.get_by_test_id("selection").wait_for()


def item(page: Page) -> None:
    """The card of a large image."""
    _sort(page, "longest_side_um")
    page.locator("[data-cell='9']").click()
    page.locator(".neighbour img").first.wait_for()


def pictures(page: Page) -> None:
    """Pictures on the map; in the grid, the largest first and all at one scale."""
    _sort(page, "longest_side_um")
    page.keyboard.press("r")
    page.keyboard.press("i")


def similar(page: Page) -> None:
    """Images like one of the grid, most similar first."""
    page.locator("[data-cell='7']").click()
    page.get_by_role("button", name="Similar images").click()
    page.get_by_role("heading", name="Similar images").wait_for()


SHOTS: Mapping[str, Shot] = {
    "explorer-overview-light": Shot(overview),
    "explorer-overview-dark": Shot(overview, "dark"),
    "explorer-selection-light": Shot(selection),
    "explorer-item-light": Shot(item),
    "explorer-pictures-dark": Shot(pictures, "dark"),
    "explorer-similar-light": Shot(similar),
}


def _map(page: Page) -> tuple[float, float, float, float]:
    box = page.get_by_test_id("map").bounding_box()
    assert box is not None
    return box["x"], box["y"], box["width"], box["height"]


def _crowd(page: Page) -> tuple[float, float]:
    """Where on the page most points are: the fullest of 12 × 12 fields of the map."""
    script = """() => {
      const canvas = document.querySelector('.canvas canvas'), pen = canvas.getContext('2d'), n = 12;
      const [w, h] = [Math.floor(canvas.width / n), Math.floor(canvas.height / n)];
      let best = [0, 0, 0];
      for (let v = 1; v < n - 1; v++) for (let u = 1; u < n - 1; u++) {
        const words = new Uint32Array(pen.getImageData(u * w, v * h, w, h).data.buffer);
        const full = words.reduce((sum, word) => sum + (word !== 0xfffdfdfc), 0);
        if (full > best[0]) best = [full, (u + 0.5) * canvas.clientWidth / n, (v + 0.5) * canvas.clientHeight / n];
      }
      return best.slice(1);
    }"""
    left, top, _, _ = _map(page)
    x, y = page.evaluate(script)
    return left + x, top + y


def _sort(page: Page, column: str) -> None:
    page.get_by_test_id("sort").select_option(column)
    page.get_by_role("button", name="Smallest first").click()
    page.wait_for_timeout(800)


@contextlib.contextmanager
def explorer(dataset: Path) -> Iterator[str]:
    """The explorer of a dataset in a process of its own; gives its address."""
    code = "import sys; from aqqua.app.serve import explore; explore([sys.argv[1]], open_browser=False)"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(dataset)], stdout=subprocess.PIPE, text=True, env={**os.environ, "CI": "1"}
    )
    assert process.stdout is not None
    try:
        lines = iter(process.stdout.readline, "")
        address = next((found[0] for line in lines if (found := re.search(r"http://\S+/", line))), None)
        if address is None:
            raise SystemExit("the explorer did not start: see above")
        yield address
    finally:
        process.terminate()
        process.communicate()


def save(png: bytes, path: Path) -> int:
    """Write a picture in true colours, or with as many as fit into the limit; returns its bytes."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    for colours in (None, 256, 128, 64):
        small = io.BytesIO()
        fewer = picture if colours is None else picture.quantize(colours, kmeans=3, dither=Image.Dither.NONE)
        fewer.save(small, "PNG", optimize=True)
        if small.tell() <= MOST_BYTES:
            break
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(small.getvalue())
    return small.tell()


def take(address: str, chromium: str, out: Path) -> None:
    """All pictures, one page each."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for name, shot in SHOTS.items():
            page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=shot.theme)
            page.goto(address)
            page.wait_for_selector("[data-testid=points]:not([data-points='0'])")
            page.wait_for_timeout(1500)
            shot.pose(page)
            page.evaluate("document.activeElement?.blur()")
            page.wait_for_timeout(2000)
            print(f"{out / name}.png  {save(page.screenshot(), out / f'{name}.png') // 1000} kB")
            page.close()
        browser.close()


def main() -> None:
    """Read the arguments, take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", type=Path, default=DATASET, help="a dataset with predictions")
    parser.add_argument("--out", type=Path, default=OUT, help="where the pictures go")
    given = parser.parse_args()
    if not (given.dataset / "AQQUA.json").exists():
        raise SystemExit(f"there is no dataset at {given.dataset}: make demo, or name one with --dataset")
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("Chromium is not installed: scripts/system-packages installs it")
    contact_sheet(given.out / "ocean-sheet.jpg", seed=5, cell_px=130)
    with explorer(given.dataset) as address:
        take(address, chromium, given.out)
    from scripts.screenshots_desk import take_desk

    take_desk(given.dataset, chromium, given.out)


if __name__ == "__main__":
    main()
