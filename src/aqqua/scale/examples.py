"""Small pieces of work to try the engines with: importable, so that every engine finds them."""

from __future__ import annotations

from pathlib import Path

__all__ = ["write_text"]


def write_text(text: str, part: Path) -> None:
    """Write a shard that is a text."""
    part.write_text(text, encoding="utf-8")
