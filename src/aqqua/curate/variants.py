"""Several copies of one image – raw, processed, vignette with scale bar – found by name and proven by pixels.

Names only propose: files that differ in nothing but a word for the kind of copy (`raw/7.png`, `processed/7.png`;
`7_vignette.png`; `7.jpg`), and images of one object under several ranks. A copy is one if its pixels are a function of
the raw ones (brighter, inverted, another gamma, compressed) after its footer and margins are left out of account.
Where that is not certain, both stay.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from posixpath import splitext
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aqqua.curate.content import find_content
from aqqua.curate.copies import as_function, copy_kind
from aqqua.curate.groups import Groups
from aqqua.metadata.check import Finding

__all__ = ["Keep", "SetAside", "Variant", "keep_raw", "name_groups", "variant_key"]

Keep = Literal["keep-raw", "all"]
Pixels = NDArray[np.generic]
Read = Callable[[Sequence[int]], Iterator[Any]]

_ROLES = {
    **dict.fromkeys(("raw", "raws", "rawimages", "original", "originals", "orig", "unprocessed"), "raw"),
    **dict.fromkeys(
        ("processed", "proc", "enhanced", "corrected", "normalised", "normalized", "inverted"), "processed"
    ),
    **dict.fromkeys(("vignette", "vignettes", "vig", "vigs", "scalebar", "scale", "legend", "annotated"), "vignette"),
    **dict.fromkeys(("thumb", "thumbs", "thumbnail", "thumbnails", "preview", "previews"), "thumbnail"),
}
_LOSSLESS = {".png", ".tif", ".tiff", ".bmp", ".pgm", ".ppm"}
_HIDDEN_ORIGINAL = 100
"""EcoTaxa keeps the original of a computed vignette under this rank or a higher one (UVP6)."""
_MOST = 12
_PARTS = re.compile(r"[_\-. ]+")


@dataclass(frozen=True)
class Variant:
    """An image that is a copy of a raw one.

    Args:
        row: of the copy.
        raw: row of the raw image.
        kind: what kind of copy.
        evidence: share of the copy's variance that follows from the raw pixels.
    """

    row: int
    raw: int
    kind: str
    evidence: float


@dataclass(frozen=True)
class SetAside:
    """What to do with copies.

    Args:
        variants: rows that are copies; the raw one of each stays.
        findings: what to tell.
    """

    variants: list[Variant] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def rows(self) -> list[int]:
        """Rows of the copies, in order."""
        return sorted(variant.row for variant in self.variants)


@dataclass(frozen=True)
class _Member:
    row: int
    pixels: Pixels
    order: tuple[int, ...]
    suffix: str


def keep_raw(frame: pl.DataFrame, read: Read) -> SetAside:
    """Find the copies among the rows of a table.

    Args:
        frame: `image_path`, `object_id`, `source_path`, and `img_rank` and `image_variant` where the source has them.
        read: gives the pixels – or, instead, the error why there are none – of rows by their place in the frame.

    Returns:
        The copies, each with its raw image and the reason.
    """
    variants: list[Variant] = []
    unsure, first = 0, ""
    names, ranks, told = frame["image_path"].to_list(), _ranks(frame), _told_roles(frame)
    for rows in name_groups(frame):
        pixels = [given if isinstance(given, np.ndarray) else None for given in read(rows)]
        members = [
            _member(row, given, names[row], ranks[row], told[row])
            for row, given in zip(rows, pixels, strict=True)
            if given is not None
        ]
        found, certain = _copies(members)
        variants += found
        if not certain:
            unsure, first = unsure + 1, first or names[rows[0]]
    return SetAside(variants, _findings(variants, unsure, first, names))


def name_groups(frame: pl.DataFrame) -> list[list[int]]:
    """Rows that may be copies of each other, by their names: groups of two to twelve, in order."""
    together = Groups()
    firsts: dict[object, int] = {}
    columns = (frame[name].to_list() for name in ("image_path", "object_id", "source_path"))
    files = Counter(frame["image_path"])
    for row, (image, name, source) in enumerate(zip(*columns, strict=True)):
        if image is None:
            continue
        # A file of several rows – a collage, a bin, an image that several objects share – says nothing about copies.
        by_file = [variant_key(image)[0]] if files[image] == 1 else []
        for key in [*by_file, *([(source, name)] if name else [])]:
            if (first := firsts.setdefault(key, row)) != row:
                together.join(first, row)
    return [rows for rows in together.all().values() if len(rows) <= _MOST]


def variant_key(path: str) -> tuple[str, str | None]:
    """The path without the words that say which kind of copy it is, and that kind.

    >>> variant_key("cast1/raw/0007.tif"), variant_key("cast1/0007_vignette.jpg")
    (('cast1/0007', 'raw'), ('cast1/0007', 'vignette'))
    """
    folder, slash, file = path.lower().rpartition("/")
    kept, role = _folder_key(folder) if slash else ("", None)
    words = _PARTS.split(splitext(file)[0])
    while len(words) > 1 and words[-1] in _ROLES:
        role = _ROLES[words.pop()]
    while len(words) > 1 and words[0] in _ROLES:
        role = _ROLES[words.pop(0)]
    return kept + "_".join(words), role


@lru_cache(maxsize=1 << 12)
def _folder_key(path: str) -> tuple[str, str | None]:
    """The folders of a file but those that say which kind of copy it is, each with a slash behind; and that kind."""
    role = None
    kept = ""
    for folder in path.split("/"):
        role = _ROLES.get(folder, role)
        kept += "" if folder in _ROLES else f"{folder}/"
    return kept, role


def _ranks(frame: pl.DataFrame) -> list[int]:
    """The rank of each image, 0 where there is none."""
    if "img_rank" not in frame.columns:
        return [0] * frame.height
    number = frame["img_rank"].cast(pl.String).str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
    return number.fill_null(0).fill_nan(0).clip(0, 1e6).cast(pl.Int64).to_list()


def _told_roles(frame: pl.DataFrame) -> list[str | None]:
    """The role that the source itself gives each image (column `image_variant`: original, processed)."""
    if "image_variant" not in frame.columns:
        return [None] * frame.height
    return [_ROLES.get(told) if told else None for told in frame["image_variant"].to_list()]


def _member(row: int, pixels: Pixels, path: str, rank: int, told: str | None) -> _Member:
    """An image, and how much speaks for it being the raw one, the strongest sign first."""
    role = told or variant_key(path)[1]
    suffix = splitext(path)[1].lower()
    order = (
        int(rank >= _HIDDEN_ORIGINAL),
        {"raw": 1, None: 0}.get(role, -1),
        int(find_content(pixels).kind == "none"),
        pixels.dtype.itemsize,
        int(suffix in _LOSSLESS),
    )
    return _Member(row, pixels, order, suffix)


def _copies(members: Sequence[_Member]) -> tuple[list[Variant], bool]:
    """The copies of the one that is raw; not certain if two could be."""
    if len(members) < 2:
        return [], True
    raw, *others = sorted(members, key=lambda member: (*(-sign for sign in member.order), member.row))
    found, certain = [], True
    for other in others:
        same = as_function(raw.pixels, other.pixels)
        if same is None:
            continue
        if other.order == raw.order and not same.equal:
            certain = False
            continue
        found.append(Variant(other.row, raw.row, copy_kind(same, other.pixels, other.suffix), same.share))
    return found, certain


def _findings(variants: Sequence[Variant], unsure: int, first: str, names: Sequence[str]) -> list[Finding]:
    found: list[Finding] = []
    kinds: dict[str, list[Variant]] = {}
    for variant in variants:
        kinds.setdefault(variant.kind, []).append(variant)
    for kind, some in kinds.items():
        told = f"copies of an image were set aside, the raw one is kept: {kind}"
        where = f"first: {names[some[0].row]} of {names[some[0].raw]}"
        found.append(Finding("info", "variants", told, where, len(some), "all of them: --variants all"))
    if unsure:
        told = "images look like copies of each other, but which is the raw one is not certain: all are kept"
        do = "put raw images into a folder called raw, or remove the copies"
        found.append(Finding("warning", "variants_unsure", told, f"first: {first}", unsure, do))
    return found


def as_reasons(variants: Sequence[Variant], names: Sequence[str]) -> Mapping[int, str]:
    """Why each copy was set aside, by its row."""
    return {variant.row: f"a copy of {names[variant.raw]!r}, which is kept: {variant.kind}" for variant in variants}
