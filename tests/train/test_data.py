from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from aqqua.errors import ConfigError
from aqqua.models.preprocess import Prepared, Preprocessing
from aqqua.store.dataset import Dataset
from aqqua.store.withdraw import withdraw
from aqqua.train import data
from aqqua.train.data import Batch, Catalogue, Loader, Position, draw, group, open_for_training, view_side
from tests.make.trainable import make_dataset


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of 8 and pools of 24 images, so that sixty images have several."""
    monkeypatch.setattr(data, "BLOCK_IMAGES", 8)
    monkeypatch.setattr(data, "POOL_IMAGES", 24)
    monkeypatch.setattr(data, "POOL_BATCHES", 1)


def loader(dataset: Dataset, **options: float) -> Loader:
    settings = {"batch": 10, "temperature": 1.0, "seed": 3, "cache_mb": 1} | options
    return Loader(Catalogue([dataset]), Preprocessing(), **settings)  # type: ignore[arg-type]


def total(batch: Batch) -> float:
    return sum(float(g.images.double().sum()) for g in batch)


def test_an_epoch_shows_every_image_once(shapes: Dataset, small_blocks: None) -> None:
    seen = 0
    for batch, after in loader(shapes).batches():
        seen += sum(len(g.images) for g in batch)
        if after.epoch == 1:
            break
    assert seen == 60
    assert after == Position(1, 0, 0)


def test_it_goes_on_where_it_stopped(shapes: Dataset, small_blocks: None) -> None:
    whole = list(islice(loader(shapes).batches(), 14))
    assert whole[-1][1].epoch == 2, "two borders between epochs are crossed"
    for cut in (1, 4, 9):
        rest = islice(loader(shapes).batches(whole[cut - 1][1]), 14 - cut)
        assert [(total(b), p) for b, p in rest] == [(total(b), p) for b, p in whole[cut:]]


def test_another_seed_is_another_order(shapes: Dataset) -> None:
    one, other = (next(loader(shapes, seed=seed).batches())[0] for seed in (1, 2))
    assert total(one) != total(other)


def test_without_a_cache_it_is_the_same(shapes: Dataset) -> None:
    one, other = (islice(loader(shapes, cache_mb=mb).batches(), 12) for mb in (0, 1))
    assert [total(b) for b, _ in one] == [total(b) for b, _ in other]


def test_with_a_cache_nothing_is_read_twice(shapes: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    images = Dataset.images
    monkeypatch.setattr(Dataset, "images", lambda ds, uids: read.extend(uids) or images(ds, uids))  # type: ignore[func-returns-value]
    list(islice(loader(shapes).batches(), 20))
    assert len(read) == len(set(read)) == 60


@given(st.lists(st.integers(0, 4), min_size=1, max_size=300), st.floats(0, 1), st.integers(0, 99))
def test_draws_follow_the_temperature(codes: list[int], temperature: float, seed: int) -> None:
    instrument = np.array(codes)
    rows = draw(instrument, temperature, np.random.default_rng(seed))
    counts = np.bincount(instrument)
    there = counts[counts > 0].astype(float)
    share = there**temperature / (there**temperature).sum()
    drawn = np.bincount(instrument[rows], minlength=len(counts))[counts > 0]
    assert np.abs(drawn - share * len(codes)).max() <= 0.5 + 1e-9
    for code in np.unique(instrument):
        times = np.bincount(rows, minlength=len(codes))[instrument == code]
        assert times.max() - times.min() <= 1, "fair within an instrument"


def test_groups_have_one_kind_of_channels_and_about_one_size() -> None:
    rng = np.random.default_rng(0)
    shapes = [(20, 20), (20, 24), (60, 60), (60, 60, 3)] * 14
    images = [Preprocessing().prepare(rng.integers(0, 255, s, dtype=np.uint8), 5.0) for s in shapes]
    groups = group(images)
    assert sorted((len(g.images), g.images.shape[1], g.side) for g in groups) == [(14, 1, 8), (14, 3, 8), (28, 1, 3)]


def test_small_groups_join_the_next_larger() -> None:
    images = [Preprocessing().prepare(np.zeros((side, side), np.uint8), 5.0) for side in (20, 20, 60, 60, 60)]
    groups = group(images)
    assert [(len(g.images), g.side) for g in groups] == [(5, 8)]
    assert groups[0].images.shape == (5, 1, 64, 64)


def test_images_stand_upright_in_the_middle() -> None:
    signal = np.zeros((1, 16, 40), np.int16)
    signal[0, 8, :] = 255
    only = group([Prepared(signal, (0,), (2.0, 1.5, 1.0))])[0]
    assert only.images.shape == (1, 1, 40, 16)
    assert only.images[0, 0, :, 8].eq(1).all()
    torch.testing.assert_close(only.sizes, torch.tensor([[2.0, 1.5, 1.0]]))


def test_a_view_has_about_as_many_tokens_as_its_image() -> None:
    thin = Prepared(np.zeros((1, 16, 160), np.int16), (0,), (1.0, 1.0, 1.0))
    assert view_side(thin) ** 2 in range(36, 65)


def test_a_licence_that_forbids_training_is_respected(tmp_path: Path) -> None:
    make_dataset(tmp_path / "closed", 6, training=False)
    with pytest.raises(ConfigError, match="does not allow training"):
        open_for_training([tmp_path / "closed"])


def test_what_may_not_be_learnt_from_is_left_out_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr("aqqua.train.data.say", said.append)
    closed, free = (make_dataset(tmp_path / name, 6, training=name == "free") for name in ("closed", "free"))
    catalogue = open_for_training([closed.path, free.path])
    assert ([ds.uuid for ds in catalogue.datasets], len(catalogue)) == ([free.uuid], 6)
    assert [ds.uuid for ds in catalogue.left_out] == [closed.uuid]
    assert len(said) == 1
    assert "does not allow training" in said[0]
    assert "closed" in said[0]


def test_withdrawn_images_are_not_learnt_from_and_no_state_that_saw_them_is_taken_up(tmp_path: Path) -> None:
    ds = make_dataset(tmp_path / "ds", 12, shards=2)
    before = open_for_training([ds.path])
    withdraw(ds, uids=ds.metadata([])["uid"][:3], reason="asked for")
    after = open_for_training([ds.path])
    assert (len(before), len(after)) == (12, 9)
    assert before.fingerprint != after.fingerprint == open_for_training([ds.path]).fingerprint


def test_an_empty_dataset_is_told(tmp_path: Path) -> None:
    Dataset.create(tmp_path / "empty")
    with pytest.raises(ConfigError, match="0 images are too few"):
        open_for_training([tmp_path / "empty"])


def test_a_sample_is_balanced_and_repeatable(shapes: Dataset) -> None:
    one, other = (loader(shapes).sample(20) for _ in range(2))
    assert len(one) == 20
    assert [a.signal.sum() for a in one] == [b.signal.sum() for b in other]
    assert len(loader(shapes).sample(1000)) == 60


def test_large_batches_come_from_large_pools(shapes: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "BLOCK_IMAGES", 8)
    monkeypatch.setattr(data, "POOL_IMAGES", 8)
    monkeypatch.setattr(data, "POOL_BATCHES", 3)
    assert max(len(pool) for pool in loader(shapes, batch=10)._pools(0)) >= 30
    assert max(len(pool) for pool in loader(shapes, batch=2)._pools(0)) < 30
