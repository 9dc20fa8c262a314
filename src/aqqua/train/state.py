"""What changes while a model is trained, and how it is saved and taken up again."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from aqqua.errors import FormatError
from aqqua.models.vit import VisionTransformer, vit_config
from aqqua.train.config import TrainConfig
from aqqua.train.data import Position
from aqqua.train.objective import Projector

__all__ = ["Run", "fingerprint", "keep", "resume", "start"]


@dataclass
class Run:
    """Everything that changes while a model is trained, and so all that a saved state holds."""

    network: VisionTransformer
    projector: Projector
    optimizer: torch.optim.AdamW
    generator: torch.Generator
    position: Position = field(default_factory=Position)
    step: int = 0
    images: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    bad_steps: int = 0


def start(config: TrainConfig, device: torch.device, seed: int) -> Run:
    """A new network, projector and optimiser; the global random state stays as it was."""
    shape = vit_config(config.size)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = VisionTransformer(shape).to(device).train()
        projector = Projector(shape.dim, config.hidden, config.embedding).to(device).train()
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
    return Run(network, projector, optimizer, torch.Generator().manual_seed(seed))


def fingerprint(config: TrainConfig, seed: int, images: str) -> str:
    """What must be the same for a saved state to be taken up; `images` says which they are."""
    return json.dumps([asdict(config), seed, images], sort_keys=True)


def keep(run: Run, path: Path, same: str) -> None:
    """Save the state, whole or not at all."""
    tensors = {f"network.{k}": v for k, v in run.network.state_dict().items()}
    tensors |= {f"projector.{k}": v for k, v in run.projector.state_dict().items()}
    for number, state in run.optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{number}.{k}": torch.as_tensor(v) for k, v in state.items()}
    tensors["generator"] = run.generator.get_state()
    counts = {"step": run.step, "images": run.images, "seconds": run.seconds, "cpu_seconds": run.cpu_seconds}
    plain = {"position": asdict(run.position), **counts}
    part = path.with_name(path.name + ".part")
    save_file(
        {k: v.detach().cpu().contiguous() for k, v in tensors.items()},
        part,
        metadata={"run": json.dumps(plain), "fingerprint": same},
    )
    part.replace(path)


def resume(run: Run, path: Path, same: str) -> None:
    """Take up a saved state, if there is one of the same configuration, seed and data."""
    if not path.is_file():
        return
    try:
        with safe_open(path, framework="pt") as file:
            notes = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no mapping)
    except SafetensorError as error:
        raise FormatError("the saved state is damaged", where=path, do="remove it to begin anew") from error
    if notes.get("fingerprint") != same:
        return
    run.network.load_state_dict(_part(tensors, "network."))
    run.projector.load_state_dict(_part(tensors, "projector."))
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in _part(tensors, "optimizer.").items():
        number, name = key.split(".", 1)
        state.setdefault(int(number), {})[name] = value
    run.optimizer.load_state_dict({"state": state, "param_groups": run.optimizer.state_dict()["param_groups"]})
    run.generator.set_state(tensors["generator"])
    plain = json.loads(notes["run"])
    run.position = Position(**plain.pop("position"))
    for name, value in plain.items():
        setattr(run, name, value)


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
