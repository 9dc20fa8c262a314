"""How the desk is run."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from aqqua.collect.mail import Mail
from aqqua.errors import ConfigError

__all__ = ["SECRET_ENV", "Settings", "secret_at"]

SECRET_ENV = "AQQUA_DESK_SECRET"  # noqa: S105  the name of a variable
_SECRET_BYTES = 32


@dataclass(frozen=True)
class Settings:
    """Settings of the desk.

    Args:
        address: under which contributors reach it, `https://desk.example.org`; links in letters begin with it.
        secret: 32 random bytes; the same after a restart, so that open forms and logins stay good.
        mail: how letters go out.
        data: folders with datasets that count as gathered, besides those of submissions.
        proxy: whether a proxy stands before it, whose `X-Forwarded-For` names the client.
        per_minute: how many forms or logins a client may send.
    """

    address: str
    secret: bytes = field(repr=False)
    mail: Mail = field(default_factory=Mail)
    data: tuple[Path, ...] = ()
    proxy: bool = False
    per_minute: float = 30

    def __post_init__(self) -> None:
        """Refuse what would make links wrong or keys weak."""
        if not self.address.startswith(("http://", "https://")) or len(self.secret) < _SECRET_BYTES:
            raise ConfigError("the desk needs its address and a secret", do="write --address https://desk.example.org")

    @property
    def secure(self) -> bool:
        """Whether cookies may only travel encrypted."""
        return self.address.startswith("https://")

    def link(self, token: str) -> str:
        """The private link of a submission."""
        return f"{self.address.rstrip('/')}/mine/{token}"


def secret_at(path: Path) -> bytes:
    """The secret of a desk: `$AQQUA_DESK_SECRET`, else that in a file only its owner may read, made the first time."""
    told = os.environ.get(SECRET_ENV)
    if told:
        if len(told) < _SECRET_BYTES:
            raise ConfigError(f"{SECRET_ENV} is too short", do=f"use at least {_SECRET_BYTES} random letters")
        return told.encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(_SECRET_BYTES))
    return path.read_bytes()
