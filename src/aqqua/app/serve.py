"""Open the explorer (verb `aqqua explore`): prepare, serve on this machine, open the browser."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
import webbrowser
from collections.abc import Sequence
from pathlib import Path

from aqqua.errors import ConfigError, MissingExtraError
from aqqua.progress import say

__all__ = ["explore"]

STOP_WITHIN_S = 3


def explore(
    datasets: Sequence[Path | str],
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    open_browser: bool = True,
    public: bool = False,
    model: str | None = None,
    maps: Sequence[Path | str] = (),
) -> None:
    """Serve the explorer until Ctrl-C.

    Args:
        datasets: folders of datasets.
        host: address to listen on; others than 127.0.0.1 let others in.
        port: port to listen on; 0: a free one.
        open_browser: open the browser, where there is one.
        public: with limits, for others to look at.
        model: whose predictions make the map; None: the newest of each dataset.
        maps: reports and maps (NetCDF, Zarr, or the folder of a recipe) to show at /maps; if none is named, those in
            a folder `maps` beside a dataset.

    Raises:
        MissingExtraError: the packages for the explorer are not installed.
        NotFoundError: there is no dataset at a path.
        UnknownNameError: a dataset has no predictions of this model.
        ConfigError: the port is taken.
    """
    try:
        import uvicorn

        from aqqua.app.server import create_app
    except ImportError as error:
        raise MissingExtraError("the explorer", str(error.name), "app") from error
    from aqqua.app.atlas import beside, find_maps
    from aqqua.store.dataset import Dataset

    opened = [Dataset.open(path) for path in datasets]
    atlas = find_maps([*maps, *([] if maps else beside(opened))], asked=bool(maps))
    app = create_app(opened, host=host, public=public, model=model, atlas=atlas)
    with _listen(host, port) as listening:
        address = _address(host, listening.getsockname()[1])
        _greet(address, host, public)
        if atlas:
            print(f"Maps are at  {address}maps", flush=True)
        if open_browser and _has_display():
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=STOP_WITHIN_S,
            limit_concurrency=100 if public else None,
        )
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listening])
    say("The explorer is closed.")


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named TCP, or asyncio leaves Nagle's algorithm on, and small answers wait up to 40 ms for an acknowledgement.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        what = f"cannot listen on {host}, port {port}: {error.strerror}"
        raise ConfigError(what, do="leave out --port to get a free one") from error
    return listening


def _address(host: str, port: int) -> str:
    shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else f"[{host}]" if ":" in host else host  # noqa: S104
    return f"http://{shown}:{port}/"


def _greet(address: str, host: str, public: bool) -> None:
    print(f"\nThe explorer is open at  {address}   (Ctrl-C closes it)", flush=True)
    if host not in {"127.0.0.1", "localhost", "::1"} and not public:
        say("[yellow]Others in your network can look at it, too; --public sets limits for them.[/]")


def _has_display() -> bool:
    """Whether a browser could open: not in CI, not over a bare terminal."""
    if os.environ.get("CI"):
        return False
    if sys.platform in {"darwin", "win32"}:
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
