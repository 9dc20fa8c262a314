"""The double over real HTTP: a server in a thread while the `with` block runs."""

from __future__ import annotations

import socket
import threading
import time
from types import TracebackType

import uvicorn

from aqqua.sources.ecotaxa_api.client import EcotaxaClient
from aqqua.sources.ecotaxa_api.polite import Manners
from tests.ecotaxa_double.app import make_app
from tests.ecotaxa_double.faults import CuttableProtocol, Faults
from tests.ecotaxa_double.state import World
from tests.ecotaxa_double.tables import Person

__all__ = ["EcotaxaDouble"]


class EcotaxaDouble:
    """An EcoTaxa server on this machine.

    Args:
        world: what it knows.
    """

    def __init__(self, world: World | None = None) -> None:
        self.world = world or World()
        self.faults = Faults(make_app(self.world))
        # Named as TCP, or asyncio does not send small answers at once (40 ms each).
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(64)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/api"
        config = uvicorn.Config(
            self.faults,
            http=CuttableProtocol,
            ws="none",
            lifespan="off",
            log_level="critical",
            access_log=False,
            timeout_graceful_shutdown=2,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)

    def __enter__(self) -> EcotaxaDouble:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.005)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.faults.stopping = True
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()

    def token(self, person: Person) -> str:
        """A login of a person."""
        token = f"token-of-{person.id}"
        self.world.tokens[token] = person.id
        return token

    def client(self, person: Person | None = None, *, timeout_s: float = 5.0) -> EcotaxaClient:
        """A client that does not wait between requests."""
        manners = Manners(interval_s=0, pause_s=0.001, sleep=lambda _: None)
        token = None if person is None else self.token(person)
        return EcotaxaClient(self.url, token, manners=manners, timeout_s=(timeout_s, timeout_s))

    def asked(self, method: str, path: str = "") -> list[str]:
        """Paths of the requests so far of a method that contain a text."""
        return [seen for way, seen in self.faults.seen if way == method and path in seen]
