"""Open the desk (verb `aqqua collect serve`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from aqqua.collect.mail import Mail
from aqqua.collect.registry import Registry
from aqqua.collect.web.app import create_desk
from aqqua.collect.web.settings import Settings, secret_at
from aqqua.errors import StorageError
from aqqua.progress import say

__all__ = ["serve"]


def serve(
    registry: str | Path | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 8461,
    address: str | None = None,
    data: Sequence[Path] = (),
    state: Path = Path("aqqua-desk"),
    proxy: bool = False,
    per_minute: float = 30,
) -> None:
    """Serve the sharing form, private pages, the curators' desk and the progress page until interrupted.

    Args:
        registry: file or `postgresql://` address of the registry.
        host: address to listen on.
        port: port to listen on.
        address: under which contributors reach it; behind a proxy, the proxy's `https://…`.
        data: further folders with datasets that count as gathered.
        state: folder for the desk's secret, and for letters that could not be sent.
        proxy: whether a proxy stands before it.
        per_minute: how many forms or logins a client may send.

    Raises:
        StorageError: the port is taken, or the registry cannot be opened.
    """
    import uvicorn

    desk = Registry.open(registry)
    settings = Settings(
        address or f"http://{'localhost' if host in {'127.0.0.1', '::1'} else host}:{port}",
        secret_at(state / "secret"),
        Mail.from_environment(state / "outbox"),
        tuple(data),
        proxy,
        per_minute,
    )
    say(f"The desk is open: [bold]{settings.address}[/]   (curators: {settings.address}/login; Ctrl+C closes it)")
    if not settings.mail.server:
        say(f"[yellow]No mail server is set (AQQUA_SMTP): letters are laid into {settings.mail.outbox}[/]")
    server = uvicorn.Server(
        uvicorn.Config(
            create_desk(desk, settings),
            host=host,
            port=port,
            log_level="warning",
            access_log=False,  # addresses of private pages are secrets
            server_header=False,
            limit_concurrency=400,
            timeout_graceful_shutdown=5,
        )
    )
    try:
        server.run()
    except SystemExit as error:  # what uvicorn does when it cannot listen
        raise StorageError(f"nothing can listen on {host}:{port}", do="choose another --port") from error
    finally:
        desk.close()
