"""A release on Zenodo: a draft with all files and metadata and a reserved DOI. A person looks at it, and publishes.

Nothing here publishes, ever. The journal (`--out RECORD.json`) says what was sent; a run that broke off goes on with
the same draft, and sends no file again that is there with the right MD5 sum. The sandbox is the default.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aqqua.errors import ConfigError, NotFoundError, RemoteError
from aqqua.export import ExportReport
from aqqua.export.zenodo_journal import Journal, Sent
from aqqua.export.zenodo_record import LocalFile, files_of, metadata_of
from aqqua.export.zenodo_wire import REAL, SANDBOX, Patience, Wire, token_from_environment
from aqqua.metadata.check import Finding
from aqqua.progress import job

__all__ = ["SERVER_ENV", "Draft", "deposit", "export_zenodo"]

SERVER_ENV = "AQQUA_ZENODO_URL"
"""Another server of that kind (an institution's InvenioRDM with the deposit API), instead of sandbox and zenodo.org."""
_DEPOSITS = "api/deposit/depositions"
_ROUNDS = 3


@dataclass(frozen=True)
class Draft:
    """A draft on the server.

    Args:
        number: of the deposition.
        doi: reserved; registered when a person publishes.
        link: where a person looks at it and publishes.
        bucket: where files go.
    """

    number: int
    doi: str
    link: str
    bucket: str

    @classmethod
    def read(cls, said: dict[str, Any], server: str) -> Draft:
        """From the server's answer.

        Raises:
            RemoteError: it does not say what a draft says.
        """
        try:
            number = int(said["id"])
            reserved = said.get("metadata", {}).get("prereserve_doi") or {}
            doi = str(reserved.get("doi", "")) if isinstance(reserved, dict) else ""
            links = said["links"]
            return cls(number, doi, str(links.get("html") or f"{server}/deposit/{number}"), str(links["bucket"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise RemoteError(f"the server's answer is no draft ({error!r})", where=server) from error


def export_zenodo(
    release: Path,
    out: Path,
    *,
    uids: Sequence[int] | None = None,
    model: str | None = None,
    real: bool = False,
    new_version_of: str | int | None = None,
    community: str = "",
) -> ExportReport:
    """Put a release on Zenodo as a draft: `aqqua export RELEASE --to zenodo --out RECORD.json`.

    Args:
        release: the folder of one record of a release; or a dataset, of which a release is made beside `out` first.
        out: journal of the record; kept, so that a later run goes on, and another version finds this one.
        uids: with a dataset: only these images.
        model: not used: a release holds no predictions.
        real: zenodo.org instead of its sandbox.
        new_version_of: number of the latest published record, or the journal of it: make a new version.
        community: identifier of a community whose curators are asked to take the record in.

    Returns:
        The journal; the notes say where the draft is, and its reserved DOI.

    Raises:
        NotFoundError: there is no release.
        ConfigError: it is too large for a record, or the journal is of something else.
        RefusedError: the token is missing or not valid.
        RemoteError: the server failed in spite of patience; run it again.
    """
    token = token_from_environment()
    folder = _release_at(release, out, uids)
    server = os.environ.get(SERVER_ENV) or (REAL if real else SANDBOX)
    draft, sent, kept = deposit(
        folder, out, server=server, token=token, new_version_of=new_version_of, community=community
    )
    told = f"{sent} files were sent, {kept} were there already; the DOI {draft.doi or '(none yet)'} is reserved"
    do = f"look at it and publish it: {draft.link}"
    notes = [Finding("info", "draft", f"a draft, not published: {told}", draft.link, sent + kept, do)]
    return ExportReport([out], 0, notes)


def deposit(
    release: Path,
    out: Path,
    *,
    server: str,
    token: str,
    new_version_of: str | int | None = None,
    community: str = "",
    patience: Patience | None = None,
) -> tuple[Draft, int, int]:
    """Make or continue a draft; see `export_zenodo`.

    Args:
        release: folder of the record.
        out: its journal.
        server: address of the server.
        token: for it.
        new_version_of: the record before.
        community: to be asked.
        patience: pace and pauses.

    Returns:
        The draft, how many files were sent, and how many were there already.
    """
    if out.resolve().is_relative_to(release.resolve()):
        raise ConfigError("the journal cannot lie in the release itself", where=out, do="name a file beside it")
    files, metadata = files_of(release), metadata_of(release, community=community)
    wire = Wire(server, token, patience)
    try:
        journal = Journal.open(out, wire.server, release.name)
        draft = _draft(wire, journal, new_version_of)
        sent = _send(wire, journal, draft, files)
        _tidy(wire, journal, draft, files)
        _require_all(wire, draft, files, journal)
        draft = _describe(wire, draft, metadata)
        journal.update(doi=draft.doi, link=draft.link, state="draft, complete", metadata=metadata)
    finally:
        wire.close()
    return draft, sent, len(files) - sent


def _release_at(path: Path, out: Path, uids: Sequence[int] | None) -> Path:
    """The record's folder: the path itself, or a release of the dataset that is there."""
    from aqqua.store.dataset import Dataset

    if not path.exists():
        raise NotFoundError(
            "there is no release", where=path, do="make one: aqqua export DATASET --to release --out DIR"
        )
    if not Dataset.is_at(path):
        if uids is not None:
            raise ConfigError("a release is sent as a whole", where=path, do="choose images when you make the release")
        return path
    from aqqua.export.release import release

    return release([path], out.with_name(f"{out.stem}_release"), uids=uids).records[0]


def _draft(wire: Wire, journal: Journal, new_version_of: str | int | None) -> Draft:
    """The draft of the journal, else a new one."""
    if journal.number is not None:
        said = wire.json("GET", f"{_DEPOSITS}/{journal.number}", f"read draft {journal.number}")
        if said.get("submitted"):
            what = f"record {journal.number} is published, and its files are final"
            do = f"make a new version: --new-version-of {journal.number} --out ANOTHER.json"
            raise ConfigError(what, where=journal.path, do=do)
        return Draft.read(said, wire.server)
    if new_version_of is None:
        said = wire.json("POST", _DEPOSITS, "make a draft", json={}, again=False)
        draft = Draft.read(said, wire.server)
        journal.begin(draft.number, draft.link, before=None, inherited=[])
        return draft
    return _new_version(wire, journal, _number_of(new_version_of))


def _new_version(wire: Wire, journal: Journal, before: int) -> Draft:
    """A draft of a new version; asking twice gives the same one (so the documentation)."""
    doing = f"make a new version of {before}"
    said = wire.json("POST", f"{_DEPOSITS}/{before}/actions/newversion", doing)
    latest = str(said.get("links", {}).get("latest_draft", ""))
    if not latest:
        raise RemoteError(f"could not {doing}: the answer does not say where it is", where=wire.server)
    draft = Draft.read(wire.json("GET", latest, doing), wire.server)
    if draft.number == before:
        raise RemoteError(f"could not {doing}: the server gave the old record", where=wire.server)
    inherited = sorted(_there(wire, draft))
    journal.begin(draft.number, draft.link, before=before, inherited=inherited)
    return draft


def _number_of(record: str | int) -> int:
    """The number of a record: given, at the end of its DOI or address, or in its journal."""
    text = str(record).strip().rstrip("/")
    if text.endswith(".json"):
        number = Journal.read(Path(text)).number
        if number is not None:
            return number
    tail = text.rpartition("/")[2].rpartition(".")[2]
    if not tail.isdigit():
        raise ConfigError(f"{record!r} is no number of a record", do="give its number, its DOI, or its journal")
    return int(tail)


def _there(wire: Wire, draft: Draft) -> dict[str, dict[str, Any]]:
    """The files of the draft, by name."""
    said = wire.json("GET", f"{_DEPOSITS}/{draft.number}/files", "list the files of the draft")
    try:
        return {str(one.get("filename") or one["key"]): one for one in said}
    except (KeyError, TypeError, AttributeError) as error:
        raise RemoteError("the server does not list the files of the draft", where=wire.server) from error


def _md5_of(said: dict[str, Any]) -> str:
    return str(said.get("checksum", "")).removeprefix("md5:").lower()


def _send(wire: Wire, journal: Journal, draft: Draft, files: Sequence[LocalFile]) -> int:
    """Send what is not there with the right MD5 sum; return how many files that were."""
    there, sent = _there(wire, draft), 0
    with job("Sending to Zenodo", sum(file.nbytes for file in files), unit="bytes") as advance:
        for file in files:
            md5 = journal.md5_of(file) or file.md5()
            if file.key not in there or _md5_of(there[file.key]) != md5:
                md5 = _put(wire, draft, file, md5)
                sent += 1
            journal.note(Sent(file.key, file.nbytes, md5, file.changed_ns))
            advance(file.nbytes, file.key)
    return sent


def _put(wire: Wire, draft: Draft, file: LocalFile, md5: str) -> str:
    """Send one file until the server has it as it is here; return its MD5 sum."""
    address = f"{draft.bucket}/{quote(file.key, safe='')}"
    for _ in range(_ROUNDS):
        said = wire.json("PUT", address, f"send {file.key}", body=lambda: file.path.open("rb") if file.nbytes else b"")
        if _md5_of(said) == md5:
            return md5
        md5 = file.md5()  # it may have changed under our hands
    what = f"{file.key} arrives damaged: its MD5 sum there is not the one here"
    do = "check that nobody writes to the release, and the network, then run it again"
    raise RemoteError(what, where=file.path, do=do)


def _tidy(wire: Wire, journal: Journal, draft: Draft, files: Sequence[LocalFile]) -> None:
    """Take out what only the former version, or the release before a change, had; what others added stays."""
    wanted = {file.key for file in files}
    gone = [name for name in {*journal.inherited, *journal.files} if name not in wanted]
    there = _there(wire, draft) if gone else {}
    for name in sorted(gone):
        if name in there:
            number = quote(str(there[name].get("id", name)), safe="")
            wire.ask("DELETE", f"{_DEPOSITS}/{draft.number}/files/{number}", f"take {name} out of the draft")
        journal.forget(name)


def _require_all(wire: Wire, draft: Draft, files: Sequence[LocalFile], journal: Journal) -> None:
    """Look once more: every file is there, as it is here."""
    there = _there(wire, draft)
    wrong = [one.key for one in files if _md5_of(there.get(one.key, {})) != journal.md5_of(one)]
    if wrong:
        what = f"{len(wrong)} files are not in the draft as they are here, for example {wrong[0]}"
        raise RemoteError(what, where=draft.link, do="run it again")


def _describe(wire: Wire, draft: Draft, metadata: dict[str, Any]) -> Draft:
    """Write the metadata, and have a DOI reserved."""
    path = f"{_DEPOSITS}/{draft.number}"
    said = wire.json("PUT", path, "write the metadata of the draft", json={"metadata": metadata})
    described = Draft.read(said, wire.server)
    if described.doi:
        return described
    return Draft(draft.number, draft.doi, described.link, draft.bucket)
