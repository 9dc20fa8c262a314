"""Lists of fields that fit into an address, pages that are kept, answers that are shorter than what was asked for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqqua.errors import RemoteError
from aqqua.sources.ecotaxa_api.client import EcotaxaClient
from aqqua.sources.ecotaxa_api.listing import field_groups, list_objects, object_fields, read_states, text_of
from aqqua.sources.ecotaxa_api.models import Page, Project

PROJECT = Project(projid=1, obj_free_cols={"area": "n01", "a,b": "n02"})


class Server:
    """Answers queries from a list of ids; forgets fields, or objects, as told."""

    def __init__(self, ids: Sequence[int], drop: int = 0) -> None:
        self.ids, self.drop = list(ids), drop
        self.asked: list[int] = []
        self.vanish: int | None = None

    def query(self, projid: int, fields: Sequence[str], filters: Any = None, *, start: int = 0, size: int = 5) -> Page:
        self.asked.append(start)
        shown = self.ids[start : start + size]
        details = [[one if name == "obj.objid" else None for name in fields][self.drop :] for one in shown]
        page = Page(object_ids=shown, acquisition_ids=[7] * len(shown), sample_ids=[8] * len(shown),
                    project_ids=[projid] * len(shown), details=details, total_ids=len(self.ids))  # fmt: skip
        if self.vanish is not None:
            self.ids.remove(self.vanish)
            self.vanish = None
        return page


def client(server: Server) -> EcotaxaClient:
    return cast("EcotaxaClient", server)


@given(st.lists(st.text(min_size=1, max_size=30), max_size=40), st.integers(1, 200))
def test_groups_hold_all_fields_in_order_and_none_is_too_long(fields: list[str], most: int) -> None:
    groups = field_groups(fields, most)
    assert [name for group in groups for name in group] == fields
    assert all(len(group) == 1 or sum(len(name) + 3 for name in group) <= most + 3 for group in groups[:-1] if group)


def test_fields_are_known_ones_and_the_person_is_not_among_them() -> None:
    fields = object_fields(PROJECT)
    assert "fre.area" in fields
    assert "fre.a,b" not in fields, "a comma cannot be asked for"
    assert not any(name.startswith("usr.") or name.endswith("who") for name in fields)


def test_pages_that_are_there_are_not_asked_for_again(tmp_path: Path) -> None:
    server = Server(range(1, 13))
    frame = list_objects(client(server), PROJECT, tmp_path / "pages", page=5)
    assert frame["obj.objid"].to_list() == [str(n) for n in range(1, 13)]
    assert set(frame["_sample"]) == {"8"}
    assert server.asked == [0, 5, 10]
    (tmp_path / "pages" / f"{10:012}.parquet").unlink()
    assert list_objects(client(server), PROJECT, tmp_path / "pages", page=5).equals(frame)
    assert server.asked == [0, 5, 10, 10]


def test_old_pages_and_those_of_other_fields_are_thrown_away(tmp_path: Path) -> None:
    server = Server(range(3))
    list_objects(client(server), PROJECT, tmp_path / "pages")
    note = tmp_path / "pages" / "listing.json"
    told = json.loads(note.read_text(encoding="utf-8"))
    note.write_text(json.dumps({**told, "begun_utc": "2020-01-01T00:00:00+00:00"}), encoding="utf-8")
    list_objects(client(server), PROJECT, tmp_path / "pages")
    list_objects(client(server), Project(projid=1, obj_free_cols={"other": "n01"}), tmp_path / "pages")
    assert server.asked == [0, 0, 0]


def test_an_object_that_vanishes_between_pages_makes_it_begin_anew(tmp_path: Path) -> None:
    server = Server(range(1, 13))
    server.vanish = 2
    frame = list_objects(client(server), PROJECT, tmp_path / "pages", page=5)
    assert frame["obj.objid"].to_list() == [str(n) for n in range(1, 13) if n != 2]


def test_dropped_fields_are_noticed(tmp_path: Path) -> None:
    with pytest.raises(RemoteError, match="left out 1 of"):
        list_objects(client(Server(range(3), drop=1)), PROJECT, tmp_path / "pages")
    with pytest.raises(RemoteError, match="left out 1 of"):
        read_states(client(Server(range(3), drop=1)), 1)


def test_a_project_without_objects_is_an_empty_table(tmp_path: Path) -> None:
    assert list_objects(client(Server([])), PROJECT, tmp_path / "pages").is_empty()
    assert read_states(client(Server([])), 1).is_empty()


def test_states_of_all_pages() -> None:
    assert read_states(client(Server(range(12))), 1, page=5)["objid"].to_list() == list(range(12))


@pytest.mark.parametrize(("value", "text"), [(None, None), (float("nan"), None), (1.5, "1.5"), (7, "7"), ("°", "°")])
def test_values_as_text(value: object, text: str | None) -> None:
    assert text_of(value) == text
