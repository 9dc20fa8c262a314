"""Joining what belongs together: pairs → groups."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["Groups"]


class Groups:
    """Disjoint sets of numbers (union by the lower number, with path halving; Tarjan 1975)."""

    def __init__(self, pairs: Iterable[tuple[int, int]] = ()) -> None:
        self._parent: dict[int, int] = {}
        for a, b in pairs:
            self.join(a, b)

    def join(self, a: int, b: int) -> None:
        """Put two numbers, and all that belong to either, into one group."""
        first, second = sorted((self.of(a), self.of(b)))
        self._parent[second] = first

    def of(self, number: int) -> int:
        """The lowest number of the group; a number nobody has joined is its own."""
        parent = self._parent
        parent.setdefault(number, number)
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = parent[number]
        return number

    def all(self) -> dict[int, list[int]]:
        """Each group of two or more by its lowest number, members in order."""
        found: dict[int, list[int]] = {}
        for number in sorted(self._parent):
            found.setdefault(self.of(number), []).append(number)
        return {first: members for first, members in found.items() if len(members) > 1}
