"""Miniature iFDO image sets."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from tests.make import frames
from tests.make.packing import pack

HEADER: dict[str, Any] = {
    "image-set-name": "SO268 SO268-1_21-1_OFOS SO_CAM",
    "image-set-uuid": "f840644a-fe4a-46a7-9791-e32c211bcbf5",
    "image-set-handle": "https://hdl.handle.net/20.500.12085/example",
    "image-set-ifdo-version": "v2.1.0",
    "image-abstract": "A dive through a layer of medusae.",
    "image-project": {"name": "SO268"},
    "image-event": {"name": "SO268-1_21-1"},
    "image-sensor": {"name": "PELAGIOS"},
    "image-license": {"name": "CC-BY", "uri": "https://creativecommons.org/licenses/by/4.0/"},
    "image-pi": {"name": "Ada Lovelace", "uri": "https://orcid.org/0000-0002-1825-0097", "email": "ada@example.org"},
    "image-creators": [{"name": "Ada Lovelace", "uri": "https://orcid.org/0000-0002-1825-0097"}, {"name": "B. Person"}],
    "image-latitude": 54.5,
    "image-longitude": 10.25,
    "image-altitude-meters": -12.5,
    "image-area-square-meter": 0.0024,
    "image-annotation-labels": [{"id": "135301", "name": "Aurelia"}, {"id": "x", "name": "Beroe"}],
}


def write_set(
    path: Path, items: Mapping[str, Any] | list[Any], *, kind: str = "yaml", header: Mapping[str, Any] | None = None
) -> dict[str, np.ndarray]:
    """Write f1.png and f2.png with an iFDO file; returns the images."""
    pictures = frames.frames()
    told = {"image-set-header": {**HEADER, **(header or {})}, "image-set-items": items}
    text = json.dumps(told) if kind == "json" else yaml.safe_dump(told)
    pack(path, frames.files_of(pictures) | {f"set_ifdo.{kind}": text.encode()})
    return pictures


def sha256_of(name: str) -> str:
    """The digest of the file of a frame."""
    return hashlib.sha256(frames.files_of(frames.frames())[name]).hexdigest()
