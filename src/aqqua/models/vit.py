"""A small vision transformer for objects of every size: native-size token grids, convolutional stem, one scale token.

Read `VisionTransformer.forward` first: stem → tokens → (drop some) → blocks → one vector.

Sources: vision transformer, Dosovitskiy et al. 2021 (arXiv 2010.11929); convolutional stem, Xiao et al. 2021
(arXiv 2106.14881); registers, Darcet et al. 2024 (arXiv 2309.16588); rotary positions, Su et al. 2021
(arXiv 2104.09864), used here once for rows and once for columns; one stem for all channels with channel embeddings,
Bao et al. 2024 (ChannelViT, arXiv 2309.16108).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 (the name everybody knows it by)
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from aqqua.errors import ConfigError, UnknownNameError
from aqqua.models.preprocess import CHANNEL_TYPES
from aqqua.models.shape import MEASURES, measure

__all__ = ["SIZES", "ViTConfig", "VisionTransformer", "vit_config"]


@dataclass(frozen=True)
class ViTConfig:
    """The shape of one vision transformer.

    Args:
        dim: length of a token.
        depth: number of blocks.
        heads: attention heads; dim / heads must be a multiple of 4 (rotary pairs for rows and columns).
        mlp_ratio: width of the hidden layer of a block, in units of dim.
        stem: channels of the first two convolutions (the third gives dim).
        registers: tokens without a place, for what concerns the whole image.
        scale_bands: Fourier bands per number of the scale token.
        vector: length of the vectors, without size.
        measured: whether measured features stand beside the learned ones, see `aqqua.models.shape`.
    """

    dim: int = 128
    depth: int = 4
    heads: int = 4
    mlp_ratio: float = 4.0
    stem: tuple[int, int] = (32, 64)
    registers: int = 2
    scale_bands: int = 4
    vector: int = 128
    measured: bool = False

    def __post_init__(self) -> None:
        if self.dim <= 0 or self.heads <= 0 or self.dim % (4 * self.heads):
            raise ConfigError(
                f"{self.heads} heads do not share {self.dim} numbers in fours", do="dim must be a multiple of 4 · heads"
            )


PATCH = 8
"""Side of a token in pixels: three stride-2 convolutions."""

SIZES: dict[str, ViTConfig] = {
    "pico": ViTConfig(dim=32, depth=2, heads=2, stem=(8, 16), registers=1, vector=24, measured=True),
    "nano": ViTConfig(vector=320, measured=True),
    "tiny": ViTConfig(dim=192, depth=12, heads=3, stem=(48, 96), registers=4, vector=192, measured=True),
    "small": ViTConfig(dim=384, depth=12, heads=6, stem=(96, 192), registers=4, vector=384, measured=True),
    "base": ViTConfig(dim=768, depth=12, heads=12, stem=(96, 192), registers=4, vector=768, measured=True),
    "large": ViTConfig(dim=1024, depth=24, heads=16, stem=(128, 256), registers=4, vector=1024, measured=True),
    "giant": ViTConfig(dim=1536, depth=40, heads=24, stem=(192, 384), registers=4, vector=1536, measured=True),
}
"""Sizes by name: pico is for tests, nano (0.9 M weights) for two cores, the others for GPUs."""


def vit_config(size: str) -> ViTConfig:
    """Return the configuration called `size`."""
    if size not in SIZES:
        raise UnknownNameError("model size", size, SIZES)
    return SIZES[size]


class LayerNorm2d(nn.Module):
    """Layer norm over the channels of an image (BatchNorm would mix padded and unpadded images)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (batch, channels, rows, columns) over its channels."""
        out: Tensor = self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return out


class Stem(nn.Module):
    """Three stride-2 convolutions, the same for every channel; each kind of channel has its gain and shift.

    The gain makes the mean over channels keep what was seen in which channel.
    """

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        one, two = config.stem
        self.layers = nn.Sequential(
            nn.Conv2d(1, one, 3, stride=2, padding=1),
            LayerNorm2d(one),
            nn.GELU(),
            nn.Conv2d(one, two, 3, stride=2, padding=1),
            LayerNorm2d(two),
            nn.GELU(),
            nn.Conv2d(two, config.dim, 3, stride=2, padding=1),
        )
        self.gain = nn.Parameter(torch.ones(len(CHANNEL_TYPES), config.dim))
        self.shift = nn.Parameter(torch.zeros(len(CHANNEL_TYPES), config.dim))
        nn.init.normal_(self.gain, mean=1.0, std=0.2)
        nn.init.normal_(self.shift, std=0.02)

    def forward(self, images: Tensor, channels: Tensor) -> Tensor:
        """Turn images (b, c, 8·rows, 8·columns) of channel kinds (c,) into tokens (b, rows·columns, dim)."""
        b, c, height, width = images.shape
        one_by_one = images.reshape(b * c, 1, height, width).contiguous(memory_format=torch.channels_last)
        tokens = self.layers(one_by_one).permute(0, 2, 3, 1).reshape(b, c, -1, self.gain.shape[1])
        out: Tensor = (tokens * self.gain[channels, None] + self.shift[channels, None]).mean(dim=1)
        return out


class ScaleToken(nn.Module):
    """One token that says how large the object is, from Fourier features of log10 sizes.

    Args:
        config: dim and the number of bands; band k has period 8 / 2**k decades, so that the finest band of four
            (one decade) tells sizes apart without naming single images.
    """

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        self.bands = config.scale_bands
        self.net = nn.Sequential(
            nn.Linear(3 * 2 * config.scale_bands, config.dim), nn.GELU(), nn.Linear(config.dim, config.dim)
        )
        self.unknown = nn.Parameter(torch.zeros(config.dim))

    def forward(self, sizes: Tensor) -> Tensor:
        """Turn log10 sizes (b, 3), long side µm, short side µm, pixel µm, into (b, 1, dim); NaN is unknown."""
        known = torch.isfinite(sizes).all(dim=1, keepdim=True)
        frequency = 2.0 ** torch.arange(self.bands, device=sizes.device) / 8
        angle = 2 * math.pi * torch.nan_to_num(sizes)[..., None] * frequency
        waves = torch.cat([angle.sin(), angle.cos()], dim=-1).flatten(1)
        return torch.where(known, self.net(waves), self.unknown)[:, None]


class Block(nn.Module):
    """Attention and MLP, each behind a layer norm (pre-norm)."""

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        dim, hidden = config.dim, int(config.dim * config.mlp_ratio)
        self.heads = config.heads
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.qkv, self.out = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.mlp = nn.Sequential(nn.Linear(dim, hidden), nn.GELU(), nn.Linear(hidden, dim))

    def forward(self, x: Tensor, rotary: Tensor) -> Tensor:
        """Map tokens (b, n, dim) with rotations (b or 1, 1, n, dim / heads / 2, complex) to tokens."""
        b, n, dim = x.shape
        qkv = self.qkv(self.norm1(x)).reshape(b, n, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        q, k = rotate(qkv[:2], rotary.to(qkv.dtype))
        seen = attend(q, k, qkv[2])
        x = x + self.out(seen.transpose(1, 2).reshape(b, n, dim))
        out: Tensor = x + self.mlp(self.norm2(x))
        return out


def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Attention of (b, heads, n, d); written out on CPUs, where it is twice as fast for short sequences."""
    if q.is_cuda:
        return F.scaled_dot_product_attention(q, k, v)
    weights = (q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5).softmax(dim=-1)
    seen: Tensor = weights.to(v.dtype) @ v
    return seen


def rotate(x: Tensor, rotary: Tensor) -> Tensor:
    """Rotate the first against the second half of each head by the angle of its place."""
    cos, sin = rotary.unbind(-1)
    first, second = x.chunk(2, dim=-1)
    swapped = torch.cat([second, first], dim=-1)
    return torch.addcmul(x * torch.cat([cos, cos], dim=-1), swapped, torch.cat([-sin, sin], dim=-1))


def rotations(rows: int, columns: int, head_dim: int, device: torch.device) -> Tensor:
    """Return cosine and sine of the angles (rows·columns, head_dim / 2, 2): half turn with rows, half with columns.

    Places are counted from the centre of the grid; wavelengths go from 2π to 2π·100 tokens.
    """
    quarter = head_dim // 4
    frequency = 100.0 ** -(torch.arange(quarter, device=device) / quarter)
    y, x = (torch.arange(n, device=device, dtype=torch.float32) for n in (rows, columns))
    place = torch.cartesian_prod(y - y.mean(), x - x.mean())
    angle = torch.cat([place[:, :1] * frequency, place[:, 1:] * frequency], dim=1)
    return torch.stack([angle.cos(), angle.sin()], dim=-1)


class Whitening(nn.Module):
    """A fixed linear map that gives every direction the features vary in the same weight.

    The objective makes the *projector's* embedding round; the features before it stay long and thin, and cosine
    similarity would see their longest axes only. Fitted once after training, without labels, see `settle`.

    Args:
        features: numbers that come in.
        out: numbers that go out: the principal axes of most variance.
    """

    mean: Tensor
    matrix: Tensor

    def __init__(self, features: int, out: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("matrix", torch.eye(features, out))

    def forward(self, x: Tensor) -> Tensor:
        """Map (b, features) to (b, out)."""
        return (x - self.mean) @ self.matrix

    def fit(
        self, x: Tensor, floor: float = 0.01, apart: Tensor | None = None, weight: float = 0.0, unlearn: int = 0
    ) -> None:
        """Fit to features.

        Where it is known how the features of one organism differ from camera to camera, the axes along which they do
        count less, and the worst of them not at all (after within-class covariance normalisation, Hatch and Stolcke
        2006, and nuisance attribute projection, Solomonoff et al. 2005).

        Args:
            x: features (n, features).
            floor: axes thinner than this share of the longest one are not blown up.
            apart: differences (m, features) between features of the same organism by two cameras.
            weight: of these differences beside the spread of all features.
            unlearn: how many axes are left out, those with the largest differences for their spread.
        """
        x = x.double()
        mean, spread = x.mean(dim=0), x.std(dim=0).clamp_min(1e-6)
        standard = (x - mean) / spread
        whole, n = standard.T @ standard / len(x), self.matrix.shape[1]
        differ = torch.zeros_like(whole)
        if apart is not None and len(apart):
            steps = apart.double() / spread
            differ = steps.T @ steps / (2 * len(steps))
        variance, axes = torch.linalg.eigh(whole + weight * differ)
        variance, axes = variance.flip(0)[: n + unlearn], axes.flip(1)[:, : n + unlearn]
        matrix = axes / (variance.clamp_min(0) + floor**2 * variance[0]).sqrt()
        if unlearn:
            matrix = matrix @ torch.linalg.eigh(matrix.T @ differ @ matrix).eigenvectors[:, :n]  # smallest first
        self.mean.copy_(mean)
        self.matrix.copy_(matrix / spread[:, None])


SIZE_WAVES = 8
SIZE_WEIGHT = 0.6


def size_waves(sizes: Tensor) -> Tensor:
    """Return the sizes as points on circles (b, 8): sizes 2 (and 4) decades apart are the same point again.

    The scalar product of two sizes then falls off like a bell with the ratio of the two; zero where unknown.

    Args:
        sizes: (b, 3) log10 of long side, short side, pixel; the pixel is not used: it would name the instrument.
    """
    known = torch.isfinite(sizes[:, :2]).all(dim=1, keepdim=True)
    period = torch.tensor([2.0, 4.0], device=sizes.device)
    angle = (2 * math.pi / period * torch.nan_to_num(sizes[:, :2, None])).flatten(1)
    return torch.where(known, SIZE_WEIGHT / 2 * torch.cat([angle.sin(), angle.cos()], dim=1), 0.0)


class VisionTransformer(nn.Module):
    """Turns a batch of images of one grid shape into one vector each.

    With `recompute` set, what is inside a block is not kept for the gradient but computed once more (Chen et al. 2016,
    arXiv 1604.06174): less memory, more time, the same numbers.

    Args:
        config: the shape of the network, see `SIZES`.
    """

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        self.config, self.recompute = config, False
        self.stem = Stem(config)
        self.scale = ScaleToken(config)
        self.prefix = nn.Parameter(torch.randn(1, 1 + config.registers, config.dim) * 0.02)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        self.norm = nn.LayerNorm(config.dim)
        features = (3 + config.registers) * config.dim + MEASURES * config.measured
        self.whitening = Whitening(features, config.vector)
        self.apply(_initialise)

    def forward(self, images: Tensor, channels: Tensor, sizes: Tensor, keep: Tensor | None = None) -> Tensor:
        """Describe each image by one vector.

        Args:
            images: (b, c, 8·rows, 8·columns), background 0, see `Preprocessing`.
            channels: (c,) index into `CHANNEL_TYPES`.
            sizes: (b, 3) log10 of long side µm, short side µm, pixel µm; NaN where unknown.
            keep: (b, n) which tokens to keep, or None for all.

        Returns:
            (b, dim), the class token after the last norm.
        """
        return self.tokens(images, channels, sizes, keep)[:, 0]

    @property
    def vector_length(self) -> int:
        """Length of the vectors of `describe`."""
        return self.config.vector + SIZE_WAVES

    @property
    def weights(self) -> int:
        """Number of trained numbers."""
        return sum(w.numel() for w in self.parameters())

    def describe(self, images: Tensor, channels: Tensor, sizes: Tensor) -> Tensor:
        """Return the vectors that are kept (b, vector_length), each of length 1.

        What it looks like, whitened, and how large it is, see `size_waves`. Arguments as for `forward`.
        """
        looks = F.normalize(self.whitening(self.features(images, channels, sizes)), dim=1)
        return F.normalize(torch.cat([looks, size_waves(sizes)], dim=1), dim=1)

    def features(self, images: Tensor, channels: Tensor, sizes: Tensor) -> Tensor:
        """Return all there is to say before whitening (b, (3 + registers) · dim, and MEASURES more if measured).

        Class token, registers, mean and standard deviation of the patch tokens, and what was measured.
        """
        tokens = self.tokens(images, channels, sizes)
        first, patches = tokens[:, : 1 + self.config.registers], tokens[:, 2 + self.config.registers :]
        told = [first.flatten(1), patches.mean(dim=1), patches.std(dim=1, correction=0)]
        if self.config.measured:
            told.append(_measured(images))
        return torch.cat(told, dim=1)

    def tokens(self, images: Tensor, channels: Tensor, sizes: Tensor, keep: Tensor | None = None) -> Tensor:
        """Return all tokens (b, 1 + registers + 1 + rows·columns, dim): class, registers, scale, patches."""
        rows, columns = images.shape[-2] // PATCH, images.shape[-1] // PATCH
        x = self.stem(images, channels)
        turn = rotations(rows, columns, self.config.dim // self.config.heads, x.device)[None]
        if keep is not None:
            x = x.gather(1, keep[..., None].expand(-1, -1, x.shape[-1]))
            turn = turn[0][keep]
        first = torch.cat([self.prefix.expand(x.shape[0], -1, -1), self.scale(sizes)], dim=1)
        x = torch.cat([first, x], dim=1)
        turn = torch.cat([_no_turn(turn, first.shape[1]), turn], dim=1)[:, None]
        for block in self.blocks:
            x = recomputed(block, x, turn) if self.recompute and torch.is_grad_enabled() else block(x, turn)
        out: Tensor = self.norm(x)
        return out


def _measured(images: Tensor) -> Tensor:
    """Measured features, in single precision whatever the network computes in."""
    kind = images.device.type
    if torch.is_autocast_enabled(kind):
        with torch.autocast(kind, enabled=False):
            return measure(images.float())
    return measure(images.float())


def recomputed(block: nn.Module, x: Tensor, turn: Tensor) -> Tensor:
    """What the block makes of x; on the way back it is computed again."""
    out: Tensor = checkpoint(block, x, turn, use_reentrant=False)
    return out


def _no_turn(like: Tensor, n: int) -> Tensor:
    """Rotations by zero for the n tokens without a place."""
    still = torch.zeros(like.shape[0], n, *like.shape[2:], device=like.device)
    still[..., 0] = 1
    return still


def _initialise(module: nn.Module) -> None:
    """Small normal weights for the linear layers, as in the vision transformers before."""
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)
