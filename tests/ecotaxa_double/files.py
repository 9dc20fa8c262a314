"""The user's folder: a zip is unpacked at once and gone; a second one of the same name mixes with it; tus in pieces."""

from __future__ import annotations

import base64
import io
import secrets
import zipfile
from pathlib import PurePosixPath
from typing import Any

from starlette.responses import Response

from tests.ecotaxa_double.asking import Ask
from tests.ecotaxa_double.replies import Refusal
from tests.ecotaxa_double.state import World

ALLOWED = {".tsv", ".txt", ".csv", ".png", ".jpg", ".jpeg", ".gif", ".tif", ".tiff", ".zip"}
"""What the upload filter lets stay; other files vanish without a word (BMP, WebP …)."""
TUS = {"tus-resumable": "1.0.0"}
EXPIRES = {"upload-expires": "Sat, 28 Nov 2026 05:26:33 GMT"}


def upload(ask: Ask) -> str:
    """One multipart request; the answer is a path that is no more."""
    name, data = ask.files["file"]
    _store(ask.world, ask.who().id, name, data)
    return f"/home/users/{ask.who().id}/{name}"


def _store(world: World, user: int, name: str, data: bytes) -> None:
    folders = world.folders.setdefault(user, {})
    path = PurePosixPath(name)
    if path.suffix.lower() != ".zip":
        if path.suffix.lower() in ALLOWED:
            folders.setdefault("", {})[path.name] = data
        return
    folder = folders.setdefault(path.stem, {})
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        for member in opened.infolist():
            if not member.is_dir() and PurePosixPath(member.filename).suffix.lower() in ALLOWED:
                folder[member.filename] = opened.read(member)


def list_files(ask: Ask) -> dict[str, Any]:
    """Names of the folders."""
    folders = ask.world.folders.get(ask.who().id, {})
    return {"path": "", "entries": [{"name": name, "type": "D", "size": 0, "mtime": ""} for name in folders if name]}


def create(ask: Ask) -> Response:
    """Begin an upload in pieces."""
    user = ask.who()
    words = dict(part.split(" ", 1) for part in ask.headers["upload-metadata"].split(","))
    name = base64.b64decode(words["filename"]).decode()
    key = secrets.token_hex(16)
    ask.world.uploads[key] = (user.id, name, int(ask.headers["upload-length"]), bytearray())
    place = f"{ask.base}/api/user_files/upload/{key}"
    return Response(
        status_code=201, headers={**TUS, "location": place, "upload-expires": "Sat, 28 Nov 2026 05:26:33 GMT"}
    )


def append(ask: Ask) -> Response:
    """Append a piece where the server is; the last one unpacks the zip."""
    user, name, size, data = _upload(ask)
    if int(ask.headers["upload-offset"]) != len(data):
        raise Refusal(409, "Wrong offset")
    data.extend(ask.body)
    if len(data) == size:
        _store(ask.world, user, name, bytes(data))
    return _offset(len(data), 204)


def head(ask: Ask) -> Response:
    """Where the server is."""
    return _offset(len(_upload(ask)[3]), 200)


def _upload(ask: Ask) -> tuple[int, str, int, bytearray]:
    ask.who()
    found = ask.world.uploads.get(str(ask.path["uuid"]))
    if found is None:
        raise Refusal(404, "Not Found")
    return found


def _offset(offset: int, status: int) -> Response:
    return Response(status_code=status, headers={**TUS, **EXPIRES, "upload-offset": str(offset)})


def image(ask: Ask) -> Response:
    """A file of the vault, for anybody."""
    name = f"{ask.path['folder']}/{ask.path['name']}"
    picture = ask.world.pictures.get(name) or ask.world.thumbs.get(name)
    if picture is None:
        raise Refusal(404, "Not Found")
    suffix = PurePosixPath(picture.file_name).suffix[1:]
    return Response(picture.data, media_type=f"image/{'jpeg' if suffix == 'jpg' else suffix}")
