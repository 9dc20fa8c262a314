"""iFDO image sets (https://www.ifdo-schema.org, v1 and v2; YAML or JSON) with the images they describe.

The header gives defaults for all images, each item wins over it; an item may be a list (later entries win over earlier
ones). Altitude below zero is depth. Where annotations have outlines, the images are frames and cut to ROIs; otherwise
each image is one ROI, labelled by its whole-image annotation. A SHA-256 that is told is compared with the file.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from posixpath import splitext
from typing import Any

import yaml

from aqqua.errors import SourceError
from aqqua.metadata.check import Finding
from aqqua.sources.archive import Tree
from aqqua.sources.frames import MARGIN_PX, Annotated, FramePart, margin_of
from aqqua.sources.frames_coco import load_json
from aqqua.sources.frames_shapes import MAX_POINTS, Shape
from aqqua.sources.frames_squidle import outline_of
from aqqua.sources.part import Part, Problem
from aqqua.sources.tables import decode_text

__all__ = ["Ifdo", "IfdoFile", "ifdo_files", "read_ifdo"]

_HEADER, _ITEMS = "image-set-header", "image-set-items"
_MAX_BYTES = 1 << 28
_HEAD_BYTES = 1 << 20
_BYTES_PER_IMAGE = 400
_LARGE_PX = 2000  # of both sides: such an image without outlines is a frame rather than a ROI
_VIDEO = frozenset({".mp4", ".mov", ".avi", ".mkv", ".m4v", ".mpg", ".mpeg", ".ts", ".wmv"})
_WHOLE = frozenset({"whole-image", "wholeframe", "whole_image"})
_SAME = {"image-latitude": "latitude", "image-longitude": "longitude", "image-depth": "depth_m",
         "image-filename": "file"}  # fmt: skip
_NAMES = {"image-sensor": "instrument", "image-event": "sample_id", "image-project": "project"}


class Ifdo:
    """Reader of iFDO image sets.

    Args:
        margin: pixels of surroundings of each ROI, or "whole".
    """

    name = "ifdo"
    general = False
    looks_for = f"a .yaml or .json file with {_HEADER} and {_ITEMS} (iFDO), and the images it names"

    def __init__(self, margin: str = str(MARGIN_PX)) -> None:
        self.margin = margin_of(margin)

    def recognise(self, path: Path | Tree) -> str | None:
        """Say which file is the iFDO."""
        files = ifdo_files(Tree.of(path))
        return f"the iFDO file {files[0]}" if files else None

    def parts(self, path: Path | Tree) -> list[Part]:
        """One part per iFDO file.

        Raises:
            SourceError: there is none.
        """
        tree = Tree.of(path)
        files = ifdo_files(tree)
        if not files:
            raise SourceError("there is no iFDO file", where=tree.path, do=f"this reader looks for {self.looks_for}")
        return [IfdoFile(name, tree, self.margin) for name in files]


def ifdo_files(tree: Tree) -> list[str]:
    """YAML and JSON files that begin with an iFDO's header."""
    return [name for name in tree.with_suffix(".yaml", ".yml", ".json") if _is_ifdo(tree, name)]


def _is_ifdo(tree: Tree, name: str) -> bool:
    if not 30 < tree.members[name] <= _MAX_BYTES:
        return False
    try:
        head = next(tree.blocks(name, _HEAD_BYTES), b"")
    except SourceError:
        return False
    return _HEADER.encode() in head or _ITEMS.encode() in head


def read_ifdo(tree: Tree, name: str) -> tuple[dict[str, Any], Any]:
    """Header and items of an iFDO file.

    Raises:
        SourceError: it is not valid.
    """
    where = tree.where(name)
    if name.lower().endswith(".json"):
        loaded = load_json(tree, name)
    else:
        try:
            loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
            loaded = yaml.load(decode_text(tree.read(name, _MAX_BYTES)), Loader=loader)  # noqa: S506 (a safe loader)
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise SourceError(f"not valid YAML: {error}", where=where, do="check it with an iFDO validator") from error
    if not isinstance(loaded, dict) or not isinstance(loaded.get(_HEADER, {}), dict):
        raise SourceError("the file is no iFDO", where=where, do=f"it needs {_HEADER} and {_ITEMS}")
    return loaded.get(_HEADER) or {}, loaded.get(_ITEMS) or {}


@dataclass(frozen=True)
class _Image:
    """One image of the set: its name, all its fields, and how many entries it had."""

    name: str
    fields: dict[str, Any]
    entries: int = 1


@dataclass(frozen=True)
class IfdoFile(FramePart):
    """One image set."""

    def estimate(self) -> int:
        """About one image per 400 bytes."""
        return self.tree.members[self.name] // _BYTES_PER_IMAGE + 1

    @cached_property
    def _header(self) -> dict[str, Any]:
        return self._read[0]

    @cached_property
    def _read(self) -> tuple[dict[str, Any], list[_Image]]:
        header, items = read_ifdo(self.tree, self.name)
        return header, list(_images(header, items))

    def annotated(self, findings: list[Finding]) -> Iterator[Annotated]:
        """Every outlined object; without any outline in the set, every image."""
        images = self._read[1]
        where = self.tree.where(self.name)
        if not images:
            raise SourceError("the iFDO file has no images", where=where, do=f"list them under {_ITEMS}")
        outlined = any(_outlines(image.fields) for image in images)
        large = several = 0
        for number, image in enumerate(images, 1):
            several += image.entries > 1
            columns = self._columns(image)
            if splitext(image.name)[1].lower() in _VIDEO:
                yield Annotated(
                    image.name, "", _refusing("it is a video", "give its frames as images"), where, number, columns
                )
            elif outlined:
                yield from self._objects(image, columns, where, number)
            else:
                large += self._is_large(image)
                told = columns | {"label": self._label(_whole(image.fields))}
                yield Annotated(image.name, "", None, where, number, told)
        findings += _notes(where, several, large)

    def read_frame(self, name: str) -> bytes:
        """The file of an image, compared with its SHA-256."""
        data = super().read_frame(name)
        told = self._hashes.get(name)
        if told and hashlib.sha256(data).hexdigest() != told.lower():
            do = "copy the image again, or correct image-hash-sha256"
            raise SourceError(
                "the image is not the one of the iFDO file: its SHA-256 differs", where=self.tree.where(name), do=do
            )
        return data

    @cached_property
    def _hashes(self) -> dict[str, str]:
        """Image file → SHA-256."""
        told = [(self.frames.find(image.name), image.fields.get("image-hash-sha256")) for image in self._read[1]]
        return {name: str(digest) for name, digest in told if isinstance(name, str) and digest}

    def _objects(
        self, image: _Image, columns: Mapping[str, str | None], where: str, number: int
    ) -> Iterator[Annotated]:
        for place, one in enumerate(_outlines(image.fields), 1):
            label, confidence = self._label(one), _first_label(one).get("confidence")
            told = {**columns, "label": label, "annotation_confidence": _text(confidence)}
            yield Annotated(image.name, f"{place:05d}", _shape(one), f"{where}#{image.name}", place, told)

    def _label(self, annotation: Mapping[str, Any]) -> str | None:
        """The name of the first label of an annotation; the header knows names for ids."""
        told = _first_label(annotation)
        key = _text(told.get("label", told.get("id", told.get("name"))))
        return self._label_names.get(key or "", key)

    @cached_property
    def _label_names(self) -> dict[str, str]:
        listed = self._header.get("image-annotation-labels")
        entries = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        return {str(one.get("id")): str(one["name"]) for one in entries if one.get("name")}

    def _columns(self, image: _Image) -> dict[str, str | None]:
        """All simple fields as they are, and those that Converted Metadata has, under their names."""
        fields = image.fields
        found = dict(_flat(fields))
        found |= {ours: _text(fields.get(theirs)) for theirs, ours in _SAME.items() if _text(fields.get(theirs))}
        found |= {ours: _name_of(fields.get(theirs)) for theirs, ours in _NAMES.items() if _name_of(fields.get(theirs))}
        found["time_utc"] = _time(fields.get("image-datetime"), fields.get("image-datetime-format"))
        altitude = _number(fields.get("image-altitude-meters", fields.get("image-altitude")))
        if altitude is not None:
            found |= {"altitude_m": repr(altitude)} if altitude > 0 else {"depth_m": repr(abs(altitude))}
        return found | self._pixel(image)

    def _pixel(self, image: _Image) -> dict[str, str | None]:
        """Pixel size: by area and number of pixels; a bare number is left to harmonisation, which says so."""
        fields = image.fields
        if "pixel_um" in fields:
            return {}
        area = _number(fields.get("image-area-square-meter", fields.get("image-area-square-meters")))
        place = self.frames.find(image.name) if area else None
        if area and area > 0 and isinstance(place, str):
            try:
                width, height = self.frame_size(place)
            except SourceError:
                return {}
            return {"pixel_um": repr(math.sqrt(area / (width * height)) * 1e6)}
        magnitude = fields.get("image-pixel-magnitude")
        return {"pixel_size": _text(magnitude)} if _number(magnitude) else {}

    def _is_large(self, image: _Image) -> bool:
        place = self.frames.find(image.name)
        try:
            return not isinstance(place, Problem) and min(self.frame_size(place)) >= _LARGE_PX
        except SourceError:
            return False


def _images(header: Mapping[str, Any], items: Any) -> Iterator[_Image]:
    """Each image with the defaults of the header under its own fields."""
    usual = {key: value for key, value in header.items() if isinstance(key, str) and not key.startswith("image-set-")}
    told = {key: value for key, value in header.items() if isinstance(key, str) and key.startswith("image-set-")}
    pairs = items.items() if isinstance(items, dict) else _named(items)
    for name, item in pairs:
        entries = [one for one in (item if isinstance(item, list) else [item]) if isinstance(one, dict)]
        fields = dict(usual)
        annotations = [a for one in entries for a in _list(one.get("image-annotations"))]
        for one in entries:
            fields |= {str(key): value for key, value in one.items() if value is not None}
        if annotations:
            fields["image-annotations"] = annotations
        yield _Image(str(name), told | fields, len(entries))


def _named(items: Any) -> Iterator[tuple[str, Any]]:
    for number, one in enumerate(_list(items), 1):
        name = one.get("image-filename") if isinstance(one, dict) else None
        yield str(name or f"image {number}"), one


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _flat(fields: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """Simple fields; of nested ones the simple entries."""
    for key, value in fields.items():
        if isinstance(value, dict):
            for inner, one in value.items():
                if inner != "email" and not isinstance(one, (dict, list)):
                    yield f"{key}.{inner}", _text(one)
        elif not isinstance(value, list):
            yield key, _text(value)


def _text(value: Any) -> str | None:
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return None if value is None or isinstance(value, (dict, list)) or value == "" else str(value)


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _name_of(value: Any) -> str | None:
    return _text(value.get("name") if isinstance(value, dict) else value)


def _time(value: Any, form: Any) -> str | None:
    """The time in UTC; in a format of its own, if the iFDO names one."""
    if isinstance(value, datetime):
        whole = value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
        return whole.isoformat().replace("+00:00", "Z")
    text = _text(value)
    if text and isinstance(form, str) and "%" in form:
        try:
            return datetime.strptime(text, form).isoformat() + ("" if "%z" in form else "Z")
        except ValueError:
            return text
    return text


def _outlines(fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    told = [one for one in _list(fields.get("image-annotations")) if isinstance(one, dict)]
    return [one for one in told if str(one.get("shape", "")).lower() not in _WHOLE | {""}]


def _whole(fields: Mapping[str, Any]) -> dict[str, Any]:
    told = [one for one in _list(fields.get("image-annotations")) if isinstance(one, dict)]
    return told[0] if told else {}


def _first_label(annotation: Mapping[str, Any]) -> dict[str, Any]:
    labels = _list(annotation.get("labels"))
    first = labels[0] if labels else None
    return first if isinstance(first, dict) else {"label": first}


def _shape(annotation: Mapping[str, Any]) -> Callable[[int, int], Shape]:
    def shape(width: int, height: int) -> Shape:
        points: list[float] = []
        pending = _list(annotation.get("coordinates"))[::-1]
        for _ in range(4 * MAX_POINTS):  # YAML can write lists that hold themselves
            if not pending:
                break
            one = pending.pop()
            if isinstance(one, list):
                pending += one[::-1]
            elif isinstance(one, dict):
                pending += [one.get("y"), one.get("x")]
            elif (number := _number(one)) is not None:
                points.append(number)
            else:
                raise SourceError("a coordinate of the annotation is no number", do="correct the iFDO file")
        if pending:
            raise SourceError(f"the outline has more than {MAX_POINTS:,} corners", do="simplify the outline")
        return outline_of(str(annotation.get("shape")).lower(), points)

    return shape


def _refusing(what: str, do: str) -> Callable[[int, int], Shape]:
    def shape(width: int, height: int) -> Shape:
        raise SourceError(what, do=do)

    return shape


def _notes(where: str, several: int, large: int) -> Iterator[Finding]:
    if several:
        told = "images have several entries in the iFDO file; what later ones say was taken"
        yield Finding("info", "several_entries", told, where, several)
    if large:
        told = f"images have {_LARGE_PX} pixels and more on both sides and no outlines: they look like frames, not ROIs"
        do = "a dataset holds ROIs: outline the objects in image-annotations, or cut them out"
        yield Finding("warning", "frames_not_rois", told, where, large, do)
