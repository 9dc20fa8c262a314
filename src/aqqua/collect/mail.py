"""Letters to contributors: sent by SMTP where that is set up, else laid into a folder for somebody to send.

Settings come from the environment: AQQUA_SMTP (`smtp://user@host:587` or `smtps://…`), AQQUA_SMTP_PASSWORD,
AQQUA_SMTP_FROM.
"""

from __future__ import annotations

import os
import re
import secrets
import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from urllib.parse import unquote, urlsplit

from aqqua.errors import ConfigError, RemoteError

__all__ = ["Mail", "letter", "send"]

_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")


@dataclass(frozen=True)
class Mail:
    """How letters go out.

    Args:
        server: `smtp://user@host:587` (with STARTTLS where the server has it) or `smtps://…`; empty: into `outbox`.
        sender: address they come from.
        password: of the user.
        outbox: folder for letters where there is no server, or it does not answer.
    """

    server: str = ""
    sender: str = "aqqua@localhost"
    password: str = field(default="", repr=False)
    outbox: Path = Path("aqqua-outbox")

    @classmethod
    def from_environment(cls, outbox: Path = Path("aqqua-outbox")) -> Mail:
        """The settings of this machine."""
        found = {name: os.environ.get(f"AQQUA_SMTP{suffix}", "") for name, suffix in _ENVIRONMENT.items()}
        return cls(found["server"], found["sender"] or "aqqua@localhost", found["password"], outbox)


_ENVIRONMENT = {"server": "", "sender": "_FROM", "password": "_PASSWORD"}


def letter(
    to: str, subject: str, text: str, *, sender: str, name: str = "", attachments: Mapping[str, bytes] | None = None
) -> EmailMessage:
    """Write a letter; nothing in it can become a header or a further recipient.

    Args:
        to: one address.
        subject: one line; line breaks become blanks.
        text: of the letter.
        sender: address it comes from.
        name: of the recipient.
        attachments: file name → content.

    Raises:
        ConfigError: this is no address.
    """
    message = EmailMessage()
    message["From"] = Address("AqQua data desk", addr_spec=_one_address(sender))
    message["To"] = Address(_one_line(name), addr_spec=_one_address(to))
    message["Subject"] = _one_line(subject)
    message["Date"] = formatdate(usegmt=True)
    message["Message-ID"] = make_msgid(domain=_one_address(sender).rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    for file, content in (attachments or {}).items():
        kind = ("application", "pdf") if file.endswith(".pdf") else ("application", "octet-stream")
        message.add_attachment(content, maintype=kind[0], subtype=kind[1], filename=_one_line(file))
    return message


def send(mail: Mail, message: EmailMessage) -> Path | None:
    """Send a letter, or lay it into the outbox; return its file in that case.

    A server that does not answer loses nothing: the letter is in the outbox, and a person can send it.
    """
    if mail.server:
        try:
            _deliver(mail, message)
        except RemoteError:
            return _lay(mail.outbox, message)
        return None
    return _lay(mail.outbox, message)


def _deliver(mail: Mail, message: EmailMessage) -> None:
    parts = urlsplit(mail.server)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ConfigError(f"AQQUA_SMTP is {mail.server!r}", do="write smtp://user@host:587 or smtps://user@host")
    secure = ssl.create_default_context()
    try:
        if parts.scheme == "smtps":
            client: smtplib.SMTP = smtplib.SMTP_SSL(parts.hostname, parts.port or 465, timeout=30, context=secure)
        else:
            client = smtplib.SMTP(parts.hostname, parts.port or 587, timeout=30)
        with client:
            if parts.scheme == "smtp" and client.has_extn("starttls"):
                client.starttls(context=secure)
            if parts.username:
                client.login(unquote(parts.username), mail.password)
            client.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        raise RemoteError("the letter could not be sent", where=parts.hostname, do="see the outbox") from error


def _lay(outbox: Path, message: EmailMessage) -> Path:
    outbox.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = outbox / f"{formatdate()[5:25].replace(' ', '-').replace(':', '')}-{secrets.token_hex(4)}.eml"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(message.as_bytes())
    return path


def _one_address(text: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise ConfigError(f"{text!r} is no e-mail address", do="write one address: name@institute.example")
    return text


def _one_line(text: str) -> str:
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:200]
