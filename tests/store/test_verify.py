from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from aqqua.errors import ConfigError
from aqqua.store.codec import encode
from aqqua.store.dataset import Dataset
from aqqua.store.images import ShardReader, write_shard
from aqqua.store.manifest import Shard
from aqqua.store.parquet import write_frame
from aqqua.store.verify import verify, verify_shard
from tests.make.datasets import batch, miniature


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return miniature(tmp_path / "dataset", (12, 5))


def codes(dataset: Dataset, level: int) -> set[str]:
    return {finding.code for finding in verify(dataset, level)}


@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_a_sound_dataset_has_no_findings(dataset: Dataset, level: int) -> None:
    assert verify(dataset, level) == []


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def remove_images(shard: Shard) -> None:
    shard.images.unlink()


def cut_raw(shard: Shard) -> None:
    shard.raw.write_bytes(shard.raw.read_bytes()[:-1])


def damage_page(shard: Shard) -> None:
    content = bytearray(shard.images.read_bytes())
    content[2 * 4096 : 2 * 4096 + 16] = bytes(16)
    shard.images.write_bytes(content)


def damage_footer(shard: Shard) -> None:
    flip(shard.converted, shard.converted_bytes - 2)


def damage_record(shard: Shard) -> None:
    flip(shard.images, shard.images.read_bytes().rindex(b"AQ\x01") - 4)


def damage_table(shard: Shard) -> None:
    flip(shard.raw, 20)


@pytest.mark.parametrize(
    ("harm", "level", "code"),
    [
        (remove_images, 0, "file_missing"),
        (cut_raw, 0, "file_size"),
        (damage_page, 1, "lmdb_structure"),
        (damage_footer, 1, "parquet_unreadable"),
        (damage_record, 2, "record_damaged"),
        (damage_table, 2, "table_damaged"),
    ],
)
def test_damage_is_found_at_its_level_and_above(
    dataset: Dataset, harm: Callable[[Shard], None], level: int, code: str
) -> None:
    harm(dataset.shards[0])
    for deep in range(4):
        assert codes(dataset, deep) == ({code} if deep >= level else set()), deep
    (finding,) = verify(dataset, level)
    assert finding.severity == "error"
    assert str(dataset.path) in finding.where
    assert "copy the file again" in finding.do


def restated(shard: Shard) -> Shard:
    """The shard as a manifest would describe the files that are there now."""
    from dataclasses import replace

    import xxhash

    from aqqua.store.atomic import digest_of

    digest = xxhash.xxh3_64()
    for _, value in ShardReader(shard.images).visit():
        digest.update(value[-8:])
    return replace(
        shard,
        images_bytes=shard.images.stat().st_size,
        images_digest=digest.intdigest(),
        images_xxh3=digest_of(shard.images),
        converted_bytes=shard.converted.stat().st_size,
        converted_xxh3=digest_of(shard.converted),
        raw_bytes=shard.raw.stat().st_size,
        raw_xxh3=digest_of(shard.raw),
    )


def test_exchanged_images_are_found(dataset: Dataset) -> None:
    shard = dataset.shards[0]
    values = [bytes(value) for _, value in ShardReader(shard.images).visit()]
    write_shard(shard.images, [values[1], values[0], *values[2:]])
    assert codes(dataset, 2) == {"record_exchanged"}
    assert verify_shard(restated(shard), 2) == []
    (finding,) = verify_shard(restated(shard), 3)
    assert (finding.code, finding.count) == ("metadata_mismatch", 2)
    assert "keys 0, 1" in finding.message


def test_a_missing_record_is_found(dataset: Dataset) -> None:
    shard = dataset.shards[0]
    values = [bytes(value) for _, value in ShardReader(shard.images).visit()]
    write_shard(shard.images, values[:-1])
    assert {finding.code for finding in verify_shard(restated(shard), 1)} == {"image_count"}


def test_rows_out_of_order_are_found(dataset: Dataset) -> None:
    shard = dataset.shards[0]
    write_frame(shard.raw, pl.read_parquet(shard.raw).reverse(), kind="raw")
    assert verify_shard(restated(shard), 2) == []
    assert [finding.code for finding in verify_shard(restated(shard), 3)] == ["key_order"]


def test_a_missing_row_is_found(dataset: Dataset) -> None:
    shard = dataset.shards[0]
    write_frame(shard.raw, pl.read_parquet(shard.raw)[:-1], kind="raw")
    assert [finding.code for finding in verify_shard(restated(shard), 1)] == ["row_count"]


def test_a_record_that_is_right_but_no_image_is_found(dataset: Dataset) -> None:
    from tests.store.test_codec import LIES, signed

    shard = dataset.shards[1]
    bad = signed(LIES["not zstd"], 24, 20)
    write_shard(shard.images, [encode(batch(1).images[0])] * 4 + [bad])
    findings = {finding.code: finding for finding in verify_shard(restated(shard), 3)}
    assert findings["record_damaged"].message.endswith("keys 4")
    assert verify_shard(restated(shard), 2) == []


def test_many_keys_are_not_all_named(dataset: Dataset) -> None:
    shard = dataset.shards[0]
    content = bytearray(shard.images.read_bytes())
    for at in [at for at in range(len(content) - 2) if content[at : at + 3] == b"AQ\x01"]:
        content[at - 1] ^= 1
    shard.images.write_bytes(content)
    (finding,) = verify_shard(shard, 2)
    assert finding.count == 12
    assert finding.message.endswith("keys 0, 1, 2, 3, 4 …")


def test_unfinished_files_are_told(dataset: Dataset) -> None:
    (dataset.path / "images" / "0000" / "00000002.mdb.123.part").touch()
    (finding,) = verify(dataset, 0)
    assert (finding.severity, finding.code) == ("info", "unfinished_files")


def test_there_are_four_levels(dataset: Dataset) -> None:
    for level in (-1, 4):
        with pytest.raises(ConfigError, match="level"):
            verify(dataset, level)
