"""`aqqua fetch`: raw sources from elsewhere, resumed and checked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from aqqua.errors import ConfigError

__all__ = ["app"]

app = App(name="fetch", help="Fetch raw sources: web, Nextcloud, WebDAV, FTP, S3, Zenodo, other disks.")


@app.default
def fetch(
    *places: str,
    checksum: str | None = None,
    only: Annotated[list[str] | None, Parameter(consume_multiple=True, negative=())] = None,
    connections: int = 4,
    timeout: float = 60.0,
) -> None:
    """Fetch raw sources into a folder: `aqqua fetch ADDRESS… FOLDER`; run it again after an interruption.

    Args:
        places: addresses (https, a Nextcloud share, a Zenodo record, davs, ftp, s3, a path), then the folder.
        checksum: of the file, if it is one: sha256:… or md5:…
        only: patterns of file names to fetch, for example '*.zip'.
        connections: how many files at once.
        timeout: seconds to wait for an answer of the server.
    """
    if len(places) < 2:
        raise ConfigError("fetch needs an address and a folder", do="aqqua fetch ADDRESS… FOLDER")
    from aqqua.sources.transfer import fetch as run

    print(
        run(
            places[:-1],
            Path(places[-1]),
            checksum=checksum,
            only=only or (),
            connections=connections,
            timeout_s=timeout,
        )
    )
