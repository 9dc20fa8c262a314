"""A folder as a BagIt bag (RFC 8493): every file with its SHA-256, so that any copy can be compared."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from aqqua.export.release.facts import Payload, aqqua_version, media_type_of
from aqqua.store.atomic import write_text

__all__ = ["PAYLOAD", "close_bag", "payload_of", "sender_of", "write_document", "write_yaml"]

PAYLOAD = "data"
_SENDER = "Internal-Sender-Identifier"
_BLOCK = 1 << 20


def payload_of(bag: Path, path: Path, doc: str) -> Payload:
    """A file of the bag, with its hash."""
    name = path.relative_to(bag).as_posix()
    return Payload(name, path.stat().st_size, _sha256(path), media_type_of(path), doc)


def close_bag(bag: Path, *, identifier: str, sender: str, title: str, organization: str, on: date) -> None:
    """Write bagit.txt, bag-info.txt and both manifests; nothing may be changed in the folder afterwards.

    Args:
        bag: the folder; what is under `data` is its payload.
        identifier: by which the release is known.
        sender: hash of everything it was made from.
        title: of the release.
        organization: whose data these are.
        on: day of the release.
    """
    payload = _hashes(bag, bag / PAYLOAD)
    octets = sum((bag / name).stat().st_size for name in payload)
    info = {
        "Source-Organization": organization,
        "External-Description": title,
        "External-Identifier": identifier,
        _SENDER: sender,
        "Bagging-Date": on.isoformat(),
        "Bag-Size": f"{octets / 1e6:.1f} MB",
        "Payload-Oxum": f"{octets}.{len(payload)}",
        "Bag-Software-Agent": f"aqqua {aqqua_version()}",
    }
    lines = [f"{name}: {' '.join(text.split())}" for name, text in info.items() if text.strip()]
    write_text(bag / "bagit.txt", "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")
    write_text(bag / "bag-info.txt", "\n".join(lines) + "\n")
    write_text(bag / "manifest-sha256.txt", _manifest(payload))
    tags = {path.name: _sha256(path) for path in sorted(bag.iterdir()) if path.is_file() and _is_tag(path)}
    write_text(bag / "tagmanifest-sha256.txt", _manifest(tags))


def sender_of(bag: Path) -> str:
    """The hash of what a bag was made from; empty if it is none of ours."""
    try:
        lines = (bag / "bag-info.txt").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.partition(": ")[2] for line in lines if line.startswith(f"{_SENDER}: ")), "")


def write_document(path: Path, content: Mapping[str, Any]) -> None:
    """A JSON document."""
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def write_yaml(path: Path, content: Mapping[str, Any]) -> None:
    """A YAML document."""
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    write_text(path, yaml.dump(dict(content), Dumper=dumper, allow_unicode=True, sort_keys=False, width=110))


def _hashes(bag: Path, folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(bag).as_posix(): _sha256(path) for path in files}


def _manifest(hashes: Mapping[str, str]) -> str:
    return "".join(f"{digest}  {name}\n" for name, digest in hashes.items())


def _is_tag(path: Path) -> bool:
    return path.name != "tagmanifest-sha256.txt" and path.suffix != ".part"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
