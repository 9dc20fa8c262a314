"""Names up the tree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqqua.errors import UnknownNameError
from aqqua.maps.rollup import OTHER, UNKNOWN, roll_up
from aqqua.metadata.taxa import builtin

NAMES = sorted(builtin().taxa)


@given(st.lists(st.sampled_from(NAMES), min_size=1, max_size=20), st.lists(st.sampled_from(NAMES), max_size=5))
def test_every_name_goes_to_one_place(labels: list[str], wanted: list[str]) -> None:
    rolled = roll_up(labels, builtin(), taxa=wanted)
    assert set(rolled.target) == set(labels)
    for label, target in rolled.target.items():
        if wanted:
            assert target in {*wanted, OTHER, UNKNOWN}
            assert label not in wanted or target == label
        else:
            assert target == label


def test_the_nearest_counts_and_says_what_it_excludes() -> None:
    rolled = roll_up(["Calanus", "Oithona", "Chaetognatha"], builtin(), taxa=["copepods", "Calanoida"])
    assert rolled.target == {"Calanus": "Calanoida", "Oithona": "Copepoda", "Chaetognatha": OTHER}
    assert rolled.excludes["Copepoda"] == ("Calanoida",)
    assert rolled.aphia_id["Calanoida"] == 1100


def test_labels_with_stages_and_words_nobody_knows() -> None:
    rolled = roll_up(["nauplii<Copepoda", "t001", UNKNOWN], builtin())
    assert rolled.target == {"nauplii<Copepoda": "Copepoda", "t001": "t001", UNKNOWN: UNKNOWN}
    assert roll_up(["t001", UNKNOWN], builtin(), taxa=["Copepoda"]).target == {"t001": OTHER, UNKNOWN: UNKNOWN}


def test_a_rank_that_is_none() -> None:
    with pytest.raises(UnknownNameError, match="clas"):
        roll_up(["Calanus"], builtin(), rank="clas")
