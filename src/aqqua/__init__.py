"""aqqua: plankton images from every camera – one dataset, one model, one view, one map.

The public names are loaded on first use, so that `import aqqua` takes milliseconds. Verbs are functions of the same
name as on the command line; some of them are packages too (see `aqqua.callable`).
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
    "bench": "aqqua.bench",
    "demo": "aqqua.demo",
    "explore": "aqqua.app.serve",
    "export": "aqqua.export",
    "ingest": "aqqua.sources.ingest",
    "map_shards": "aqqua.scale",
    "predict": "aqqua.tasks.predict",
    "train": "aqqua.train",
}

__all__ = sorted([*_PUBLIC, "__version__"])  # noqa: PLE0605 (a sorted list of the table above)


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'aqqua' has no attribute {name!r}")
    module = importlib.import_module(_PUBLIC[name])
    return module if _PUBLIC[name] == f"{__name__}.{name}" else getattr(module, name)


def __dir__() -> list[str]:
    return __all__
