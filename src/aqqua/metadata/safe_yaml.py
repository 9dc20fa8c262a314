"""YAML from strangers: small, flat enough, without anchors – or an error in words, never a crash and never a bomb."""

from __future__ import annotations

from typing import Any

import yaml

from aqqua.errors import ConfigError

__all__ = ["load_yaml"]

_MAX_CHARACTERS = 1 << 20
_MAX_DEPTH = 32


def load_yaml(
    text: str, *, what: str, where: object, loader: type[Any] = yaml.SafeLoader, most: int = _MAX_CHARACTERS
) -> Any:
    """Parse YAML with a safe loader.

    Args:
        text: the YAML.
        what: what it is, for messages ("the card").
        where: its path, for messages.
        loader: a safe loader.
        most: how many characters it may have.

    Raises:
        ConfigError: it is no YAML, too large, too deep, or has anchors (with which a few lines can become gigabytes).
    """
    if len(text) > most:
        raise ConfigError(f"{what} is larger than {most >> 20} MiB", where=where, do="shorten it")
    try:
        depth = 0
        for event in yaml.parse(text, Loader=loader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _MAX_DEPTH:
                raise ConfigError(f"{what} is nested more than {_MAX_DEPTH} deep", where=where, do="flatten it")
            if isinstance(event, yaml.AliasEvent):
                raise ConfigError(f"{what} has an anchor (*{event.anchor})", where=where, do="write the value out")
        return yaml.load(text, Loader=loader)  # noqa: S506 - it is a safe loader
    except ConfigError:
        raise
    except (yaml.YAMLError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise ConfigError(f"{what} is not valid YAML: {error}", where=where, do="see the line named") from error
