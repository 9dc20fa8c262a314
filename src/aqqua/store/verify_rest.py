"""Verification of what lies beside the shards: manifests, labels, tombstones, predictions, whatever is sealed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from aqqua.errors import AqquaError
from aqqua.metadata.check import Finding
from aqqua.store.identity import FILE_NAME, read_identity
from aqqua.store.seal import seal_state

if TYPE_CHECKING:
    from aqqua.store.dataset import Dataset

__all__ = ["verify_current", "verify_seals"]

_ELSEWHERE = {"jobs", "explore", "meta", "images"}
"""Work in progress, a cache, and what the manifest has checksums of."""

_SEALED_JSON = {FILE_NAME, "checks.json", "model.json", "mask.json", "withdrawn.json"}
_FIRST_SEALED = (1, 1)
_DO = "copy the file again from where the dataset came from"


def verify_current(dataset: Dataset) -> Iterator[Finding]:
    """Level 0: `CURRENT` names the newest snapshot, and what the snapshot names is there."""
    try:
        told = read_identity(dataset.path).get("counts", {}).get("snapshot")
    except AqquaError as error:
        yield Finding("error", "identity_damaged", error.what, str(dataset.path / FILE_NAME), 1, _DO)
        return
    if isinstance(told, int) and told > dataset.snapshot and _names(dataset.path) == dataset.snapshot:
        what = f"CURRENT names snapshot {dataset.snapshot}, but snapshot {told} was committed"
        yield Finding("error", "current_behind", what, str(dataset.path / "CURRENT"), 1, _DO)
    for name in dataset.manifest.tombstones:
        if not (dataset.path / name).is_file():
            what = "a file that says which images were taken out is missing"
            yield Finding("error", "file_missing", what, str(dataset.path / name), 1, _DO)


def verify_seals(dataset: Dataset) -> Iterator[Finding]:
    """Level 2: every small file is as it was sealed."""
    sealed = _is_sealed(dataset.path)
    for path in _files(dataset.path):
        try:
            state = seal_state(path)
        except OSError as error:
            yield Finding("error", "file_unreadable", f"a file cannot be read ({error})", str(path), 1, _DO)
            continue
        if state == "damaged":
            what = "a file is not as it was written (checksum)"
            yield Finding("error", "file_damaged", what, str(path), 1, _DO)
        elif state == "none" and sealed and (_must_be_sealed(path)):
            what = "a file has no seal: it is damaged, or was not written by aqqua"
            yield Finding("error", "seal_missing", what, str(path), 1, _DO)


def _names(root: Path) -> int | None:
    """The snapshot that CURRENT names now: the dataset may have been opened before a later commit."""
    from aqqua.store.manifest import read_current

    try:
        return read_current(root)
    except AqquaError:
        return None


def _is_sealed(root: Path) -> bool:
    """Whether the dataset was made when files were sealed already."""
    try:
        version = read_identity(root)["version"]
        return (int(version["major"]), int(version["minor"])) >= _FIRST_SEALED
    except (AqquaError, ValueError, TypeError):
        return True


def _must_be_sealed(path: Path) -> bool:
    masks = path.parent.parent.name == "masks"
    return path.suffix == ".parquet" or path.name in _SEALED_JSON or masks


def _files(root: Path) -> Iterator[Path]:
    for path in sorted(root.rglob("*")):
        inside = path.relative_to(root).parts
        if inside[0] not in _ELSEWHERE and path.suffix in {".parquet", ".json"} and path.is_file():
            yield path
