"""A miniature release: a few files, and the DataCite document that a record on Zenodo is described from."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

__all__ = ["DATACITE", "contents", "small_release"]

DATACITE: dict[str, Any] = {
    "titles": [{"title": "Nets off Exampletown"}],
    "creators": [
        {
            "name": "Ada Larsen",
            "nameType": "Personal",
            "nameIdentifiers": [
                {"nameIdentifier": "https://orcid.org/0000-0002-1825-0097", "nameIdentifierScheme": "ORCID"}
            ],
            "affiliation": [{"name": "Institute of Marine Research"}],
        }
    ],
    "contributors": [
        {"name": "Jo Adeyemi", "nameType": "Personal", "contributorType": "Supervisor"},
        {"name": "Exampletown University", "nameType": "Organizational", "contributorType": "Novelty"},
    ],
    "descriptions": [{"description": "One <b>.\n\nTwo & three.", "descriptionType": "Abstract"}],
    "rightsList": [{"rightsIdentifier": "CC-BY-4.0"}],
    "version": "1.2",
    "subjects": [{"subject": "plankton"}],
    "relatedIdentifiers": [
        {"relatedIdentifier": "10.5281/zenodo.1", "relatedIdentifierType": "DOI", "relationType": "IsDerivedFrom"},
        {"relatedIdentifier": "10.5281/zenodo.2", "relatedIdentifierType": "DOI", "relationType": "Novelty"},
    ],
    "dates": [{"date": "2027-07-15", "dateType": "Issued"}],
}


def small_release(folder: Path) -> Path:
    """Five files, one of them of 3 MB, one empty."""
    made = folder / "nets-1.2"
    (made / "data" / "images").mkdir(parents=True)
    (made / "datacite.json").write_text(json.dumps(DATACITE))
    (made / "bagit.txt").write_text("BagIt-Version: 1.0\n")
    (made / "data" / "card.yaml").write_text("title: nets\n")
    (made / "data" / "images" / "000.lmdb").write_bytes(os.urandom(3_000_000))
    (made / "data" / "empty.txt").touch()
    return made


def contents(release: Path) -> dict[str, bytes]:
    """The files of a release, by their names in a record."""
    return {
        path.relative_to(release).as_posix().replace("/", "__"): path.read_bytes()
        for path in release.rglob("*")
        if path.is_file()
    }
