from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from aqqua.errors import FormatError, UnsafeInputError
from aqqua.store.manifest import Manifest, Shard, file_names, read_current, read_manifest, write_manifest


def shard(root: Path, number: int = 0) -> Shard:
    images, converted, raw = (root / name for name in file_names(number))
    return Shard(
        number, 7, images, converted, raw, 100, 2**64 - 1, 50, 2**63, 60, 1, source="cruise.zip", identity=f"{number}",
        latitude_min=-1.5, time_max_utc=datetime(2020, 1, 2, 3, 4, 5, 678000, UTC), instruments=("IFCB", "UVP6"),
    )  # fmt: skip


def test_a_snapshot_comes_back(tmp_path: Path) -> None:
    manifest = Manifest(3, (shard(tmp_path), shard(tmp_path, 1)), ("tombstones/a.parquet",))
    write_manifest(tmp_path, manifest)
    assert read_current(tmp_path) == 3
    assert read_manifest(tmp_path, 3) == manifest


def test_earlier_snapshots_stay(tmp_path: Path) -> None:
    first = Manifest(0)
    write_manifest(tmp_path, first)
    write_manifest(tmp_path, first.next(shards=(shard(tmp_path),)))
    assert read_current(tmp_path) == 1
    assert read_manifest(tmp_path, 0).shards == ()
    assert len(read_manifest(tmp_path, 1).shards) == 1


def test_shards_lie_by_their_number() -> None:
    assert file_names(0) == ("images/0000/00000000.mdb", "meta/converted/00000000.parquet", "meta/raw/00000000.parquet")
    assert file_names(123456)[0] == "images/0012/00123456.mdb"


@pytest.mark.parametrize("name", ["/etc/passwd", "../other/x.mdb", "images/../../x.mdb", ""])
def test_paths_do_not_leave_the_dataset(tmp_path: Path, name: str) -> None:
    write_manifest(tmp_path, Manifest(1, (shard(tmp_path),)))
    path = tmp_path / "manifest" / "v000001.parquet"
    pl.read_parquet(path).with_columns(images=pl.lit(name)).write_parquet(path)
    with pytest.raises(UnsafeInputError):
        read_manifest(tmp_path, 1)


def test_tombstones_do_not_leave_the_dataset(tmp_path: Path) -> None:
    write_manifest(tmp_path, Manifest(1, (), ("../x.parquet",)))
    with pytest.raises(UnsafeInputError):
        read_manifest(tmp_path, 1)


def test_damage_is_named(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="CURRENT"):
        read_current(tmp_path)
    (tmp_path / "CURRENT").write_text("v1")
    with pytest.raises(FormatError, match="CURRENT"):
        read_current(tmp_path)
    write_manifest(tmp_path, Manifest(1, (shard(tmp_path),)))
    path = tmp_path / "manifest" / "v000001.parquet"
    pl.read_parquet(path).drop("n_images").write_parquet(path)
    with pytest.raises(FormatError, match="damaged"):
        read_manifest(tmp_path, 1)
    path.unlink()
    with pytest.raises(FormatError):
        read_manifest(tmp_path, 1)


def test_a_hole_among_the_shards_is_named(tmp_path: Path) -> None:
    write_manifest(tmp_path, Manifest(1, (shard(tmp_path, 1),)))
    with pytest.raises(FormatError, match="hole"):
        read_manifest(tmp_path, 1)


def test_a_newer_minor_version_may_know_more(tmp_path: Path) -> None:
    write_manifest(tmp_path, Manifest(1, (shard(tmp_path),)))
    path = tmp_path / "manifest" / "v000001.parquet"
    pl.read_parquet(path).with_columns(mood=pl.lit("blue")).write_parquet(path)
    assert replace(read_manifest(tmp_path, 1).shards[0]) == shard(tmp_path)
