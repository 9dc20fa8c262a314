from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from aqqua.train.augment import augment, choose_tokens
from aqqua.train.config import Augmentation
from aqqua.train.data import Group

STILL = Augmentation(
    zoom=(1.0, 1.0), stretch=0, shift=0, gain=0, gamma=0, blur=0, noise=0, channel_drop=0, size_jitter=0, size_drop=0
)


def disc(n: int = 4, channels: int = 1) -> Group:
    y, x = torch.meshgrid(torch.arange(48) - 23.5, torch.arange(48) - 23.5, indexing="ij")
    image = (x**2 + y**2 < 100).float().expand(n, channels, 48, 48).clone()
    sizes = torch.tensor([[3.0, 2.5, 1.0]]).repeat(n, 1)
    return Group(image, sizes, torch.arange(channels), 6, place=torch.arange(n), instrument=torch.zeros(n))


def run(settings: Augmentation, group: Group | None = None, seed: int = 0) -> tuple[torch.Tensor, ...]:
    return augment(group or disc(), 8, settings, torch.Generator().manual_seed(seed))


def test_a_disc_stays_a_disc_when_only_turned() -> None:
    views, sizes, channels = run(STILL)
    assert (views - disc().images).abs().mean() < 0.01
    torch.testing.assert_close(sizes, disc().sizes)
    assert channels.tolist() == [0]


def test_a_zoom_enlarges_the_picture_and_shrinks_the_pixel_together() -> None:
    views, sizes, _ = run(Augmentation(**(vars(STILL) | {"zoom": (2.0, 2.0)})))
    area = views.sum(dim=(1, 2, 3)) / disc().images.sum(dim=(1, 2, 3))
    torch.testing.assert_close(area, torch.full((4,), 4.0), rtol=0.03, atol=0)
    torch.testing.assert_close(sizes[:, 2], 1.0 - torch.full((4,), math.log10(2.0)))
    torch.testing.assert_close(sizes[:, :2], disc().sizes[:, :2]), "the object keeps its size in µm"


def test_gain_is_kept_as_a_factor() -> None:
    views, _, _ = run(Augmentation(**(vars(STILL) | {"gain": 0.5})))
    tops = views.amax(dim=(1, 2, 3))
    assert len(set(tops.tolist())) == 4
    assert ((tops > math.exp(-0.51)) & (tops < math.exp(0.51))).all()


def test_background_stays_zero_without_noise() -> None:
    views, _, _ = run(Augmentation(**(vars(STILL) | {"gain": 0.5, "gamma": 0.5, "blur": 1.0})))
    assert views[:, :, 0, 0].abs().max() < 1e-2


def test_sizes_are_lost_now_and_then() -> None:
    _, sizes, _ = run(Augmentation(**(vars(STILL) | {"size_drop": 0.5})), disc(200))
    lost = torch.isnan(sizes).all(dim=1).float().mean()
    assert 0.35 < lost < 0.65


def test_channels_are_lost_but_never_all() -> None:
    group = disc(channels=3)
    kept = [run(Augmentation(**(vars(STILL) | {"channel_drop": 1.0})), group, seed)[2] for seed in range(20)]
    assert {len(k) for k in kept} == {1, 2}
    views, _, channels = run(Augmentation(**(vars(STILL) | {"channel_drop": 1.0})), group)
    assert views.shape[1] == len(channels)


def test_inverting_turns_the_sign() -> None:
    views, _, _ = run(Augmentation(**(vars(STILL) | {"invert": 1.0})))
    assert views.min() < -0.9
    assert views.max() < 0.1


def test_the_same_generator_gives_the_same_views() -> None:
    one, other = run(Augmentation()), run(Augmentation())
    assert torch.equal(one[0], other[0])
    assert not torch.equal(one[0], run(Augmentation(), seed=1)[0])


@pytest.mark.parametrize("side", [2, 5, 8])
def test_a_view_has_the_side_of_its_group(side: int) -> None:
    group = replace(disc(), side=side)
    assert run(Augmentation(), group)[0].shape == (4, 1, 8 * side, 8 * side)


def test_tokens_with_something_in_them_come_first() -> None:
    views = torch.zeros(50, 1, 32, 32)
    views[:, :, 8:16, 8:24] = 0.5  # tokens 5 and 6
    kept = choose_tokens(views, 8, 0.25, torch.Generator().manual_seed(0))
    assert kept.shape == (50, 4)
    assert all({5, 6} <= set(row) for row in kept.tolist())
    assert (kept.diff(dim=1) > 0).all()
    assert len({tuple(row) for row in kept.tolist()}) > 10, "the others are drawn"
