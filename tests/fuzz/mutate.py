"""Damage: what is done to the bytes of a valid file, and to the files of a valid source."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st

__all__ = ["KINDS", "Change", "changes", "mutated", "mutated_source"]

KINDS = ("flip", "byte", "cut", "drop", "repeat", "insert", "number", "zeros", "word")

_NUMBERS = (
    b"\x00\x00\x00\x00", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80",
    b"\xff" * 8, b"\x7f" + b"\xff" * 7, b"\x01\x00\x00\x40",
)  # fmt: skip
_WORDS = (
    *(b"nan", b"-inf", b"1e999", b"-1", b"99999999999999999999", b"0x1f", b"9999-99-99T99:99:99Z", b"1" * 5000),
    *(b"../../../escape", b"/etc/passwd", b"..\\..\\x", b"\x00", b"\t\t\t", b"\n\n", b'"', b"'", b",", b";"),
    *(b"\xff\xfe", b"\xf0\x9f\xa6\x90", b"&a [*a, *a, *a]", b"!!python/object:os.system x", b"{" * 200, b"[" * 2000),
    *(b"<!ENTITY x 'x'>", b"%s%n", b"=cmd|' /C calc'!A0"),
)


@dataclass(frozen=True)
class Change:
    """One change of a file.

    Args:
        kind: one of `KINDS`.
        where: place in the file, 0 … 1.
        what: which bit, byte, number, word or length it is about.
        file: which file of a source, 0 … 1.
    """

    kind: str
    where: float
    what: int
    file: float = 0.0


def changes() -> st.SearchStrategy[list[Change]]:
    """Some changes; hypothesis finds the fewest that still break a reader."""
    part = st.floats(0, 1, exclude_max=True, width=32)
    return st.lists(
        st.builds(Change, st.sampled_from(KINDS), part, st.integers(0, 1 << 16), part), min_size=1, max_size=4
    )


def mutated(data: bytes, change: Change) -> bytes:
    """The bytes after one change."""
    at, what = int(change.where * len(data)), change.what
    match change.kind:
        case "flip" if data:
            return data[:at] + bytes([data[at] ^ 1 << what % 8]) + data[at + 1 :]
        case "byte" if data:
            return data[:at] + bytes([what % 256]) + data[at + 1 :]
        case "cut":
            return data[:at]
        case "drop":
            return data[:at] + data[at + 1 + what % 64 :]
        case "repeat":
            return data[:at] + data[at : at + 1 + what % 256] * (2 + what % 5) + data[at:]
        case "number":
            number = _NUMBERS[what % len(_NUMBERS)]
            return data[:at] + number + data[at + len(number) :]
        case "zeros":
            return data[:at] + bytes(1 + what % 64) + data[at + 1 + what % 64 :]
        case "word":
            return data[:at] + _WORDS[what % len(_WORDS)] + data[at:]
        case _:
            return data[:at] + what.to_bytes(3, "little") + data[at:]


def mutated_source(path: Path, todo: list[Change]) -> None:
    """Change a file, or files of a folder, where they lie."""
    files = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
    for change in todo:
        chosen = files[int(change.file * len(files))]
        chosen.write_bytes(mutated(chosen.read_bytes(), change))
