"""One progress display for every long job: what happens, how far it is, how long it still takes.

>>> from aqqua.progress import track
>>> sum(track([1, 2, 3], "Counting", unit="numbers"))
6
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

__all__ = ["console", "job", "say", "silence", "track"]

Item = TypeVar("Item")
Advance = Callable[..., None]

console = Console(stderr=True, highlight=False, soft_wrap=True)
"""Where progress and messages go: standard error, so that standard output stays data."""

_QUIET_ENV = "AQQUA_QUIET"
_LOG_EVERY_S = 10.0


class _Rate(ProgressColumn):
    """Items per second, in the unit of the job."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        unit = task.fields.get("unit", "")
        return Text(f"{speed:,.0f} {unit}/s" if speed and speed >= 1 else "", style="dim")


@contextmanager
def job(what: str, total: float | None = None, *, unit: str = "items", done: float = 0) -> Iterator[Advance]:
    """Show one long job while the block runs.

    On a terminal this is a bar with rate and time left; elsewhere a line every ten seconds; nothing if
    the environment variable `AQQUA_QUIET` is set.

    Args:
        what: what happens, in words: "Reading images".
        total: number of units expected, or None if unknown.
        unit: what is counted.
        done: units that were done before, by a run that was broken off.

    Yields:
        `advance(n=1, note="")`, to be called as the work goes on; `note` stands at the end of the line.
    """
    if os.environ.get(_QUIET_ENV):
        yield lambda n=1, note="": None
    elif console.is_terminal:
        with _bar() as bar:
            task = bar.add_task(what, total=total, unit=unit, note="", completed=done)  # type: ignore[arg-type]
            yield lambda n=1, note="": bar.update(task, advance=n, **({"note": note} if note else {}))
            if total is None:
                bar.update(task, total=bar.tasks[0].completed)
    else:
        yield from _lines(what, total, unit, done)


def track(items: Iterable[Item], what: str, total: int | None = None, *, unit: str = "items") -> Iterator[Item]:
    """Yield the items, and show how far it is."""
    if total is None and isinstance(items, Collection):
        total = len(items)
    with job(what, total, unit=unit) as advance:
        for item in items:
            yield item
            advance()


def say(message: str) -> None:
    """Print one message for people (rich markup allowed) to standard error."""
    if not os.environ.get(_QUIET_ENV):
        console.print(message)


def silence() -> None:
    """Say nothing from now on: another process of the same job speaks."""
    os.environ[_QUIET_ENV] = "1"


def _bar() -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        _Rate(),
        TimeRemainingColumn(compact=True),
        TextColumn("[dim]{task.fields[note]}"),
        console=console,
    )


def _lines(what: str, total: float | None, unit: str, before: float) -> Iterator[Advance]:
    """The same without a terminal (a batch job's log): now and then a line."""
    start = last = time.monotonic()
    done = before

    def advance(n: float = 1, note: str = "") -> None:
        nonlocal done, last
        done += n
        now = time.monotonic()
        if now - last >= _LOG_EVERY_S:
            last = now
            rate = (done - before) / (now - start)
            left = f", {_duration((total - done) / rate)} left" if total and rate else ""
            of = f" of {total:,.0f}" if total else ""
            console.print(f"{what}: {done:,.0f}{of} {unit}{left} {note}".rstrip())

    yield advance
    console.print(f"{what}: {done:,.0f} {unit} in {time.monotonic() - start:.1f} s")


def _duration(seconds: float) -> str:
    """Seconds, or hours and minutes where there are many."""
    minutes = round(seconds / 60)
    return f"{seconds:,.0f} s" if minutes < 10 else f"{minutes // 60:,} h {minutes % 60:02} min"
