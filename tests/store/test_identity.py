from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aqqua.errors import FormatError, NotFoundError
from aqqua.store.identity import FILE_NAME, new_identity, read_identity, tool_versions, write_identity


def test_an_identity_comes_back_with_counts_and_tools(tmp_path: Path) -> None:
    identity = new_identity()
    write_identity(tmp_path, identity, counts={"images": 3})
    again = read_identity(tmp_path)
    assert again == {**identity, "counts": {"images": 3}, "tools": tool_versions()}
    assert again["version"] == {"major": 1, "minor": 1}
    assert new_identity()["uuid"] != identity["uuid"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": {"major": 2, "minor": 0}}, "format 2.0.*update aqqua"),
        ({"required_features": ["masks-v2"]}, "needs masks-v2.*update aqqua"),
        ({"format": "Something Else"}, "no dataset"),
        ({"version": {"major": "1", "minor": 0}}, "no dataset"),
        ({"version": 1}, "damaged"),
        ({"version": {}}, "damaged"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    (tmp_path / FILE_NAME).write_text(json.dumps({**new_identity(), **change}))
    with pytest.raises(FormatError) as caught:
        read_identity(tmp_path)
    import re

    assert re.search(message, str(caught.value), re.DOTALL)


def test_a_newer_minor_version_is_read(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text(json.dumps({**new_identity(), "version": {"major": 1, "minor": 9}, "more": 1}))
    assert read_identity(tmp_path)["more"] == 1


def test_missing_and_damaged_files(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no dataset here"):
        read_identity(tmp_path)
    for text in ("{", "[]", "null", "\xff"):
        (tmp_path / FILE_NAME).write_text(text, encoding="latin-1")
        with pytest.raises(FormatError, match="damaged"):
            read_identity(tmp_path)
