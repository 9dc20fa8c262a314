"""What a Zenodo record says, from `datacite.json`; and its flat list of files, from the folders of a release."""

from __future__ import annotations

import hashlib
import html
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from aqqua.errors import ConfigError, FormatError, NotFoundError, UnsafeInputError
from aqqua.export.darwincore_eml import split_name

__all__ = ["MAX_BYTES", "MAX_FILES", "LocalFile", "files_of", "key_of", "metadata_of", "path_of", "restore"]

MAX_FILES, MAX_BYTES = 100, 50_000_000_000
"""Of one record: https://help.zenodo.org/docs/deposit/manage-files"""
DATACITE = "datacite.json"
_BETWEEN = "__"  # a record has no folders: data/card.yaml is sent as data__card.yaml
_BLOCK = 1 << 20
_MAX_JSON_BYTES = 16 << 20
_CONTRIBUTORS = """ContactPerson DataCollector DataCurator DataManager Distributor Editor HostingInstitution Producer
    ProjectLeader ProjectManager ProjectMember RegistrationAgency RegistrationAuthority RelatedPerson Researcher
    ResearchGroup RightsHolder Supervisor Sponsor WorkPackageLeader Other"""
_RELATIONS = """isCitedBy cites isSupplementTo isSupplementedBy isContinuedBy continues isDescribedBy describes
    hasMetadata isMetadataFor isNewVersionOf isPreviousVersionOf isPartOf hasPart isReferencedBy references
    isDocumentedBy documents isCompiledBy compiles isVariantFormOf isIdenticalTo isReviewedBy reviews
    isDerivedFrom isSourceOf requires isRequiredBy isObsoletedBy obsoletes"""
"""Words of the deposit metadata: https://developers.zenodo.org/#representation"""


@dataclass(frozen=True)
class LocalFile:
    """A file to be sent.

    Args:
        key: its name in the record.
        path: where it lies.
        nbytes: its size.
        changed_ns: when it was changed.
    """

    key: str
    path: Path
    nbytes: int
    changed_ns: int

    def md5(self) -> str:
        """Its MD5 sum, which is what Zenodo compares."""
        digest = hashlib.md5(usedforsecurity=False)
        with self.path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
        return digest.hexdigest()


def key_of(path: str) -> str:
    """The name in the record of a file of a release.

    >>> key_of("data/images/000.lmdb")
    'data__images__000.lmdb'

    Raises:
        ConfigError: it could not be led back.
    """
    key = path.replace("/", _BETWEEN)
    if path_of(key) != path:
        raise ConfigError("a record cannot hold this name", where=path, do="rename it, without two _ in a row")
    return key


def path_of(key: str) -> str:
    """The path in the release of a file of a record."""
    return key.replace(_BETWEEN, "/")


def restore(folder: Path) -> list[Path]:
    """Give the files of a record, fetched into one folder, the folders of their release back.

    Raises:
        UnsafeInputError: a name leads out of the folder.
    """
    moved = []
    for path in sorted(path for path in folder.iterdir() if path.is_file() and _BETWEEN in path.name):
        parts = PurePosixPath(path_of(path.name)).parts
        if ".." in parts or parts[0] == "/":
            raise UnsafeInputError("a name leads out of its folder", where=path, do="do not trust this record")
        target = folder.joinpath(*parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        moved.append(path.rename(target))
    return moved


def files_of(release: Path) -> list[LocalFile]:
    """The files of a release, the small ones first, so that what is wrong shows soon.

    Raises:
        NotFoundError: there is no release.
        ConfigError: it is too large for a record, or holds what cannot be sent.
    """
    if not (release / DATACITE).is_file():
        inside = sorted(path.parent.name for path in release.glob(f"*/{DATACITE}"))
        do = (
            f"name one of its records: {', '.join(inside)}" if inside else "make one: aqqua export DATASET --to release"
        )
        raise NotFoundError("this is no record of a release: it has no datacite.json", where=release, do=do)
    files = sorted(_files(release), key=lambda file: (file.nbytes, file.key))
    nbytes = sum(file.nbytes for file in files)
    if len(files) > MAX_FILES or nbytes > MAX_BYTES:
        room = f"{MAX_FILES} files and {MAX_BYTES / 1e9:.0f} GB"
        what = f"{len(files)} files with {nbytes / 1e9:.1f} GB: a record holds {room}"
        do = (
            "put the images into an institution's store, and documents with checksums on Zenodo; or ask Zenodo for room"
        )
        raise ConfigError(what, where=release, do=do)
    return files


def _files(release: Path) -> Iterator[LocalFile]:
    for path in sorted(release.rglob("*")):
        if path.is_symlink():
            raise ConfigError("a release holds no links", where=path, do="put the file itself there")
        if path.is_file():
            about = path.stat()
            key = key_of(path.relative_to(release).as_posix())
            yield LocalFile(key, path, about.st_size, about.st_mtime_ns)


def metadata_of(release: Path, *, community: str = "") -> dict[str, Any]:
    """The deposit metadata of a release.

    Raises:
        FormatError: its datacite.json is damaged, or lacks what a record must say.
    """
    path = release / DATACITE
    try:
        if path.stat().st_size > _MAX_JSON_BYTES:
            raise ValueError("too large")
        said = json.loads(path.read_text("utf-8"))
        metadata = dict(_metadata(said))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise FormatError(f"datacite.json is damaged ({error!r})", where=path, do="make the release again") from error
    for name in ("title", "creators", "license"):
        if not metadata.get(name):
            raise FormatError(f"datacite.json says no {name}", where=path, do="make the release again")
    if community:
        metadata["communities"] = [{"identifier": community}]
    return metadata


def _metadata(said: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    texts = {one.get("descriptionType"): one["description"] for one in said.get("descriptions", [])}
    title = str(said["titles"][0]["title"])
    yield "upload_type", "dataset"
    yield "title", title
    yield "description", _html(str(texts.get("Abstract") or title))
    yield "creators", [_person(one) for one in said["creators"]]
    yield "contributors", _contributors(said.get("contributors", []))
    yield "access_right", "open"
    yield "license", str(said["rightsList"][0]["rightsIdentifier"]).lower()
    yield "version", str(said.get("version", ""))
    yield "language", "eng"
    yield "keywords", [str(one["subject"]) for one in said.get("subjects", [])]
    yield "related_identifiers", list(_related(said.get("relatedIdentifiers", [])))
    issued = [one["date"] for one in said.get("dates", []) if one.get("dateType") == "Issued"]
    if issued:
        yield "publication_date", str(issued[0])
    if texts.get("Other"):
        yield "notes", _html(str(texts["Other"]))
    yield "prereserve_doi", True


def _html(text: str) -> str:
    """Plain text as paragraphs; nothing in it is taken for HTML."""
    paragraphs = [part.strip() for part in text.replace("\r", "").split("\n\n")]
    return "".join(f"<p>{html.escape(part)}</p>" for part in paragraphs if part)


def _person(one: Mapping[str, Any]) -> dict[str, str]:
    name = str(one["name"])
    if one.get("nameType") != "Organizational":
        family, given = split_name(name)
        name = f"{family}, {given}" if given else family
    orcids = [
        str(entry["nameIdentifier"]).rpartition("/")[2]
        for entry in one.get("nameIdentifiers", [])
        if entry.get("nameIdentifierScheme") == "ORCID"
    ]
    places = [place if isinstance(place, str) else str(place["name"]) for place in one.get("affiliation", [])]
    made = {"name": name, "affiliation": "; ".join(places), "orcid": orcids[0] if orcids else ""}
    return {key: value for key, value in made.items() if value}


def _contributors(people: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    def kind(one: Mapping[str, Any]) -> str:
        return str(one["contributorType"]) if one.get("contributorType") in _CONTRIBUTORS.split() else "Other"

    return [{**_person(one), "type": kind(one)} for one in people]


def _related(entries: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, str]]:
    for one in entries:
        relation = str(one["relationType"])
        relation = relation[:1].lower() + relation[1:]
        yield {
            "identifier": str(one["relatedIdentifier"]),
            "relation": relation if relation in _RELATIONS.split() else "references",
        }
