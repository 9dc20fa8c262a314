"""Changes of a project's JSON: one right of one user, nothing else, whatever else is in there."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from aqqua.sources.ecotaxa_api import acl
from aqqua.sources.ecotaxa_api.models import Right

AQQUA = {"id": 10, "email": "aqqua@geomar.de", "name": "AqQua Service", "organisation": "org"}
LISTS = [right.key for right in Right]


def person(number: int) -> dict[str, Any]:
    return {"id": number, "email": f"{number}@lab.test", "name": str(number), "organisation": None, "orcid": "new key"}


people = st.lists(st.integers(1, 30), unique=True, max_size=12)
values = st.none() | st.integers() | st.text(max_size=5) | st.dictionaries(st.text(max_size=3), st.none(), max_size=2)


@st.composite
def projects(draw: st.DrawFn) -> dict[str, Any]:
    """Projects with any members, each in one list, and with keys nobody knows."""
    raw: dict[str, Any] = {"projid": 1, "title": "t", **draw(st.dictionaries(st.text("xyz_", min_size=1), values))}
    raw |= {key: [] for key in LISTS}
    for number in draw(people):
        raw[draw(st.sampled_from(LISTS))].append(person(number))
    return raw


rights = st.none() | st.sampled_from(list(Right))


@given(projects(), rights)
def test_one_right_changes_and_nothing_else(raw: dict[str, Any], right: Right | None) -> None:
    before = copy.deepcopy(raw)
    changed = acl.with_right(raw, AQQUA, right)
    assert raw == before
    assert acl.right_in(changed, 10) is right
    assert sum(one["id"] == 10 for key in LISTS for one in changed[key]) == (right is not None)
    for key in LISTS:
        assert [one for one in changed[key] if one["id"] != 10] == [one for one in raw[key] if one["id"] != 10]
    assert {k: v for k, v in changed.items() if k not in LISTS} == {k: v for k, v in raw.items() if k not in LISTS}


@given(projects(), rights)
def test_back_again_means_the_same(raw: dict[str, Any], right: Right | None) -> None:
    was = acl.right_in(raw, 10)
    back = acl.with_right(acl.with_right(raw, AQQUA, right), AQQUA, was)
    assert acl.differences(raw, back) == []


@given(projects(), st.integers(40, 50))
def test_any_other_member_is_a_difference(raw: dict[str, Any], number: int) -> None:
    other = acl.with_right(raw, person(number), Right.ANNOTATE)
    assert acl.differences(raw, other) == ["annotators"]
    assert acl.differences(other, raw) == ["annotators"]


def test_a_new_member_has_all_four_keys_the_server_wants() -> None:
    changed = acl.with_right({"viewers": None}, {**AQQUA, "organisation": None, "status": 1}, Right.VIEW)
    assert changed["viewers"] == [{**AQQUA, "organisation": ""}]


def test_what_the_server_counts_and_completes_is_no_difference() -> None:
    sent = {"objcount": 5.0, "bodc_variables": {}, "highest_right": "Manage", "contact": person(1)}
    found = {"objcount": 6.0, "bodc_variables": {"subsample_coef": None}, "highest_right": "", "contact": {"id": 1}}
    assert acl.differences(sent, found) == []
    assert acl.differences(sent, {**found, "bodc_variables": {"subsample_coef": "1"}}) == ["bodc_variables"]
    assert acl.differences(sent, {**found, "contact": None}) == ["contact"]
    assert acl.differences(sent, {**found, "comments": "new"}) == ["comments"]


def test_a_contact_must_manage() -> None:
    raw = {"managers": [person(1)], "contact": None}
    assert "no contact" in str(acl.contact_problem(raw))
    assert "does not manage" in str(acl.contact_problem({**raw, "contact": person(2)}))
    assert acl.contact_problem(acl.with_contact(raw, person(1))) is None
    assert raw["contact"] is None
