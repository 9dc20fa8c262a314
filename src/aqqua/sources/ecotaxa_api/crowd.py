"""A few requests at once: threads that share one client, and stop at the first failure."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from aqqua.sources.ecotaxa_api.polite import MAX_CONNECTIONS

__all__ = ["at_once"]

Item = TypeVar("Item")
Result = TypeVar("Result")


def at_once(
    work: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    threads: int = MAX_CONNECTIONS,
    done: Callable[[int], object] | None = None,
) -> list[Result]:
    """Return what `work` gives for each item, in their order.

    Args:
        work: done for several items at once.
        items: what to work on.
        threads: how many at once.
        done: is told 1 after each item.

    Raises:
        Exception: the first that `work` raised; nothing new is begun after it.
    """
    todo = enumerate(list(items))
    results: dict[int, Result] = {}
    failures: list[BaseException] = []
    lock = threading.Lock()

    def turns() -> Iterator[tuple[int, Item]]:
        while not failures:
            with lock:
                one = next(todo, None)
            if one is None:
                return
            yield one

    def labour() -> None:
        try:
            for number, item in turns():
                results[number] = work(item)
                if done is not None:
                    with lock:
                        done(1)
        except BaseException as error:
            failures.append(error)

    crowd = [threading.Thread(target=labour, daemon=True) for _ in range(threads)]
    for thread in crowd:
        thread.start()
    try:
        for thread in crowd:
            thread.join()
    except KeyboardInterrupt as error:
        failures.append(error)
        raise
    if failures:
        raise failures[0]
    return [results[number] for number in sorted(results)]
