"""An explorer of drawn shapes on a free port, and Debian's Chromium to look at it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from aqqua.app.sample import build_sample
from aqqua.store.dataset import Dataset
from tests.e2e.server import Running

SIZE: ViewportSize = {"width": 1280, "height": 800}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@pytest.fixture(scope="session")
def datasets(tmp_path_factory: pytest.TempPathFactory) -> list[Dataset]:
    """400 drawn images with predictions, and 60 without."""
    folder = tmp_path_factory.mktemp("browser")
    return [build_sample(folder / "cruise", 400), build_sample(folder / "plain", 60, predicted=False, seed=1)]


@pytest.fixture(scope="session")
def explorer(datasets: list[Dataset], chromium_path: str) -> Iterator[Running]:
    """The explorer of both; not started where there is no Chromium."""
    with Running(datasets) as running:
        yield running


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    """One Chromium for the tests of a file (Playwright allows one of itself at a time); each has a fresh profile."""
    os.environ.setdefault("PLAYWRIGHT_SKIP_VALIDATE_HOST_REQUIREMENTS", "1")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=chromium_path, args=FLAGS)
        yield chromium
        chromium.close()


class Watch:
    """What a page asked for and complained about.

    Args:
        page: the page to watch.
    """

    def __init__(self, page: Page) -> None:
        self.asked: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("console", lambda said: self.complaints.append(f"{said.type}: {said.text}"))
        page.on("pageerror", lambda error: self.complaints.append(f"thrown: {error}"))

    def elsewhere(self) -> list[str]:
        """Requests that left this machine."""
        return [url for url in self.asked if urlsplit(url).hostname not in {"127.0.0.1", None}]


@pytest.fixture
def page(browser: Browser, explorer: Running) -> Iterator[Page]:
    """A page of its own. Whatever a test does: nothing leaves the machine, and the console stays empty."""
    context = browser.new_context(viewport=SIZE, color_scheme="light", accept_downloads=True, base_url=explorer.address)
    context.set_default_timeout(15_000)
    fresh = context.new_page()
    watch = Watch(fresh)
    yield fresh
    context.close()
    assert watch.elsewhere() == []
    assert watch.complaints == []
