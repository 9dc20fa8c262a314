"""Which way the data should come, by their size and place, as the AqQua project advises its contributors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Advice", "advise"]

ECOTAXA_ACCOUNT = "aqqua@geomar.de"
"""The project's account on EcoTaxa, which gets the right to view."""
_SMALL_GB, _LARGE_GB, _UPLOAD_GB = 20, 200, 100


@dataclass(frozen=True)
class Advice:
    """How to transfer.

    Args:
        way: "ecotaxa", "link", "cloud", "gigamove", "globus", "ftp" or "disk".
        title: the way in words.
        steps: what the contributor does, in order.
        command: what the contributor may type instead, if there is such a command.
        fetchable: whether we fetch it from an address ourselves.
    """

    way: str
    title: str
    steps: tuple[str, ...]
    command: str | None = None
    fetchable: bool = False


def advise(answers: Mapping[str, Any]) -> Advice:
    """Say how the data of a submission should come.

    Args:
        answers: to the form; `location`, `size_gb`, `transfer` and `address` count.
    """
    location, wish = answers.get("location"), answers.get("transfer", "advice")
    size_gb = float(answers.get("size_gb") or 0)
    if location == "ecotaxa" or wish == "ecotaxa":
        return _ecotaxa(answers)
    reachable = location == "server" and wish == "advice" and "://" in str(answers.get("address", ""))
    if location == "public" or wish == "link" or reachable:
        return _link(answers)
    if wish in _BY_WAY and not (wish == "cloud" and size_gb > _LARGE_GB):
        return _BY_WAY[wish](size_gb, str(answers.get("address", "")))
    if location == "disk" and size_gb > _LARGE_GB:
        return _disk(size_gb)
    if size_gb > _LARGE_GB:
        return _globus(size_gb)
    return _gigamove(size_gb) if size_gb >= _SMALL_GB else _cloud(size_gb, str(answers.get("address", "")))


def _ecotaxa(answers: Mapping[str, Any]) -> Advice:
    projects = re.findall(r"\d{1,9}", str(answers.get("address", "")))
    named = " ".join(dict.fromkeys(projects)) or "all"
    return Advice(
        "ecotaxa",
        "Let us look into EcoTaxa",
        (
            f"Open each project in EcoTaxa, Project › Edit privileges, and add {ECOTAXA_ACCOUNT} with *view*.",
            "That is all: nothing has to be exported, and we change nothing there.",
            "For many projects at once there is a command; without --apply it only shows what it would change.",
        ),
        f"aqqua ecotaxa grant --projects {named} --right view --apply",
    )


def _link(answers: Mapping[str, Any]) -> Advice:
    address = str(answers.get("address", "")).strip()
    step = f"We fetch it from {address}." if address else "Send us the link; a DOI or an address is enough."
    return Advice("link", "The link is enough", (step, "Nothing has to be uploaded."), fetchable=bool(address))


def _cloud(size_gb: float, address: str) -> Advice:
    steps = (
        "Put the data, one zip per instrument and cruise if you can, into any cloud your institute has (Nextcloud, …).",
        "Share the folder by a link that may read, and write the link into the form; send a password another way.",
        "Leave it there until we write that everything is ingested.",
    )
    return Advice("cloud", "A cloud share", steps, fetchable="://" in address)


def _gigamove(size_gb: float, address: str = "") -> Advice:
    uploads = max(1, -(-round(size_gb) // _UPLOAD_GB))
    parts = f" in {uploads} parts of at most {_UPLOAD_GB} GB" if uploads > 1 else ""
    steps = (
        f"Upload it to GigaMove{parts} (at most {_UPLOAD_GB} GB in one upload), and write the link into the form.",
        "Add a list of checksums beside the files: sha256sum *.zip > SHA256SUMS",
        "Links end after some days: upload when we write that we are ready. A cloud share does as well.",
    )
    return Advice("gigamove", "GigaMove, or a cloud share", steps)


def _globus(size_gb: float, address: str = "") -> Advice:
    steps = (
        "If your institute has a Globus endpoint, share the folder with us there: it goes on by itself for days.",
        "Else an FTP server from which we may read; write its address (ftp://…, without password) into the form.",
        "If neither is possible, send a disk: we write to you where to.",
    )
    return Advice("globus", "Globus or FTP", steps, fetchable=address.startswith(("ftp://", "ftps://")))


def _ftp(size_gb: float, address: str) -> Advice:
    steps = (
        "Write the address of the server (ftp://…, without password) into the form, and send the login another way.",
        "Add a list of checksums beside the files: sha256sum *.zip > SHA256SUMS",
    )
    return Advice("ftp", "FTP", steps, fetchable=address.startswith(("ftp://", "ftps://")))


def _disk(size_gb: float, address: str = "") -> Advice:
    steps = (
        "Copy the data to a disk, with a list of checksums: find . -type f -exec sha256sum {} + > SHA256SUMS",
        "Keep your own copy. We write to you where to send it; it comes back when the data are ingested.",
    )
    return Advice("disk", "A disk by post", steps)


_BY_WAY = {"cloud": _cloud, "gigamove": _gigamove, "globus": _globus, "ftp": _ftp, "disk": _disk}
