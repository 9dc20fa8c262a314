from __future__ import annotations

import pytest
import torch

from aqqua.train.heads import Projector
from aqqua.train.objective import Objective, shape_distance, told


def cloud(n: int = 4000, d: int = 8, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def test_a_normal_cloud_with_equal_views_is_nearly_free() -> None:
    terms = Objective()(cloud().expand(2, -1, -1))
    assert terms.invariance == 0
    assert max(terms.centre, terms.scale, terms.shape) < 0.01


def test_the_loss_is_the_weighted_sum() -> None:
    terms = Objective(weight=0.3)(torch.stack([cloud(seed=1), cloud(seed=2)]))
    torch.testing.assert_close(terms.loss, 0.7 * terms.invariance + 0.3 * (terms.centre + terms.scale + terms.shape))


def test_each_fault_is_seen_by_its_term() -> None:
    good = cloud()
    shifted, wide, line = good + 1, good * 2, good[:, :1].expand(-1, 8).contiguous()
    terms = {name: Objective()(x.expand(2, -1, -1)) for name, x in (("shift", shifted), ("wide", wide), ("line", line))}
    assert terms["shift"].centre > 0.9 > 0.01 > terms["shift"].scale
    assert terms["wide"].scale > 0.9 > 0.01 > terms["wide"].shape
    assert terms["line"].shape > 0.2 > 0.01 > terms["line"].scale


def test_views_that_differ_cost_invariance() -> None:
    views = torch.stack([cloud(seed=1), cloud(seed=2)])
    assert Objective()(views).invariance == pytest.approx(0.5, abs=0.03)


def test_a_collapsed_cloud_is_pushed_apart() -> None:
    """VISReg's point: the gradient does not vanish where all embeddings are nearly the same."""
    x = (1e-3 * cloud(256)).requires_grad_()
    Objective()(x.expand(2, -1, -1)).loss.backward()
    assert x.grad is not None
    outward = (x.grad * x.detach()).sum()
    assert outward < 0
    assert x.grad.norm() > 1e-3


def test_the_shape_distance_of_two_points_is_known() -> None:
    """Half the cloud at −1, half at 1, in one dimension: E(|N| − 1)² = 2 − 2·sqrt(2/π)."""
    x = torch.cat([-torch.ones(2000, 1), torch.ones(2000, 1)])[None]
    assert shape_distance(x, 4).item() == pytest.approx(2 - 2 * (2 / torch.pi) ** 0.5, abs=0.01)


def test_the_projector_maps_to_the_embedding() -> None:
    assert Projector(16, 32, 8)(torch.randn(10, 16)).shape == (10, 8)


def test_what_is_told_right_costs_nothing_and_numbers_count_alike_whatever_their_unit() -> None:
    measured = cloud(200, 2) * torch.tensor([1.0, 1000.0]) + torch.tensor([5.0, -7.0])
    right = (measured - measured.mean(dim=0)) / measured.std(dim=0, correction=0)
    assert told(right, measured) < 1e-6
    wrong = right.clone()
    wrong[:, 0] = 0
    other = right.clone()
    other[:, 1] = 0
    assert told(wrong, measured) == pytest.approx(told(other, measured).item(), rel=0.2)


def test_what_is_not_known_need_not_be_told() -> None:
    measured = cloud(50, 2)
    measured[10:, 1] = torch.nan
    said = torch.zeros(50, 2, requires_grad=True)
    told(said, measured).backward()  # type: ignore[no-untyped-call]
    assert said.grad is not None
    assert not said.grad[10:, 1].any()
    assert said.grad[:10, 1].all()
