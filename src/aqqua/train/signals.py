"""Asked to stop: SIGTERM (a batch system wants the node back) and SIGUSR1 (the time limit is near) are noted.

The loop saves its state at the end of the step and pauses, see `aqqua.train.loop.fit`.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["listening"]

_ASKS = tuple(s for name in ("SIGTERM", "SIGUSR1") if (s := getattr(signal, name, None)) is not None)


@contextmanager
def listening() -> Iterator[Callable[[], bool]]:
    """Note signals while the block runs; afterwards they mean again what they meant before.

    Yields:
        Whether the process has been asked to stop. Never, outside of the main thread: only that gets signals.
    """
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    before = {number: signal.signal(number, lambda *_: asked.set()) for number in _ASKS}
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
