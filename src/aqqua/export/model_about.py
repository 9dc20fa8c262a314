"""What only people know of a model: who made it, under which licence, what it is for, with which electricity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from aqqua.errors import ConfigError, NotFoundError, UnknownNameError
from aqqua.metadata.card import Card
from aqqua.metadata.safe_yaml import load_yaml

__all__ = ["About", "Carbon", "read_about"]

USE = (
    "sorting and searching plankton and particle images: vectors for neighbours, maps, outliers, and proposals of taxa "
    "that a person confirms",
)
LIMITS = (
    "It sees the camera: images of one instrument lie closer together than images of one taxon from two instruments. "
    "Before results are compared between instruments or over a change of instrument, measure it.",
    "It knows what is common: taxa with a handful of images are rarely found; look at macro-F1 beside accuracy.",
    "Its probabilities are not calibrated, and it does not know taxa that have no labels.",
    "Counts and maps made from its proposals alone, without validation by people, are not what it is made for.",
)


@dataclass(frozen=True)
class Carbon:
    """What the estimate of carbon rests on besides measured seconds.

    Args:
        watts_per_core: electric power of one busy core, in W; an assumption until you measure it.
        watts_device: of the accelerator, in W; needed for models trained on one, there is no usual value.
        grid_g_per_kwh: greenhouse gas of a kilowatt hour, in g CO2 equivalents; usual: world average of 2019 (IEA).
        overhead: power of the building per power of the machine (PUE); 1 leaves cooling out.
        source: where these numbers are from.
    """

    watts_per_core: float = 10.0
    watts_device: float | None = None
    grid_g_per_kwh: float = 475.0
    overhead: float = 1.0
    source: str = "assumed: 10 W per busy core, world average of electricity in 2019 (IEA), no cooling"

    def __post_init__(self) -> None:
        """Check the numbers."""
        for name in ("watts_per_core", "watts_device", "grid_g_per_kwh", "overhead"):
            value = getattr(self, name)
            if value is None and name == "watts_device":
                continue
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e6:
                raise ConfigError(f"carbon.{name} is {value!r}, it is a number", do="see the page on releasing models")


@dataclass(frozen=True)
class About:
    """What only people know of a model.

    Args:
        card: title, version, abstract, licence of the weights, people, doi, citation, contact.
        intended_use: what it is for.
        limits: what it cannot do; the usual ones are always told.
        carbon: power and electricity.
    """

    card: Card = field(default_factory=Card)
    intended_use: tuple[str, ...] = USE
    limits: tuple[str, ...] = LIMITS
    carbon: Carbon = field(default_factory=Carbon)


def read_about(path: Path | str | None) -> About:
    """Read the file for `--about`; None for nothing known.

    Raises:
        NotFoundError: there is no such file.
        ConfigError: an entry has the wrong form.
        UnknownNameError: an entry that does not exist.
    """
    if path is None:
        return About()
    path = Path(path)
    if not path.is_file():
        raise NotFoundError("there is no such file about the model", where=path, do="check the path")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError("the file is not text in UTF-8", where=path, do="save it as UTF-8") from error
    loaded = load_yaml(text, what="the file about the model", where=path) or {}
    if not isinstance(loaded, Mapping):
        raise ConfigError(
            "the file is a list of 'name: value' lines", where=path, do="see the page on releasing models"
        )
    rest = {str(key): value for key, value in loaded.items()}
    use, limits, carbon = (rest.pop(name, None) for name in ("intended_use", "limits", "carbon"))
    card = Card.parse(yaml.safe_dump(rest, allow_unicode=True), where=path)
    return About(card, _texts(use) or USE, LIMITS + _texts(limits), _carbon(carbon, path))


def _texts(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(str(one) for one in value) if isinstance(value, list) else (str(value),)


def _carbon(value: Any, path: Path) -> Carbon:
    if value is None:
        return Carbon()
    if not isinstance(value, Mapping):
        raise ConfigError("carbon is a list of 'name: value' lines", where=path, do="write carbon: {watts_per_core: …}")
    known = [one.name for one in fields(Carbon)]
    for name in value:
        if name not in known:
            raise UnknownNameError("entry of carbon", str(name), known, where=path)
    told = {"source": "as stated by those who released the model", **value}
    return Carbon(**told)
