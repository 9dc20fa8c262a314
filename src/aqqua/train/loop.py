"""The training loop, to be read from top to bottom: `fit` is the story, the rest are its words."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from pathlib import Path

import torch

from aqqua.errors import AqquaError, PausedError
from aqqua.models.describe import settle
from aqqua.models.preprocess import Preprocessing
from aqqua.models.vit import VisionTransformer
from aqqua.progress import job, say
from aqqua.train.ahead import ahead
from aqqua.train.config import TrainConfig
from aqqua.train.data import Batch, Catalogue, Loader, Portion, Position
from aqqua.train.distributed import World, backward, choose_device, clip, put_together
from aqqua.train.log import Log
from aqqua.train.objective import Terms
from aqqua.train.objectives import follow, loss
from aqqua.train.signals import listening
from aqqua.train.state import Run, fingerprint, keep, resume, start

__all__ = ["fit", "loss"]

STATE, LOG, BOARD = "state.safetensors", "log.csv", "tensorboard"
WHITENING_IMAGES = 8192
_MAX_BAD_STEPS = 20


def fit(config: TrainConfig, catalogue: Catalogue, folder: Path, seed: int, world: World | None = None) -> Run:
    """Train until the budget of time or steps is spent; goes on where a former run in this folder stopped.

    Args:
        config: the whole configuration.
        catalogue: the images.
        folder: for the state and the log.
        seed: of the weights and of everything that is drawn.
        world: the processes that train together; None for this one alone.

    Raises:
        AqquaError: the loss stayed infinite.
        PausedError: the process was asked to stop; the state is saved.
    """
    world = world or World(device=choose_device(config.device))
    run, same = start(config, world, seed), fingerprint(config, seed, catalogue.fingerprint)
    resume(run, folder / STATE, same)
    if progress(run, config) >= 1:
        return whole(run)
    cpu, parts = Clock(run), in_parts(config, world)
    loader = make_loader(config, catalogue, seed)
    portions = ahead(loader.portions(run.position, parts, world.mine(parts)), waiting(config, world))
    with (
        open_log(folder, run, config, world) as log,
        listening() as asked,
        shown(run, config) as advance,
        closing(portions),
    ):
        for portion, after, seconds in timed(portions):
            set_learning_rate(run, config)
            terms = step(run, portion, config, world)
            due = log.minutes_since_save() >= config.save_minutes
            spent, stop, save = world.agree(seconds(), stop=asked(), save=due)
            run.position, run.step, run.seconds = after, run.step + 1, run.seconds + spent
            cpu.tick()
            run.images += portion.images
            advance(1 if config.steps else spent, note=f"{run.images:,} images, loss {terms.loss.item():.3f}")
            log.write(run, terms, learning_rate(run, config))
            if progress(run, config) >= 1:
                break
            if stop or save:
                keep(run, folder / STATE, same, world)
                log.saved()
            if stop:
                raise PausedError(f"asked to stop at step {run.step:,}; the same command goes on from there")
    finish(run, loader, config, world)
    cpu.tick()
    keep(run, folder / STATE, same, world)
    return whole(run)


def finish(run: Run, loader: Loader, config: TrainConfig, world: World) -> None:
    """Fit the whitening, on one process for all."""
    network = whole(run).network.eval()
    if world.first:
        sample, twins = loader.sample(WHITENING_IMAGES), loader.twins(WHITENING_IMAGES)
        settle(network, sample, twins, weight=config.unlearn_weight, unlearn=config.unlearn)
    world.spread(network.whitening.buffers())
    run.network.eval().whitening.load_state_dict(network.whitening.state_dict())


def whole(run: Run) -> Run:
    """The run with a network in one piece."""
    config, device = run.network.config, next(run.network.parameters()).device
    return replace(run, network=put_together(run.network, lambda: VisionTransformer(config).to(device)).eval())


def in_parts(config: TrainConfig, world: World) -> int:
    """In how many parts a batch is computed; it is said if these are more than the configuration has."""
    parts = world.parts(config.parts)
    if parts > config.parts:
        say(f"{world.size} processes: each batch in {parts} parts; the same on fewer processes needs parts: {parts}")
    return parts


def shown(run: Run, config: TrainConfig) -> AbstractContextManager[Callable[..., None]]:
    """The progress display: how far it is, and how long it still takes."""
    if config.steps:
        return job("Training", config.steps, unit="steps", done=run.step)
    return job("Training", 60 * config.minutes, unit="s", done=run.seconds)


def open_log(folder: Path, run: Run, config: TrainConfig, world: World) -> Log:
    """The log of the first process; what the others have to say nobody needs."""
    if not world.first:
        return Log(Path(os.devnull), run.step)
    return Log(folder / LOG, run.step, folder / BOARD if config.tensorboard else None)


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
        twin_views=config.twin_views,
    )


def waiting(config: TrainConfig, world: World) -> int:
    """How many batches are made while others are computed: many beside a GPU, none where both share the processor."""
    if config.ahead >= 0:
        return config.ahead
    return 128 if world.device.type == "cuda" else 0


def wants_bfloat16(config: TrainConfig, device: torch.device) -> bool:
    """Whether matrix products are done in bfloat16: if asked for, or where the processor is made for it."""
    if config.precision != "auto":
        return config.precision == "bfloat16"
    return device.type == "cuda" or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def step(run: Run, portion: Portion, config: TrainConfig, world: World) -> Terms:
    """One step: the gradient of the whole batch, wherever its parts are computed, and down it."""

    def compute(turn: Run, batch: Batch) -> Terms:
        return loss(turn, batch, config, world.device, wants_bfloat16(config, world.device))

    run.optimizer.zero_grad(set_to_none=True)
    terms = backward(run, portion, compute, world, world.parts(config.parts))
    length = clip([*run.network.parameters(), *run.projector.parameters()], config.clip)
    if torch.isfinite(length):
        run.optimizer.step()
        follow(run, config, progress(run, config))
        run.bad_steps = 0
    else:
        forgive(run)
    return terms


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


def timed(
    portions: Iterator[tuple[Portion, Position]],
) -> Iterator[tuple[Portion, Position, Callable[[], float]]]:
    """What there is to compute, with a clock that tells the seconds since the one before was done, reading included."""
    last = time.monotonic()

    def seconds() -> float:
        nonlocal last
        now, before = time.monotonic(), last
        last = now
        return now - before

    for portion, after in portions:
        yield portion, after, seconds
