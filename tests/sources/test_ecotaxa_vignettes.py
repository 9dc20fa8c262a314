"""Which images of UVP6 are originals, by recipe or by rank; samples that cannot be opened."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from aqqua.errors import SourceError, UnsafeInputError
from aqqua.sources.archive import Tree
from aqqua.sources.ecotaxa_vignettes import DamagedBundle, bundle_names, mark_variants, open_bundle
from tests.make.ecotaxa import RECIPE
from tests.make.packing import pack


def marked(
    folder: Path, ranks: list[str | None], objects: list[str | None], recipe: str = ""
) -> tuple[pl.DataFrame, list[str]]:
    pack(folder, {"s/t.tsv": b"", **({"s/compute_vignette.txt": recipe.encode()} if recipe else {})})
    frame = pl.DataFrame(
        {"object_id": objects, "img_rank": ranks}, schema={"object_id": pl.String, "img_rank": pl.String}
    )
    found, told = mark_variants(frame, Tree(folder), "s/t.tsv")
    return found, [finding.code for finding in told]


@pytest.mark.parametrize(
    ("ranks", "objects", "expected"),
    [
        (["0", "100"], ["a", "a"], ["processed", "original"]),
        (["1.0", "100.0", "101"], ["a", "a", "a"], ["processed", "original", "original"]),
        (["1,0", "100,0"], ["a", "a"], ["processed", "original"]),
        (["0", "100"], ["a", "b"], [None, "original"]),
        (["0", "100", None, "x"], ["a", "a", "a", "b"], ["processed", "original", "processed", None]),
        (["100", "0", "0"], ["a", "a", None], ["original", "processed", None]),
    ],
)
def test_by_rank(
    tmp_path: Path, ranks: list[str | None], objects: list[str | None], expected: list[str | None]
) -> None:
    found, codes = marked(tmp_path / "p", ranks, objects)
    assert found["image_variant"].to_list() == expected
    assert codes == ["processed_copies"] * ("processed" in expected)


def test_nothing_to_say(tmp_path: Path) -> None:
    found, codes = marked(tmp_path / "p", ["0", "1", None], ["a", "a", "b"])
    assert found.columns == ["object_id", "img_rank"]
    assert codes == []


def test_the_recipe(tmp_path: Path) -> None:
    found, codes = marked(tmp_path / "p", ["1"], ["a"], RECIPE + "secret=1\nno equals sign\n")
    assert codes == ["original_images"]
    row = found.row(0, named=True)
    assert row["image_variant"] == "original"
    names = ("gamma", "invert", "scale", "scalebarsize_mm", "footerheight_px", "pixel_size")
    assert [row[f"vignette_{name}"] for name in names] == ["1.5", "y", "1", "2.0", "31", "73"]
    assert not {"vignette_secret", "vignette_[vignette]"} & set(found.columns)


def test_the_recipe_in_words(tmp_path: Path) -> None:
    pack(tmp_path / "p", {"t.tsv": b"", "compute_vignette.txt": RECIPE.encode()})
    frame = pl.DataFrame({"object_id": ["a"], "img_rank": ["1"]})
    (told,) = mark_variants(frame, Tree(tmp_path / "p"), "t.tsv")[1]
    assert "gamma 1.5, inverted, × 1, a footer of 31 px with scale bar" in told.message


def test_a_recipe_of_absurd_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsafeInputError):
        marked(tmp_path / "p", ["1"], ["a"], "gamma=1\n" * 100_000)


def test_samples_are_known_by_name(tmp_path: Path) -> None:
    names = ["a_Images.zip", "b/c_IMAGES.ZIP", "images.zip", "Images_old.zip", "other.zip", "a_Images.tar"]
    pack(tmp_path / "p", dict.fromkeys(names, b"x"))
    assert bundle_names(Tree(tmp_path / "p")) == ["a_Images.zip", "b/c_IMAGES.ZIP", "images.zip"]
    assert isinstance(open_bundle(Tree(tmp_path / "p"), "images.zip"), SourceError)


def test_a_damaged_sample_says_so(tmp_path: Path) -> None:
    pack(tmp_path / "p", {"a_Images.zip": b"x"})
    part = DamagedBundle("a_Images.zip", Tree(tmp_path / "p"), "the zip is damaged", "pack it again")
    assert part.estimate() == 1
    for work in (part.read, lambda: part.picture({})):
        with pytest.raises(SourceError, match="the zip is damaged") as caught:
            work()
        assert caught.value.where == "p/a_Images.zip"
