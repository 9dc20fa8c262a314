"""Progress: a bar on a terminal, lines in a log, silence when asked for; the items pass through untouched."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from aqqua import progress


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    monkeypatch.delenv("AQQUA_QUIET", raising=False)
    out = io.StringIO()
    monkeypatch.setattr(progress, "console", Console(file=out, width=100))
    return out


def test_items_pass_through(screen: io.StringIO) -> None:
    assert list(progress.track(iter("abc"), "Reading", total=3)) == ["a", "b", "c"]
    assert "Reading: 3 items in" in screen.getvalue()


def test_a_log_gets_lines_with_time_left(screen: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 20.0, 20.5])
    monkeypatch.setattr("aqqua.progress.time.monotonic", lambda: next(clock))
    with progress.job("Reading", total=100, unit="images") as advance:
        advance(50)
    assert screen.getvalue().splitlines() == [
        "Reading: 50 of 100 images, 20 s left",
        "Reading: 50 images in 20.5 s",
    ]


def test_a_terminal_gets_a_bar(screen: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "console", Console(file=screen, width=100, force_terminal=True))
    with progress.job("Reading", total=2) as advance:
        advance(2, note="plate 7")
    assert "100%" in screen.getvalue()
    assert "plate 7" in screen.getvalue()


def test_quiet_is_silent(screen: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AQQUA_QUIET", "1")
    with progress.job("Reading") as advance:
        advance()
    progress.say("hello")
    assert screen.getvalue() == ""


def test_what_was_done_before_does_not_count_as_speed(screen: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 20.0, 20.5])
    monkeypatch.setattr("aqqua.progress.time.monotonic", lambda: next(clock))
    with progress.job("Training", total=1000, unit="steps", done=900) as advance:
        advance(10)
    assert screen.getvalue().splitlines()[0] == "Training: 910 of 1,000 steps, 180 s left"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(59.6, "60 s"), (569, "569 s"), (570, "0 h 10 min"), (4_000, "1 h 07 min"), (4e6, "1,111 h 07 min")],
)
def test_long_times_are_hours(seconds: float, said: str) -> None:
    assert progress._duration(seconds) == said


def test_silence(screen: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AQQUA_QUIET", "")
    progress.say("one")
    progress.silence()
    progress.say("two")
    assert screen.getvalue() == "one\n"
