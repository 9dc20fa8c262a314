"""Accounts are found by e-mail address although the server searches names only."""

from __future__ import annotations

import pytest

from aqqua.errors import ConfigError, UnknownNameError
from aqqua.sources.ecotaxa_api.models import Member
from aqqua.sources.ecotaxa_api.people import AQQUA, find_user
from tests.sources.ecotaxa_api.conftest import Cast


@pytest.mark.parametrize("who", [AQQUA, "AQQUA@GEOMAR.DE", "AqQua Service", "aqqua service", "qqua"])
def test_by_address_or_name(cast: Cast, who: str) -> None:
    assert find_user(cast.client, who).id == cast.aqqua.id


def test_an_address_is_tried_in_parts(cast: Cast) -> None:
    marie = cast.world.add_person("Marie Curie", "marie.curie2@lab.test")
    assert find_user(cast.client, "marie.curie2@lab.test").id == marie.id


def test_another_of_the_same_name_is_not_taken(cast: Cast) -> None:
    cast.world.add_person("AqQua Impostor", "aqqua@elsewhere.test")
    assert find_user(cast.client, AQQUA).id == cast.aqqua.id


def test_an_address_that_does_not_tell_the_name_needs_it(cast: Cast) -> None:
    person = cast.world.add_person("Zoé Ångström", "x77@lab.test")
    with pytest.raises(ConfigError, match="--name"):
        find_user(cast.client, "x77@lab.test")
    assert find_user(cast.client, "x77@lab.test", name="Zoé").id == person.id


def test_or_to_be_a_member_of_a_project(cast: Cast) -> None:
    member = Member(id=77, name="Zoé", email="X77@lab.test")
    assert find_user(cast.client, "x77@lab.test", known=[member]).id == 77


def test_inactive_accounts_are_not_found(cast: Cast) -> None:
    cast.aqqua.status = 0
    with pytest.raises(ConfigError, match="must be active"):
        find_user(cast.client, AQQUA)
    with pytest.raises(UnknownNameError, match="AqQua Service"):
        find_user(cast.client, "AqQua Service")


def test_several_of_a_name_are_told(cast: Cast) -> None:
    cast.world.add_person("Bob Builder", "builder@lab.test")
    with pytest.raises(ConfigError, match=r"Bob Annotator <bob@lab\.test>, Bob Builder"):
        find_user(cast.client, "bob")
    assert find_user(cast.client, "Bob Builder").email == "builder@lab.test"
