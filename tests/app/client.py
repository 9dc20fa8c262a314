"""A small synchronous client that speaks with an ASGI application in this process."""

from __future__ import annotations

from typing import Any

import anyio
import httpx

__all__ = ["Client"]


class Client:
    """Asks an application as a browser on this machine would.

    Args:
        app: the ASGI application.
        host: how the browser calls the server.
    """

    def __init__(self, app: Any, host: str = "127.0.0.1:8000") -> None:
        self.app, self.base = app, f"http://{host}"

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send one request and read the whole answer."""

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=self.base) as client:
                return await client.request(method, path, **options)

        return anyio.run(send)

    def get(self, path: str, **options: Any) -> httpx.Response:
        """GET."""
        return self.request("GET", path, **options)

    def post(self, path: str, json: Any = None, **options: Any) -> httpx.Response:
        """POST of JSON."""
        return self.request("POST", path, json=json, **options)
