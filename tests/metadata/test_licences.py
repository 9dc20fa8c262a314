"""The algebra of licences and embargoes: what the facts say, and laws that hold for every licence and date."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqqua.errors import UnknownNameError
from aqqua.metadata import card
from aqqua.metadata.card import Card
from aqqua.metadata.licences import (
    LICENCES,
    UNKNOWN,
    may_enter,
    may_learn,
    may_pass_into,
    may_publish,
    may_share_card,
    shared_licences,
)

DAY = date(2027, 7, 15)
licences = st.sampled_from(sorted(LICENCES))
stated = st.sampled_from(sorted(set(LICENCES) - {UNKNOWN}))
days = st.dates(date(2020, 1, 1), date(2040, 1, 1))
publish = st.sampled_from(card.PUBLISH)

PAIRS = {
    # data, record: may the data go into the record?
    ("CC0-1.0", "CC-BY-4.0"): True,
    ("CC0-1.0", "CC-BY-ND-4.0"): True,
    ("PDDL-1.0", "ODbL-1.0"): True,
    ("CC-BY-4.0", "CC-BY-NC-4.0"): True,
    ("CC-BY-4.0", "CC-BY-SA-4.0"): True,
    ("CC-BY-3.0", "CC-BY-4.0"): True,
    ("OGL-UK-3.0", "CC-BY-4.0"): True,
    ("etalab-2.0", "CC-BY-4.0"): True,
    ("CC-BY-NC-4.0", "CC-BY-NC-SA-4.0"): True,
    ("CC-BY-4.0", "CC0-1.0"): False,
    ("CC-BY-NC-4.0", "CC-BY-4.0"): False,
    ("CC-BY-NC-4.0", "CC-BY-SA-4.0"): False,
    ("CC-BY-SA-4.0", "CC-BY-NC-4.0"): False,
    ("CC-BY-SA-4.0", "CC-BY-NC-SA-4.0"): False,
    ("CC-BY-SA-4.0", "CC-BY-SA-4.0"): True,
    ("CC-BY-ND-4.0", "CC-BY-4.0"): False,
    ("CC-BY-ND-4.0", "CC-BY-ND-4.0"): True,
    ("ODbL-1.0", "CC-BY-SA-4.0"): False,
    ("ODC-By-1.0", "CC-BY-4.0"): False,
    ("unknown", "CC-BY-4.0"): False,
    ("unknown", "unknown"): False,
    ("CC0-1.0", "unknown"): False,
}


@pytest.mark.parametrize(("data", "release"), PAIRS)
def test_pairs_that_people_ask_about(data: str, release: str) -> None:
    verdict = may_pass_into(data, release)
    assert verdict.ok is PAIRS[data, release]
    assert verdict.why


def test_the_reasons_can_be_read() -> None:
    assert "share alike" in str(may_pass_into("CC-BY-SA-4.0", "CC-BY-NC-4.0"))
    assert "no derivatives" in str(may_pass_into("CC-BY-ND-4.0", "CC-BY-4.0"))
    assert str(may_pass_into("CC-BY-NC-4.0", "CC0-1.0")) == (
        "CC-BY-NC-4.0 asks for credit, CC0-1.0 does not; CC-BY-NC-4.0 asks for non-commercial use, CC0-1.0 does not"
    )
    assert "ask the owners" in str(may_pass_into("unknown", "CC-BY-4.0"))


def test_all_reasons_are_told_at_once() -> None:
    verdict = may_enter("CC-BY-SA-4.0", "CC-BY-4.0", on=DAY, publish="embargo", publish_on="2028-01-01", withdrawn=True)
    assert len(verdict.why) == 3
    assert "withdrawn" in verdict.why[0]
    assert "embargo until 2028-01-01; the release is dated 2027-07-15" in verdict.why[2]


def test_an_embargo_ends_on_its_day() -> None:
    assert not may_publish("embargo", "2027-07-15", DAY - timedelta(days=1))
    assert may_publish("embargo", "2027-07-15", DAY)
    assert may_publish("on", "2027-07-15", DAY)
    assert not may_publish("on", "2027-07-16", DAY)
    assert not may_publish("embargo", "", DAY)
    assert not may_publish("never", "", DAY)
    assert may_publish("", "", DAY)


def test_the_licence_of_the_publication_wins() -> None:
    assert may_enter("CC-BY-SA-4.0", "CC-BY-NC-4.0", on=DAY, publish_licence="CC-BY-NC-4.0")
    assert not may_enter("CC-BY-4.0", "CC-BY-4.0", on=DAY, publish_licence="CC-BY-NC-4.0")
    assert not may_enter("CC-BY-4.0", "CC-BY-4.0", on=DAY, publish_licence="unknown")


def test_whether_a_model_may_learn_is_a_question_of_its_own() -> None:
    assert not may_learn(Card(licence="CC0-1.0"))
    assert not may_learn(Card(licence="CC0-1.0", license_allows_training=False))
    assert may_learn(Card(licence="CC-BY-ND-4.0", license_allows_training=True, publish="never"))


def test_licences_that_several_datasets_share() -> None:
    assert "CC-BY-NC-4.0" in shared_licences(["CC-BY-4.0", "CC-BY-NC-4.0", "CC0-1.0"])
    assert "CC-BY-4.0" not in shared_licences(["CC-BY-4.0", "CC-BY-NC-4.0"])
    assert shared_licences(["CC-BY-SA-4.0", "CC-BY-NC-4.0"]) == ()


NEVER = Card(licence="CC-BY-4.0", publish="never")
LATE = Card(licence="CC-BY-4.0", publish="embargo", publish_on="2028-01-01")
EARLY = Card(licence="CC-BY-4.0", publish="on", publish_on="2027-07-15")


@pytest.mark.parametrize(
    ("part", "whole", "ok"),
    [
        (EARLY, EARLY, True),
        (EARLY, LATE, True),
        (LATE, EARLY, False),
        (LATE, Card(), False),
        (NEVER, EARLY, False),
        (NEVER, NEVER, True),
        (LATE, NEVER, True),
        (Card(licence="CC-BY-SA-4.0"), Card(licence="CC-BY-4.0"), False),
        (Card(licence="CC0-1.0"), Card(licence="CC-BY-4.0"), True),
        (Card(licence="CC-BY-4.0"), Card(), True),
        (Card(), Card(licence="CC-BY-4.0"), True),
        (Card(licence="CC-BY-SA-4.0", publish_licence="CC-BY-4.0"), Card(licence="CC-BY-4.0"), True),
    ],
)
def test_which_source_may_come_under_which_card(part: Card, whole: Card, ok: bool) -> None:
    verdict = may_share_card(part, whole)
    assert verdict.ok is ok
    assert verdict.why


@given(stated, stated, stated, publish, publish, days, days, days)
def test_law_a_release_of_the_whole_breaks_no_promise_to_a_part(
    one: str, two: str, release: str, said: str, other: str, until: date, later: date, on: date
) -> None:
    part = Card(licence=one, publish=said, publish_on=until.isoformat() if said in {"on", "embargo"} else "")
    whole = Card(licence=two, publish=other, publish_on=later.isoformat() if other in {"on", "embargo"} else "")

    def may(card: Card) -> bool:
        return may_enter(card.licence, release, on=on, publish=card.publish, publish_on=card.publish_on).ok

    if may_share_card(part, whole) and may(whole):
        assert may(part)


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"CC-BY-4\.0"):
        may_pass_into("CC-BY-4", "CC-BY-4.0")


def test_every_licence_says_what_it_asks_for() -> None:
    for name, licence in LICENCES.items():
        assert name == licence.spdx
        assert licence.summary()
        assert licence.url.startswith("https://") or name == UNKNOWN
    assert tuple(LICENCES) == card.LICENCES


# ---- laws


@given(stated)
def test_law_data_may_be_released_under_their_own_licence(licence: str) -> None:
    assert may_pass_into(licence, licence)


@given(licences, licences, licences)
def test_law_passing_on_is_transitive(one: str, two: str, three: str) -> None:
    if may_pass_into(one, two) and may_pass_into(two, three):
        assert may_pass_into(one, three)


@given(licences, licences)
def test_law_no_condition_is_ever_lost(data: str, release: str) -> None:
    if may_pass_into(data, release):
        for fact in ("attribution", "share_alike", "non_commercial", "no_derivatives"):
            assert getattr(LICENCES[release], fact) >= getattr(LICENCES[data], fact)


@given(licences, licences)
def test_law_what_holds_on_to_data_goes_nowhere_else(data: str, release: str) -> None:
    if LICENCES[data].stays and data != release:
        assert not may_pass_into(data, release)


@given(licences)
def test_law_nothing_enters_or_leaves_unstated_terms(licence: str) -> None:
    assert not may_pass_into(licence, UNKNOWN)
    assert not may_pass_into(UNKNOWN, licence)


@given(stated)
def test_law_the_public_domain_goes_everywhere(licence: str) -> None:
    assert may_pass_into("CC0-1.0", licence)
    assert may_pass_into("PDDL-1.0", licence)


@given(licences, licences, publish, days, days, st.integers(0, 4000))
def test_law_what_may_be_released_may_be_released_later(
    data: str, release: str, said: str, until: date, on: date, later: int
) -> None:
    if may_enter(data, release, on=on, publish=said, publish_on=until.isoformat()):
        assert may_enter(data, release, on=on + timedelta(later), publish=said, publish_on=until.isoformat())


@given(licences, licences, days, days)
def test_law_never_and_withdrawn_win_over_all(data: str, release: str, until: date, on: date) -> None:
    assert not may_enter(data, release, on=on, publish="never", publish_on=until.isoformat())
    assert not may_enter(data, release, on=on, withdrawn=True)


@given(licences, licences, publish, days, days, st.booleans())
def test_law_every_verdict_has_a_reason(
    data: str, release: str, said: str, until: date, on: date, withdrawn: bool
) -> None:
    verdict = may_enter(data, release, on=on, publish=said, publish_on=until.isoformat(), withdrawn=withdrawn)
    assert verdict.why
    assert verdict.ok is bool(verdict)


@given(st.lists(stated, min_size=1, max_size=5))
def test_law_shared_licences_need_no_order_and_shrink_with_each_dataset(names: list[str]) -> None:
    shared = set(shared_licences(names))
    assert shared == set(shared_licences(sorted(names, reverse=True)))
    assert shared <= set(shared_licences(names[:-1] or names))
    assert all(may_pass_into(name, one) for name in names for one in shared)
