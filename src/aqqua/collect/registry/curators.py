"""Logins of curators: scrypt hashes, and the same time for a wrong name as for a wrong password."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets

from aqqua.errors import ConfigError

__all__ = ["check_password", "hash_password", "new_password", "read_name"]

_COST = {"n": 2**14, "r": 8, "p": 1, "maxmem": 64 << 20}  # OWASP's least for scrypt, 16 MiB a try
_SALT_BYTES = 16
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,60}")


def new_password() -> str:
    """A password to hand over once."""
    return secrets.token_urlsafe(15)


def read_name(name: str) -> str:
    """A login name.

    Raises:
        ConfigError: it has letters a name cannot have.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{name!r} cannot be a login", do="use letters, digits, dot, dash and underscore")
    return name


def hash_password(password: str) -> str:
    """What the registry keeps of a password."""
    salt = secrets.token_bytes(_SALT_BYTES)
    return f"scrypt${_text(salt)}${_text(hashlib.scrypt(password.encode(), salt=salt, **_COST))}"


def check_password(password: str, kept: str | None) -> bool:
    """Whether a password is the right one; without a kept hash the answer is no, after the same work."""
    salt, digest = (base64.b64decode(part) for part in kept.split("$")[1:]) if kept else (bytes(_SALT_BYTES), b"")
    return hmac.compare_digest(hashlib.scrypt(password.encode(), salt=salt, **_COST), digest)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
