"""aqqua: plankton images from every camera – one dataset, one model, one view, one map.

The public names are loaded on first use, so that `import aqqua` takes milliseconds.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "AqquaError": "aqqua.errors",
    "Card": "aqqua.metadata.card",
    "Dataset": "aqqua.store.dataset",
    "check": "aqqua.store.check",
    "demo": "aqqua.demo",
    "explore": "aqqua.app.serve",
    "export": "aqqua.export",
    "ingest": "aqqua.sources.ingest",
    "map_shards": "aqqua.scale",
    "predict": "aqqua.tasks.predict",
    "train": "aqqua.train.run",
}

__all__ = sorted([*_PUBLIC, "__version__"])  # noqa: PLE0605 (a sorted list of the table above)


def __getattr__(name: str) -> Any:  # noqa: ANN401 (each public name has its own type)
    """Import a public name when it is first asked for."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'aqqua' has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return __all__
