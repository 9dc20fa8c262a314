"""The training configuration: frozen dataclasses ← YAML ← flags.

A YAML file names only what it changes:

    size: tiny
    steps: 20000
    augmentation: {zoom: [0.7, 2.0]}

A key that does not exist is answered with the nearest one that does.
"""

from __future__ import annotations

import difflib
import re
import types
import typing
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from aqqua.errors import ConfigError, NotFoundError, UnknownNameError

_OBJECTIVES = ("invariance", "reconstruction", "distillation")
_PRECISIONS = ("auto", "float32", "bfloat16")

__all__ = ["Augmentation", "TrainConfig", "resolve"]


@dataclass(frozen=True)
class Augmentation:
    """How far a view may be from its image.

    Args:
        zoom: smallest and largest magnification (2 shows half of each side).
        stretch: largest |ln| of the ratio between the two axes.
        shift: how far the centre may move, as a share of what is cut off or left over.
        gain: largest |ln| of the factor on all signals (exposure).
        gamma: largest |ln| of the exponent on signals (contrast).
        blur: share of views that are blurred.
        noise: largest standard deviation of added noise, in units of full scale.
        invert: share of views with the other polarity.
        channel_drop: share of views of several channels that lose some of them.
        size_jitter: standard deviation of the change of log10 sizes in the scale token.
        size_drop: share of first views without a size; second views never have one, see `loop.step`.
    """

    zoom: tuple[float, float] = (0.8, 1.7)
    stretch: float = 0.2
    shift: float = 1.0
    gain: float = 0.4
    gamma: float = 0.4
    blur: float = 0.3
    noise: float = 0.04
    invert: float = 0.0
    channel_drop: float = 0.3
    size_jitter: float = 0.1
    size_drop: float = 0.2


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides a training run but its data, output and seed.

    Args:
        name: first part of the model id; the size, if empty.
        size: of the network, see `aqqua.models.vit.SIZES`.
        minutes: budget of time; ignored if steps are given.
        steps: budget of steps; 0 for a budget of time.
        batch: images per step.
        max_tokens: larger images are shrunk to this many tokens of 8 × 8 pixels.
        keep: share of each view's tokens that is computed.
        learning_rate: at the peak of warm-up and cosine.
        weight_decay: of AdamW, on matrices only.
        warmup: share of the budget in which the learning rate rises.
        clip: largest norm of the gradient.
        regulariser: λ of the objective.
        slices: random directions per step in the objective.
        embedding: length of the vectors the objective sees.
        hidden: width of the projector's hidden layer.
        objective: "invariance", "reconstruction" or "distillation", see `aqqua.train.objectives`.
        per_instrument: weight of holding the cloud of each instrument at the same place and scale.
        same_organism: table of object_id and organism_id, which says what several cameras saw of one organism.
        twin_views: the second view of such an object is of what another camera saw.
        unlearn: axes of the vectors that are left out because one organism differs most along them from camera to
            camera; `unlearn_weight` lets the others count less by the same measure. Both need same_organism.
        prototypes: of distillation.
        teacher_momentum: of distillation, how slowly the copy follows at first.
        tell_shape: weight of telling measured features (`aqqua.models.shape`) from each view.
        tell_size: weight of telling the size in µm from the view that is not told it.
        temperature: instruments are sampled in proportion to images ** temperature (1: as they come; 0: equally).
        precision: "auto" (bfloat16 where the processor has it), "float32" or "bfloat16".
        device: "auto", "cpu" or "cuda".
        cache_mb: prepared images are kept in memory up to this size.
        ahead: batches that are made while others are computed; -1 for as many as suit the device.
        save_minutes: how often the state is saved, so that a broken run can go on.
        parts: a step's batch is computed in so many parts, each with its own loss, one after the other or by as many
            processes; a run needs a multiple of its processes, and takes the next one.
        shard: several processes keep weights and optimiser in shards (FSDP2), not in copies (DDP).
        recompute: compute what is inside the network's blocks once more on the way back, instead of keeping it.
        compile: let torch.compile make code for this processor; worth its minutes in long runs.
        tensorboard: log for TensorBoard too.
        augmentation: of the views.
    """

    name: str = ""
    size: str = "nano"
    minutes: float = 10.0
    steps: int = 0
    batch: int = 64
    max_tokens: int = 64
    keep: float = 0.3
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    warmup: float = 0.1
    clip: float = 3.0
    regulariser: float = 0.6
    slices: int = 512
    embedding: int = 128
    hidden: int = 1024
    objective: str = "invariance"
    per_instrument: float = 0.0
    same_organism: str = ""
    twin_views: bool = True
    unlearn: int = 64
    unlearn_weight: float = 4.0
    prototypes: int = 1024
    teacher_momentum: float = 0.99
    tell_shape: float = 0.25
    tell_size: float = 0.0
    temperature: float = 0.5
    precision: str = "auto"
    device: str = "auto"
    cache_mb: int = 2048
    ahead: int = -1
    save_minutes: float = 10.0
    parts: int = 1
    shard: bool = False
    recompute: bool = False
    compile: bool = False
    tensorboard: bool = False
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        for name in ("batch", "max_tokens", "slices", "embedding", "hidden"):
            if getattr(self, name) < 2:
                raise ConfigError(f"{name} is {getattr(self, name)}, at least 2 are needed", where=f"field {name}")
        if self.name and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", self.name):
            raise ConfigError(f"{self.name!r} cannot be the name of a model", where="field name", do="use a-z, 0-9, -")
        if self.objective not in _OBJECTIVES:
            raise UnknownNameError("objective", self.objective, _OBJECTIVES)
        if self.precision not in _PRECISIONS:
            raise UnknownNameError("precision", self.precision, _PRECISIONS)
        if not 0 < self.keep <= 1:
            raise ConfigError(f"keep is {self.keep}, it is a share between 0 and 1", where="field keep")
        if self.parts < 1:
            raise ConfigError(f"parts is {self.parts}, a batch has at least 1", where="field parts")
        if self.steps <= 0 and self.minutes <= 0:
            raise ConfigError("there is no time and there are no steps to train", do="give --minutes or steps")


def resolve(config: TrainConfig | Path | str | None, **flags: Any) -> TrainConfig:
    """Make the configuration of a run: defaults, changed by a YAML file, changed by flags.

    Args:
        config: a configuration, a YAML file, or None for the defaults.
        flags: single fields; None means not given.

    Raises:
        ConfigError: an unknown key or a value of the wrong type.
        NotFoundError: the file is not there.
    """
    if isinstance(config, TrainConfig):
        start = config
    else:
        values, where = _read(config)
        start = _build(TrainConfig, values, where)
    given = {name: value for name, value in flags.items() if value is not None}
    _check_names(TrainConfig, given, "flags")
    return replace(start, **given)


def to_yaml(config: TrainConfig) -> str:
    """The whole configuration as YAML that `resolve` reads."""
    text: str = yaml.safe_dump(_plain(asdict(config)), sort_keys=False)
    return text


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Lists for tuples, at every level."""
    return {
        name: _plain(value) if isinstance(value, Mapping) else list(value) if isinstance(value, tuple) else value
        for name, value in values.items()
    }


def _read(path: Path | str | None) -> tuple[Mapping[str, Any], str]:
    if path is None:
        return {}, "defaults"
    path = Path(path)
    if not path.is_file():
        raise NotFoundError("there is no training configuration", where=path, do="leave it out to use the defaults")
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"this is not YAML: {error}", where=path) from error
    if values is None:
        return {}, str(path)
    if not isinstance(values, Mapping):
        raise ConfigError("a training configuration is a list of `key: value`", where=path)
    return values, str(path)


def _build(cls: type[Any], values: Mapping[str, Any], where: str) -> Any:
    """Make a dataclass from plain values, checking names and types."""
    hints = typing.get_type_hints(cls)
    _check_names(cls, values, where)
    return cls(**{key: _value(hints[key], value, f"{where}, field {key}") for key, value in values.items()})


def _check_names(cls: type[Any], values: Mapping[str, Any], where: str) -> None:
    known = [f.name for f in fields(cls)]
    for key in values:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1, cutoff=0.0)
            raise ConfigError(f"there is no setting {key!r}", where=where, do=f"did you mean {near[0]!r}?")


def _value(hint: Any, value: Any, where: str) -> Any:
    if is_dataclass(hint) and isinstance(hint, type) and isinstance(value, Mapping):
        return _build(hint, value, where)
    if isinstance(hint, types.GenericAlias) and isinstance(value, list) and len(value) == len(hint.__args__):
        return tuple(_value(one, v, where) for one, v in zip(hint.__args__, value, strict=True))
    if hint is float and isinstance(value, str):
        value = _number(value)  # YAML 1.1 reads 2e-3 as text
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(hint, type) or not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        name = getattr(hint, "__name__", str(hint))
        raise ConfigError(f"{value!r} is not what is expected here ({name})", where=where)
    return value


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
