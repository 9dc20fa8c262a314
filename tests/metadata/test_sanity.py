"""Odd values are told, with their line."""

from __future__ import annotations

from aqqua.metadata.card import Card
from aqqua.metadata.harmonise import harmonise
from tests.metadata.rows import good, raw_table


def test_optional_numbers_that_cannot_be_read_are_told_with_their_line() -> None:
    raw = raw_table([good(acq_sub_part="8"), good(acq_sub_part="hi"), good(acq_sub_part="NaN")])
    made = harmonise(raw, source="ecotaxa_export", card=Card())
    (found,) = (finding for finding in made.findings if finding.code == "value_unreadable")
    assert "'hi' in column acq_sub_part" in found.message
    assert found.where == f"{raw['source_path'][1]}, line {raw['source_row'][1]}"
    assert found.count == 1
    assert made.converted["subsample_factor"].to_list() == [8, None, None]
