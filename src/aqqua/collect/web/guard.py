"""What stands before all routes of the desk: the right host, our own pages, few and small requests, strict headers."""

from __future__ import annotations

import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from aqqua.collect.charts import STYLE
from aqqua.collect.web.settings import Settings
from aqqua.safety import LOOPBACK, RateLimit, bounded, host_is_ours, with_headers

__all__ = ["MAX_BODY", "DeskGuard"]

MAX_BODY = 2 << 20
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; script-src 'self'; style-src 'self' 'sha256-{_STYLE_HASH}'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors {frames}"
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with "no-referrer", browsers say "Origin: null" of our own forms
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class DeskGuard:
    """ASGI middleware of the desk.

    Args:
        app: what it guards.
        settings: of the desk.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app, self.settings = app, settings
        self.hosts = frozenset([*LOOPBACK, (urlsplit(settings.address).hostname or "").lower()])
        self.looks = RateLimit(20, burst=300)
        self.posts = RateLimit(settings.per_minute / 60, burst=settings.per_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or say why not."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        answer = with_headers(send, {**_HEADERS, **_frames(scope)}, unless={"Cache-Control": "no-store"})
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await refusal(scope, receive, answer)
            return
        await self.app(scope, bounded(receive, MAX_BODY), answer)

    def client(self, scope: Scope, headers: Headers) -> str:
        """Who asks; behind a proxy the one it names last."""
        if self.settings.proxy:
            return headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
        return str((scope.get("client") or ("", 0))[0])

    def _refusal(self, scope: Scope, headers: Headers) -> PlainTextResponse | None:
        if len(headers.getlist("host")) != 1 or not host_is_ours(headers["host"], self.hosts):
            return _no(421, "This server is not called so: open the address you were given.")
        client = self.client(scope, headers)
        if not self.looks.take(client):
            return _no(429, "Too many requests: please wait a moment.")
        if scope["method"] not in {"GET", "HEAD", "POST"}:
            return _no(405, "This is not possible here.")
        return self._post_refusal(headers, client) if scope["method"] == "POST" else None

    def _post_refusal(self, headers: Headers, client: str) -> PlainTextResponse | None:
        origin = headers.get("origin")
        foreign = origin is not None and urlsplit(origin).netloc.lower() != headers["host"].lower()
        if foreign or headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            return _no(403, "This came from another site; please use our own page.")
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdecimal()) or int(length) > MAX_BODY:
            return _no(413, "This is too large: a form has at most 2 MB.")
        if not self.posts.take(client):
            return _no(429, "Too many forms from here: please wait a minute and send it again. Nothing is lost.")
        return None


def _frames(scope: Scope) -> dict[str, str]:
    """Only the progress page may be shown within other pages, and only if it was asked for so."""
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    if scope["path"] == "/progress" and query.get("embed") == ["1"]:
        return {"Content-Security-Policy": _POLICY.format(frames="*")}
    return {"Content-Security-Policy": _POLICY.format(frames="'none'"), "X-Frame-Options": "DENY"}


def _no(status: int, text: str) -> PlainTextResponse:
    return PlainTextResponse(text + "\n", status, {"Retry-After": "60"} if status == 429 else None)
