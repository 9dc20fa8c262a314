"""Files and folders on an FTP server (FTPS with `ftps://`): resumed by `REST` if size and time are the same."""

from __future__ import annotations

import ftplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import quote, unquote, urlsplit

from aqqua.errors import RefusedError, RemoteError
from aqqua.sources.transfer.places import BLOCK_BYTES, PASSWORD_ENV, USER_ENV, Place, RemoteFile, Stream

__all__ = ["Ftp"]

_TROUBLE = (OSError, EOFError, ftplib.Error, ssl.SSLError)


class Ftp(Place):
    """A file, or a folder with all below it, at an `ftp://` or `ftps://` address."""

    def files(self) -> list[RemoteFile]:
        """All files below the address."""
        with self._connected() as ftp:
            root = self._root
            found = dict(self._walk(ftp, root, ""))
            if not found and _size(ftp, root) is not None:
                name = root.rpartition("/")[2]
                found = {name: self._file(ftp, root, name)}
        if not found:
            raise RemoteError("there is no file here", where=self.address, do="check the address")
        return [found[name] for name in sorted(found)]

    @contextmanager
    def open(self, file: RemoteFile, start: int = 0, stamp: str | None = None) -> Iterator[Stream]:
        """Start a transfer at a byte, if the file has the same size and time of change."""
        path = unquote(urlsplit(file.address).path)
        with self._connected() as ftp:
            now = self._file(ftp, path, file.name)
            begin = start if stamp is not None and now.stamp == stamp else 0
            with ftp.transfercmd(f"RETR {path}", begin or None) as data:
                yield Stream(begin, now.size, now.stamp, self._blocks(data, now.size, begin))

    def _blocks(self, data: socket.socket, size: int | None, begin: int) -> Iterator[bytes]:
        got = begin
        while block := data.recv(BLOCK_BYTES):
            got += len(block)
            yield block
        if size is not None and got < size:
            raise self._error(EOFError("the connection was closed"))

    @contextmanager
    def _connected(self) -> Iterator[ftplib.FTP]:
        """One connection per transfer: an FTP session can do one thing at a time, and forgets us when idle."""
        parts = urlsplit(self.address)
        ftp = (ftplib.FTP_TLS if parts.scheme == "ftps" else ftplib.FTP)(timeout=self.timeout_s)
        try:
            ftp.encoding = "utf-8"
            ftp.connect(parts.hostname or "", parts.port or 21)
            ftp.login(*((self.login.user, self.login.password) if self.login else ()))
            if isinstance(ftp, ftplib.FTP_TLS):
                ftp.prot_p()
            yield ftp
        except _TROUBLE as error:
            raise self._error(error) from error
        finally:
            with suppress(*_TROUBLE):
                ftp.close()

    def _walk(self, ftp: ftplib.FTP, folder: str, below: str) -> Iterator[tuple[str, RemoteFile]]:
        """Files of a folder and of those in it."""
        folders = []
        for name, facts in self._entries(ftp, folder):
            path, inner = f"{folder.rstrip('/')}/{name}", f"{below}{name}"
            if facts.get("type") == "dir":
                folders.append((path, f"{inner}/"))
            elif "size" in facts:
                stamp = f"{facts['size']} {facts.get('modify', '')}".strip()
                yield inner, RemoteFile(inner, self._address(path), int(facts["size"]), stamp)
            else:
                yield inner, self._file(ftp, path, inner)
        for path, inner in folders:
            yield from self._walk(ftp, path, inner)

    def _entries(self, ftp: ftplib.FTP, folder: str) -> list[tuple[str, dict[str, str]]]:
        """Names with their facts; of servers that know no MLSD, found out one by one."""
        try:
            listed = list(ftp.mlsd(folder, ["type", "size", "modify"]))
            return sorted((name, facts) for name, facts in listed if facts.get("type") in {"file", "dir"})
        except ftplib.error_perm as error:
            if error.args[0][:3] not in {"500", "501", "502", "504"}:
                return []
        with suppress(ftplib.error_perm):
            names = sorted({name.rstrip("/").rpartition("/")[2] for name in ftp.nlst(folder)} - {".", ".."})
            if names == [folder.rpartition("/")[2]]:
                return []
            return [(name, {} if _size(ftp, f"{folder}/{name}") is not None else {"type": "dir"}) for name in names]
        return []

    def _file(self, ftp: ftplib.FTP, path: str, name: str) -> RemoteFile:
        size = _size(ftp, path)
        changed = ""
        with suppress(ftplib.error_perm):
            changed = ftp.voidcmd(f"MDTM {path}").partition(" ")[2].strip()
        stamp = f"{size} {changed}".strip() if size is not None else None
        return RemoteFile(name, self._address(path), size, stamp)

    def _address(self, path: str) -> str:
        parts = urlsplit(self.address)
        return f"{parts.scheme}://{parts.netloc}{quote(path)}"

    @property
    def _root(self) -> str:
        return unquote(urlsplit(self.address).path).rstrip("/")

    def _error(self, error: Exception) -> RemoteError | RefusedError:
        said = str(error)
        if isinstance(error, ftplib.error_perm) and said[:3] in {"530", "532"}:
            do = f"put the login into {USER_ENV} and {PASSWORD_ENV}"
            return RefusedError("the server wants a login, or does not accept this one", where=self.address, do=do)
        if isinstance(error, ftplib.error_perm) and said[:3] in {"550", "553"}:
            do = "check the address"
            return RemoteError(
                "there is no such file or folder, or no right to it", where=self.address, do=do, status=404
            )
        do = "check the network and the address, then run it again; what came stays"
        return RemoteError(f"the connection failed or broke off ({said})", where=self.address, do=do)


def _size(ftp: ftplib.FTP, path: str) -> int | None:
    with suppress(ftplib.error_perm):
        ftp.voidcmd("TYPE I")  # listings switch to text, in which sizes are not told
        return ftp.size(path)
    return None
