"""How hard aqqua leans on a server of others: few connections, a pause between requests, patience after failures."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

__all__ = ["MAX_CONNECTIONS", "Manners"]

MAX_CONNECTIONS = 4
"""What EcoTaxa's production server can be asked for without being a nuisance."""
_LONGEST_PAUSE_S = 60.0


@dataclass
class Manners:
    """Pace of requests; shared by all threads of a client.

    Args:
        connections: how many requests at once, at most 4.
        interval_s: least time between the starts of two requests.
        attempts: how often a request is tried in all.
        pause_s: pause after the first failure; it doubles with each further one.
        sleep: how to wait (tests do not).
    """

    connections: int = MAX_CONNECTIONS
    interval_s: float = 0.1
    attempts: int = 5
    pause_s: float = 1.0
    sleep: Callable[[float], None] = time.sleep
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _next: float = field(default=0.0, repr=False)
    _gate: threading.BoundedSemaphore = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.connections = min(max(self.connections, 1), MAX_CONNECTIONS)
        self._gate = threading.BoundedSemaphore(self.connections)

    @contextmanager
    def turn(self, interval_s: float | None = None) -> Iterator[None]:
        """Wait for a free connection and for the pause to pass, then hold the connection while the block runs."""
        with self._gate:
            with self._lock:
                now = time.monotonic()
                start = max(now, self._next)
                self._next = start + (self.interval_s if interval_s is None else interval_s)
            if start > now:
                self.sleep(start - now)
            yield

    def pause(self, attempt: int, asked_s: float | None = None) -> None:
        """Wait after a failed attempt (0 is the first): doubling, with some chance, or what the server asks for."""
        wait_s = self.pause_s * 2**attempt * (0.75 + random.random() / 2)
        self.sleep(min(max(wait_s, asked_s or 0.0), _LONGEST_PAUSE_S))
