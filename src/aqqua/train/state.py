"""What changes while a model is trained, and how it is saved and taken up again.

Weights that lie whole on every process are one file, `state.safetensors`; weights in shards are a folder, `state`, to
which every process writes its own (see `aqqua.train.sharded`). Either is read by any number of processes.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.distributed.tensor import DTensor, distribute_tensor

from aqqua.errors import FormatError
from aqqua.models.vit import VisionTransformer, vit_config
from aqqua.progress import say
from aqqua.train import sharded
from aqqua.train.config import TrainConfig
from aqqua.train.data import Position
from aqqua.train.distributed import ALONE, World, bind
from aqqua.train.objectives import Teacher, make_heads, make_teacher

__all__ = ["Run", "fingerprint", "keep", "resume", "start"]


@dataclass
class Run:
    """Everything that changes while a model is trained, and so all that a saved state holds."""

    network: VisionTransformer
    projector: nn.Module
    optimizer: torch.optim.AdamW
    generator: torch.Generator
    position: Position = field(default_factory=Position)
    step: int = 0
    images: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    bad_steps: int = 0
    teacher: Teacher | None = None
    bound: nn.Module | None = None
    """Network and projector as several processes train them, see `aqqua.train.distributed.bind`."""


def start(config: TrainConfig, world: World, seed: int) -> Run:
    """A new network, projector and optimiser; the global random state stays as it was."""
    shape = vit_config(config.size)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = VisionTransformer(shape).to(world.device).train()
        projector = make_heads(config, network).to(world.device).train()
    teacher = make_teacher(config, network, projector)
    network.recompute = config.recompute
    if config.compile:
        for block in network.blocks:
            block.compile(dynamic=True)
    bound = bind([network, projector], world, config.shard)
    weights = [*network.parameters(), *projector.parameters()]
    optimizer = torch.optim.AdamW(
        [
            {"params": [w for w in weights if w.ndim > 1], "weight_decay": config.weight_decay},
            {"params": [w for w in weights if w.ndim <= 1], "weight_decay": 0.0},
        ],
        lr=config.learning_rate,
        betas=(0.9, 0.95),
        fused=True,
    )
    return Run(network, projector, optimizer, torch.Generator().manual_seed(seed), teacher=teacher, bound=bound)


_HOW = {"ahead", "cache_mb", "compile", "device", "recompute", "save_minutes", "shard", "tensorboard"}
"""Settings of how it is computed, not of what."""


def fingerprint(config: TrainConfig, seed: int, images: str) -> str:
    """What must be the same for a saved state to be taken up; `images` says which they are."""
    what = {name: value for name, value in asdict(config).items() if name not in _HOW}
    return json.dumps([what, seed, images], sort_keys=True)


def keep(run: Run, path: Path, same: str, world: World = ALONE) -> None:
    """Save the state, whole or not at all; all processes together.

    Args:
        run: what to save.
        path: of the file; shards go into a folder of the same name without ending.
        same: what must be the same for it to be taken up, see `fingerprint`.
        world: the processes.
    """
    tensors = _tensors(run)
    counts = {"step": run.step, "images": run.images, "seconds": run.seconds, "cpu_seconds": run.cpu_seconds}
    plain = {"position": asdict(run.position), **counts}
    if any(isinstance(value, DTensor) for value in tensors.values()):
        sharded.write(path.with_suffix(""), tensors, {"run": plain, "fingerprint": same}, world)
        if world.first:
            path.unlink(missing_ok=True)
    elif world.first:
        part = path.with_name(path.name + ".part")
        save_file(
            {k: v.detach().cpu().contiguous() for k, v in tensors.items()},
            part,
            metadata={"run": json.dumps(plain), "fingerprint": same},
        )
        part.replace(path)
        sharded.remove(path.with_suffix(""))
    world.wait()


def resume(run: Run, path: Path, same: str) -> None:
    """Take up a saved state, if there is one of the same configuration, seed and data.

    Args:
        run: gets what was saved.
        path: of the file; the folder beside it is looked at too, and the later one of the two is taken.
        same: as it was given to `keep`.
    """
    found = [one for one in (_file(path), _folder(path)) if one]
    mine = [one for one in found if one[1].get("fingerprint") == same]
    if found and not mine:
        say("The saved state is of another configuration, seed or data: beginning anew")
    if not mine:
        return
    place, notes = max(mine, key=lambda one: int(one[1]["run"]["step"]))
    wanted = _tensors(run, fresh=True)
    _fill(run, sharded.read(place, wanted) if place.is_dir() else _read_file(place, wanted))
    plain = dict(notes["run"])
    run.position = Position(**plain.pop("position"))
    for name, value in plain.items():
        setattr(run, name, value)


def _tensors(run: Run, fresh: bool = False) -> dict[str, Tensor]:
    """All tensors of a run by name; `fresh` ones have room for what the optimiser would remember after a step."""
    tensors = {f"network.{k}": v for k, v in run.network.state_dict().items()}
    tensors |= {f"projector.{k}": v for k, v in run.projector.state_dict().items()}
    if run.teacher:
        tensors |= {f"teacher.network.{k}": v for k, v in run.teacher.network.state_dict().items()}
        tensors |= {f"teacher.heads.{k}": v for k, v in run.teacher.heads.state_dict().items()}
    remembered = run.optimizer.state_dict()["state"]
    if fresh:
        weights = [w for part in run.optimizer.param_groups for w in part["params"]]
        tensors = {name: torch.empty_like(value) for name, value in tensors.items()}
        remembered = {
            i: {"step": torch.zeros(()), "exp_avg": torch.empty_like(w), "exp_avg_sq": torch.empty_like(w)}
            for i, w in enumerate(weights)
        }
    for number, state in remembered.items():
        tensors |= {f"optimizer.{number}.{k}": torch.as_tensor(v) for k, v in state.items()}
    return tensors | {"generator": run.generator.get_state()}


def _fill(run: Run, tensors: dict[str, Tensor]) -> None:
    run.network.load_state_dict(_part(tensors, "network."))
    run.projector.load_state_dict(_part(tensors, "projector."))
    if run.teacher:
        run.teacher.network.load_state_dict(_part(tensors, "teacher.network."))
        run.teacher.heads.load_state_dict(_part(tensors, "teacher.heads."))
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in _part(tensors, "optimizer.").items():
        number, name = key.split(".", 1)
        state.setdefault(int(number), {})[name] = value
    run.optimizer.load_state_dict({"state": state, "param_groups": run.optimizer.state_dict()["param_groups"]})
    run.generator.set_state(tensors["generator"])


def _file(path: Path) -> tuple[Path, dict[str, Any]] | None:
    """The state in one file and its notes."""
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            notes = file.metadata() or {}
    except SafetensorError as error:
        raise FormatError("the saved state is damaged", where=path, do="remove it to begin anew") from error
    return path, {"run": json.loads(notes.get("run", "{}")), "fingerprint": notes.get("fingerprint")}


def _folder(path: Path) -> tuple[Path, dict[str, Any]] | None:
    """The state in shards and its notes."""
    folder = sharded.find(path.with_suffix(""))
    return None if folder is None else (folder, sharded.notes(folder))


def _read_file(path: Path, into: dict[str, Tensor]) -> dict[str, Tensor]:
    """Read a state from one file; each process keeps its shard of what lies in shards."""
    with safe_open(path, framework="pt") as file:
        tensors: dict[str, Tensor] = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no mapping)
    for name, value in tensors.items():
        like = into.get(name)
        if isinstance(like, DTensor):
            tensors[name] = distribute_tensor(value.to(like.device), like.device_mesh, like.placements)
    return tensors


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
