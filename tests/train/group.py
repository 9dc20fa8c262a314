"""What a process of a group does in the tests of `aqqua.train.distributed`; pytest reads what it says.

torchrun --standalone --nproc-per-node 2 tests/train/group.py DATASET FOLDER
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from aqqua.errors import PausedError
from aqqua.models.checkpoint import weights_hash
from aqqua.store.dataset import Dataset
from aqqua.train import loop
from aqqua.train.config import TrainConfig
from aqqua.train.data import Batch, Catalogue
from aqqua.train.distributed import World, joined
from aqqua.train.objective import Terms
from aqqua.train.state import Run

CONFIG = TrainConfig(
    size="pico", steps=6, batch=20, parts=2, precision="float32", slices=16, embedding=8, hidden=16, learning_rate=5e-4
)


OTHERS = ("reconstruction", "distillation")


def curve(config: TrainConfig, catalogue: Catalogue, folder: Path, world: World, *, stop: int = 0) -> dict[str, Any]:
    """Train, and tell the losses and a hash of the weights; the last process is asked to stop at a step, if given."""
    folder.mkdir(exist_ok=True, parents=True)
    losses: list[float] = []
    step = loop.step

    def spy(run: Run, *rest: Any) -> Terms:
        terms = step(run, *rest)
        losses.append(terms.loss.item())
        if run.step + 1 == stop and world.rank == world.size - 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return terms

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "step", spy)
        try:
            run = loop.fit(config, catalogue, folder, 1, world)
        except PausedError as pause:
            return {"losses": losses, "paused": pause.what}
    network = run.network.state_dict()
    spread = [torch.stack([network[k].float().mean() for k in network]).tolist(), run.network.whitening.mean.tolist()]
    told = {"losses": losses, "weights": weights_hash(network), "numbers": spread, "seconds": run.seconds}
    return told | {"position": [run.position.epoch, run.position.batch], "bad": run.bad_steps, "images": run.images}


def spoiled(config: TrainConfig, catalogue: Catalogue, folder: Path, world: World) -> dict[str, Any]:
    """Train with a loss that is infinite in one part of one process in the third step."""
    loss: Callable[..., Terms] = loop.loss

    def broken(run: Run, batch: Batch, *rest: Any) -> Terms:
        terms = loss(run, batch, *rest)
        factor: Tensor = torch.tensor(torch.inf if run.step == 2 and world.rank == 1 else 1.0)
        return replace(terms, loss=terms.loss * factor)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "loss", broken)
        return curve(config, catalogue, folder, world)


def main(dataset: Path, folder: Path) -> None:
    """All that two processes are asked to show; each writes what it saw."""
    catalogue = Catalogue([Dataset.open(dataset)])
    sharded = replace(CONFIG, shard=True)
    with joined("cpu") as world:
        told = {
            "copies": curve(CONFIG, catalogue, folder / "copies", world),
            "shards": curve(sharded, catalogue, folder / "shards", world),
            "relay": curve(sharded, catalogue, folder / "relay", world, stop=4),
            "relay in copies": curve(CONFIG, catalogue, folder / "relay-copies", world, stop=4),
            "spoiled": spoiled(CONFIG, catalogue, folder / "spoiled", world),
            "spoiled shards": spoiled(sharded, catalogue, folder / "spoiled-shards", world),
            **{
                f"{objective} {shard}": curve(
                    replace(CONFIG, objective=objective, shard=shard, steps=3),
                    catalogue,
                    folder / objective / str(shard),
                    world,
                )
                for objective in OTHERS
                for shard in (False, True)
            },
            "timed": curve(replace(CONFIG, steps=0, minutes=0.01), catalogue, folder / "timed", world),
        }
    (folder / f"told-{world.rank}.json").write_text(json.dumps(told))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
