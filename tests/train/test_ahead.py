from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from aqqua.train.ahead import ahead


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "aqqua-ahead"]


@pytest.mark.parametrize("depth", [0, 1, 5, 100])
def test_all_items_come_in_their_order(depth: int) -> None:
    assert list(ahead(range(30), depth)) == list(range(30))
    assert not threads()


def test_items_are_made_before_they_are_asked_for_but_not_too_many() -> None:
    made: list[int] = []
    enough = threading.Event()

    def make() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            if number == 5:
                enough.set()
            yield number

    items = ahead(make(), 4)
    assert next(items) == 0
    assert enough.wait(10), "one is used, four wait, the next is made"
    assert len(made) == 6
    items.close()
    assert not threads()


def test_an_error_comes_where_the_item_would_have_come() -> None:
    def make() -> Iterator[int]:
        yield 1
        raise ValueError("the disk is gone")

    items = ahead(make(), 3)
    assert next(items) == 1
    with pytest.raises(ValueError, match="disk"):
        next(items)
    assert not threads()
