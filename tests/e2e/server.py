"""The explorer in a thread, for tests that look at it."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any
from urllib.request import Request, urlopen

import numpy as np
import uvicorn

from aqqua.app.server import create_app
from aqqua.store.dataset import Dataset

__all__ = ["Running"]


class Running:
    """An explorer that runs while the `with` block does.

    Args:
        datasets: what it shows.
    """

    def __init__(self, datasets: Sequence[Dataset]) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # as `explore` does
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen()
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}/"
        config = uvicorn.Config(create_app(datasets), log_level="warning", access_log=False)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)

    def __enter__(self) -> Running:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()

    def ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """What the server says to the same question the page asks."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.address}api/v1/{path}", data, {"Content-Type": "application/json"})
        with urlopen(request, timeout=20) as answer:
            return json.loads(answer.read())

    def points(self, store: str, column: str) -> dict[str, np.ndarray]:
        """All points of a dataset, coloured by a column: row, x and y (0…1 of the extent), code."""
        with urlopen(f"{self.address}api/v1/{store}/points?color={column}", timeout=20) as answer:
            frame = answer.read()
        n = int.from_bytes(frame[4:8], "little")
        row, x, y = (np.frombuffer(frame, kind, n, 32 + at * n) for kind, at in (("<u4", 0), ("<u2", 4), ("<u2", 6)))
        return {"row": row, "x": x / 65535, "y": y / 65535, "code": np.frombuffer(frame, "u1", n, 32 + 8 * n)}
