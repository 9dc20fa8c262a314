from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aqqua.curate.groups import Groups

PAIRS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=40)


@given(PAIRS, st.randoms())
def test_groups_are_what_pairs_connect_in_whatever_order(pairs: list[tuple[int, int]], random: object) -> None:
    groups = Groups(pairs)
    shuffled = list(pairs)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert Groups(shuffled).all() == groups.all()
    assert all(groups.of(a) == groups.of(b) for a, b in pairs)
    members = [member for some in groups.all().values() for member in some]
    assert len(members) == len(set(members))
    assert all(first == min(some) and len(some) > 1 for first, some in groups.all().items())
    assert set(members) == {number for pair in pairs for number in pair if pair[0] != pair[1]} | set(members)


def test_a_number_nobody_joined_is_alone() -> None:
    groups = Groups([(3, 1)])
    assert (groups.of(3), groups.of(9)) == (1, 9)
    assert groups.all() == {1: [1, 3]}
