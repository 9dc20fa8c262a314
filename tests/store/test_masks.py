from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from aqqua.errors import ConfigError, FormatError, NotFoundError, UnknownNameError
from aqqua.store.atomic import digest_of
from aqqua.store.codec import encode
from aqqua.store.dataset import Dataset
from aqqua.store.images import write_shard
from aqqua.store.masks import MaskFile, mask_path, uids_with_masks
from aqqua.store.verify import verify
from tests.make.datasets import miniature

INFO = {"what": "objects", "by": "threshold"}


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return miniature(tmp_path / "dataset", (9, 5))


def made(dataset: Dataset, shard: int, step: int = 2) -> Iterator[tuple[int, np.ndarray]]:
    """A mask for every second image: its bright pixels."""
    for row in dataset.metadata(["height", "width"]).filter(shard=shard)[::step].iter_rows(named=True):
        number = row["uid"] % 3
        mask = np.zeros((row["height"], row["width"]), np.uint16 if number else np.uint8)
        mask[: number + 1] = number + 1
        yield row["uid"], mask


def test_masks_come_back_and_may_be_sparse(dataset: Dataset) -> None:
    for shard in dataset.shards:
        dataset.write_masks("objects", shard.number, made(dataset, shard.number), INFO)
    assert dataset.mask_names() == ["objects"]
    again = pickle.loads(pickle.dumps(dataset))
    for shard in dataset.shards:
        expected = dict(made(dataset, shard.number))
        assert uids_with_masks(dataset.path, "objects", shard) == list(expected)
        for uid in dataset.metadata().filter(shard=shard.number)["uid"]:
            found = again.mask(uid, "objects")
            assert (found is None) == (uid not in expected)
            if found is not None:
                assert found.dtype == expected[uid].dtype
                assert np.array_equal(found, expected[uid])


def test_written_again_they_are_replaced(dataset: Dataset) -> None:
    dataset.write_masks("objects", 0, made(dataset, 0), INFO)
    before = (dataset.path / "masks" / "objects" / "mask.json").stat().st_mtime_ns
    dataset.write_masks("objects", 0, made(dataset, 0, 4), INFO)
    assert len(uids_with_masks(dataset.path, "objects", dataset.shards[0])) == 3
    assert (dataset.path / "masks" / "objects" / "mask.json").stat().st_mtime_ns == before
    assert dataset.mask(dataset.metadata().filter(shard=1)["uid"][0], "objects") is None, "another shard has none"


def test_an_interrupted_write_does_not_count(dataset: Dataset) -> None:
    dataset.write_masks("objects", 0, made(dataset, 0), INFO)
    mask_path(dataset.path, "objects", 0).with_suffix(".json").unlink()
    assert dataset.mask(0, "objects") is None


@pytest.mark.parametrize("uid", [1 << 32, 9])
def test_masks_of_other_images_are_refused(dataset: Dataset, uid: int) -> None:
    with pytest.raises(ConfigError, match="not in shard 0"):
        dataset.write_masks("objects", 0, [(uid, np.zeros((4, 4), np.uint8))], INFO)
    assert dataset.mask_names() == []


def test_masks_must_fit_and_be_in_order(dataset: Dataset) -> None:
    first, second = list(made(dataset, 0))[:2]
    for pairs, words in (
        ([second, first], "out of order"),
        ([first, first], "out of order"),
        ([(first[0], first[1][:-1])], "shape"),
        ([(first[0], first[1].astype(np.int32))], "type int32"),
    ):
        with pytest.raises(ConfigError, match=words):
            dataset.write_masks("objects", 0, pairs, INFO)
    for name in ("../up", "", "a/b"):
        with pytest.raises(ConfigError, match="name of masks"):
            dataset.write_masks(name, 0, [first], INFO)


def test_unknown_names_and_images_are_named(dataset: Dataset) -> None:
    dataset.write_masks("objects", 0, made(dataset, 0), INFO)
    with pytest.raises(UnknownNameError, match="objects"):
        dataset.mask(0, "object")
    with pytest.raises(NotFoundError):
        dataset.mask(99, "objects")
    with pytest.raises(NotFoundError, match="no shard 7"):
        dataset.write_masks("objects", 7, [], INFO)


def test_a_shortened_file_is_not_mapped(dataset: Dataset) -> None:
    path = dataset.write_masks("objects", 0, made(dataset, 0), INFO)
    path.write_bytes(path.read_bytes()[:-4096])
    with pytest.raises(FormatError, match="bytes long"):
        dataset.mask(0, "objects")
    path.with_suffix(".json").write_text("{}")
    with pytest.raises(FormatError, match="noted about masks"):
        MaskFile.of(path)


@pytest.mark.parametrize(
    ("level", "words"),
    [(0, "bytes long"), (1, "there are 2 masks"), (2, "checksum"), (3, "does not fit its image: key 0")],
)
def test_damage_is_found_at_its_level(dataset: Dataset, level: int, words: str) -> None:
    path = dataset.write_masks("objects", 0, made(dataset, 0), INFO)
    assert verify(dataset, 3) == []
    file = MaskFile.of(path)
    assert file is not None
    if level == 0:
        path.write_bytes(path.read_bytes()[:-1])
    elif level == 2:
        content = bytearray(path.read_bytes())
        content[content.rindex(b"AQ\x01") - 3] ^= 1
        path.write_bytes(content)
    else:
        small = encode(np.zeros((1, 2), np.uint8))
        count = write_shard(path, [small, small], keys=[0, 2])
        claimed = file.count if level == 1 else count
        MaskFile(path, claimed, path.stat().st_size, digest_of(path), file.shard).write()
    for deep in range(4):
        found = [finding for finding in verify(dataset, deep) if finding.code == "masks_damaged"]
        assert bool(found) == (deep >= level), deep
        assert not found or words in found[0].message


def test_masks_of_another_shard_are_found(dataset: Dataset) -> None:
    path = dataset.write_masks("objects", 0, made(dataset, 0), INFO)
    other = mask_path(dataset.path, "objects", 1)
    other.write_bytes(path.read_bytes())
    other.with_suffix(".json").write_bytes(path.with_suffix(".json").read_bytes())
    assert [finding.message for finding in verify(dataset, 0)] == ["these masks were made for another shard"]
