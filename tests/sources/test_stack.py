"""Stacks of images: HDF5, NPZ, NPY – every image bit for bit, every column of the same length kept."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aqqua.errors import ConfigError, MissingExtraError, SourceError, UnsafeInputError
from aqqua.metadata.check import Finding
from aqqua.sources import load_source, recognise
from aqqua.sources.archive import Tree
from aqqua.sources.stack_arrays import open_arrays
from tests.make import stacks as make
from tests.make.images import as_file, random_image

KINDS = [".h5", ".hdf5", ".npz", ".npy"]


def read(path: Path, name: str | None = None) -> tuple[pl.DataFrame, list[Any], list[Finding]]:
    source = recognise(path, name)
    assert source.name == "stack"
    (part,) = source.parts(path)
    table = part.table()
    assert part.estimate() == table.height
    return table, list(part.images(range(table.height))), part.rows.findings


def same(images: list[Any], expected: Any) -> None:
    assert len(images) == len(expected)
    for image, truth in zip(images, expected, strict=True):
        assert isinstance(image, np.ndarray), image
        np.testing.assert_array_equal(image, truth, strict=True)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("shape", "dtype"), [((8, 6), "uint8"), ((8, 6), "uint16"), ((5, 7, 3), "uint8"), ((5, 7, 5), "uint16")]
)
def test_every_image_bit_for_bit(tmp_path: Path, kind: str, shape: tuple[int, ...], dtype: str) -> None:
    images = make.stack(shape=shape, dtype=dtype)
    make.write(tmp_path / "s" / f"cells{kind}", {"images": images})
    table, found, _ = read(tmp_path / "s")
    same(found, images)
    assert table["object_id"].to_list() == [f"cells_{n:06d}" for n in range(1, 6)]
    assert table["source_row"].to_list() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("kind", [".h5", ".npz"])
def test_arrays_of_the_same_length_are_columns(tmp_path: Path, kind: str) -> None:
    arrays = {"images": make.stack(), **make.columns(), "wavelengths": np.arange(3)}
    make.write(tmp_path / f"cells{kind}", arrays)
    table, _, _ = read(tmp_path)
    assert table["latitude"].to_list() == ["54.0", "54.25", "54.5", "54.75", "55.0"]
    assert table["depth_m"].to_list() == ["0.0", "1.0", "2.0", "3.0", "4.0"]
    assert table["label"].to_list() == ["Calanus", "Oithona"] * 2 + ["Calanus"]
    assert "wavelengths" not in table.columns
    (part,) = recognise(tmp_path).parts(tmp_path)
    assert part.read(2, 4).frame.select("latitude", "source_row").rows() == [("54.5", 3), ("54.75", 4)]


def test_attributes_units_classes_and_channels(tmp_path: Path) -> None:
    arrays = {
        "data/images": make.stack(shape=(4, 4, 2)),
        "data/depth": np.arange(5.0),
        "data/class": np.array([0, 1, 1, 0, 1]),
        "data/class_names": np.array(["Calanus", "Oithona"]),
        "data/flags": np.zeros(5, [("edge", "u1"), ("focus", "f4")]),
    }
    notes: dict[str, Any] = {
        "@pixel_um": 0.5,
        "@instrument": "ImageStream",
        "data/depth@units": "m",
        "data/images@channel_names": "BF,Chl",
        "data/images@gain": [1, 2, 3, 4, 5],
    }
    make.write_hdf5(tmp_path / "cells.h5", arrays, notes)
    table, _, _ = read(tmp_path)
    assert table["depth (m)"].to_list() == ["0.0", "1.0", "2.0", "3.0", "4.0"]
    assert table["class"].to_list() == ["Calanus", "Oithona", "Oithona", "Calanus", "Oithona"]
    assert table.select("pixel_um", "instrument", "edge", "gain").row(2) == ("0.5", "ImageStream", "0", "3")
    (part,) = recognise(tmp_path).parts(tmp_path)
    assert part.picture(table.to_dicts()[0]).channel_names == "BF,Chl"


def test_rows_of_varying_length_with_sizes_beside(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    images = [random_image(rng) for _ in range(6)]
    sizes = {"heights": np.array([i.shape[0] for i in images]), "widths": np.array([i.shape[1] for i in images])}
    make.write_hdf5(tmp_path / "cells.h5", {"roi": images, **sizes})
    table, found, _ = read(tmp_path)
    same(found, images)
    assert table["heights"].to_list() == [str(image.shape[0]) for image in images]
    sizes["heights"][2] += 1
    make.write_hdf5(tmp_path / "cells.h5", {"roi": images, **sizes})
    _, found, _ = read(tmp_path)
    assert isinstance(found[2], SourceError)
    assert "are no image of" in found[2].what


def test_encoded_images_in_rows(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    images = [random_image(rng) for _ in range(3)]
    make.write_hdf5(tmp_path / "cells.h5", {"png": [np.frombuffer(as_file(image), np.uint8) for image in images]})
    same(read(tmp_path)[1], images)
    make.write_hdf5(tmp_path / "cells.h5", {"raw": [image.astype(np.uint16) for image in images]})
    assert all("how high and wide" in error.what for error in read(tmp_path)[1])


def test_a_group_with_an_array_for_each_image(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    images = {f"bin/{number:03}": random_image(rng, channels=3) for number in range(4)}
    make.write_hdf5(tmp_path / "cells.h5", images)
    table, found, _ = read(tmp_path)
    same(found, list(images.values()))
    assert table["object_id"].to_list() == [f"cells_{number:03}" for number in range(4)]


def test_channels_before_height_and_width(tmp_path: Path) -> None:
    images = make.stack(shape=(3, 20, 18))
    make.write(tmp_path / "cells.npy", {"images": images})
    table, _, _ = read(tmp_path)
    assert table["_reason"].unique().to_list() == [
        "the array is 5 × 3 × 20 × 18: its channels seem to stand before height and width"
    ]
    assert "axes=NCHW" in table["_do"][0]
    same(read(tmp_path, "stack:axes=NCHW")[1], np.moveaxis(images, 1, -1))
    with pytest.raises(ConfigError, match="axes=HW"):
        load_source("stack:axes=HW")


def test_several_arrays_of_images(tmp_path: Path) -> None:
    make.write(tmp_path / "cells.npz", {"raw": make.stack(), "mask": make.stack(seed=1)})
    with pytest.raises(SourceError, match="several arrays") as caught:
        recognise(tmp_path).parts(tmp_path)
    assert "stack:images=" in str(caught.value)
    same(read(tmp_path, "stack:images=raw")[1], make.stack())


@pytest.mark.parametrize("lines", [5, 4])
def test_a_table_beside_a_stack(tmp_path: Path, lines: int) -> None:
    make.write(tmp_path / "cells.npy", {"images": make.stack()})
    (tmp_path / "cells.csv").write_text("object_id,depth_m\n" + "".join(f"c{n},{n}\n" for n in range(lines)))
    table, _, findings = read(tmp_path)
    if lines == 5:
        assert table.select("object_id", "depth_m").row(3) == ("c3", "3")
        assert not findings
    else:
        assert "depth_m" not in table.columns
        assert [finding.code for finding in findings] == ["table_not_joined"]


@pytest.mark.parametrize("kind", KINDS)
def test_inside_a_zip(tmp_path: Path, kind: str) -> None:
    make.write(tmp_path / f"cells{kind}", {"images": make.stack()})
    with zipfile.ZipFile(tmp_path / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(tmp_path / f"cells{kind}", f"in/cells{kind}")
    same(read(tmp_path / "all.zip")[1], make.stack())


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    """An array of Python objects could run code: it is not touched."""

    class Harm:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "harm",))

    arrays: dict[str, Any] = {"images": make.stack(), "meta": np.array([Harm()] * 5, dtype=object)}
    np.savez(tmp_path / "cells.npz", **arrays)
    table, found, findings = read(tmp_path)
    same(found, make.stack())
    assert [finding.code for finding in findings] == ["array_refused"]
    assert "meta" not in table.columns
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("dtype", ["float32", "int32", "int16", "bool"])
def test_other_kinds_of_numbers_are_no_images(tmp_path: Path, dtype: str) -> None:
    make.write(tmp_path / "cells.npy", {"images": make.stack().astype(dtype)})
    with pytest.raises(SourceError, match="no array of images") as caught:
        recognise(tmp_path, "stack").parts(tmp_path)
    assert "uint8 or uint16" in str(caught.value.do)


def test_column_order_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "cells.npy", np.asfortranarray(make.stack()))
    assert "ascontiguousarray" in open_arrays(Tree(tmp_path), "cells.npy").refused["array"]


def test_byte_order_does_not_matter(tmp_path: Path) -> None:
    images = make.stack(dtype="uint16")
    make.write(tmp_path / "cells.npy", {"images": images.astype(">u2")})
    same(read(tmp_path)[1], images)


def test_a_header_that_lies(tmp_path: Path) -> None:
    images = make.stack(count=50)
    np.save(tmp_path / "cells.npy", images)
    whole = (tmp_path / "cells.npy").read_bytes()
    (tmp_path / "cells.npy").write_bytes(whole[:-10])
    _, found, _ = read(tmp_path)
    same(found[:-1], images[:-1])
    assert "cut off at row 50" in found[-1].what
    huge = whole.replace(b"(50, 8, 6)", b"(9, 99999, 99999)"[:10].ljust(10))
    (tmp_path / "cells.npy").write_bytes(huge)
    with pytest.raises(SourceError):
        open_arrays(Tree(tmp_path), "cells.npy")


def test_rows_beyond_all_bounds_are_not_read(tmp_path: Path) -> None:
    import h5py

    with h5py.File(tmp_path / "cells.h5", "w") as file:
        file.create_dataset("images", (4, 60_000, 60_000), "u1", chunks=(1, 100, 100))
    _, found, _ = read(tmp_path)
    assert all(isinstance(error, UnsafeInputError) for error in found)


def test_numbers_in_other_files_are_not_followed(tmp_path: Path) -> None:
    import h5py

    (tmp_path / "secret.bin").write_bytes(bytes(240))
    with h5py.File(tmp_path / "cells.h5", "w") as file:
        file.create_dataset("outside", (5, 8, 6), "u1", external=[(str(tmp_path / "secret.bin"), 0, 240)])
        file["link"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/images")
        file["images"] = make.stack()
    table, _, findings = read(tmp_path)
    assert table.height == 5
    assert [finding.message for finding in findings] == [
        "the array 'outside' was not read: its numbers lie in another file"
    ]


def test_h5py_missing_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make.write(tmp_path / "cells.h5", {"images": make.stack()})
    monkeypatch.setitem(sys.modules, "h5py", None)
    source = recognise(tmp_path)
    assert source.name == "stack"
    with pytest.raises(MissingExtraError, match=r"reading HDF5 files needs h5py: pip install 'aqqua\[hdf5\]'"):
        source.parts(tmp_path)


@settings(max_examples=60)
@given(
    kind=st.sampled_from([".h5", ".npz", ".npy"]),
    at=st.floats(0, 1, exclude_max=True),
    flip=st.integers(1, 255),
    keep=st.floats(0.2, 1),
)
def test_damaged_files_never_stop_the_work(
    tmp_path_factory: pytest.TempPathFactory, kind: str, at: float, flip: int, keep: float
) -> None:
    folder = tmp_path_factory.mktemp("s")
    path = make.write(folder / f"cells{kind}", {"images": make.stack(), **make.columns()})
    data = bytearray(path.read_bytes())
    data[int(at * len(data))] ^= flip
    path.write_bytes(data[: max(1, int(keep * len(data)))])
    try:
        parts = load_source("stack").parts(folder)
        tables = [part.table() for part in parts]
    except SourceError:
        return
    for part, table in zip(parts, tables, strict=True):
        usable = table["_reason"].is_null().arg_true().to_list()
        assert all(isinstance(image, (np.ndarray, SourceError)) for image in part.images(usable[:9]))


def test_real_class_scores_are_no_images(shared_data: Path) -> None:
    scores = shared_data / "ifcb" / "iRfcb" / "unzipped" / "test_data" / "class" / "class2022_h5"
    assert load_source("stack").recognise(scores) is None
