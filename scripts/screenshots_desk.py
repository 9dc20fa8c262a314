"""Takes the screenshots of the collection desk anew; `python -m scripts.screenshots` does this as its last step.

Ids, links and times differ from desk to desk: before a picture is taken they are replaced by those of an example.
"""

from __future__ import annotations

import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from playwright.sync_api import Page, sync_playwright
from tests.make.submissions import whole_answers

from aqqua.collect.mail import Mail
from aqqua.collect.registry import Registry, State, Submission
from aqqua.collect.web import Settings, create_desk
from scripts.screenshots import FLAGS, save

__all__ = ["take_desk"]

_PLEDGED = (
    ("Zooplankton of the northern fjords, net hauls", "ZooScan", "310000", "66, 10, 71, 26"),
    ("Marine snow at the shelf edge, eleven cruises", "UVP5", "840000", "-40, -20, -20, 12"),
    ("IFCB time series, Example Bay, 2015–2024", "IFCB", "1200000", "53.5, 6, 58, 13"),
)
_EXAMPLE = """() => {
  const words = [[/AQ-[0-9A-Z]{6}/g, 'AQ-7K2M9P'], [/http:\\S+\\/mine\\/[\\w-]+/g, 'https://desk.example.org/mine/…'],
    [/20\\d\\d-\\d\\d-\\d\\d \\d\\d:\\d\\d/g, '2027-01-15 10:00']];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) for (const [old, now] of words) {
    texts.currentNode.data = texts.currentNode.data.replace(old, now);
  }
}"""


def take_desk(dataset: Path, chromium: str, out: Path) -> None:
    """The form, a private page, and the progress page with a dataset that is there.

    Args:
        dataset: counted as gathered.
        chromium: path of the browser.
        out: folder for the pictures.
    """
    with _desk(dataset) as (address, made), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 860}, color_scheme="light", base_url=address)
        page.goto("/form")
        for name, text in (
            ("contact_name", "Ada Larsen"),
            ("institution", "Institute of Marine Research, Exampletown"),
        ):
            page.fill(f"#{name}", text)
        page.locator("#field-institution_ror .what").hover()
        _save(page, out / "desk-form.png")
        page.goto(f"/mine/{made.token}?new=1")
        page.locator("summary", has_text="Consents").click()
        page.locator("summary", has_text="Consents").blur()
        page.set_viewport_size({"width": 1280, "height": 1180})
        page.evaluate("scrollTo(0, 0)")
        _save(page, out / "desk-private.png")
        page.goto("/progress")
        page.get_by_text("logarithmic").click()
        _save(page, out / "desk-progress.png", whole=True)
        browser.close()


def _save(page: Page, path: Path, *, whole: bool = False) -> None:
    page.evaluate(_EXAMPLE)
    page.wait_for_timeout(500)
    print(f"{path}  {save(page.screenshot(full_page=whole), path) // 1000} kB")


@contextmanager
def _desk(dataset: Path) -> Iterator[tuple[str, Submission]]:
    """A desk with some submissions; gives its address and one of them, with its private link."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as door:
        address = f"http://127.0.0.1:{door.getsockname()[1]}"
        registry = Registry.open(Path(folder) / "registry.sqlite")
        made = [
            registry.submit(whole_answers(title=title, instrument=instrument, images=images, area=area))
            for title, instrument, images, area in _PLEDGED
        ]
        registry.change(made[-1].id, State.AGREED, by="ada", note="talked on the telephone")
        settings = Settings(address, b"s" * 32, Mail(outbox=Path(folder) / "outbox"), (dataset,))
        server = uvicorn.Server(uvicorn.Config(create_desk(registry, settings), log_level="warning", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield address, made[-1]
        finally:
            server.should_exit = True
            thread.join(20)
            registry.close()
