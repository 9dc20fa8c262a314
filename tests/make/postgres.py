"""A real PostgreSQL server of one's own: a fresh cluster in a folder, reached by a socket there, gone afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["postgres_programs", "postgres_server"]


def postgres_programs() -> Path | None:
    """The folder of `initdb` and `postgres`, or None."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    whole = [one for one in folders if (one / "initdb").is_file() and (one / "postgres").is_file()]
    return whole[0] if whole else None


@contextmanager
def postgres_server(programs: Path) -> Iterator[str]:
    """Run a server; yield the URL of an empty database."""
    with tempfile.TemporaryDirectory(prefix="aqqua-pg-") as made:
        folder = Path(made)
        as_user = _as_somebody_else(folder)
        data = folder / "data"
        make = [*as_user, programs / "initdb", "-D", data, "-U", "desk", "-A", "trust", "-N"]
        subprocess.run(make, check=True, stdout=subprocess.DEVNULL, cwd="/")
        settings = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}", "-c", "max_connections=150"]
        command = [*as_user, programs / "postgres", "-D", data, *settings]
        with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log, cwd="/") as server:
            try:
                ready: list[str | Path] = [programs / "pg_isready", "-h", folder, "-t", "1"]
                for _ in range(120):
                    if subprocess.run(ready, check=False, stdout=subprocess.DEVNULL).returncode == 0:
                        break
                    assert server.poll() is None, (folder / "log").read_text()
                yield f"postgresql://desk@/postgres?host={folder}"
            finally:
                server.terminate()
                server.wait(30)


def _as_somebody_else(folder: Path) -> list[str | Path]:
    """PostgreSQL refuses to run as root: then as the user its package has made."""
    if os.geteuid() != 0:
        return []
    shutil.chown(folder, "postgres", "postgres")
    folder.chmod(0o755)
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]
