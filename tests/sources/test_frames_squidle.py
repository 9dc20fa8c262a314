"""Tables of Squidle+ and BIIGLE."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aqqua.errors import SourceError
from aqqua.metadata.check import Finding
from aqqua.sources import recognise
from aqqua.sources.part import Part
from tests.make import frames as make
from tests.make.packing import pack


def read(path: Path, table: bytes, name: str = "t.csv") -> tuple[pl.DataFrame, Part, list[Finding]]:
    pack(path, make.files_of(make.frames()) | {name: table})
    (part,) = recognise(path).parts(path)
    return part.table(), part, part.rows.findings


def test_position_depth_and_time_of_squidle(tmp_path: Path) -> None:
    table, _, _ = read(tmp_path, make.squidle())
    row = table.to_dicts()[0]
    assert [row[name] for name in ("latitude", "longitude", "depth_m", "time_utc", "label", "point.pose.dep")] == [
        "-33.5", "151.2", "12", "2021-02-03T04:05:06", "Calanus", "12",
    ]  # fmt: skip


def test_squidle_as_json(tmp_path: Path) -> None:
    expected, part, _ = read(tmp_path / "csv", make.squidle())
    entries = []
    for row in expected.iter_rows(named=True):
        entry: dict[str, Any] = {"id": int(row["id"]), "label.name": row["label.name"]}
        entry["point.x"], entry["point.y"] = float(row["point.x"]), float(row["point.y"])
        entry["point"] = {"data": {"polygon": json.loads(row["point.data.polygon"])}}
        entries.append(entry | {"point.media.path_best": f"https://example.org/{row['point.media.key']}.png?size=full"})
    table, other, _ = read(tmp_path / "json", json.dumps(entries).encode(), "t.json")
    assert table["object_id"].to_list() == expected["object_id"].to_list()
    for one, two in zip(part.images(range(3)), other.images(range(3)), strict=True):
        assert isinstance(one, np.ndarray)
        np.testing.assert_array_equal(one, two)


def squidle_line(polygon: str, x: str = "0.5") -> bytes:
    head = "id,label.name,point.x,point.y,point.data.polygon,point.media.key"
    return f'{head}\n1,Calanus,{x},0.5,"{polygon}",f1\n'.encode()


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (squidle_line(""), "the annotation is a point"),
        (squidle_line("[]"), "the annotation is a point"),
        (squidle_line("[[0, 0], [0.1"), "point.data.polygon cannot be read"),
        (squidle_line("[[0, 0], [0.1, 0.1], [0.1, 0]]", "here"), "point.x and point.y are no numbers"),
        (squidle_line("[[0, 0], [0.1, 0.1], [0.2, 0.2]]"), "encloses no area"),
    ],
)
def test_squidle_annotations_that_give_no_roi(tmp_path: Path, table: bytes, reason: str) -> None:
    rows, _, _ = read(tmp_path, table)
    assert reason in rows["_reason"].item()
    assert rows["_do"].item()


def biigle_line(shape: str, points: str, more: str = "") -> bytes:
    return f'filename,shape_name,points,label_name,annotation_id\nf1.png,{shape},"{points}",Calanus,5\n{more}'.encode()


@pytest.mark.parametrize(
    ("shape", "points", "area", "covered"),
    [
        ("Rectangle", "[10, 5, 20, 5, 20, 15, 10, 15]", (10, 5, 10, 10), None),
        ("Rectangle", "[20, 10, 30, 20, 20, 30, 10, 20]", (10, 10, 20, 20), 200),
        ("Circle", "[20, 20, 8]", (12, 12, 16, 16), 200),
        ("Ellipse", "[20, 10, 20, 30, 15, 20, 25, 20]", (15, 10, 10, 20), 156),
        ("Polygon", "[10, 5, 20, 5, 20, 15, 10, 15]", (10, 5, 10, 10), 100),
    ],
)
def test_shapes_of_biigle(tmp_path: Path, shape: str, points: str, area: tuple[int, ...], covered: int | None) -> None:
    read(tmp_path, biigle_line(shape, points))
    (part,) = recognise(tmp_path, "frames_biigle:margin=0").parts(tmp_path)
    row = part.table().to_dicts()[0]
    assert tuple(int(row[f"roi_{name}"]) for name in ("x", "y", "width", "height")) == area
    mask = part.mask(row)
    if covered is None:
        assert mask is None
    else:
        assert mask is not None
        assert int(mask.sum()) == pytest.approx(covered, rel=0.06)


@pytest.mark.parametrize(
    ("shape", "points", "reason"),
    [
        ("Point", "[10, 5]", "the annotation is a point"),
        ("LineString", "[10, 5, 12, 7]", "the annotation is a linestring"),
        ("WholeFrame", "[]", "0 numbers are no wholeframe"),
        ("Circle", "[10, 5, 0]", "no area"),
        ("Circle", "[10]", "1 numbers are no circle"),
        ("Polygon", "{}", "points cannot be read"),
        ("Polygon", "[1, 'a']", "points cannot be read"),
    ],
)
def test_biigle_annotations_that_give_no_roi(tmp_path: Path, shape: str, points: str, reason: str) -> None:
    table, _, _ = read(tmp_path, biigle_line(shape, points))
    assert reason in table["_reason"].item()


def test_an_annotation_with_two_labels_is_one_object(tmp_path: Path) -> None:
    box = "[10, 5, 20, 5, 20, 15, 10, 15]"
    more = f'f1.png,Rectangle,"{box}",Copepoda,5\nf1.png,Rectangle,"{box}",Copepoda,6\n'
    table, _, findings = read(tmp_path, biigle_line("Rectangle", box, more))
    assert table["object_id"].to_list() == ["f1_5", "f1_6"]
    assert table["label"].to_list() == ["Calanus", "Copepoda"]
    assert [(f.code, f.count) for f in findings if f.severity == "warning"] == [("further_labels", 1)]


@pytest.mark.parametrize("name", ["frames_squidle", "frames_biigle"])
def test_nothing_to_read(tmp_path: Path, name: str) -> None:
    pack(tmp_path, {"t.csv": b"a,b\n1,2\n"})
    with pytest.raises(SourceError, match="no annotations"):
        recognise(tmp_path, name).parts(tmp_path)


@settings(max_examples=40)
@given(
    shape=st.sampled_from(["Polygon", "Circle", "Rectangle", "Ellipse", "", "x"]),
    points=st.text(alphabet='[]0123456789.,e-{}"n', max_size=30) | st.lists(st.floats(-9, 99), max_size=9).map(str),
)
def test_odd_cells_never_stop_the_work(tmp_path_factory: pytest.TempPathFactory, shape: str, points: str) -> None:
    path = tmp_path_factory.mktemp("s")
    table, part, _ = read(path, biigle_line(shape, points.replace('"', '""')))
    assert table.height == 1
    for row in table.filter(pl.col("_reason").is_null()).iter_rows(named=True):
        assert part.picture(row).pixels.size
