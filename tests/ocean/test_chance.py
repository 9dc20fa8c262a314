from __future__ import annotations

from aqqua.ocean.chance import bend, named_rng


def test_same_name_same_numbers_and_any_other_name_others() -> None:
    first = named_rng(0, "organism", 7).random(4)
    assert (first == named_rng(0, "organism", 7).random(4)).all()
    for other in (named_rng(1, "organism", 7), named_rng(0, "organism", 8), named_rng(0, "organism7")):
        assert (first != other.random(4)).all()


def test_numbers_are_those_of_always() -> None:
    assert named_rng(0, "organism", 7).integers(1000, size=3).tolist() == [277, 765, 297]


def test_bend_stays_within_its_limit() -> None:
    rng = named_rng(0, "bend")
    assert max(abs(bend(rng, 1.0, 0.5)) for _ in range(200)) == 0.5
