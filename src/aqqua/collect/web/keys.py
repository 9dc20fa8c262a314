"""Cookies and proofs: that a form was made by us for this browser, and that a curator is logged in."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import Request, Response

    from aqqua.collect.web.settings import Settings

__all__ = ["SESSION_S", "browser_of", "curator_of", "form_key", "form_key_fits", "keep_browser", "log_in", "log_out"]

SESSION_S = 8 * 3600
_BROWSER, _SESSION = "desk-browser", "desk-session"


def browser_of(request: Request) -> str:
    """What this browser is known by; made at its first visit."""
    known = request.cookies.get(_BROWSER, "")
    if not hasattr(request.state, "browser"):
        request.state.browser = known if len(known) >= 32 and known.isascii() else secrets.token_urlsafe(24)
    return str(request.state.browser)


def keep_browser(request: Request, response: Response, settings: Settings) -> None:
    """Let the browser remember what it is known by."""
    if request.cookies.get(_BROWSER) != browser_of(request):
        response.set_cookie(
            _BROWSER, browser_of(request), max_age=30 * 86400, httponly=True, samesite="lax", secure=settings.secure
        )


def form_key(request: Request, settings: Settings) -> str:
    """What a form carries to prove that it was made by us for this browser."""
    return _signed(settings, f"form {browser_of(request)}")


def form_key_fits(request: Request, settings: Settings, key: str) -> bool:
    """Whether a form that came was made by us for this browser."""
    return hmac.compare_digest(form_key(request, settings).encode(), key.encode())


def log_in(response: Response, settings: Settings, name: str) -> None:
    """Remember a curator for some hours."""
    body = f"{name}|{int(time.time()) + SESSION_S}|{secrets.token_urlsafe(9)}"
    value = base64.urlsafe_b64encode(f"{body}|{_signed(settings, body)}".encode()).decode()
    response.set_cookie(
        _SESSION, value, max_age=SESSION_S, httponly=True, samesite="strict", secure=settings.secure, path="/"
    )


def log_out(response: Response) -> None:
    """Forget a curator."""
    response.delete_cookie(_SESSION, path="/")


def curator_of(request: Request, settings: Settings) -> str | None:
    """The login of a curator whose session is good, else None."""
    try:
        raw = base64.urlsafe_b64decode(request.cookies.get(_SESSION, "").encode()).decode()
        name, until, nonce, proof = raw.split("|")
        good = hmac.compare_digest(proof.encode(), _signed(settings, f"{name}|{until}|{nonce}").encode())
        return name if good and int(until) > time.time() else None
    except ValueError:
        return None


def _signed(settings: Settings, text: str) -> str:
    return hmac.new(settings.secret, text.encode(), hashlib.sha256).hexdigest()
