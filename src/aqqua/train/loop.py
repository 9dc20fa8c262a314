"""The training loop, to be read from top to bottom: `fit` is the story, the rest are its words."""

from __future__ import annotations

import csv
import json
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from aqqua.errors import AqquaError, FormatError
from aqqua.models.preprocess import Preprocessing
from aqqua.models.vit import PATCH, VisionTransformer, vit_config
from aqqua.progress import job
from aqqua.train.augment import augment, choose_tokens
from aqqua.train.config import TrainConfig
from aqqua.train.data import Batch, Catalogue, Loader, Position
from aqqua.train.objective import Objective, Projector, Terms

__all__ = ["Run", "fit"]

STATE, LOG = "state.safetensors", "log.csv"
_MAX_BAD_STEPS = 20
_LOG_SECONDS = 2.0


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
    bad_steps: int = 0


def fit(config: TrainConfig, catalogue: Catalogue, folder: Path, seed: int) -> Run:
    """Train until the budget of time or steps is spent; goes on where a former run in this folder stopped.

    Args:
        config: the whole configuration.
        catalogue: the images.
        folder: for the state and the log.
        seed: of the weights and of everything that is drawn.

    Raises:
        AqquaError: the loss stayed infinite.
    """
    device = choose_device(config)
    run = start(config, device, seed)
    fingerprint = json.dumps([asdict(config), seed, len(catalogue)], sort_keys=True)
    resume(run, folder / STATE, fingerprint)
    if progress(run, config) >= 1:
        return run
    objective = Objective(config.regulariser, config.slices)
    loader = Loader(
        catalogue,
        Preprocessing(max_tokens=config.max_tokens),
        batch=config.batch,
        temperature=config.temperature,
        seed=seed,
        cache_mb=config.cache_mb,
    )
    total = float(config.steps or 60 * config.minutes)
    with Log(folder / LOG, run.step) as log, job("Training", total, unit="steps" if config.steps else "s") as advance:
        advance(run.step if config.steps else run.seconds)
        for batch, after, seconds in timed(loader.batches(run.position)):
            set_learning_rate(run, config)
            terms = step(run, objective, batch, config, device)
            run.position, run.step, run.images = after, run.step + 1, run.images + count(batch)
            spent = seconds()
            run.seconds += spent
            note = f"{run.images:,} images, loss {terms.loss.item():.3f}"
            advance(1 if config.steps else spent, note=note)
            log.write(run, terms, learning_rate(run, config))
            if progress(run, config) >= 1:
                break
            if log.minutes_since_save() >= config.save_minutes:
                keep(run, folder / STATE, fingerprint)
                log.saved()
    keep(run, folder / STATE, fingerprint)
    return run


def choose_device(config: TrainConfig) -> torch.device:
    """The device that was asked for, or the best there is."""
    if config.device != "auto":
        return torch.device(config.device)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def wants_bfloat16(config: TrainConfig, device: torch.device) -> bool:
    """Whether matrix products are done in bfloat16: if asked for, or where the processor is made for it."""
    if config.precision != "auto":
        return config.precision == "bfloat16"
    return device.type == "cuda" or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


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


def step(run: Run, objective: Objective, batch: Batch, config: TrainConfig, device: torch.device) -> Terms:
    """One step: two views of each image, their embeddings, the loss, and down the gradient.

    Only the first view is told the size of its object. If both were, the size alone would make them agree: the network
    learnt to look at nothing else (kNN on ISIIS .353 with size in both, .450 with size in none, .452 in one).
    """
    with torch.autocast(device.type, torch.bfloat16, enabled=wants_bfloat16(config, device)):
        views = [torch.cat([look(run, group, config, device, told) for group in batch]) for told in (True, False)]
    embeddings = torch.stack([run.projector(view.float()) for view in views])
    terms: Terms = objective(embeddings, run.generator)
    run.optimizer.zero_grad(set_to_none=True)
    terms.loss.backward()  # type: ignore[no-untyped-call]
    size = nn.utils.clip_grad_norm_([*run.network.parameters(), *run.projector.parameters()], config.clip)
    if torch.isfinite(size):
        run.optimizer.step()
        run.bad_steps = 0
    else:
        forgive(run)
    return terms


def look(run: Run, group: Any, config: TrainConfig, device: torch.device, told: bool) -> Tensor:
    """The vectors of one view of each image of a group, told or not told how large the object is."""
    views, sizes, channels = augment(group, PATCH, config.augmentation, run.generator)
    if not told:
        sizes = torch.full_like(sizes, math.nan)
    kept = choose_tokens(views, PATCH, config.keep, run.generator)
    out: Tensor = run.network(views.to(device), channels.to(device), sizes.to(device), kept.to(device))
    return out


def forgive(run: Run) -> None:
    """Leave out a step whose gradient is not finite, but not for ever."""
    run.bad_steps += 1
    if run.bad_steps >= _MAX_BAD_STEPS:
        raise AqquaError(
            f"the loss has not been finite for {run.bad_steps} steps",
            where=f"step {run.step}",
            do="lower learning_rate, or use precision: float32",
        )


def progress(run: Run, config: TrainConfig) -> float:
    """Share of the budget that is spent."""
    return run.step / config.steps if config.steps else run.seconds / (60 * config.minutes)


def learning_rate(run: Run, config: TrainConfig) -> float:
    """Linear warm-up, then half a cosine down to zero."""
    done = min(1.0, progress(run, config))
    if done < config.warmup:
        return config.learning_rate * max(done, 1e-3) / config.warmup
    return config.learning_rate * (0.5 + 0.5 * math.cos(math.pi * (done - config.warmup) / (1 - config.warmup)))


def set_learning_rate(run: Run, config: TrainConfig) -> None:
    """Give the optimiser the learning rate of this moment."""
    for part in run.optimizer.param_groups:
        part["lr"] = learning_rate(run, config)


def count(batch: Batch) -> int:
    """Number of images in a batch."""
    return sum(len(group.images) for group in batch)


def timed(batches: Iterator[tuple[Batch, Position]]) -> Iterator[tuple[Batch, Position, Any]]:
    """Batches with a clock that tells the seconds since the one before was done, reading included."""
    last = time.monotonic()

    def seconds() -> float:
        nonlocal last
        now, before = time.monotonic(), last
        last = now
        return now - before

    for batch, after in batches:
        yield batch, after, seconds


def keep(run: Run, path: Path, fingerprint: str) -> None:
    """Save the state, whole or not at all."""
    tensors = {f"network.{k}": v for k, v in run.network.state_dict().items()}
    tensors |= {f"projector.{k}": v for k, v in run.projector.state_dict().items()}
    for number, state in run.optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{number}.{k}": torch.as_tensor(v) for k, v in state.items()}
    tensors["generator"] = run.generator.get_state()
    plain = {"position": asdict(run.position), "step": run.step, "images": run.images, "seconds": run.seconds}
    part = path.with_name(path.name + ".part")
    save_file(
        {k: v.detach().cpu().contiguous() for k, v in tensors.items()},
        part,
        metadata={"run": json.dumps(plain), "fingerprint": fingerprint},
    )
    part.replace(path)


def resume(run: Run, path: Path, fingerprint: str) -> None:
    """Take up a saved state, if there is one of the same configuration, seed and data."""
    if not path.is_file():
        return
    try:
        with safe_open(path, framework="pt") as file:
            notes = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no mapping)
    except SafetensorError as error:
        raise FormatError("the saved state is damaged", where=path, do="remove it to begin anew") from error
    if notes.get("fingerprint") != fingerprint:
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


class Log:
    """A line of log.csv every two seconds and at the end.

    Args:
        path: of the file; lines after `step` (of a run that was broken off later) are removed.
        step: where the run goes on.
    """

    COLUMNS = ("step", "images", "seconds", "learning_rate", "loss", "invariance", "centre", "scale", "shape")

    def __init__(self, path: Path, step: int) -> None:
        lines = path.read_text().splitlines()[1:] if step and path.is_file() else []
        before = [line for line in lines if line.split(",")[0].isdigit() and int(line.split(",")[0]) <= step]
        self._file = path.open("w", newline="")
        self._file.write("\n".join([",".join(self.COLUMNS), *before]) + "\n")
        self._csv = csv.writer(self._file, lineterminator="\n")
        self._written = self._kept = time.monotonic()
        self._last: list[object] = []

    def __enter__(self) -> Log:
        return self

    def __exit__(self, *_: object) -> None:
        if self._last:
            self._csv.writerow(self._last)
        self._file.close()

    def write(self, run: Run, terms: Terms, rate: float) -> None:
        """Note this step; it is written if the last line is old enough."""
        parts = [f"{getattr(terms, name).item():.6g}" for name in self.COLUMNS[4:]]
        self._last = [run.step, run.images, f"{run.seconds:.2f}", f"{rate:.4g}", *parts]
        if time.monotonic() - self._written >= _LOG_SECONDS:
            self._csv.writerow(self._last)
            self._file.flush()
            self._last, self._written = [], time.monotonic()

    def minutes_since_save(self) -> float:
        """Minutes since the state was saved."""
        return (time.monotonic() - self._kept) / 60

    def saved(self) -> None:
        """Note that the state is saved."""
        self._kept = time.monotonic()
