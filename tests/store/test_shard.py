from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest

from aqqua.errors import ConfigError, FormatError, StorageError
from aqqua.metadata.fields import arrow_schema, polars_schema
from aqqua.store import sealing, shard, spool
from aqqua.store.codec import decode, pixel_hash
from aqqua.store.images import ShardReader, write_shard
from aqqua.store.parquet import read_notes
from aqqua.store.shard import SealedShard, ShardBuilder
from aqqua.store.spool import pseudo_random_order
from tests.make.datasets import batch, sealed_shard

FILES = {"images.mdb", "converted.parquet", "raw.parquet", "labels.parquet", "summary.json"}


@pytest.fixture
def builder(tmp_path: Path) -> ShardBuilder:
    return ShardBuilder(tmp_path / "shard")


def test_images_rows_and_labels_stay_together(tmp_path: Path) -> None:
    sealed = sealed_shard(tmp_path, count=30, seed=5)
    made = batch(30, seed=5)
    assert {path.name for path in tmp_path.iterdir()} == FILES
    converted, raw = (pl.read_parquet(sealed.files[name]) for name in ("converted", "raw"))
    labels = sealed.labels()
    assert labels is not None
    order = pseudo_random_order(30, 5)
    assert order.tolist() != list(range(30))
    for key, value in ShardReader(sealed.files["images"]).visit():
        position = int(order[key])
        image, row = decode(value), converted.row(key, named=True)
        np.testing.assert_array_equal(image, made.images[position])
        assert row["key"] == raw["key"][key] == key
        assert row["object_id"] == raw["object_id"][key] == f"object_5_{position}"
        assert (row["height"], row["width"]) == image.shape[:2]
        assert row["channels"] == (image.shape[2] if image.ndim == 3 else 1)
        assert row["dtype"] == image.dtype.name
        assert row["nbytes"] == image.nbytes
        assert row["xxh3"] == pixel_hash(image)
        said = labels.filter(pl.col("key") == key)["label"].to_list()
        assert said == made.labels.filter(pl.col("_row") == position)["label"].to_list()


def test_the_tables_have_the_columns_of_the_format(tmp_path: Path) -> None:
    sealed = sealed_shard(tmp_path)
    assert pl.read_parquet_schema(sealed.files["converted"]) == polars_schema()
    schema = pq.read_schema(sealed.files["converted"])
    assert schema.field("pixel_um").metadata == arrow_schema().field("pixel_um").metadata
    assert json.loads(schema.metadata[b"aqqua"])["format"] == [1, 1]
    assert read_notes(sealed.files["converted"])["provenance"] == {"latitude": "object_lat × 1"}
    raw = pl.read_parquet_schema(sealed.files["raw"])
    assert list(raw) == ["key", "source_path", "source_row", "object_id", "object_lat"]
    assert raw["object_lat"] == pl.String()


def test_the_summary_says_where_and_when(tmp_path: Path) -> None:
    sealed = sealed_shard(tmp_path, count=30)
    made, summary = batch(30).converted, sealed.summary
    assert summary["latitude_min"] == made["latitude"].min()
    assert summary["longitude_max"] == made["longitude"].max()
    assert summary["depth_max_m"] == pytest.approx(made["depth_max_m"].max())
    assert datetime.fromisoformat(summary["time_min_utc"]) == datetime(2021, 5, 1, tzinfo=UTC)
    assert summary["instruments"] == ["IFCB", "ZooScan"]
    assert summary["order"] == "splitmix64:0"
    assert (summary["n_images"], summary["n_labels"]) == (30, 15)
    assert (summary["source"], summary["fingerprint"]) == ("source_0.zip", "print_0")


@pytest.mark.parametrize("batch_size", [1, 9, 50])
def test_the_size_of_batches_changes_no_byte(tmp_path: Path, batch_size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    one = sealed_shard(tmp_path / "one", count=50, batch_size=7)
    monkeypatch.setattr(spool, "_ROWS_PER_FILE", 4)
    two = sealed_shard(tmp_path / "two", count=50, batch_size=batch_size)
    for name in FILES:
        assert (one.folder / name).read_bytes() == (two.folder / name).read_bytes(), name
    assert one.identity == two.identity


def test_more_than_one_row_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "_CONVERTED_ROWS", 8)
    monkeypatch.setattr(sealing, "_RAW_ROWS", 3)
    sealed = sealed_shard(tmp_path)
    assert pq.read_metadata(sealed.files["converted"]).num_row_groups == 3
    assert pq.read_metadata(sealed.files["raw"]).num_row_groups == 7
    assert pl.read_parquet(sealed.files["raw"])["key"].to_list() == list(range(20))


def test_another_seed_is_another_order(tmp_path: Path) -> None:
    made, orders = batch(20), []
    for seed in (1, 2):
        builder = ShardBuilder(tmp_path / str(seed), seed=seed)
        builder.add_batch(made.images, made.converted, made.raw)
        orders.append(pl.read_parquet(builder.seal().files["raw"])["object_id"].to_list())
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1])


def test_a_shard_without_labels_has_no_table_of_them(builder: ShardBuilder) -> None:
    made = batch(3)
    builder.add_batch(made.images, made.converted, made.raw)
    assert builder.seal().labels() is None


def test_batches_may_have_different_source_columns(builder: ShardBuilder) -> None:
    made = batch(4)
    builder.add_batch(made.images[:2], made.converted[:2], made.raw[:2].with_columns(object_area=pl.lit("7")))
    builder.add_batch(made.images[2:], made.converted[2:], made.raw[2:].with_columns(key=pl.lit("mine")))
    raw = pl.read_parquet(builder.seal().files["raw"]).sort("source_row")
    assert raw.columns == ["key", "source_path", "source_row", "object_id", "object_lat", "object_area", "raw:key"]
    assert raw["object_area"].to_list() == ["7", "7", None, None]
    assert raw["raw:key"].to_list() == [None, None, "mine", "mine"]


def test_channel_names_may_be_given(builder: ShardBuilder) -> None:
    made = batch(2)
    builder.add_batch(made.images, made.converted.with_columns(channel_names=pl.lit("r,g,b")), made.raw)
    assert pl.read_parquet(builder.seal().files["converted"])["channel_names"].to_list() == ["r,g,b"] * 2


def test_faulty_batches_are_refused_and_leave_no_trace(builder: ShardBuilder) -> None:
    made = batch(4)
    builder.add_batch(made.images, made.converted, made.raw, made.labels)
    with pytest.raises(ConfigError, match="4 images, 3 converted rows"):
        builder.add_batch(made.images, made.converted[:3], made.raw)
    with pytest.raises(ConfigError, match="no field 'colour'"):
        builder.add_batch(made.images, made.converted.with_columns(colour=pl.lit("red")), made.raw)
    with pytest.raises(ConfigError, match="wrong type"):
        builder.add_batch(made.images, made.converted.with_columns(latitude=pl.lit("north")), made.raw)
    with pytest.raises(ConfigError, match="source_row"):
        builder.add_batch(made.images, made.converted, made.raw.drop("source_row"))
    with pytest.raises(ConfigError, match="a row that the batch does not have"):
        builder.add_batch(made.images, made.converted, made.raw, pl.DataFrame({"_row": [4], "label": ["x"]}))
    with pytest.raises(FormatError, match="float32"):
        builder.add_batch([made.images[0].astype(np.float32)], made.converted[:1], made.raw[:1])
    with pytest.raises(FormatError, match="shape"):
        builder.add_batch([np.zeros(5, np.uint8)], made.converted[:1], made.raw[:1])
    assert builder.seal().n_images == 4


def test_names_with_an_underscore_are_left_out(builder: ShardBuilder) -> None:
    made = batch(2)
    builder.add_batch(made.images, made.converted.with_columns(_row=pl.lit(1)), made.raw)
    assert pl.read_parquet_schema(builder.seal().files["converted"]) == polars_schema()


def test_a_shard_is_full_at_its_limits(builder: ShardBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    made, is_full = batch(4), []
    monkeypatch.setattr(shard, "MAX_SHARD_IMAGES", 6)
    for part in (made, made[:2]):
        builder.add_batch(part.images, part.converted, part.raw)
        is_full.append(builder.full)
    with pytest.raises(ConfigError, match="more than 6"):
        builder.add_batch(made.images, made.converted, made.raw)
    assert len(builder) == 6
    monkeypatch.setattr(shard, "MAX_SHARD_IMAGES", 100)
    for size in (builder.nbytes + 1, builder.nbytes):
        monkeypatch.setattr(shard, "MAX_SHARD_BYTES", size)
        is_full.append(builder.full)
    assert is_full == [False, True, False, True]


def test_nothing_cannot_be_sealed(builder: ShardBuilder) -> None:
    with pytest.raises(ConfigError, match="without images"):
        builder.seal()


def test_discarding_removes_everything(builder: ShardBuilder) -> None:
    made = batch(4)
    builder.add_batch(made.images, made.converted, made.raw, made.labels)
    builder.discard()
    assert not builder.folder.exists()


def test_a_former_try_is_removed_but_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("stays")
    sealed_shard(tmp_path, count=20)
    assert SealedShard.load(tmp_path)
    ShardBuilder(tmp_path)
    assert SealedShard.load(tmp_path) is None
    assert {path.name for path in tmp_path.iterdir()} == {"masks.spool", "mine.txt", "values.spool"}


def test_only_whole_shards_are_loaded(tmp_path: Path) -> None:
    sealed = sealed_shard(tmp_path)
    again = SealedShard.load(tmp_path)
    assert again == sealed
    moved = tmp_path.rename(tmp_path.with_name("moved"))
    assert SealedShard.load(moved) is not None
    for name in ("labels.parquet", "raw.parquet", "summary.json"):
        (moved / name).unlink()
        assert SealedShard.load(moved) is None
    assert SealedShard.load(tmp_path / "nothing") is None


def test_a_disk_that_forgets_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One bit changes between writing and reading back."""

    def forgetful(path: Path, values: Iterable[bytes]) -> int:
        count = write_shard(path, values)
        content = bytearray(path.read_bytes())
        at = content.rindex(b"AQ\x01") - 5
        content[at] ^= 4
        path.write_bytes(content)
        return count

    monkeypatch.setattr(sealing, "write_shard", forgetful)
    with pytest.raises(StorageError, match="gave back something else"):
        sealed_shard(tmp_path)
    assert SealedShard.load(tmp_path) is None


def test_a_full_disk_leaves_no_shard(tmp_path: Path) -> None:
    """The system's limit of the size of a file acts like a disk that is full."""
    program = (
        "import resource, pathlib, sys\n"
        "from aqqua.errors import StorageError\n"
        "from tests.make.datasets import sealed_shard\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)\n"
        "try: sealed_shard(pathlib.Path(sys.argv[2]), count=200)\n"
        "except StorageError as error: print(error.what)\n"
        "else: print('whole')\n"
    )
    said = []
    for limit in (10_000, 60_000):
        arguments = [sys.executable, "-c", program, str(limit), str(tmp_path / str(limit))]
        root = Path(__file__).parents[2]
        done = subprocess.run(
            arguments, check=True, capture_output=True, text=True, cwd=root, env={**os.environ, "PYTHONPATH": "."}
        )
        said.append(done.stdout.strip())
        is_whole = SealedShard.load(tmp_path / str(limit)) is not None
        assert is_whole == (said[-1] == "whole"), said
    assert said[0] == "the disk is full"  # while collecting
    assert "disk" in said[1]  # while sealing
