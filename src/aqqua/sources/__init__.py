"""Readers of raw sources: EcoTaxa packages, IFCB bins, folders of images; others may register their own.

A reader is a plug-in: an entry of `SOURCES`, or an entry point of the group `aqqua.sources`, imported on use.

    [project.entry-points."aqqua.sources"]
    mycamera = "mypackage.reader:MyCamera"

The name need not be guessed: `recognise` asks every reader. None or several that say yes is an error that names
`--source`, never a guess.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, cast

from aqqua.errors import FormatError, SourceError, UnknownNameError

if TYPE_CHECKING:
    from aqqua.sources.archive import Tree
    from aqqua.sources.part import Source

__all__ = ["SOURCES", "load_source", "recognise", "source_names", "zips_beside"]

SOURCES = {
    "aqqua_dataset": "aqqua.sources.aqqua_dataset:AqquaDataset",
    "ecotaxa_export": "aqqua.sources.ecotaxa_export:EcotaxaExport",
    "flowcam": "aqqua.sources.flowcam:Flowcam",
    "folder": "aqqua.sources.folder:Folder",
    "frames_biigle": "aqqua.sources.frames_squidle:FramesBiigle",
    "frames_coco": "aqqua.sources.frames_coco:FramesCoco",
    "frames_masks": "aqqua.sources.frames_masks:FramesMasks",
    "frames_squidle": "aqqua.sources.frames_squidle:FramesSquidle",
    "frames_yolo": "aqqua.sources.frames_yolo:FramesYolo",
    "ifcb": "aqqua.sources.ifcb:Ifcb",
    "ifdo": "aqqua.sources.ifdo:Ifdo",
    "stack": "aqqua.sources.stack:Stack",
    "zooprocess": "aqqua.sources.zooprocess:Zooprocess",
}
_GROUP = "aqqua.sources"
_PARTS_OF_SOURCES = ("images.zip", "_blob.zip", "_blobs.zip", "_vis1.zip", "_dat1.zip")
"""Names of zips that belong to the source they lie beside: UVP6 samples, masks of IFCB, scans of ZooProcess."""


def source_names() -> list[str]:
    """Names of all readers, built in or registered by other packages."""
    return sorted({*SOURCES, *(entry.name for entry in entry_points(group=_GROUP))})


def load_source(name: str) -> Source:
    """Return a reader by name, with its options if it has any ("frames_coco:margin=10").

    Raises:
        UnknownNameError: nobody registered this name, or the reader has no such option.
        ConfigError: an option has a wrong value.
    """
    name, *given = name.split(":")
    target = SOURCES.get(name) or next((e.value for e in entry_points(group=_GROUP) if e.name == name), None)
    if target is None:
        raise UnknownNameError("source", name, source_names())
    module, _, attribute = target.partition(":")
    reader = getattr(importlib.import_module(module), attribute)
    return cast("Source", reader(**_options(reader, name, given)))


def _options(reader: Callable[..., object], name: str, given: list[str]) -> dict[str, str]:
    """What stands behind the name of a reader: "margin=10"."""
    known = [
        entry.name
        for entry in inspect.signature(reader).parameters.values()
        if entry.kind is entry.POSITIONAL_OR_KEYWORD
    ]
    options: dict[str, str] = {}
    for entry in given:
        option, _, value = entry.partition("=")
        if option not in known:
            raise UnknownNameError(f"option of {name}", option, known)
        options[option] = value
    return options


def recognise(path: Path | str | Tree, name: str | None = None) -> Source:
    """Find the reader for a path.

    Args:
        path: a folder, a zip, or a raw file.
        name: the reader to use, if the user has said so; then nothing is asked.

    Raises:
        SourceError: no reader, or several, recognise it.
        NotFoundError: nothing is there.
        UnknownNameError: there is no reader of the given name.
    """
    from aqqua.sources.archive import Tree

    tree = Tree.of(Path(path) if isinstance(path, str) else path)
    if name is not None:
        return load_source(name)
    readers = [load_source(known) for known in source_names()]
    reasons = {reader.name: reader.recognise(tree) for reader in readers}
    hits = [reader for reader in readers if reasons[reader.name]]
    special = [reader for reader in hits if not reader.general] or hits
    if len(special) == 1:
        return special[0]
    if not special:
        zips = len(tree.with_suffix(".zip"))
        do = "name the zips inside it as sources" if zips else "check the path, or name the reader with --source"
        told = "\n".join(f"  {reader.name}: {reader.looks_for}" for reader in readers)
        raise SourceError(
            f"no reader recognises this {_what(tree)}; they look for:\n{told}",
            where=tree.path / tree.only if tree.only else tree.path,
            do=do,
        )
    told = "\n".join(f"  {reader.name}: {reasons[reader.name]}" for reader in special)
    raise SourceError(
        f"several readers recognise this path:\n{told}", where=tree.path, do="name one of them with --source"
    )


def zips_beside(folder: Path | str) -> list[Path]:
    """Zips at the top of a folder that are sources of their own: whoever reads the folder does not read them.

    Args:
        folder: a source; of anything else than a folder there are none.
    """
    found = []
    for path in sorted(Path(folder).glob("*.zip")):
        if path.name.lower().endswith(_PARTS_OF_SOURCES):
            continue
        with contextlib.suppress(SourceError, FormatError):
            recognise(path)
            found.append(path)
    return found


def _what(tree: Tree) -> str:
    """Describe what is there, as the first help."""
    if tree.only is not None:
        return "file, nor what lies beside it under the same name"
    if not tree.members:
        return "empty zip" if tree.is_zip else "empty folder"
    suffixes = [Path(name).suffix.lower() or "no suffix" for name in tree.members]
    counted = sorted({suffix: suffixes.count(suffix) for suffix in suffixes}.items(), key=lambda item: -item[1])
    files = ", ".join(f"{count:,} × {suffix}" for suffix, count in counted[:4])
    return f"{'zip' if tree.is_zip else 'path'} ({files})"
