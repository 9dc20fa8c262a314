"""Packages that are verbs: `aqqua.train(...)` trains although `aqqua.train` is a package.

The command, the Python function and the docs page of a verb bear the same name, and so do some packages. A package
that declares itself here can be called; the function behind it is imported on the first call.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

__all__ = ["make_callable"]


class VerbModule(ModuleType):
    """A module that passes a call on to the function of its verb."""

    __verb__: str

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Call the verb; see the function's own documentation."""
        module, _, name = self.__verb__.partition(":")
        return getattr(importlib.import_module(module), name)(*args, **options)


def make_callable(module: str, verb: str) -> None:
    """Let a module be called.

    Args:
        module: its `__name__`.
        verb: the function to call, as "package.module:function".
    """
    this = sys.modules[module]
    this.__class__ = VerbModule
    this.__verb__ = verb  # type: ignore[attr-defined]
