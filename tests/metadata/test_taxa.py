"""Names of taxa and labels that mean them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqqua.metadata.taxa import by_ecotaxa_id, clean, match, taxa


@pytest.mark.parametrize("name", sorted(taxa()))
def test_every_taxon_finds_itself(name: str) -> None:
    taxon = match(name)
    assert taxon is taxa()[name]
    assert taxon.lineage[-1] == name
    assert taxon.lineage[0] in {"Biota", "not-living", "filament"}


def test_identifiers_are_unique() -> None:
    for kind in ("aphia_id", "ecotaxa_id"):
        numbers = [getattr(taxon, kind) for taxon in taxa().values() if getattr(taxon, kind)]
        assert len(numbers) == len(set(numbers))


def test_only_taxa_have_aphia_ids() -> None:
    assert all(taxon.aphia_id is None for taxon in taxa().values() if taxon.rank == "category")


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Oncaeidae", "Oncaeidae"),
        ("  calanoida ", "Calanoida"),
        ("Mesodinium_rubrum", "Mesodinium rubrum"),
        ("Mesodinium_major", "Mesodinium"),
        ("Chaetoceros sp.", "Chaetoceros"),
        ("part<Ciliophora", "Ciliophora"),
        ("part (Annelida)", "Annelida"),
        ("larvae<Polychaeta", "Polychaeta"),
        ("nauplii<Crustacea", "Crustacea"),
        ("nauplii<Copepoda", "Copepoda"),
        ("chain<Bacillariophyceae", "Bacillariophyceae"),
        ("Cyanobacteria<Proteobacteria", "Cyanobacteria"),
        ("Cnidaria<Metazoa", "Cnidaria"),
        ("fiber<detritus", "fiber"),
        ("egg<other", "egg"),
        ("other<Biota", "other"),
        ("multiple<other", "multiple"),
        ("copepoda-cut", "Copepoda"),
        ("copepod_calanoid_small_longantennae", "Calanoida"),
        ("copepod_cyclopoid_oithona_eggs", "Oithona"),
        ("diatom_chain_string", "Bacillariophyceae"),
        ("trichodesmium_puff", "Trichodesmium"),
        ("fecal_pellet", "fecal pellet"),
        ("fecal pellets", "fecal pellet"),
        ("shrimp-like_other", "Malacostraca"),
        ("artifacts_edge", "artefact"),
        ("marine snow", "marine snow"),
    ],
)
def test_labels(label: str, name: str) -> None:
    taxon = match(label)
    assert taxon is not None
    assert taxon.name == name


@pytest.mark.parametrize(
    "label", ["t001", "unknown_sticks", "Strombidium-like", "ozzeur", "Foo<Copepoda", "class 7", "", "<", "part<Foobar"]
)
def test_what_has_no_taxon(label: str) -> None:
    assert match(label) is None


@given(st.text())
def test_no_label_breaks_it(label: str) -> None:
    assert clean(clean(label)) == clean(label) or label
    match(label)


def test_by_ecotaxa_id() -> None:
    taxon = by_ecotaxa_id(45072)
    assert taxon is not None
    assert taxon.name == "Cyclopoida"
    assert taxon.lineage == ("Biota", "Animalia", "Arthropoda", "Crustacea", "Multicrustacea", "Copepoda", "Cyclopoida")
    assert by_ecotaxa_id(4711) is None
