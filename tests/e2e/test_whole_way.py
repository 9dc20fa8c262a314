"""The whole way: raw files → dataset → model → explorer in Chromium → EcoTaxa zip → read back, object for object.

Everything is done as a person would: with the command line, a browser, and a click on "Download".
"""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from playwright.sync_api import Page, expect, sync_playwright

import aqqua
from aqqua.export.ecotaxa_rules import validate
from aqqua.sources import recognise

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

BROWSER = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


def run_aqqua(*arguments: str | Path, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "aqqua", *map(str, arguments)],
        cwd=cwd,
        env=os.environ | {"AQQUA_QUIET": "", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which `aqqua demo` has gone every step but the last."""
    folder = tmp_path_factory.mktemp("whole-way")
    told = run_aqqua("demo", "here", "--images", "240", "--minutes", "0.15", "--no-explore", cwd=folder)
    for step in ("1/6", "2/6", "3/6", "4/6", "5/6", "6/6", "What you can do now"):
        assert step in told
    return folder / "here"


@pytest.fixture(scope="module")
def address(walked: Path) -> Iterator[str]:
    """The explorer, served as `aqqua explore` serves it."""
    server = subprocess.Popen(
        [sys.executable, "-m", "aqqua", "explore", "dataset", "--no-open"],
        cwd=walked,
        env=os.environ | {"AQQUA_QUIET": "", "OMP_NUM_THREADS": "1"},
        stderr=subprocess.STDOUT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout
    for line in server.stdout:
        if "http://" in line:
            yield next(word for word in line.split() if word.startswith("http://"))
            break
    server.terminate()
    server.communicate(timeout=30)


@pytest.fixture
def page(address: str, chromium_path: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=BROWSER)
        page = browser.new_page(viewport={"width": 1280, "height": 800}, accept_downloads=True)
        page.goto(address)
        yield page
        browser.close()


def test_every_raw_image_is_in_the_dataset_or_among_the_rejects(walked: Path) -> None:
    dataset = aqqua.Dataset.open(walked / "dataset")
    truth = pl.read_parquet(walked / "raw" / "truth" / "sightings.parquet").filter(pl.col("object_id").is_not_null())
    rejected = dataset.rejected()
    assert len(dataset) + rejected["object_id"].n_unique() == truth["object_id"].n_unique()
    flaws = pl.read_parquet(walked / "raw" / "truth" / "flaws.parquet").filter(pl.col("expected") == "rejected")
    assert set(rejected["object_id"]) == set(flaws["object_id"])


def test_the_metadata_is_what_the_ocean_says(walked: Path) -> None:
    dataset = aqqua.Dataset.open(walked / "dataset")
    columns = ["object_id", "latitude", "longitude", "depth_min_m", "time_utc", "pixel_um"]
    truth = pl.read_parquet(walked / "raw" / "truth" / "sightings.parquet")
    both = dataset.metadata(columns).join(truth, on="object_id", suffix="_true")
    assert both.height == len(dataset)
    np.testing.assert_allclose(both["pixel_um"], both["pixel_um_true"], rtol=0.01)


def test_from_the_explorer_to_ecotaxa_and_back(walked: Path, page: Page, tmp_path: Path) -> None:
    dataset = aqqua.Dataset.open(walked / "dataset")
    expect(page.get_by_test_id("shown")).to_have_attribute("data-shown", str(len(dataset)))
    page.keyboard.press("e")
    with page.expect_download(timeout=60_000) as download:
        page.get_by_test_id("export-go").click()
    package = tmp_path / download.value.suggested_filename
    download.value.save_as(package)

    packages = unpack(package, tmp_path / "packages")
    assert {recognise(path).name for path in packages} == {"ecotaxa_export"}
    assert not [finding for path in packages for finding in validate(path) if finding.severity == "error"]
    aqqua.ingest(packages, tmp_path / "again")
    assert_same_objects(dataset, aqqua.Dataset.open(tmp_path / "again"))


def unpack(download: Path, folder: Path) -> list[Path]:
    """The zips to import: several come in one download, one by taxon id, the other by taxon name."""
    with zipfile.ZipFile(download) as archive:
        inner = [name for name in archive.namelist() if name.endswith(".zip")]
        archive.extractall(folder, inner)
    return [folder / name for name in inner] or [download]


def assert_same_objects(one: aqqua.Dataset, other: aqqua.Dataset) -> None:
    columns = ["object_id", "image_rank", "latitude", "longitude", "time_utc", "depth_min_m", "pixel_um", "dtype"]
    first, second = one.metadata([*columns, "channels"]), other.metadata(columns)
    both = first.join(second, on=["object_id"], suffix="_again", how="full", coalesce=True)
    assert both.filter(pl.col("uid").is_null() | pl.col("uid_again").is_null()).is_empty()
    for name in ("latitude", "longitude", "depth_min_m", "pixel_um"):
        np.testing.assert_allclose(both[name], both[f"{name}_again"], rtol=1e-5, atol=1e-5, err_msg=name)
    apart = (both["time_utc"] - both["time_utc_again"]).dt.total_milliseconds().abs()
    assert apart.max() is not None
    assert apart.lt(1000).all()  # a TSV has whole seconds
    plain = both.filter((pl.col("dtype") == "uint8") & pl.col("channels").is_in([1, 3]))
    assert plain.height > 100
    for mine, theirs in zip(one.images(plain["uid"]), other.images(plain["uid_again"]), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_the_page_shows_the_map(walked: Path, page: Page, tmp_path: Path) -> None:
    expect(page.get_by_test_id("points")).to_be_visible()
    page.wait_for_timeout(500)
    shot = tmp_path / "explorer.png"
    page.screenshot(path=shot)
    from PIL import Image

    colours = Image.open(shot).convert("RGB").quantize(256).convert("RGB").getcolors(1 << 24)
    assert colours is not None
    assert len(colours) > 40
