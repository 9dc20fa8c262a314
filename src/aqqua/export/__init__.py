"""Hand a dataset over: to EcoTaxa, as a Darwin Core archive, to Zenodo, and to whatever other packages register.

An export is a plug-in: an entry of `EXPORTS`, or an entry point of the group `aqqua.exports`, imported on use.

    [project.entry-points."aqqua.exports"]
    mydatabase = "mypackage.export:to_mydatabase"
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from aqqua.callable import make_callable
from aqqua.errors import ConfigError, UnknownNameError

if TYPE_CHECKING:
    from aqqua.metadata.check import Finding

__all__ = ["EXPORTS", "ExportReport", "export", "export_names"]

EXPORTS = {
    "darwincore": "aqqua.export.darwincore:export_darwincore",
    "ecotaxa": "aqqua.export.ecotaxa:export_ecotaxa",
    "ecotaxa_update": "aqqua.export.ecotaxa_update:export_ecotaxa_update",
    "model": "aqqua.export.model:export_model",
    "onnx": "aqqua.export.onnx:export_onnx",
    "release": "aqqua.export.release:export_release",
    "zenodo": "aqqua.export.zenodo:export_zenodo",
}
_OF_FOLDERS = {"model", "onnx", "zenodo"}  # these take the path of a model, dataset or release, not an opened dataset
_GROUP = "aqqua.exports"


@dataclass(frozen=True)
class ExportReport:
    """What was written.

    Args:
        files: the files, in the order they should be handed over.
        images: number of images in them.
        notes: what the receiver should know, and what was left out and why.
    """

    files: list[Path]
    images: int
    notes: list[Finding] = field(default_factory=list)


def export(
    dataset: Path | str,
    *,
    to: str,
    out: Path | str,
    uids: Sequence[int] | None = None,
    model: str | None = None,
    **options: Any,
) -> ExportReport:
    """Hand a dataset, or some of its images, over to another system.

    Args:
        dataset: path of the dataset (for Zenodo: of a release; for "model" and "onnx": of a model folder).
        to: who receives it, or what becomes of it: "ecotaxa", "model", "darwincore", "zenodo", or a registered export.
        out: folder or file to write.
        uids: the images to export; all, if not said.
        model: whose predictions to export; the newest, if not said.
        options: options of the export: see `aqqua.export.ecotaxa.export_ecotaxa` and the others.

    Raises:
        UnknownNameError: nobody registered this export.
        ConfigError: the export has no such option.
        NotFoundError: there is no dataset.
    """
    from aqqua.store.dataset import Dataset

    function = _load(to)
    _check_options(to, function, options)
    of_what = Path(dataset) if to in _OF_FOLDERS else Dataset.open(Path(dataset))
    return function(of_what, Path(out), uids=uids, model=model, **options)


def export_names() -> list[str]:
    """Names of all exports, built in or registered by other packages."""
    return sorted({*EXPORTS, *(entry.name for entry in entry_points(group=_GROUP))})


def _load(name: str) -> Callable[..., ExportReport]:
    target = EXPORTS.get(name) or next((e.value for e in entry_points(group=_GROUP) if e.name == name), None)
    if target is None:
        raise UnknownNameError("export", name, export_names())
    module, _, attribute = target.partition(":")
    return cast("Callable[..., ExportReport]", getattr(importlib.import_module(module), attribute))


def _check_options(to: str, function: Callable[..., ExportReport], options: dict[str, Any]) -> None:
    parameters = inspect.signature(function).parameters
    if any(one.kind is one.VAR_KEYWORD for one in parameters.values()):
        return
    if unknown := [name for name in options if name not in parameters]:
        flags = [name for name, one in parameters.items() if one.kind is one.KEYWORD_ONLY and name != "uids"]
        do = f"it takes {', '.join(flags)}"
        raise ConfigError(f"--to {to} has no option {unknown[0].replace('_', '-')}", do=do)


make_callable(__name__, "aqqua.export:export")
