"""iFDO image sets: defaults and items, positions below the sea, outlines, digests, and the card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from aqqua.errors import SourceError
from aqqua.metadata.card import Card, Person
from aqqua.metadata.check import Finding
from aqqua.sources import recognise
from aqqua.sources.archive import Tree
from aqqua.sources.cards import card_for
from aqqua.sources.ingest import ingest
from aqqua.sources.part import Part
from tests.make.frames import HEIGHT, WIDTH, covered
from tests.make.ifdo import sha256_of, write_set
from tests.make.packing import pack

WHEN = {"image-datetime": "2021-03-04 05:06:07.890"}
TWO: dict[str, Any] = {"f1.png": WHEN, "f2.png": {**WHEN, "image-latitude": 55.5, "image-altitude-meters": 3}}
CORNERS = ((10, 5), (20, 5), (20, 15), (10, 15))
BOX = [value for corner in CORNERS for value in corner]


def read(path: Path, items: Any, **options: Any) -> tuple[pl.DataFrame, Part, list[Finding]]:
    write_set(path, items, **options)
    source = recognise(path)
    assert source.name == "ifdo"
    (part,) = source.parts(path)
    return part.table(), part, part.rows.findings


@pytest.mark.parametrize("kind", ["yaml", "json", "yml"])
def test_defaults_of_the_header_and_what_items_say(tmp_path: Path, kind: str) -> None:
    table, part, _ = read(tmp_path, TWO, kind=kind)
    columns = ["object_id", "latitude", "longitude", "depth_m", "altitude_m", "instrument", "sample_id", "time_utc"]
    same = ("PELAGIOS", "SO268-1_21-1", "2021-03-04 05:06:07.890")
    assert table.select(columns).rows() == [
        ("f1", "54.5", "10.25", "12.5", None, *same),
        ("f2", "55.5", "10.25", None, "3.0", *same),
    ]
    assert float(table["pixel_um"][0]) == pytest.approx((0.0024 / (WIDTH * HEIGHT)) ** 0.5 * 1e6)
    assert table["image-set-uuid"][0] == "f840644a-fe4a-46a7-9791-e32c211bcbf5"
    assert not any("@" in (value or "") for row in table.iter_rows() for value in row if isinstance(value, str))
    assert part.mask(table.to_dicts()[0]) is None


def test_lists_per_image(tmp_path: Path) -> None:
    items = {"f1.png": [{**WHEN, "image-latitude": 1.5}, {"image-latitude": 2.5}], "f2.png": [WHEN]}
    table, _, findings = read(tmp_path, items)
    assert table["latitude"].to_list() == ["2.5", "54.5"]
    assert [(f.code, f.count) for f in findings] == [("several_entries", 1)]
    table, _, _ = read(tmp_path / "v1", [{"image-filename": "f1.png", **WHEN}, {"image-filename": "f2.png", **WHEN}])
    assert table["object_id"].to_list() == ["f1", "f2"]


def test_it_all_comes_in(tmp_path: Path) -> None:
    write_set(tmp_path / "set", TWO, header={"image-pixel-um": 90})
    report = ingest([tmp_path / "set"], tmp_path / "data")
    assert report.images == 2
    told = report.dataset.metadata().sort("object_id")
    assert told["depth_min_m"][0] == 12.5
    assert told["altitude_m"][1] == 3
    assert str(told["time_utc"][0]) == "2021-03-04 05:06:07.890000+00:00"
    assert report.dataset.card.licence == "CC-BY-4.0"


@pytest.mark.parametrize(
    ("annotation", "area", "masked"),
    [
        ({"shape": "polygon", "coordinates": [BOX]}, (10, 5, 10, 10), True),
        ({"shape": "polygon", "coordinates": [{"x": x, "y": y} for x, y in CORNERS]}, (10, 5, 10, 10), True),
        ({"shape": "rectangle", "coordinates": [BOX]}, (10, 5, 10, 10), False),
        ({"shape": "circle", "coordinates": [[20, 20, 8]]}, (12, 12, 16, 16), True),
    ],
)
def test_outlines_are_cut_out(tmp_path: Path, annotation: dict[str, Any], area: tuple[int, ...], masked: bool) -> None:
    labels = [{"label": "135301", "annotator": "0000", "confidence": 0.9}]
    items = {"f1.png": {**WHEN, "image-annotations": [{**annotation, "labels": labels}]}, "f2.png": WHEN}
    pictures = write_set(tmp_path, items)
    (part,) = recognise(tmp_path, "ifdo:margin=0").parts(tmp_path)
    (row,) = part.table().to_dicts()
    x, y, width, height = (int(row[f"roi_{name}"]) for name in ("x", "y", "width", "height"))
    assert (x, y, width, height) == area
    np.testing.assert_array_equal(part.picture(row).pixels, pictures["f1.png"][y : y + height, x : x + width])
    mask = part.mask(row)
    assert (mask is not None) == masked
    if mask is not None and annotation["shape"] == "polygon":
        np.testing.assert_array_equal(mask, covered(CORNERS)[y : y + height, x : x + width])
    assert (row["object_id"], row["label"], row["annotation_confidence"]) == ("f1_00001", "Aurelia", "0.9")
    assert row["source_path"].endswith("set_ifdo.yaml#f1.png")
    assert [f.code for f in part.rows.findings if f.code == "frames_without_objects"]


def test_whole_image_annotations_are_labels(tmp_path: Path) -> None:
    whole = [{"shape": "whole-image", "coordinates": [], "labels": [{"label": "x"}]}]
    table, _, _ = read(tmp_path, {"f1.png": {**WHEN, "image-annotations": whole}, "f2.png": WHEN})
    assert table["label"].to_list() == ["Beroe", None]
    assert table["roi_x"].to_list() == [None, None]


def test_points_give_no_roi(tmp_path: Path) -> None:
    point = [{"shape": "single-pixel", "coordinates": [[5, 5]], "labels": [{"label": "x"}]}]
    table, _, _ = read(tmp_path, {"f1.png": {**WHEN, "image-annotations": point}})
    assert table["_reason"].to_list() == ["the annotation is a single-pixel: it has no outline"]


def test_digests_are_compared(tmp_path: Path) -> None:
    items = {
        "f1.png": {**WHEN, "image-hash-sha256": sha256_of("f1.png").upper()},
        "f2.png": {**WHEN, "image-hash-sha256": sha256_of("f1.png")},
    }
    table, part, _ = read(tmp_path, items)
    good, bad = part.images(range(table.height))
    assert isinstance(good, np.ndarray)
    assert isinstance(bad, SourceError)
    assert "SHA-256 differs" in bad.what


def test_times_in_a_format_of_their_own(tmp_path: Path) -> None:
    header = {"image-datetime-format": "%d.%m.%Y %H-%M-%S"}
    items = {"f1.png": {"image-datetime": "04.03.2021 05-06-07"}, "f2.png": {"image-datetime": "nonsense"}}
    table, _, _ = read(tmp_path, items, header=header)
    assert table["time_utc"].to_list() == ["2021-03-04T05:06:07Z", "nonsense"]


def test_videos_and_missing_images_have_a_reason(tmp_path: Path) -> None:
    table, _, _ = read(tmp_path, {"dive.mp4": [WHEN], "f1.png": WHEN, "f9.png": WHEN})
    pack(tmp_path, {"dive.mp4": b"x"})
    reasons = dict(zip(table["object_id"], table["_reason"], strict=True))
    assert reasons["f1"] is None
    assert reasons["f9"] == "there is no frame 'f9.png'"
    assert reasons["dive"]


def test_pixel_sizes(tmp_path: Path) -> None:
    bare = {"image-area-square-meter": None, "image-pixel-magnitude": 0.5}
    table, _, _ = read(tmp_path / "a", {"f1.png": WHEN}, header={**bare})
    assert table["pixel_size"].to_list() == ["0.5"]
    table, _, _ = read(tmp_path / "b", {"f1.png": WHEN}, header={**bare, "image-pixel-magnitude": "µm"})
    assert "pixel_size" not in table.columns
    assert table["image-pixel-magnitude"].to_list() == ["µm"]


def test_the_card_of_a_set(tmp_path: Path) -> None:
    write_set(tmp_path, TWO)
    card = card_for(Tree(tmp_path), None, Card())
    assert (card.title, card.licence, card.project) == ("SO268 SO268-1_21-1_OFOS SO_CAM", "CC-BY-4.0", "SO268")
    assert card.people == (Person("Ada Lovelace", orcid="0000-0002-1825-0097"), Person("B. Person"))
    assert card.id == "f840644a-fe4a-46a7-9791-e32c211bcbf5"
    assert card_for(Tree(tmp_path), Card(title="Mine"), Card()).title == "Mine"


LICENCES = {
    "CC-0": "CC0-1.0",
    "CC BY 4.0": "CC-BY-4.0",
    "cc-by-nc": "CC-BY-NC-4.0",
    "all mine": "unknown",
    None: "unknown",
}


@pytest.mark.parametrize(("said", "licence"), LICENCES.items())
def test_licences(tmp_path: Path, said: str | None, licence: str) -> None:
    write_set(tmp_path, TWO, header={"image-license": said, "image-pi": {"name": "C", "orcid": "0000-0000-0000-0000"}})
    card = card_for(Tree(tmp_path), None, Card())
    assert card.licence == licence
    assert card.people[0] == Person("C")


NO_IFDO = [
    "image-set-header: [                      # never closed",
    "image-set-header: 5\nimage-set-items: {}   # padded",
    "- image-set-header\n- x: aaaaaaaaaaaaa",
]


@pytest.mark.parametrize("text", NO_IFDO)
def test_a_file_that_is_no_ifdo(tmp_path: Path, text: str) -> None:
    pack(tmp_path, {"a.yaml": text.encode()})
    (part,) = recognise(tmp_path).parts(tmp_path)
    with pytest.raises(SourceError):
        part.table()
    assert card_for(Tree(tmp_path), None, Card(title="usual")).title == "usual"


def test_lists_that_hold_themselves(tmp_path: Path) -> None:
    outline = "{shape: polygon, coordinates: &a [1, 2, *a]}"
    text = f"image-set-header: {{}}\nimage-set-items: {{f1.png: {{image-annotations: [{outline}]}}}}\n"
    write_set(tmp_path, TWO)
    (tmp_path / "set_ifdo.yaml").write_text(text)
    (part,) = recognise(tmp_path).parts(tmp_path)
    assert part.table()["_reason"].to_list() == ["the outline has more than 262,144 corners"]


INNER = st.sampled_from(["name", "shape", "labels", "x"])
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 99) | st.floats(-9, 99) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(INNER, inner),
    max_leaves=5,
)
OF_ITEMS = ["latitude", "altitude-meters", "datetime", "annotations", "sensor", "hash-sha256", "area-square-meter"]
OF_HEADER = ["pi", "creators", "license", "annotation-labels"]


@settings(max_examples=50)
@given(
    item=st.dictionaries(st.sampled_from([f"image-{name}" for name in OF_ITEMS]), VALUE),
    header=st.dictionaries(st.sampled_from([f"image-{name}" for name in OF_HEADER]), VALUE),
)
def test_odd_values_never_stop_the_work(
    tmp_path_factory: pytest.TempPathFactory, item: dict[str, Any], header: dict[str, Any]
) -> None:
    path = tmp_path_factory.mktemp("s")
    table, part, _ = read(path, {"f1.png": item, "f2.png": WHEN}, header=header)
    assert card_for(Tree(path), None, Card()).title
    usable = table["_reason"].is_null().arg_true().to_list()
    assert all(isinstance(image, (np.ndarray, SourceError)) for image in part.images(usable))
    assert yaml.safe_load((path / "set_ifdo.yaml").read_text())
