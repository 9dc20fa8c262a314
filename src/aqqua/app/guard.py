"""What stands before the routes: who may ask, how much, and what browsers are told not to do.

The explorer listens on this machine only, yet any web page in the user's browser could try to reach it. Therefore:
the `Host` must be ours (against DNS rebinding), a `POST` must be JSON from our own page, answers may not be read,
framed or loaded by other sites, and pages may load nothing from elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from aqqua.safety import RateLimit, allowed_hosts, bounded, host_is_ours, with_headers

__all__ = ["HEADERS", "POLICY", "Guard", "RateLimit", "allowed_hosts"]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What pages may load, unless a route allows still less (`aqqua.app.routes.maps`)."""
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
MAX_QUERY = 32_768


class Guard:
    """ASGI middleware with all of this.

    Args:
        app: what it guards.
        hosts: names under which the server may be asked.
        max_body: bytes of a request.
        rate: how often a client may ask; None: as often as it likes.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str], max_body: int, rate: RateLimit | None = None) -> None:
        self.app, self.hosts, self.max_body, self.rate = app, frozenset(hosts), max_body, rate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it with the reason why not."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        refusal = self._refusal(scope, Headers(scope=scope))
        if refusal is not None:
            await refusal(scope, receive, _safe(send))
            return
        await self.app(scope, bounded(receive, self.max_body), _safe(send))

    def _refusal(self, scope: Scope, headers: Headers) -> JSONResponse | None:
        host = headers.get("host", "")
        if len(headers.getlist("host")) != 1 or not host_is_ours(host, self.hosts):
            return _no(421, "this server is not called so", "open the address that `aqqua explore` printed")
        if self.rate and not self.rate.take((scope.get("client") or ("", 0))[0]):
            return _no(429, "too many requests", "wait a moment")
        if len(scope.get("query_string", b"")) > MAX_QUERY:
            return _no(414, "the address is too long", "use POST …/query for long filters")
        if scope["method"] not in {"GET", "HEAD", "POST"}:
            return _no(405, f"{scope['method']} is not possible here", "use GET or POST")
        return self._post_refusal(headers, host) if scope["method"] == "POST" else None

    def _post_refusal(self, headers: Headers, host: str) -> JSONResponse | None:
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return _no(403, "the request comes from another site", "use the explorer's own page")
        if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            return _no(403, "the request comes from another site", "use the explorer's own page")
        if headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
            return _no(415, "the body must be JSON", "send it with Content-Type: application/json")
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdecimal()) or int(length) > self.max_body:
            return _no(413, "the request is too large", f"send at most {self.max_body:,} bytes")
        return None


def _safe(send: Send) -> Send:
    return with_headers(send, HEADERS, unless={"Cache-Control": "no-cache", "Content-Security-Policy": POLICY})


def _no(status: int, error: str, do: str) -> JSONResponse:
    return JSONResponse({"error": error, "do": do}, status)
