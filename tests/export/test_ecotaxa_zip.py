from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from aqqua.errors import StorageError
from aqqua.export.ecotaxa_package import parse_table
from aqqua.export.ecotaxa_zip import FACTOR, ImageFile, ZipSeries

BIG = 10_000_000


def table(rows: int, folder: str = "s", column: str = "object_x") -> object:
    return parse_table(
        f"{folder}/ecotaxa_{folder}.tsv", [["object_id", column], ["[t]", "[f]"], *([f"o{k}", ""] for k in range(rows))]
    )


def image(name: str, size: int = 1000, folder: str = "s", factor: float = 1.0) -> ImageFile:
    return ImageFile(name, f"{folder}/{name}.png", bytes(size), factor)


def lines(path: Path, member: str = "s/ecotaxa_s.tsv") -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return archive.read(member).decode("utf-8-sig").splitlines()


def write(path: Path, tables: int, objects: int, max_bytes: int = BIG, max_tables: int = 2000) -> list[Path]:
    with ZipSeries(path, max_bytes, max_tables) as series:
        for k in range(tables):
            series.start(table(objects, f"s{k}"))  # type: ignore[arg-type]
            for n in range(objects):
                series.add([image(f"o{n}", folder=f"s{k}")])
    return series.files


def test_one_zip_with_stored_images_and_constant_times(tmp_path: Path) -> None:
    (path,) = write(tmp_path / "a.zip", 2, 3)
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
        assert archive.testzip() is None
    assert len(infos) == 8
    assert {info.date_time for info in infos} == {(1980, 1, 1, 0, 0, 0)}
    assert {info.compress_type for info in infos if info.filename.endswith(".png")} == {zipfile.ZIP_STORED}
    assert lines(path, "s1/ecotaxa_s1.tsv") == ["object_id\tobject_x", "[t]\t[f]", "o0\t", "o1\t", "o2\t"]
    (again,) = write(tmp_path / "b.zip", 2, 3)
    assert path.read_bytes() == again.read_bytes()


def test_zips_stay_below_their_size_and_keep_objects_together(tmp_path: Path) -> None:
    with ZipSeries(tmp_path / "a.zip", 5_000, 2000) as series:
        series.start(table(8))  # type: ignore[arg-type]
        for k in range(0, 8, 2):
            series.add([image(f"o{k}"), image(f"o{k + 1}")])
    assert [path.name for path in series.files] == ["a.zip", "a_2.zip", "a_3.zip", "a_4.zip"]
    assert all(path.stat().st_size <= 5_000 for path in series.files)
    assert [lines(path)[2:] for path in series.files] == [[f"o{k}\t", f"o{k + 1}\t"] for k in range(0, 8, 2)]


@pytest.mark.parametrize("max_bytes", [2_000, 3_000, 7_777, 20_000])
def test_whatever_the_limit_it_is_kept_and_nothing_is_lost(tmp_path: Path, max_bytes: int) -> None:
    files = write(tmp_path / "a.zip", 3, 7, max_bytes)
    assert all(path.stat().st_size <= max_bytes for path in files)
    members = [name for path in files for name in zipfile.ZipFile(path).namelist() if name.endswith(".png")]
    assert members == [f"s{k}/o{n}.png" for k in range(3) for n in range(7)]


def test_zips_have_at_most_so_many_tables(tmp_path: Path) -> None:
    files = write(tmp_path / "a.zip", 5, 1, max_tables=2)
    assert [sum(name.endswith(".tsv") for name in zipfile.ZipFile(path).namelist()) for path in files] == [2, 2, 1]


def test_factors_come_into_the_table(tmp_path: Path) -> None:
    with ZipSeries(tmp_path / "a.zip", 3_000, 2000) as series:
        series.start(table(3, column=FACTOR))  # type: ignore[arg-type]
        for k in range(3):
            series.add([image(f"o{k}", factor=k + 0.5)])
    assert [line for path in series.files for line in lines(path)[2:]] == ["o0\t0.5", "o1\t1.5", "o2\t2.5"]


def test_an_error_leaves_whole_zips_and_nothing_half(tmp_path: Path) -> None:
    def fail_in_the_second() -> None:
        with ZipSeries(tmp_path / "a.zip", 3_000, 2000) as series:
            series.start(table(9))  # type: ignore[arg-type]
            for k in range(4):
                series.add([image(f"o{k}")])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail_in_the_second()
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]
    assert zipfile.ZipFile(tmp_path / "a.zip").testzip() is None


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    with pytest.raises(StorageError, match="disk is full"):
        write(tmp_path / "a.zip", 1, 1)
    assert not list(tmp_path.iterdir())
