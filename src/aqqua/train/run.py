"""The verb `train`: from datasets to a model folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aqqua.errors import MissingExtraError
from aqqua.progress import say
from aqqua.train.config import TrainConfig, resolve, to_yaml

if TYPE_CHECKING:
    from aqqua.train.data import Catalogue
    from aqqua.train.distributed import World
    from aqqua.train.state import Run

__all__ = ["train"]

CONFIG, DATA = "train.yaml", "data.json"


def train(
    config: TrainConfig | Path | str | None = None,
    *,
    data: Sequence[Path | str],
    out: Path | str,
    minutes: float | None = None,
    seed: int = 0,
    **settings: Any,
) -> Path:
    """Train a model without labels on the images of datasets.

    The same call after an interruption goes on from the last saved state. Started by torchrun or srun, it is one of
    several processes that train one model together.

    Args:
        config: the configuration, a YAML file with what differs from the defaults, or None for the defaults.
        data: the datasets to learn from; one whose card does not allow training is left out. Withdrawn images are too.
        out: folder for the model; the configuration, the log and the state are written beside it.
        minutes: budget of time.
        seed: same seed, data and steps: same weights on one machine.
        settings: single fields of `TrainConfig`.

    Returns:
        The model folder (`out`).

    Raises:
        MissingExtraError: torch is not installed.
        ConfigError: a setting that does not exist, no images, or no dataset whose card allows training.
        PausedError: the process was asked to stop (SIGTERM, SIGUSR1); the state is saved.
    """
    _require_torch()
    from aqqua.train.data import open_for_training
    from aqqua.train.distributed import joined
    from aqqua.train.loop import fit

    chosen = resolve(config, minutes=minutes, **settings)
    out = Path(out)
    with joined(chosen.device) as world:
        catalogue = open_for_training(data, chosen.same_organism or None)
        out.mkdir(parents=True, exist_ok=True)
        if world.first:
            _announce(out, chosen, catalogue)
        run = fit(chosen, catalogue, out, seed, world)
        if world.first:
            _save(out, run, chosen, catalogue, seed, world)
        world.wait()
    return out


def _announce(out: Path, config: TrainConfig, catalogue: Catalogue) -> None:
    """Write beside the model what is going to be done, and say it."""
    from aqqua.store.atomic import write_json
    from aqqua.store.lineage import origin

    (out / CONFIG).write_text(to_yaml(config), encoding="utf-8")
    write_json(out / DATA, {"data": [origin(ds) for ds in catalogue.datasets]})
    count = len(catalogue.datasets)
    say(f"{len(catalogue):,} images of {count} dataset{'s' * (count != 1)}, model size {config.size}")


def _require_torch() -> None:
    try:
        import safetensors  # noqa: F401
        import torch  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("training", error.name or "torch", "train") from error


def _save(out: Path, run: Run, config: TrainConfig, catalogue: Catalogue, seed: int, world: World) -> None:
    from aqqua.models.checkpoint import save
    from aqqua.models.preprocess import Preprocessing
    from aqqua.store.lineage import origin
    from aqqua.train.machine import hardware, software

    left_out = [{"path": ds.path.name, "title": ds.card.title, "uuid": ds.uuid} for ds in catalogue.left_out]
    training = {
        "config": asdict(config) | {"same_organism": Path(config.same_organism).name},  # others have other folders
        "seed": seed,
        "steps": run.step,
        "images_seen": run.images,
        "seconds": round(run.seconds, 1),
        "cpu_seconds": round(run.cpu_seconds, 1),
        "hardware": {**hardware(str(world.device)), "processes": world.size},
        "software": software(),
        "left_out": left_out,
    }
    save(
        out,
        run.network,
        Preprocessing(max_tokens=config.max_tokens),
        name=config.name or config.size,
        training=training,
        data=[origin(ds) for ds in catalogue.datasets],
    )
