"""What files should be: checksums that a place, a list beside the files, or the user gives."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from aqqua.errors import ConfigError

__all__ = ["KINDS", "differs", "hashes_for", "lists_checksums", "read_list", "split_checksum"]

KINDS = {"md5": 32, "sha1": 40, "sha256": 64, "sha512": 128}
"""Kind of checksum → number of hexadecimal digits."""

_LIST = re.compile(r"(?:^|[._/-])(?:(?:tag)?manifest-)?(md5|sha1|sha256|sha512)(?:sums?)?(?:\.txt)?$", re.IGNORECASE)
_LINE = re.compile(r"\\?([0-9a-fA-F]{32,128})[ \t]+\*?(.+)")
_MAX_LIST_BYTES = 1 << 30


def split_checksum(told: str) -> tuple[str, str]:
    """Kind and digits of `sha256:0123…`; of bare digits the kind is known by their number.

    Raises:
        ConfigError: this is no checksum.
    """
    kind, _, digits = told.rpartition(":")
    digits = digits.strip().lower()
    known = kind.lower().replace("-", "") or next((name for name, n in KINDS.items() if n == len(digits)), "")
    if len(digits) != KINDS.get(known) or re.search(r"[^0-9a-f]", digits):
        raise ConfigError(f"{told!r} is no checksum", do=f"write kind:digits, of {', '.join(KINDS)}")
    return known, digits


def lists_checksums(name: str) -> str | None:
    """The kind of checksum a file of this name lists (`SHA256SUMS`, `manifest-md5.txt`, `data.sha256`), or None."""
    found = _LIST.search(name)
    return found[1].lower() if found else None


def read_list(path: Path, name: str, kind: str) -> dict[str, str]:
    """File name → checksum, by a list as `sha256sum` and BagIt write it.

    Args:
        path: the list.
        name: its own name at the place: the names in it are relative to its folder.
        kind: of checksum.
    """
    if path.stat().st_size > _MAX_LIST_BYTES:
        return {}
    folder = name.rpartition("/")[0]
    found = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        entry = _LINE.fullmatch(line.strip())
        if not entry and len(line.strip()) == KINDS[kind] and name.lower().endswith(f".{kind}"):
            found[name[: -len(kind) - 1]] = f"{kind}:{line.strip().lower()}"  # data.zip.md5 that holds only the digits
        if entry and len(entry[1]) == KINDS[kind]:
            inner = entry[2].strip().removeprefix("./").replace("\\", "/")
            found[f"{folder}/{inner}" if folder else inner] = f"{kind}:{entry[1].lower()}"
    return found


def hashes_for(checksums: Iterable[str | None]) -> dict[str, hashlib._Hash]:
    """An empty hash for each kind that is asked for; SHA-256 always."""
    kinds = {"sha256", *(split_checksum(told)[0] for told in checksums if told)}
    return {kind: hashlib.new(kind, usedforsecurity=False) for kind in sorted(kinds)}


def differs(hashes: Mapping[str, hashlib._Hash], checksum: str) -> bool:
    """Whether content is not what its checksum says."""
    kind, digits = split_checksum(checksum)
    return hashes[kind].hexdigest() != digits
