"""The whole way of a contribution: form → receipt → agreement → transfer → explorer → release → withdrawal.

Everything is done as people would: in a browser and with the command line, over real servers.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from aqqua.store.dataset import Dataset
from tests.e2e.contributor import fill_in, visiting
from tests.make.desks import free_port, running_desk
from tests.make.ecotaxa import FLAVOURS, write_package
from tests.make.servers import web_server
from tests.make.submissions import whole_answers

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

EMAIL = re.compile(rb"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


@dataclass(frozen=True)
class Place:
    """A folder to work in, and the registry the desk and the curator share."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        registry = str(self.folder / "registry.sqlite")
        return {**os.environ, "AQQUA_QUIET": "", "OMP_NUM_THREADS": "1", "AQQUA_REGISTRY": registry}

    def aqqua(self, *arguments: str) -> str:
        """Run a command; return what it says."""
        command = [sys.executable, "-m", "aqqua", *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    @contextmanager
    def explored(self, dataset: str) -> Iterator[str]:
        """The explorer of a dataset, served as `aqqua explore` serves it; yield its address."""
        command = [sys.executable, "-m", "aqqua", "explore", dataset, "--no-open"]
        with subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as server:
            assert server.stdout
            try:
                yield next(found[0] for line in server.stdout if (found := re.search(r"http://\S+", line)))
            finally:
                server.terminate()
                server.communicate(timeout=30)


def handed_in(browser: Browser, place: Place, address: str, places: str) -> str:
    """Fill in the form in a browser and hand it in, keep the receipt; return the id."""
    answers = whole_answers(title="Net hauls of two legs", instrument="ZooScan", formats=["ecotaxa"], address=places)
    with visiting(browser, address) as visit:
        page = visit("/")
        page.get_by_role("link", name="Share a dataset").click()
        fill_in(page, answers)
        page.locator(".actions").get_by_role("button", name="Hand in").click()
        expect(page.get_by_role("status")).to_contain_text("Your submission id is")
        with page.expect_download() as download:
            page.get_by_role("link", name="PDF").click()
        download.value.save_as(place.folder / "receipt.pdf")
        return download.value.suggested_filename.removesuffix(".pdf")


def shown_on_the_progress_page(browser: Browser, address: str) -> tuple[str, str]:
    """The line with the totals, and the table."""
    with visiting(browser, address) as visit:
        page = visit("/progress")
        return page.locator(".lead").inner_text(), page.locator("table").inner_text()


def test_from_the_form_to_the_release_and_back_out(browser: Browser, tmp_path: Path) -> None:
    place, port = Place(tmp_path), free_port()
    address = f"http://127.0.0.1:{port}"
    owner = tmp_path / "owner"
    owner.mkdir()
    write_package(owner / "leg1.zip", FLAVOURS["import"])
    write_package(owner / "leg2.zip", FLAVOURS["backup"], seed=1)
    with running_desk(tmp_path, port, "--address", address), web_server(owner) as web:
        id = handed_in(browser, place, address, f"{web.address}/leg1.zip {web.address}/leg2.zip")
        assert (tmp_path / "receipt.pdf").read_bytes().startswith(b"%PDF")
        assert len(list((tmp_path / "desk" / "outbox").glob("*.eml"))) == 1
        lead, _ = shown_on_the_progress_page(browser, address)
        assert lead == "0 images in 0 datasets are here; 1,200,000 in 1 submission are pledged."

        assert f"{id} is agreed" in place.aqqua("collect", "agree", id, "--by", "ada", "--note", "by telephone")
        assert f"{id} is ingested" in place.aqqua("collect", "receive", id, "--into", "data", "--by", "ada")
        assert {Path(path).name for path, _ in web.asked} == {"leg1.zip", "leg2.zip"}
        dataset = Dataset.open(tmp_path / "data" / id)
        assert len(dataset) > 0
        assert_it_opens_in_the_explorer(browser, place, dataset)
        lead, table = shown_on_the_progress_page(browser, address)
        assert lead == f"{len(dataset)} images in 1 dataset are here; 0 in 0 submissions are pledged."
        assert "ZooScan" in table

        place.aqqua("export", f"data/{id}", "--to", "release", "--out", "release", "--date", "2097-07-15")
        assert_only_the_agreed_authors_are_named(tmp_path / "release", id)

        told = place.aqqua("collect", "withdraw", id, "--reason", "rights were not ours", "--releases", "release")
        assert f"{len(dataset)} images are no longer shown" in told
        assert "publish a version without them" in told
        assert len(Dataset.open(dataset.path)) == 0
        lead, table = shown_on_the_progress_page(browser, address)
        assert lead == "0 images in 0 datasets are here; 0 in 0 submissions are pledged."
        assert "ZooScan" not in table


def assert_it_opens_in_the_explorer(browser: Browser, place: Place, dataset: Dataset) -> None:
    with place.explored(str(dataset.path)) as address, visiting(browser, address) as visit:
        page = visit("/")
        expect(page.get_by_test_id("shown")).to_have_attribute("data-shown", str(len(dataset)))


def assert_only_the_agreed_authors_are_named(release: Path, id: str) -> None:
    record = json.loads(next(release.rglob("datacite.json")).read_text("utf-8"))
    attributes = record.get("data", {}).get("attributes", record)
    names = [creator["name"] for creator in attributes["creators"]]
    assert len(names) == 1
    assert "Larsen" in names[0]
    assert "Adeyemi" in json.dumps(attributes)  # named for the supervision, not as author
    assert id in json.dumps(attributes) or any(id in path.read_text("utf-8") for path in release.rglob("card.yaml"))
    for path in release.rglob("*"):
        if path.is_file():
            assert b"ada.larsen@" not in path.read_bytes(), path
            if path.suffix in {".json", ".yaml", ".yml", ".md", ".txt", ".cff", ".xml"}:
                assert EMAIL.search(path.read_bytes()) is None, path
