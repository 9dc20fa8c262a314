"""The progress page: counted in the datasets as they are, readable without scripts."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from aqqua.collect.charts import bars, draw_land, land_path, world
from aqqua.collect.progress import Gathered, Pledged, Progress, count, progress_html
from aqqua.collect.receive import receive
from aqqua.collect.registry import Registry
from aqqua.collect.withdraw import withdraw
from tests.make.datasets import miniature
from tests.make.ecotaxa import FLAVOURS, write_package
from tests.make.submissions import whole_answers

SOME = Progress(
    [Gathered("Bay", 1_200_000, {"IFCB": 1_000_000, "ZooScan": 200_000}, [(54.0, 10.0, 1_200_000)], "CC-BY-4.0")],
    [Pledged("Lake <b>", 90, "FlowCam", [53.5, 9, 55, 15]), Pledged("Sea", 5_000, "IFCB", None)],
)


def test_gathered_is_the_union_of_datasets_and_a_withdrawal_shows(tmp_path: Path) -> None:
    registry = Registry.open(tmp_path / "r.sqlite")
    write_package(tmp_path / "a.zip", FLAVOURS["import"])
    ids = [registry.submit(whole_answers(instrument="ZooScan", images=n)).id for n in (500, 40)]
    assert sorted(one.images for one in count(registry).pledged) == [40, 500]
    registry.change(ids[0], "agreed", by="ada")
    receive(registry, ids[0], into=tmp_path / "data", addresses=[str(tmp_path / "a.zip")])
    other = miniature(tmp_path / "other")
    before = count(registry, [tmp_path / "other", tmp_path / "data"])  # a dataset named twice counts once
    got = {one.title: one.images for one in before.gathered}
    assert len(got) == 2
    assert before.images == len(other) + registry.get(ids[0]).facts["images"]
    assert [one.images for one in before.pledged] == [40]
    withdraw(registry, ids[0], reason="x", by="ada")
    after = count(registry, [tmp_path / "other", tmp_path / "data"])
    assert after.images == len(other)
    text = json.dumps(after.to_dict()) + progress_html(after)
    assert "Larsen" not in text
    assert "institute.example" not in text
    registry.close()


def test_the_page_has_the_numbers_as_text_and_no_script() -> None:
    page = progress_html(SOME)
    assert "<strong>1,200,000</strong> images in 1 dataset are here" in page
    assert "<strong>5,090</strong> in 2 submissions are pledged" in page
    assert re.search(r"IFCB</th><td>1,000,000</td><td>5,000</td>", page)
    assert "<script" not in page
    assert "http" not in page
    assert "class=embed" in progress_html(SOME, embed=True)
    assert SOME.instruments[0] == ("IFCB", 1_000_000, 5_000)


def test_an_empty_collection_says_so() -> None:
    assert "the first dataset makes the first bar" in progress_html(Progress([], []))


@pytest.mark.parametrize("logarithmic", [False, True])
def test_bars_grow_with_their_numbers(logarithmic: bool) -> None:
    picture = bars([("A & B", 900, 0), ("C", 9, 90), ("D", 0, 1)], logarithmic=logarithmic)
    root = ElementTree.fromstring(re.sub(r"class=([\w-]+)", r'class="\1"', picture))
    here = [float(one.get("width", "")) for one in root.iter("rect") if one.get("class") == "fill-here"]
    both = [float(one.get("width", "")) for one in root.iter("rect") if one.get("class") == "fill-due"]
    assert here[0] == both[0] > here[1] >= here[2]
    assert both[0] > both[1] > both[2]
    assert max(both) <= 880 - 170 - 150


def test_the_map_knows_land_and_the_date_line() -> None:
    places = [(54.0, 10.0, 100), (54.0, 10.0, 900), (-60.0, -170.0, 1)]
    picture = world(places, [[-10, 170, 10, -170], [53.5, 9, 55, 15]])
    assert picture.count("<circle") == 2
    assert picture.count("class=area") == 3
    assert "54°N 10°E: 1,000 images" in picture
    assert "60°S 170°W: 1 images" in picture
    assert len(land_path()) < 120_000
    assert "M0 179.5h360" in land_path()  # Antarctica


@pytest.mark.slow
def test_land_is_as_it_was_drawn() -> None:
    assert draw_land() == land_path()
