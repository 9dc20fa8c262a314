"""The training loop, to be read from top to bottom: `fit` is the story, the rest are its words."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from aqqua.errors import AqquaError
from aqqua.models.describe import settle
from aqqua.models.preprocess import Preprocessing
from aqqua.models.vit import PATCH
from aqqua.progress import job
from aqqua.train.augment import augment, choose_tokens
from aqqua.train.config import TrainConfig
from aqqua.train.data import Batch, Catalogue, Group, Loader, Position
from aqqua.train.log import Log
from aqqua.train.objective import Objective, Terms
from aqqua.train.state import Run, fingerprint, keep, resume, start

__all__ = ["fit"]

STATE, LOG = "state.safetensors", "log.csv"
WHITENING_IMAGES = 8192
_MAX_BAD_STEPS = 20


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
    run, same = start(config, device, seed), fingerprint(config, seed, catalogue.fingerprint)
    resume(run, folder / STATE, same)
    if progress(run, config) >= 1:
        return run
    cpu = Clock(run)
    objective, loader = Objective(config.regulariser, config.slices), make_loader(config, catalogue, seed)
    total = float(config.steps or 60 * config.minutes)
    with Log(folder / LOG, run.step) as log, job("Training", total, unit="steps" if config.steps else "s") as advance:
        advance(run.step if config.steps else run.seconds)
        for batch, after, seconds in timed(loader.batches(run.position)):
            set_learning_rate(run, config)
            terms = step(run, objective, batch, config, device)
            spent = seconds()
            run.position, run.step, run.seconds = after, run.step + 1, run.seconds + spent
            cpu.tick()
            run.images += sum(len(group.images) for group in batch)
            advance(1 if config.steps else spent, note=f"{run.images:,} images, loss {terms.loss.item():.3f}")
            log.write(run, terms, learning_rate(run, config))
            if progress(run, config) >= 1:
                break
            if log.minutes_since_save() >= config.save_minutes:
                keep(run, folder / STATE, same)
                log.saved()
    settle(run.network.eval(), loader.sample(WHITENING_IMAGES))
    cpu.tick()
    keep(run, folder / STATE, same)
    return run


class Clock:
    """Counts the CPU time of this process, all its threads together, into a run."""

    def __init__(self, run: Run) -> None:
        self._run, self._before, self._begun = run, run.cpu_seconds, time.process_time()

    def tick(self) -> None:
        """Note what has been spent until now."""
        self._run.cpu_seconds = self._before + time.process_time() - self._begun


def make_loader(config: TrainConfig, catalogue: Catalogue, seed: int) -> Loader:
    """The images, as this configuration wants them."""
    return Loader(
        catalogue,
        Preprocessing(max_tokens=config.max_tokens),
        batch=config.batch,
        temperature=config.temperature,
        seed=seed,
        cache_mb=config.cache_mb,
    )


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


def step(run: Run, objective: Objective, batch: Batch, config: TrainConfig, device: torch.device) -> Terms:
    """One step: two views of each image, their embeddings, the loss, and down the gradient.

    Only the first view is told the size of its object. If both were, the size alone would make them agree, and the
    network would learn to look at little else.
    """
    with torch.autocast(device.type, torch.bfloat16, enabled=wants_bfloat16(config, device)):
        views = [torch.cat([look(run, group, config, device, told) for group in batch]) for told in (True, False)]
    embeddings = torch.stack([run.projector(view.float()) for view in views])
    terms: Terms = objective(embeddings, run.generator)
    run.optimizer.zero_grad(set_to_none=True)
    terms.loss.backward()  # type: ignore[no-untyped-call]
    length = nn.utils.clip_grad_norm_([*run.network.parameters(), *run.projector.parameters()], config.clip)
    if torch.isfinite(length):
        run.optimizer.step()
        run.bad_steps = 0
    else:
        forgive(run)
    return terms


def look(run: Run, group: Group, config: TrainConfig, device: torch.device, told: bool) -> Tensor:
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


def timed(batches: Iterator[tuple[Batch, Position]]) -> Iterator[tuple[Batch, Position, Callable[[], float]]]:
    """Batches with a clock that tells the seconds since the one before was done, reading included."""
    last = time.monotonic()

    def seconds() -> float:
        nonlocal last
        now, before = time.monotonic(), last
        last = now
        return now - before

    for batch, after in batches:
        yield batch, after, seconds
