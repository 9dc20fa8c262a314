"""What stands between the network and its objective, and is thrown away after training."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from aqqua.models.vit import Block, ViTConfig, rotations

__all__ = ["Decoder", "Projector", "Prototypes"]

_WIDTH, _HEADS = 96, 4


class Projector(nn.Module):
    """Two layers give the embedding that the objective shapes; two others tell what was measured, if asked for.

    Args:
        dim: length of the vector.
        hidden: width of the hidden layer.
        out: length of the embedding.
        told: how many measured numbers are to be told, if any.
    """

    def __init__(self, dim: int, hidden: int, out: int, told: int = 0) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(dim, hidden, bias=False), nn.BatchNorm1d(hidden), nn.GELU(), nn.Linear(hidden, out)
        )
        if told:
            self.tell = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, 256), nn.GELU(), nn.Linear(256, told))

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, dim) to (n, out)."""
        out: Tensor = self.net(x)
        return out


class Decoder(nn.Module):
    """One block over all places of a view, those that were computed and those left out, and what it says of each.

    Args:
        config: of the network.
        out: numbers per place.
    """

    def __init__(self, config: ViTConfig, out: int) -> None:
        super().__init__()
        self.first = 2 + config.registers
        self.narrow = nn.Linear(config.dim, _WIDTH)
        self.unseen = nn.Parameter(torch.zeros(_WIDTH))
        self.block = Block(ViTConfig(dim=_WIDTH, heads=_HEADS))
        self.norm = nn.LayerNorm(_WIDTH)
        self.out = nn.Linear(_WIDTH, out)

    def forward(self, tokens: Tensor, kept: Tensor, side: int) -> Tensor:
        """Map tokens (n, first + kept, dim), computed at `kept` (n, k) of side · side places, to (n, side², out)."""
        x = self.narrow(tokens)
        first, seen = x[:, : self.first], x[:, self.first :]
        field = self.unseen.to(x.dtype).expand(len(x), side * side, -1)
        field = field.scatter(1, kept[..., None].expand(-1, -1, _WIDTH), seen)
        turn = rotations(side, side, _WIDTH // _HEADS, x.device)
        still = torch.zeros(self.first, *turn.shape[1:], device=x.device)
        still[..., 0] = 1
        x = self.block(torch.cat([first, field], dim=1), torch.cat([still, turn])[None, None])
        out: Tensor = self.out(self.norm(x[:, self.first :]))
        return out


class Prototypes(nn.Module):
    """How like each of some prototypes an image and its patches are; cosines.

    Args:
        config: of the network.
        hidden: width of the hidden layer.
        n: number of prototypes.
    """

    def __init__(self, config: ViTConfig, hidden: int, n: int) -> None:
        super().__init__()
        self.first = 2 + config.registers
        self.net = nn.Sequential(nn.Linear(config.dim, hidden), nn.GELU(), nn.Linear(hidden, _WIDTH))
        self.patch = nn.Sequential(nn.Linear(config.dim, hidden), nn.GELU(), nn.Linear(hidden, _WIDTH))
        self.decoder = Decoder(config, _WIDTH)
        self.prototypes = nn.Parameter(torch.randn(n, _WIDTH))
        self.patches = nn.Parameter(torch.randn(n, _WIDTH))

    def forward(self, tokens: Tensor, kept: Tensor, side: int) -> tuple[Tensor, Tensor, Tensor]:
        """Cosines of views that were computed in part.

        Returns:
            (n, prototypes) for the image; (n, side², prototypes), what is guessed of each place; (n, kept, prototypes),
            what was seen at the places that were computed.
        """
        image, patches = self.whole(tokens)
        return image, _cosine(self.decoder(tokens, kept, side), self.patches), patches

    def whole(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """The same of views that were computed as a whole, without guessing."""
        places = self.patch(tokens[:, self.first :])
        return _cosine(self.net(tokens[:, 0]), self.prototypes), _cosine(places, self.patches)


def _cosine(x: Tensor, prototypes: Tensor) -> Tensor:
    return F.normalize(x, dim=-1) @ F.normalize(prototypes, dim=-1).to(x.dtype).T
