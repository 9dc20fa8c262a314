from __future__ import annotations

import polars as pl
import pytest

from aqqua.export.ecotaxa_taxa import id_of, ids_in, with_own_ids
from aqqua.metadata.taxa import match, taxa

KNOWN = [taxon for taxon in taxa().values() if taxon.ecotaxa_id]


@pytest.mark.parametrize("taxon", KNOWN, ids=lambda taxon: taxon.name)
def test_every_taxon_of_the_snapshot_has_its_own_id(taxon: object) -> None:
    assert id_of(taxon.name) == taxon.ecotaxa_id  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["larvae<Polychaeta", "copepod_calanoid_eggs", "t001", "no such thing", "<", ""])
def test_what_is_finer_than_a_taxon_has_no_id(name: str) -> None:
    assert id_of(name) is None


def test_a_parent_behind_the_name_changes_nothing() -> None:
    assert id_of("Oncaeidae<Cyclopoida") == id_of("Oncaeidae (Cyclopoida)") == id_of("Oncaeidae") is not None


def test_an_id_is_kept_where_the_source_gave_it_or_the_name_is_the_same() -> None:
    taxon = next(taxon for taxon in KNOWN if match(f"larvae<{taxon.name}") == taxon)
    part, number = f"larvae<{taxon.name}", taxon.ecotaxa_id
    labels = pl.DataFrame(
        {"uid": [1, 2, 3, 4], "label": [part, part, taxon.name, None], "ecotaxa_id": [number, 123456, number, 5]}
    )
    kept = with_own_ids(labels)
    assert kept["uid"].to_list() == [1, 2, 3, 4]
    assert kept["ecotaxa_id"].to_list() == [None, 123456, number, 5]
    assert ids_in(kept) == {part: 123456, taxon.name: number}


def test_contradictions_are_left_out() -> None:
    labels = pl.DataFrame({"label": ["a", "a", "b", "b", None], "ecotaxa_id": [1, 2, 3, 3, 4]})
    assert ids_in(labels) == {"b": 3}
