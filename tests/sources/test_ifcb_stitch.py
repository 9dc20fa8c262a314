"""ROIs that belong together, volumes that disagree, blobs: what a bin says beyond its single ROIs."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aqqua.errors import ConfigError, SourceError
from aqqua.sources import load_source, recognise
from aqqua.sources.ifcb_stitch import Roi, pairs, share, stitch
from tests.make.ifcb import NEW_NAME, OLD_NAME, overlapping_bin, write_bin
from tests.make.images import as_file
from tests.make.packing import pack

SIDE = st.integers(1, 12)
PLACE = st.integers(0, 15)


@settings(max_examples=150)
@given(x=PLACE, y=PLACE, width=SIDE, height=SIDE, dx=PLACE, dy=PLACE, wide=SIDE, high=SIDE, seed=st.integers(0, 99))
def test_every_pixel_of_both_is_kept_where_it_was(
    x: int, y: int, width: int, height: int, dx: int, dy: int, wide: int, high: int, seed: int
) -> None:
    one, two = Roi(x, y, width, height, 3), Roi(dx, dy, wide, high, 3 + width * height)
    sensor = np.random.default_rng(seed).integers(0, 256, (40, 40), np.uint8)
    cut = [sensor[roi.y : roi.y + roi.height, roi.x : roi.x + roi.width] for roi in (one, two)]
    data = b"xyz" + b"".join(part.tobytes() for part in cut)
    image = stitch(one, two, data)
    left, top = min(x, dx), min(y, dy)
    assert image.shape == (max(y + height, dy + high) - top, max(x + width, dx + wide) - left)
    known = np.zeros((40, 40), bool)
    for roi in (one, two):
        known[roi.y : roi.y + roi.height, roi.x : roi.x + roi.width] = True
    area = np.s_[top : top + image.shape[0], left : left + image.shape[1]]
    np.testing.assert_array_equal(image[known[area]], sensor[area][known[area]])
    filled = image[~known[area]]
    assert len(set(filled.tolist())) <= 1
    if filled.size and share(one, two):
        assert sensor[known].min() <= filled[0] <= sensor[known].max()
    assert Roi.parse(str(one)) == one


def test_corners_that_nobody_saw_get_the_gray_beside_them() -> None:
    one, two = Roi(0, 0, 4, 4, 0), Roi(0, 0, 8, 2, 16)
    image = stitch(one, two, bytes([100] * 16 + [50] * 16))
    assert image.shape == (4, 8)
    assert set(image[2:, 4:].ravel().tolist()) == {round((4 * 50 + 2 * 100) / 6)}


@pytest.mark.parametrize(
    ("boxes", "triggers", "expected"),
    [
        ([(0, 0, 10, 10), (5, 5, 10, 10)], "11", {1: 0}),
        ([(0, 0, 10, 10), (8, 5, 10, 10)], "11", {}),
        ([(0, 0, 10, 10), (7, 5, 10, 10)], "11", {1: 0}),
        ([(0, 0, 10, 10), (5, 5, 10, 10)], "12", {}),
        ([(0, 0, 10, 10), (5, 5, 10, 10), (8, 8, 10, 10)], "111", {1: 0}),
        ([(0, 0, 10, 10), (50, 5, 10, 10), (5, 5, 10, 10)], "111", {}),
        ([(0, 0, 10, 10), (5, 5, 10, 10), (50, 50, 10, 10), (55, 55, 9, 9)], "1111", {1: 0, 3: 2}),
    ],
)
def test_which_rois_belong_together(
    boxes: list[tuple[int, int, int, int]], triggers: str, expected: dict[int, int]
) -> None:
    assert pairs(list(triggers), [Roi(*box, 0) for box in boxes]) == expected


def test_a_bin_of_an_old_instrument(tmp_path: Path) -> None:
    sensor = overlapping_bin(tmp_path)
    (part,) = recognise(tmp_path).parts(tmp_path)
    table = part.table()
    assert table["object_id"].to_list() == [f"{OLD_NAME}_00001", f"{OLD_NAME}_00003"]
    assert table["stitched_roi"].to_list() == ["2", None]
    images = list(part.images([0, 1]))
    assert isinstance(images[0], np.ndarray)
    np.testing.assert_array_equal(images[0], sensor[10:30, 10:40])
    assert isinstance(images[1], np.ndarray)
    np.testing.assert_array_equal(images[1], sensor[40:50, 60:75])
    assert [(f.code, f.count) for f in part.rows.findings] == [("stitched_rois", 1)]
    (apart,) = recognise(tmp_path, "ifcb:stitch=no").parts(tmp_path)
    assert apart.table()["overlaps_roi"].to_list() == [None, "1", None]
    assert apart.table()["object_id"].to_list() == [f"{OLD_NAME}_0000{n}" for n in (1, 2, 3)]
    assert [f.code for f in apart.rows.findings] == ["overlapping_rois"]
    with pytest.raises(ConfigError, match="stitch=maybe"):
        load_source("ifcb:stitch=maybe")


def test_new_instruments_are_not_stitched(tmp_path: Path) -> None:
    overlapping_bin(tmp_path, NEW_NAME)
    (part,) = recognise(tmp_path).parts(tmp_path)
    assert part.table()["overlaps_roi"].to_list() == [None, "1", None]


def test_a_cut_off_roi_is_not_stitched(tmp_path: Path) -> None:
    overlapping_bin(tmp_path)
    path = tmp_path / f"{OLD_NAME}.roi"
    path.write_bytes(path.read_bytes()[:600])
    (part,) = recognise(tmp_path).parts(tmp_path)
    assert part.table().select(part.table()["_reason"].is_null()).to_series().to_list() == [True, False, False]


@pytest.mark.parametrize(("run", "inhibit", "told"), [(40, 0.2, []), (40.5, 0.2, []), (45, 0.2, ["volumes_differ"])])
def test_volumes_are_compared(tmp_path: Path, run: float, inhibit: float, told: list[str]) -> None:
    """Both volumes are kept; the lines of the miniature say a run of 40.02 s with 0.24 s blind."""
    write_bin(tmp_path, images=4, blanks=())
    header = (tmp_path / f"{NEW_NAME}.hdr").read_text().replace("runTime: 600.0", f"runTime: {run}")
    (tmp_path / f"{NEW_NAME}.hdr").write_text(header.replace("inhibitTime: 1.5", f"inhibitTime: {inhibit}"))
    (part,) = recognise(tmp_path).parts(tmp_path)
    row = part.table().to_dicts()[0]
    assert float(row["ml_analyzed_hdr"]) == pytest.approx(0.25 / 60 * (run - inhibit))
    assert float(row["ml_analyzed_adc"]) == pytest.approx(0.25 / 60 * (40.02 - 0.24))
    assert row["volume_from"] == ".hdr"
    assert [f.code for f in part.rows.findings] == told


def blobs(masks: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in masks.items():
            archive.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize("name", ["{}_blob.zip", "blobs/{}_blobs_v2.zip", "features/D2022/{}_blobs_v4.zip"])
def test_blobs_become_masks(tmp_path: Path, name: str) -> None:
    expected = write_bin(tmp_path, images=3, blanks=())
    drawn = {roi: (pixels > 100) for roi, pixels in list(expected.items())[:2]}
    pack(tmp_path, {name.format(NEW_NAME): blobs({f"{roi}.png": as_file(mask) for roi, mask in drawn.items()})})
    source = recognise(tmp_path)
    assert source.name == "ifcb"
    (part,) = source.parts(tmp_path)
    for row in part.table().iter_rows(named=True):
        mask = part.mask(row)
        if row["object_id"] in drawn:
            assert mask is not None
            np.testing.assert_array_equal(mask, drawn[row["object_id"]])
        else:
            assert mask is None


def test_the_newest_blobs_count(tmp_path: Path) -> None:
    (roi, pixels), *_ = write_bin(tmp_path, images=1, blanks=()).items()
    for version, drawn in {"_v2": pixels < 0, "_v4": pixels >= 0, "": pixels < 0}.items():
        pack(tmp_path, {f"{NEW_NAME}_blobs{version}.zip": blobs({f"{roi}.png": as_file(drawn)})})
    (part,) = recognise(tmp_path).parts(tmp_path)
    mask = part.mask(part.table().to_dicts()[0])
    assert mask is not None
    assert mask.all()


def test_damaged_blobs_are_told(tmp_path: Path) -> None:
    (roi, _), *_ = write_bin(tmp_path, images=1, blanks=()).items()
    pack(tmp_path, {f"{NEW_NAME}_blob.zip": b"PK nothing"})
    (part,) = recognise(tmp_path).parts(tmp_path)
    assert "blobs_unreadable" in {finding.code for finding in part.rows.findings}
    assert part.mask(part.table().to_dicts()[0]) is None
    pack(tmp_path, {f"{NEW_NAME}_blob.zip": blobs({f"{roi}.png": b"no image"})})
    (part,) = recognise(tmp_path).parts(tmp_path)
    with pytest.raises(SourceError, match="not an image"):
        part.mask(part.table().to_dicts()[0])
