"""What the disk gives back is compared with what was written, bit by bit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from aqqua.errors import StorageError
from aqqua.store import sealing
from aqqua.store.atomic import digest_of
from aqqua.store.images import ShardReader, write_shard
from aqqua.store.manifest import Shard
from aqqua.store.readback import differences
from aqqua.store.shard import SealedShard
from tests.make.datasets import sealed_shard


@pytest.fixture
def shard(tmp_path: Path) -> Shard:
    sealed = sealed_shard(tmp_path / "shard", 7)
    return Shard.from_row(sealed.folder, {**sealed.summary, "number": 0})


def test_a_whole_shard_has_no_differences(shard: Shard) -> None:
    assert differences(shard) is None


def test_any_flipped_bit_of_a_table_is_noticed(shard: Shard) -> None:
    for path in (shard.converted, shard.raw):
        whole = path.read_bytes()
        for at in range(4, len(whole), len(whole) // 6):
            path.write_bytes(whole[:at] + bytes((whole[at] ^ 1,)) + whole[at + 1 :])
            assert differences(shard) is not None
        path.write_bytes(whole)
    assert differences(shard) is None


def test_a_damaged_page_is_noticed_even_if_the_checksum_of_the_file_was_taken_too_late(shard: Shard) -> None:
    whole = shard.raw.read_bytes()
    at = whole.index(b"source_7.zip") if b"source_7.zip" in whole else len(whole) // 3
    shard.raw.write_bytes(whole[:at] + bytes((whole[at] ^ 1,)) + whole[at + 1 :])
    told = differences(replace(shard, raw_xxh3=digest_of(shard.raw)))
    assert told is not None
    assert "cannot be read" in told


def _rewritten(shard: Shard, values: list[bytes]) -> Shard:
    ShardReader(shard.images).close()
    write_shard(shard.images, values)
    return replace(shard, images_bytes=shard.images.stat().st_size)


def _values(shard: Shard) -> list[bytes]:
    return [bytes(value) for _, value in ShardReader(shard.images).visit()]


def test_exchanged_images_are_noticed(shard: Shard) -> None:
    values = _values(shard)
    assert differences(_rewritten(shard, [values[1], values[0], *values[2:]])) is not None


def test_a_missing_image_is_noticed(shard: Shard) -> None:
    assert "images" in str(differences(_rewritten(shard, _values(shard)[:-1])))


def test_a_flipped_bit_of_an_image_is_noticed(shard: Shard) -> None:
    first, *rest = _values(shard)
    for at in (0, 2, 33, len(first) // 2, len(first) - 17, len(first) - 1):
        damaged = first[:at] + bytes((first[at] ^ 4,)) + first[at + 1 :]
        assert differences(_rewritten(shard, [damaged, *rest])) is not None


def test_sealing_refuses_a_disk_that_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lying(path: Path, values: Iterable[bytes]) -> int:
        _, second, *rest = values
        return write_shard(path, [second, second, *rest])

    monkeypatch.setattr(sealing, "write_shard", lying)
    with pytest.raises(StorageError, match="gave back something else"):
        sealed_shard(tmp_path / "shard", 7)
    assert SealedShard.load(tmp_path / "shard") is None
