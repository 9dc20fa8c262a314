"""Which instrument a text names: "uvp5hd", "IFCB107", "Hydroptic ZooScan v4", "other camera" (none).

An alias counts where it stands as words of its own; blanks, hyphens and dots between its words do not matter, and a
number or version may follow ("FlowCam 8400", "isiis3", "zooscan_v4"). Where two instruments are named, none is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

__all__ = ["Aliases", "named_in"]

_GAP = "[^a-z0-9]*"
_BEHIND = {True: "(?![a-z0-9])", False: "(?=$|[^a-z]|v[0-9])"}  # behind a digit, behind a letter


@dataclass(frozen=True)
class Aliases:
    """What one instrument is called.

    Args:
        names: its own name and all others; one that begins with "=" must be the whole text.
        hints: words that only count where no instrument is named, such as the maker of a scanner.
    """

    names: tuple[str, ...]
    hints: tuple[str, ...] = ()

    @cached_property
    def patterns(self) -> tuple[re.Pattern[str], ...]:
        """One expression per name."""
        return tuple(_pattern(name) for name in self.names)

    @cached_property
    def hint_patterns(self) -> tuple[re.Pattern[str], ...]:
        """One expression per hint."""
        return tuple(_pattern(name) for name in self.hints)


def _pattern(alias: str) -> re.Pattern[str]:
    whole = alias.startswith("=")
    words = re.findall(r"[a-z]+|[0-9]+", alias.lower())
    body = _GAP.join(re.escape(word) for word in words)
    if whole:
        return re.compile(f"^{_GAP}{body}{_GAP}$")
    return re.compile(f"(?<![a-z0-9]){body}{_BEHIND[words[-1].isdigit()]}")


def named_in(text: str, instruments: Mapping[str, Aliases]) -> str | None:
    """The one instrument that a text names, None where it names none or several.

    Args:
        text: as it stands in a table, an identifier or a list of projects.
        instruments: canonical name → what it is called.
    """
    plain = text.lower()
    for hits in (_hits(plain, instruments, hints=False), _hits(plain, instruments, hints=True)):
        if hits:
            return hits.pop() if len(hits) == 1 else None
    return None


def _hits(text: str, instruments: Mapping[str, Aliases], *, hints: bool) -> set[str]:
    """Instruments named in a text; a name that is part of a longer one found there does not count."""
    found = [
        (hit.span(), name)
        for name, aliases in instruments.items()
        for pattern in (aliases.hint_patterns if hints else aliases.patterns)
        for hit in pattern.finditer(text)
    ]
    return {name for span, name in found if not _inside(span, (other for other, _ in found))}


def _inside(span: tuple[int, int], others: Iterable[tuple[int, int]]) -> bool:
    return any(other[0] <= span[0] and span[1] <= other[1] and other != span for other in others)
