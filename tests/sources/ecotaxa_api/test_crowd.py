"""Several at once: all results in order, and the first failure stops the rest."""

from __future__ import annotations

import threading

import pytest

from aqqua.sources.ecotaxa_api.crowd import at_once


def test_results_come_in_the_order_of_the_items() -> None:
    told: list[int] = []
    assert at_once(lambda n: n * n, range(50), done=told.append) == [n * n for n in range(50)]
    assert len(told) == 50
    assert at_once(str, []) == []


def test_the_first_failure_is_raised_and_nothing_new_is_begun() -> None:
    begun: list[int] = []

    def work(number: int) -> int:
        begun.append(number)
        if number == 3:
            raise ValueError("three")
        return number

    with pytest.raises(ValueError, match="three"):
        at_once(work, range(10_000), threads=2)
    assert len(begun) < 10_000


def test_no_more_threads_than_allowed() -> None:
    now, most, lock = [0], [0], threading.Lock()

    def work(_: int) -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        with lock:
            now[0] -= 1

    at_once(work, range(200), threads=3)
    assert most[0] <= 3
