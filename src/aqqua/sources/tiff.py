"""TIFF files as imaging flow cytometers and microscopes write them: many channels, 16-bit colour, names of channels.

Pillow cannot keep these exactly. They are read here by the TIFF 6.0 and BigTIFF specifications: strips or tiles,
samples side by side or plane after plane, uncompressed, Deflate, LZW or PackBits, with or without horizontal
differences.
Names of channels come from OME-XML, ImageJ's metadata or the names of the pages.
"""

from __future__ import annotations

import html
import re
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from aqqua.errors import SourceError

__all__ = ["Page", "Tiff", "read_tiff"]

_MAX_PAGES, _MAX_VALUES, _MAX_BYTES = 4096, 1 << 22, 1 << 30
_MAX_SAMPLES = 64
_TYPES = {1: "B", 2: "c", 3: "H", 4: "I", 5: "II", 6: "b", 7: "B", 8: "h", 9: "i", 11: "f", 12: "d", 16: "Q", 17: "q"}
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _DESCRIPTION = 256, 257, 258, 259, 262, 270
_STRIPS, _SAMPLES, _ROWS, _STRIP_BYTES, _PLANAR, _PAGE_NAME, _PREDICTOR = 273, 277, 278, 279, 284, 285, 317
_TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_BYTES, _EXTRA, _FORMAT = 322, 323, 324, 325, 338, 339
_IMAGEJ_SIZES, _IMAGEJ = 50838, 50839


@dataclass(frozen=True)
class Page:
    """One page: its tags, and what follows from them."""

    tags: Mapping[int, tuple[Any, ...]]
    order: str

    def number(self, tag: int, usual: int) -> int:
        """The number of a tag."""
        return int(self.tags.get(tag, (usual,))[0])

    def text(self, tag: int) -> str:
        """The text of a tag."""
        told = b"".join(value for value in self.tags.get(tag, ()) if isinstance(value, bytes))
        return told.split(b"\0", 1)[0].decode("utf-8", errors="replace")

    @cached_property
    def samples(self) -> int:
        """Numbers per pixel."""
        return self.number(_SAMPLES, 1)

    @cached_property
    def shape(self) -> tuple[int, int, int]:
        """Height, width, samples."""
        return self.number(_HEIGHT, 0), self.number(_WIDTH, 0), self.samples

    @cached_property
    def dtype(self) -> np.dtype[Any] | None:
        """Of one number in the file; None if it is of no kind that is kept."""
        bits, formats = set(self.tags.get(_BITS, (1,))), set(self.tags.get(_FORMAT, (1,)))
        known = formats == {1} and bits in ({8}, {16})
        return np.dtype(f"{self.order}u{max(bits) // 8}") if known else None


@dataclass(frozen=True)
class Tiff:
    """The pages of a file, not yet decoded."""

    pages: list[Page]
    data: bytes

    @property
    def is_plain(self) -> bool:
        """Whether Pillow keeps every page exactly: gray, 8-bit colour, or either with transparency."""
        return all(map(_is_plain, self.pages))

    @cached_property
    def description(self) -> str:
        """What the file says of itself."""
        return self.pages[0].text(_DESCRIPTION)

    def declared(self) -> int | None:
        """How many pages are channels of one image, as ImageJ, OME or distinct names of pages say; else None."""
        described = _declared(self.description)
        if described:
            return described
        names = [page.text(_PAGE_NAME) for page in self.pages]
        return len(names) if len(names) > 1 and all(names) and len(set(names)) == len(names) else described

    def channel_names(self, count: int) -> str | None:
        """Names of channels, comma separated, if there is one for each."""
        line = re.search(r"^channel_names=(.+?)\s*$", self.description, re.MULTILINE)
        ome = re.findall(r"<(?:\w+:)?Channel\b[^>]*?\bName=\"([^\"]*)\"", self.description)
        pages = [page.text(_PAGE_NAME) for page in self.pages]
        for names in (line[1].split(",") if line else [], ome, self._imagej_labels(), pages):
            clean = [html.unescape(name).strip().replace(",", ";") for name in names]
            if len(clean) == count > 1 and all(clean) and len(set(clean)) == count:
                return ",".join(clean)
        return None

    def only_first_has_page(self) -> bool:
        """Whether further channels lie behind the first page without pages of their own (large files of ImageJ)."""
        return (
            len(self.pages) == 1 and self.description.startswith("ImageJ=") and (_declared(self.description) or 1) > 1
        )

    def decode(self) -> np.ndarray:
        """All pages as channels: (height, width) or (height, width, channels), uint8 or uint16.

        Raises:
            SourceError: the pages differ, are damaged, or of a kind that is not read.
        """
        if self.only_first_has_page():
            return self._contiguous(_declared(self.description) or 1)
        pages = [_decoded(page, self.data) for page in self.pages]
        if len({(page.shape[:2], page.dtype) for page in pages}) != 1:
            raise SourceError("the channels differ in size or kind", do="save all channels alike, in gray")
        whole = np.concatenate(pages, axis=2)
        return whole[..., 0] if whole.shape[2] == 1 else whole

    def _contiguous(self, count: int) -> np.ndarray:
        page = self.pages[0]
        height, width, samples = page.shape
        if page.dtype is None or samples != 1 or page.number(_COMPRESSION, 1) != 1:
            raise SourceError(f"only the first of {count} channels can be found", do="save one page per channel")
        first = int(page.tags[_STRIPS][0])
        size = height * width * page.dtype.itemsize * count
        if first + size > len(self.data):
            raise SourceError("the file is cut off", do="copy it again")
        planes = np.frombuffer(self.data, page.dtype, height * width * count, first).reshape(count, height, width)
        return np.ascontiguousarray(np.moveaxis(planes, 0, -1)).astype(page.dtype.newbyteorder("="))

    def _imagej_labels(self) -> list[str]:
        """Labels of slices in ImageJ's own metadata: sizes in one tag, kinds and texts (UTF-16) in the other."""
        page = self.pages[0]
        sizes, told = page.tags.get(_IMAGEJ_SIZES), page.tags.get(_IMAGEJ)
        if not sizes or not told or not isinstance(told[0], int):
            return []
        data = bytes(told)
        order = ">" if data.startswith(b"IJIJ") else "<"
        labels, at, part = [], int(sizes[0]), 1
        for place in range(4, int(sizes[0]) - 7, 8):
            kind, count = data[place : place + 4], struct.unpack(f"{order}I", data[place + 4 : place + 8])[0]
            for size in sizes[part : part + min(count, _MAX_PAGES)]:
                if kind in {b"labl", b"lbal"}:
                    labels.append(data[at : at + size].decode("utf-16-be" if order == ">" else "utf-16-le", "replace"))
                at += size
            part += count
        return [label.split("\n", 1)[0] for label in labels]


def _is_plain(page: Page) -> bool:
    if page.samples == 1 or page.number(_PHOTOMETRIC, 1) not in {1, 2}:
        return True
    colour = page.samples == 3 and page.number(_PHOTOMETRIC, 1) == 2
    alpha = page.samples in {2, 4} and page.number(_EXTRA, 0) in {1, 2}
    return page.dtype is not None and page.dtype.itemsize == 1 and (colour or alpha)


def _declared(description: str) -> int | None:
    """How many channels an ImageJ or OME description tells, if it tells of one slice and one moment only."""
    if description.startswith("ImageJ="):
        told = dict(re.findall(r"^(channels|slices|frames)=(\d+)\s*$", description, re.MULTILINE))
    else:
        told = dict(re.findall(r"\bSize(C|Z|T)=\"(\d+)\"", description))
        told = {"channels": told.get("C", "0"), "slices": told.get("Z", "1"), "frames": told.get("T", "1")}
    one = all(told.get(axis, "1") == "1" for axis in ("slices", "frames"))
    return int(told.get("channels", "0")) if one else None


def read_tiff(data: bytes) -> Tiff | None:
    """Read the pages of a file; None if it is no TIFF, or its pages cannot be listed."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        return None
    try:
        pages = list(_listed(data, order))
    except (struct.error, ValueError, IndexError, OverflowError, MemoryError):
        return None
    return Tiff(pages, data) if pages else None


def _listed(data: bytes, order: str) -> Sequence[Page]:
    version = struct.unpack_from(f"{order}H", data, 2)[0]
    if version not in {42, 43}:
        return []
    big = version == 43
    offset, count_of, entry = ("Q", "Q", "HHQ") if big else ("I", "H", "HHI")
    entry_size, inline = (20, 8) if big else (12, 4)
    at = struct.unpack_from(f"{order}{offset}", data, 8 if big else 4)[0]
    seen: set[int] = set()
    pages: list[Page] = []
    while at and at not in seen and len(pages) < _MAX_PAGES:
        seen.add(at)
        count = struct.unpack_from(f"{order}{count_of}", data, at)[0]
        start = at + struct.calcsize(f"{order}{count_of}")
        if count > 4096:
            raise ValueError("more tags than a page can have")
        tags: dict[int, tuple[Any, ...]] = {}
        for number in range(count):
            place = start + number * entry_size
            tag, kind, many = struct.unpack_from(f"{order}{entry}", data, place)
            letter = _TYPES.get(kind)
            if letter and many <= _MAX_VALUES:
                form = f"{order}{many * len(letter)}{letter[0]}"
                value = place + entry_size - inline
                if struct.calcsize(form) > inline:
                    value = struct.unpack_from(f"{order}{offset}", data, value)[0]
                tags[tag] = struct.unpack_from(form, data, value)
        pages.append(Page(tags, order))
        at = struct.unpack_from(f"{order}{offset}", data, start + count * entry_size)[0]
    return pages


def _decoded(page: Page, data: bytes) -> np.ndarray:
    """One page: (height, width, samples)."""
    height, width, samples = page.shape
    unpack = _UNPACK.get(page.number(_COMPRESSION, 1))
    if page.dtype is None or unpack is None or page.number(_PREDICTOR, 1) not in {1, 2}:
        told = f"TIFF with compression {page.number(_COMPRESSION, 1)}, {page.tags.get(_BITS, (1,))[0]} bits is not read"
        raise SourceError(told, do="save it as 8 or 16 bit, uncompressed or with Deflate or LZW")
    if not (0 < samples <= _MAX_SAMPLES and height * width * samples * page.dtype.itemsize <= _MAX_BYTES):
        raise SourceError(f"{width} × {height} pixels of {samples} channels cannot be stored", do="cut it into ROIs")
    apart = page.number(_PLANAR, 1) == 2 and samples > 1
    planes, depth = (samples, 1) if apart else (1, samples)
    tiled = _TILES in page.tags
    rows, columns = (
        (page.number(_TILE_HEIGHT, 0), page.number(_TILE_WIDTH, 0)) if tiled
        else (min(page.number(_ROWS, height), height), width)
    )  # fmt: skip
    offsets, sizes = (page.tags.get(tag, ()) for tag in ((_TILES, _TILE_BYTES) if tiled else (_STRIPS, _STRIP_BYTES)))
    down, across = -(-height // max(rows, 1)), -(-width // max(columns, 1))
    if min(rows, columns) < 1 or len(offsets) != down * across * planes or len(sizes) != len(offsets):
        raise SourceError("the TIFF is damaged: its strips do not make up its image", do="export this image again")
    whole = np.zeros((height, width, samples), page.dtype.newbyteorder("="))
    for number, (offset, size) in enumerate(zip(offsets, sizes, strict=True)):
        plane, place = divmod(number, down * across)
        y, x = (place // across) * rows, (place % across) * columns
        high = rows if tiled else min(rows, height - y)
        block = _block(unpack, data[offset : offset + size], (high, columns, depth), page)
        part = block[: height - y, : width - x]
        whole[y : y + part.shape[0], x : x + part.shape[1], plane : plane + depth] = part
    return whole


def _block(unpack: Callable[[bytes, int], bytes], packed: bytes, shape: tuple[int, int, int], page: Page) -> np.ndarray:
    """One strip or tile."""
    assert page.dtype is not None
    size = shape[0] * shape[1] * shape[2] * page.dtype.itemsize
    flat = unpack(packed, size)
    if len(flat) < size:
        raise SourceError("the TIFF is damaged: a strip is too short", do="export this image again")
    block = np.frombuffer(flat[:size], page.dtype).reshape(shape).astype(page.dtype.newbyteorder("="))
    if page.number(_PREDICTOR, 1) == 2:
        block = np.cumsum(block, axis=1, dtype=block.dtype)  # differences modulo 2^8 or 2^16
    return block


def _inflate(packed: bytes, size: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed, size)
    except zlib.error as error:
        raise SourceError(f"the TIFF is damaged: {error}", do="export this image again") from error


def _packbits(packed: bytes, size: int) -> bytes:
    """Runs of equal bytes (TIFF 6.0, section 9)."""
    out, at = bytearray(), 0
    while at < len(packed) and len(out) < size:
        told = packed[at]
        if told < 128:
            out += packed[at + 1 : at + 2 + told]
            at += 2 + told
        elif told > 128:
            out += packed[at + 1 : at + 2] * (257 - told)
            at += 2
        else:
            at += 1
    return bytes(out)


def _lzw(packed: bytes, size: int) -> bytes:
    """LZW with codes of 9 to 12 bits, high bits first (TIFF 6.0, section 13)."""
    singles = [bytes([value]) for value in range(256)] + [b"", b""]
    table, out, before = list(singles), bytearray(), b""
    held = bits = 0
    width = 9
    for byte in packed:
        held, bits = (held << 8 | byte) & 0xFFFFFF, bits + 8
        if bits < width:
            continue
        bits -= width
        code = held >> bits & ((1 << width) - 1)
        if code == 257 or len(out) >= size:
            break
        if code == 256:
            table, width, before = list(singles), 9, b""
            continue
        if code < len(table):
            word = table[code]
        elif before and code == len(table):
            word = before + before[:1]
        else:
            raise SourceError("the TIFF is damaged: LZW code out of order", do="export this image again")
        out += word
        if before and len(table) < 4096:
            table.append(before + word[:1])
        before = word
        width = max(9, min(12, (len(table) + 1).bit_length()))
    return bytes(out)


_UNPACK: dict[int, Callable[[bytes, int], bytes]] = {
    1: lambda packed, size: packed[:size],
    5: _lzw,
    8: _inflate,
    32773: _packbits,
    32946: _inflate,
}
