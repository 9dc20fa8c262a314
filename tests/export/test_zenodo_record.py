"""What a record says, what its files are called, and what becomes of damaged documents."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aqqua.errors import ConfigError, FormatError
from aqqua.export.zenodo_journal import Journal
from aqqua.export.zenodo_record import key_of, metadata_of, path_of
from tests.make.zenodo_releases import DATACITE, small_release


def test_the_metadata_are_those_of_datacite(tmp_path: Path) -> None:
    metadata = metadata_of(small_release(tmp_path), community="aqqua")
    assert metadata["creators"] == [
        {"name": "Larsen, Ada", "affiliation": "Institute of Marine Research", "orcid": "0000-0002-1825-0097"}
    ]
    assert metadata["contributors"] == [
        {"name": "Adeyemi, Jo", "type": "Supervisor"},
        {"name": "Exampletown University", "type": "Other"},
    ]
    assert metadata["description"] == "<p>One &lt;b&gt;.</p><p>Two &amp; three.</p>"
    assert metadata["related_identifiers"] == [
        {"identifier": "10.5281/zenodo.1", "relation": "isDerivedFrom"},
        {"identifier": "10.5281/zenodo.2", "relation": "references"},
    ]
    assert (metadata["license"], metadata["upload_type"], metadata["version"]) == ("cc-by-4.0", "dataset", "1.2")
    assert (metadata["publication_date"], metadata["prereserve_doi"]) == ("2027-07-15", True)
    assert metadata["communities"] == [{"identifier": "aqqua"}]


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1), min_size=1, max_size=3))
def test_names_lead_back_or_are_refused(parts: list[str]) -> None:
    path = "/".join(parts)
    try:
        key = key_of(path)
    except ConfigError:
        assert "_" in path
    else:
        assert "/" not in key
        assert path_of(key) == path


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda one: (
        st.lists(one)
        | st.dictionaries(
            st.sampled_from(sorted(DATACITE))
            | st.sampled_from(["title", "name", "description", "number", "files", "key"]),
            one,
        )
    ),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=JSON)
def test_damaged_documents_are_told_and_nothing_else_happens(
    said: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    damaged = {**DATACITE, **said} if isinstance(said, dict) else said
    (folder / "datacite.json").write_text(json.dumps(damaged))
    with suppress(FormatError):  # and nothing else
        assert metadata_of(folder)["title"]
    journal = {"aqqua_zenodo_journal": 1, "server": "", "release": "", "inherited": [], "number": said, "files": said}
    (folder / "journal.json").write_text(json.dumps(journal))
    with pytest.raises(FormatError, match="no journal"):
        Journal.read(folder / "journal.json")
