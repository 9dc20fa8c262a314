from __future__ import annotations

import math

import pytest
import torch

from aqqua.errors import UnknownNameError
from aqqua.models.vit import SIZES, VisionTransformer, Whitening, attend, rotate, rotations, size_waves, vit_config

GRAY, COLOUR = torch.tensor([0]), torch.tensor([1, 2, 3])


@pytest.fixture(scope="module")
def network() -> VisionTransformer:
    torch.manual_seed(0)
    return VisionTransformer(SIZES["pico"]).eval()


def known(n: int) -> torch.Tensor:
    return torch.tensor([[2.5, 2.2, 1.0]]).repeat(n, 1)


def test_nano_has_less_than_a_million_weights() -> None:
    assert VisionTransformer(SIZES["nano"]).weights < 1_000_000


def test_an_unknown_size_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="small"):
        vit_config("smal")


@pytest.mark.parametrize(("rows", "columns"), [(2, 2), (3, 7), (12, 5)])
def test_any_grid_gives_one_vector(network: VisionTransformer, rows: int, columns: int) -> None:
    vectors = network.describe(torch.rand(4, 1, 8 * rows, 8 * columns), GRAY, known(4))
    assert vectors.shape == (4, network.vector_length)
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(4))


def test_one_to_many_channels(network: VisionTransformer) -> None:
    image = torch.rand(2, 1, 16, 16)
    gray = network(image, GRAY, known(2))
    colour = network(image.expand(-1, 3, -1, -1), COLOUR, known(2))
    assert gray.shape == colour.shape
    assert not torch.allclose(gray, colour), "the kind of channel matters"


def test_it_matters_which_channel_shows_what(network: VisionTransformer) -> None:
    image = torch.zeros(1, 2, 16, 16)
    image[:, 0, 4:12, 4:12] = 1
    kinds = torch.tensor([0, 4])
    there = network(image, kinds, known(1))
    other = network(image.flip(1), kinds, known(1))
    assert (there - other).abs().max() > 1e-3


def test_keeping_all_tokens_is_keeping_none_back(network: VisionTransformer) -> None:
    image = torch.rand(3, 1, 24, 16)
    every = torch.arange(6).expand(3, 6)
    torch.testing.assert_close(network(image, GRAY, known(3), every), network(image, GRAY, known(3)))


def test_dropped_tokens_are_not_seen(network: VisionTransformer) -> None:
    """A change far from the kept tokens changes nothing."""
    image = torch.rand(1, 1, 16, 64)
    changed = image.clone()
    changed[..., 48:] = 0
    keep = torch.tensor([[0, 1, 8, 9]])
    torch.testing.assert_close(network(image, GRAY, known(1), keep), network(changed, GRAY, known(1), keep))
    assert not torch.allclose(network(image, GRAY, known(1)), network(changed, GRAY, known(1)))


def test_unknown_size_works_and_differs(network: VisionTransformer) -> None:
    image = torch.rand(2, 1, 16, 16)
    sizes = known(2)
    sizes[1] = math.nan
    vectors = network(torch.cat([image[:1], image[:1]]), GRAY, sizes)
    assert torch.isfinite(vectors).all()
    assert not torch.allclose(vectors[0], vectors[1])


def test_a_batch_does_not_mix_its_images(network: VisionTransformer) -> None:
    images = torch.rand(5, 1, 16, 24)
    alone = torch.cat([network(image[None], GRAY, known(1)) for image in images])
    torch.testing.assert_close(network(images, GRAY, known(5)), alone, rtol=1e-4, atol=1e-5)


def test_rotations_depend_on_distance_alone() -> None:
    """Rotary positions: the product of two tokens is a function of where they are to each other."""
    turn = rotations(6, 6, 16, torch.device("cpu")).reshape(6, 6, 8, 2)
    q, k = torch.randn(16), torch.randn(16)

    def product(a: tuple[int, int], b: tuple[int, int]) -> float:
        return float(rotate(q, turn[a]) @ rotate(k, turn[b]))

    assert product((0, 0), (1, 2)) == pytest.approx(product((3, 3), (4, 5)), abs=1e-4)
    assert product((0, 0), (1, 2)) != pytest.approx(product((0, 0), (2, 1)), abs=1e-4)


def test_written_out_attention_is_attention() -> None:
    q, k, v = (torch.randn(2, 3, 5, 8) for _ in range(3))
    torch.testing.assert_close(attend(q, k, v), torch.nn.functional.scaled_dot_product_attention(q, k, v))


def test_the_product_of_two_sizes_falls_with_their_ratio() -> None:
    sizes = torch.tensor([[3.0, 2.8, 1.0], [3.1, 2.9, 0.0], [3.5, 3.3, 1.0], [math.nan] * 3])
    waves = size_waves(sizes)
    near, far, none = (waves[0] @ waves[i] for i in (1, 2, 3))
    assert waves[0] @ waves[0] > near > far
    assert none == 0


def test_the_scale_token_tells_sizes_apart_but_not_single_images(network: VisionTransformer) -> None:
    """Two per cent of size changes little, a factor of two changes much."""
    base = network.scale(known(1))
    little = network.scale(known(1) + 0.01)
    much = network.scale(known(1) + 0.3)
    assert (base - little).norm() < 0.2 * (base - much).norm()


def test_whitened_features_vary_equally_in_all_directions() -> None:
    x = torch.randn(5000, 6) @ torch.diag(torch.tensor([10.0, 5, 2, 1, 1, 1])) @ torch.randn(6, 6) + 3
    whitening = Whitening(6, 4)
    whitening.fit(x, floor=0.0)
    y = whitening(x)
    torch.testing.assert_close(y.mean(dim=0), torch.zeros(4), atol=1e-3, rtol=0)
    torch.testing.assert_close(y.T @ y / len(y), torch.eye(4), atol=2e-3, rtol=0)


def test_thin_axes_are_not_blown_up() -> None:
    """What varies by a millionth is rounding, not biology; what never varies gives nothing."""
    x = torch.cat([torch.randn(500, 2), torch.randn(500, 1).expand(-1, 2) + 1e-6 * torch.randn(500, 2)], dim=1)
    x = torch.cat([x, torch.ones(500, 1)], dim=1)
    whitening = Whitening(5, 5)
    whitening.fit(x)
    y = whitening(x)
    assert torch.isfinite(y).all()
    assert (y.std(dim=0) < 1.01).all()
    assert (y.std(dim=0).sort().values[:2] < 0.1).all()


def test_fewer_images_than_features_are_enough() -> None:
    whitening = Whitening(20, 12)
    whitening.fit(torch.randn(4, 20))
    assert torch.isfinite(whitening(torch.randn(3, 20))).all()


def test_giant_is_giant_and_needs_no_memory_to_be_measured() -> None:
    with torch.device("meta"):
        network = VisionTransformer(SIZES["giant"])
    assert 1.0e9 < network.weights < 1.3e9


@pytest.mark.slow
def test_it_compiles_as_one_graph_for_every_grid(network: VisionTransformer) -> None:
    """No breaks, and one compilation serves all numbers of images, rows and columns."""
    seen: list[int] = []

    def count(graph: torch.fx.GraphModule, inputs: list[torch.Tensor]) -> torch.fx.GraphModule:
        seen.append(len(inputs))
        return graph

    compiled = torch.compile(network.describe, backend=count, fullgraph=True, dynamic=True)
    for n, rows, columns in ((5, 2, 4), (7, 6, 3), (4, 9, 7)):  # not 3, there are three sizes
        images = torch.rand(n, 1, 8 * rows, 8 * columns)
        with torch.inference_mode():
            torch.testing.assert_close(compiled(images, GRAY, known(n)), network.describe(images, GRAY, known(n)))
    assert len(seen) == 1


@pytest.mark.slow
def test_it_trains_compiled(network: VisionTransformer) -> None:
    """The forward with dropped tokens and its gradient are one graph, too."""
    compiled = torch.compile(network, backend="aot_eager", fullgraph=True, dynamic=True)
    image, keep = torch.rand(3, 1, 24, 40), torch.tensor([[0, 3, 7]]).repeat(3, 1)
    with torch.autocast("cpu", torch.bfloat16):
        compiled(image, GRAY, known(3), keep).float().square().sum().backward()
    gradients = [w.grad for name, w in network.named_parameters() if "gain" not in name and "shift" not in name]
    assert all(g is not None and torch.isfinite(g).all() for g in gradients)
    network.zero_grad(set_to_none=True)


def camera_world(n: int = 3000, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Features of organisms (five numbers) seen by two cameras, which add something of their own."""
    generator = torch.Generator().manual_seed(seed)
    organism = torch.randn(n, 5, generator=generator)
    mix, own = torch.randn(5, 12, generator=generator), torch.randn(3, 12, generator=generator)
    shift = torch.tensor([[2.0, 0.0, -1.0], [-2.0, 1.0, 1.0]])

    def seen(camera: int) -> torch.Tensor:
        noise = torch.randn(n, 3, generator=generator)
        return organism @ mix + (shift[camera] + noise) @ own + 0.05 * torch.randn(n, 12, generator=generator)

    return seen(0), seen(1), organism, own


def test_whitening_forgets_in_what_one_organism_differs_from_camera_to_camera() -> None:
    one, other, _, _ = camera_world()
    x = torch.cat([one, other])
    plain, blind = Whitening(12, 6), Whitening(12, 6)
    plain.fit(x)
    blind.fit(x, apart=one[:500] - other[:500], weight=4.0, unlearn=3)

    def apart(w: Whitening) -> float:
        a, b = w(one[500:]), w(other[500:])
        between, all_together = a.mean(dim=0) - b.mean(dim=0), torch.cat([a, b]).std(dim=0)
        return float(between.norm() / all_together.norm())

    def agree(w: Whitening) -> float:
        return torch.nn.functional.cosine_similarity(w(one[500:]), w(other[500:])).mean().item()

    assert apart(blind) < 0.2 * apart(plain)
    assert agree(blind) > agree(plain) + 0.3


def test_whitening_without_twins_is_as_it_was() -> None:
    one, *_ = camera_world()
    plain, again = Whitening(12, 6), Whitening(12, 6)
    plain.fit(one)
    again.fit(one, apart=one[:0], weight=4.0, unlearn=0)
    assert torch.equal(plain.matrix, again.matrix)
    torch.testing.assert_close(plain(one).std(dim=0), torch.ones(6), atol=0.05, rtol=0.05)
