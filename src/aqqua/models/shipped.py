"""Models that come with aqqua: nothing to fetch, nothing to train first.

Each is a folder beside this file, written by `aqqua export --to model`: weights, ONNX files, model card, hashes.
"""

from __future__ import annotations

from pathlib import Path

from aqqua.errors import UnknownNameError

__all__ = ["DEFAULT", "SHIPPED", "shipped"]

DEFAULT = "aqqua-nano"
"""What `aqqua predict` takes if no model is named."""
SHIPPED = (DEFAULT,)


def shipped(name: str = DEFAULT) -> Path:
    """The folder of a model that comes with aqqua.

    Raises:
        UnknownNameError: there is none of this name.
    """
    if name not in SHIPPED:
        raise UnknownNameError("model that comes with aqqua", name, SHIPPED)
    return Path(__file__).with_name("shipped_models") / name
