"""Do the next thing while the last one is used: batches are read and prepared beside the network that learns."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import TypeVar

__all__ = ["ahead"]

T = TypeVar("T")
_LOOK_S = 0.1


@dataclass(frozen=True)
class _End:
    """No more items, or what went wrong with the next one."""

    error: BaseException | None


def ahead(items: Iterable[T], depth: int) -> Generator[T, None, None]:
    """Yield items in their order, at most `depth` of them made before they are asked for, by one other thread.

    Decoding and large array operations let other threads run meanwhile. An error comes where the item would have
    come; a consumer that goes away ends the thread.

    Args:
        items: what is made one by one.
        depth: how many may wait; 0 to make each when it is asked for.
    """
    if depth < 1:
        yield from items
        return
    waiting: queue.Queue[T | _End] = queue.Queue(depth)
    gone = threading.Event()
    maker = threading.Thread(target=_make, args=(items, waiting, gone), name="aqqua-ahead", daemon=True)
    maker.start()
    try:
        while True:
            item = waiting.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item
    finally:
        gone.set()
        maker.join()


def _make(items: Iterable[T], waiting: queue.Queue[T | _End], gone: threading.Event) -> None:
    end = _End(None)
    try:
        for item in items:
            if not _put(item, waiting, gone):
                return
    except BaseException as error:  # told where the item would have come
        end = _End(error)
    _put(end, waiting, gone)


def _put(item: T | _End, waiting: queue.Queue[T | _End], gone: threading.Event) -> bool:
    """Put an item as soon as there is room; False if nobody wants it any more."""
    while not gone.is_set():
        try:
            waiting.put(item, timeout=_LOOK_S)
        except queue.Full:
            continue
        return True
    return False
