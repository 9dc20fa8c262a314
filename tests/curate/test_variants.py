from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqqua.curate.variants import SetAside, as_reasons, keep_raw, name_groups, variant_key
from aqqua.errors import SourceError
from aqqua.ocean.vignettes import vignette
from tests.make.captures import capture, compressed


def look(
    files: Mapping[str, np.ndarray | None], objects: Sequence[str] | None = None, **more: Sequence[str]
) -> SetAside:
    names = list(files)
    frame = pl.DataFrame(
        {"image_path": names, "object_id": list(objects or names), "source_path": ["t"] * len(names), **more}
    )

    def read(rows: Sequence[int]) -> Iterator[object]:
        for row in rows:
            pixels = files[names[row]]
            yield SourceError("damaged") if pixels is None else pixels

    return keep_raw(frame, read)


def told(files: Mapping[str, np.ndarray | None], **more: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Copy → its raw image and the kind of copy."""
    names = list(files)
    return {names[v.row]: (names[v.raw], v.kind) for v in look(files, **more).variants}


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("a/raw/7.tif", "a/7"),
        ("a/Processed/7.png", "a/7"),
        ("a/7_vignette.JPG", "a/7"),
        ("a/raw_7.png", "a/7"),
        ("raw.png", "raw"),
        ("a/7.5_b.png", "a/7_5_b"),
    ],
)
def test_names_without_the_kind_of_copy(path: str, key: str) -> None:
    assert variant_key(path)[0] == key


@given(st.text(st.characters(exclude_characters="\0"), max_size=30))
def test_any_name_has_a_key(path: str) -> None:
    key, role = variant_key(path)
    assert role in {None, "raw", "processed", "vignette", "thumbnail"}
    assert variant_key(path) == (key, role)


def test_three_copies_in_three_folders() -> None:
    raw = capture(1)
    files = {
        "processed/1.png": np.clip(raw * 1.15, 0, 255).astype(np.uint8),
        "raw/1.png": raw,
        "vignettes/1.png": vignette(raw, "uvp6", gamma=1.5).pixels,
        "raw/2.png": capture(2),
    }
    found = told(files)
    assert found["processed/1.png"] == ("raw/1.png", "other contrast")
    assert found["vignettes/1.png"] == ("raw/1.png", "vignette with scale bar, inverted")
    assert len(found) == 2


def test_png_beside_jpeg_and_the_hidden_original_of_uvp6() -> None:
    raw = capture(3)
    assert told({"1.jpg": compressed(raw, 90), "1.png": raw})["1.jpg"] == ("1.png", "compressed")
    files = {"a.png": vignette(raw, "uvp6").pixels, "b.png": raw}
    found = told(files, objects=["o", "o"], img_rank=["0", "100"])
    assert found["a.png"][0] == "b.png"
    assert told(files, objects=["o", "o"], image_variant=["processed", "original"])["a.png"][0] == "b.png"


def test_equal_files_under_two_names_of_one_object() -> None:
    assert told({"x.png": capture(1), "y.png": capture(1)}, objects=["o", "o"]) == {
        "y.png": ("x.png", "the same pixels")
    }


def test_two_views_of_one_object_both_stay() -> None:
    found = look({"raw/1.png": capture(1), "processed/1.png": capture(2)})
    assert (found.variants, found.findings) == ([], [])
    assert told({"1.png": capture(1), "1.jpg": capture(2)}) == {}


def test_where_it_is_not_certain_all_stay_and_it_is_said() -> None:
    raw = capture(5)
    found = look({"a.png": raw, "b.png": (raw * 0.8).astype(np.uint8)}, objects=["o", "o"])
    assert found.variants == []
    assert [finding.code for finding in found.findings] == ["variants_unsure"]


def test_what_cannot_be_read_stays_and_findings_name_the_first() -> None:
    raw = capture(6)
    found = look({"raw/1.png": None, "processed/1.png": raw, "raw/2.png": raw, "processed/2.jpg": compressed(raw, 90)})
    assert found.rows == [3]
    [finding] = found.findings
    assert (finding.code, finding.count, finding.where) == ("variants", 1, "first: processed/2.jpg of raw/2.png")
    assert "'raw/2.png', which is kept" in as_reasons(found.variants, ["", "", "raw/2.png", ""])[3]


def test_only_names_that_propose_it_are_compared() -> None:
    frame = pl.DataFrame(
        {
            "image_path": ["a/1.png", "b/1.png", None, "a/2.png"],
            "object_id": ["1", "2", "3", "4"],
            "source_path": ["t"] * 4,
        }
    )
    assert name_groups(frame) == []
    many = pl.DataFrame(
        {"image_path": [f"{i}.png" for i in range(20)], "object_id": ["o"] * 20, "source_path": ["t"] * 20}
    )
    assert name_groups(many) == []  # a folder of one name is no set of copies


def test_a_file_of_several_rows_is_no_sign_of_copies() -> None:
    """Particles of one collage, or objects that share an image: only ranks of one object may be copies."""
    frame = pl.DataFrame(
        {
            "image_path": ["run_1.tif", "run_1.tif", "run_1.tif", "x/raw/7.png", "x/7.png"],
            "object_id": ["a", "b", "b", "c", "d"],
            "source_path": ["t"] * 5,
        }
    )
    assert name_groups(frame) == [[1, 2], [3, 4]]
