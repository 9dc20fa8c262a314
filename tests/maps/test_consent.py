"""Nothing goes into maps without the owner's consent."""

from __future__ import annotations

from pathlib import Path

import pytest

from aqqua.errors import ConfigError
from aqqua.maps.abundance import abundance
from aqqua.maps.consent import owners_of, require_consent
from aqqua.metadata.card import Card, Person
from tests.make.counted import counted_dataset, rows


@pytest.mark.parametrize("answer", [None, False])
def test_without_consent_a_dataset_is_refused(tmp_path: Path, answer: bool | None) -> None:
    good = counted_dataset(tmp_path / "good", rows(1, "Calanoida"))
    bad = counted_dataset(tmp_path / "bad", rows(1, "Calanoida"), consent=answer)
    with pytest.raises(ConfigError) as refused:
        abundance([good.path, bad.path], tmp_path / "out.parquet")
    text = str(refused.value)
    assert "'Counted', owner Ada Example" in text
    assert str(bad.path) in text
    assert str(good.path) not in text
    assert "consent_global_interpolation: true" in text
    assert ("said no" in text) == (answer is False)
    assert not (tmp_path / "out.parquet").exists()


def test_all_refused_are_named_at_once(tmp_path: Path) -> None:
    parts = [counted_dataset(tmp_path / name, rows(1, "Calanoida"), consent=None) for name in ("a", "b")]
    with pytest.raises(ConfigError) as refused:
        require_consent(parts)
    assert all(str(one.path) in str(refused.value) for one in parts)
    require_consent([])


def test_owners() -> None:
    assert owners_of(Card()) == ""
    assert owners_of(Card(institution="A Marine Station")) == "A Marine Station"
    people = tuple(Person(f"P{number}") for number in range(7))
    assert owners_of(Card(people=people, contact="p0@example.org")) == "P0, P1, P2, P3, P4 and others"
