"""Labels taken apart: taxon, qualifiers, parents."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqqua.metadata.label_parts import parse
from aqqua.metadata.qualifiers import Qualifiers, read_qualifiers
from aqqua.ocean.organisms import TAXA


@pytest.mark.parametrize(
    ("label", "taxon", "said"),
    [
        ("nauplii<Copepoda", "Copepoda", {"stage": "nauplius"}),
        ("part<Cnidaria", "Cnidaria", {"part": "part"}),
        ("tail<Appendicularia", "Appendicularia", {"part": "tail"}),
        ("nectophore<Diphyidae", "Diphyidae", {"part": "nectophore"}),
        ("Calanus finmarchicus (CV female)", "Calanus finmarchicus", {"stage": "copepodite V", "sex": "female"}),
        ("Acartia c3", "Acartia", {"stage": "copepodite III"}),
        ("Oithona ovigerous female", "Oithona", {"sex": "female", "eggs": True}),
        ("egg sac<Copepoda", "Copepoda", {"part": "egg sac"}),
        ("egg<Actinopterygii", "Actinopterygii", {"stage": "egg"}),
        ("fish_eggs", "Actinopterygii", {"stage": "egg"}),
        ("dead<Copepoda", "Copepoda", {"condition": "dead"}),
        ("multiple<Copepoda", "Copepoda", {"grouping": "multiple"}),
        ("chain<Salpida", "Salpida", {"grouping": "chain"}),
        ("copepod_calanoid_eggs", "Calanoida", {"eggs": True}),
        ("copepod_calanoid_large_side_antennatucked", "Calanoida", {"view": "side", "remark": "large antennatucked"}),
        ("echinoderm_larva_pluteus_urchin", "Echinoidea", {"stage": "pluteus"}),
        ("euphausiids_young", "Euphausiacea", {"stage": "juvenile"}),
        ("chaetognath_non_sagitta", "Chaetognatha", {"remark": "non sagitta"}),
        ("ctenophore_cydippid_no_tentacles", "Cydippida", {"remark": "no tentacles"}),
        ("fish_larvae_very_thin_body", "Actinopterygii", {"stage": "larva", "remark": "very thin body"}),
        ("barn_naupl", "Cirripedia", {"stage": "nauplius"}),
        ("detritus_blob", "detritus", {"remark": "blob"}),
        ("det_aggregate_dark", "marine snow", {"grouping": "aggregate", "remark": "dark"}),
        ("rhizaria_radiolaria_collodaria_solitary_black", "Collodaria", {"grouping": "solitary", "remark": "black"}),
        ("Neoceratium 02", "Tripos", {"remark": "02"}),
        ("Acartia clausi", "Acartia", {"remark": "clausi"}),
        ("small<egg", "egg", {}),
        ("like<Copepoda", None, {"doubt": "like", "remark": "copepoda"}),
        ("Strombidium-like", None, {"doubt": "like", "remark": "strombidium"}),
        ("t001", None, {"remark": "t001"}),
        ("unknown_blobs_and_smudges", None, {"remark": "unknown blobs and smudges"}),
    ],
)
def test_taxon_and_qualifiers(label: str, taxon: str | None, said: dict[str, str | bool]) -> None:
    parsed = parse(label)
    assert (parsed.taxon.name if parsed.taxon else None, parsed.qualifiers) == (taxon, Qualifiers(**said))  # type: ignore[arg-type]
    assert parsed.label == label


@pytest.mark.parametrize(
    ("label", "hierarchy", "taxon", "parents"),
    [
        ("twisted", "living>Bacillariophyta>centric>chain>twisted", "Bacillariophyceae", 4),
        ("puff", "living>Bacteria>Cyanobacteria>Trichodesmium>puff", "Trichodesmium", 4),
        ("rods", "not-living>plastic>other>rods", "plastic", 3),
        ("t002", "temporary>t002", None, 1),
        ("oddity", "living>oddity", None, 1),
        ("part<Ciliophora", "living>Ciliophora>part", "Ciliophora", 1),
    ],
)
def test_a_hierarchy_helps(label: str, hierarchy: str, taxon: str | None, parents: int) -> None:
    parsed = parse(label, hierarchy=hierarchy)
    assert (parsed.taxon.name if parsed.taxon else None, len(parsed.parents)) == (taxon, parents)


def test_parents_are_kept_as_the_source_has_them() -> None:
    assert parse("part<gonophore<Abylidae").parents == ("gonophore", "Abylidae")
    assert parse("part", hierarchy="living>Cnidaria>part").parents == ("Cnidaria", "living")


@given(st.text(max_size=40), st.none() | st.text(alphabet="abc>< ", max_size=20))
def test_no_label_breaks_it(label: str, hierarchy: str | None) -> None:
    assert parse(label, hierarchy=hierarchy).label == label


def test_two_stages_in_one_label() -> None:
    assert read_qualifiers(["egg", "nauplius"]) == Qualifiers(stage="egg", remark="nauplius")
    for words in (["larva", "pluteus"], ["pluteus", "larvae"]):
        assert read_qualifiers(words) == Qualifiers(stage="pluteus")
    assert not read_qualifiers([])


@pytest.mark.parametrize("taxon", TAXA.values(), ids=lambda taxon: str(taxon.name))
def test_every_name_of_the_ocean_is_known(taxon: object) -> None:
    name, hierarchy, folder = taxon.name, taxon.hierarchy, taxon.folder  # type: ignore[attr-defined]
    by_name, by_folder = parse(name, hierarchy=hierarchy), parse(folder)
    assert by_name.taxon is not None
    assert by_name.taxon == by_folder.taxon
    assert by_name.qualifiers == by_folder.qualifiers


def test_how_many_real_labels_are_known(shared_data: Path) -> None:
    """Whoever removes a name sees here which labels lose their taxon."""

    def classes(path: str) -> set[str]:
        with zipfile.ZipFile(shared_data / path) as archive:
            return {Path(name).parent.name for name in archive.namelist() if not name.endswith("/") and "/" in name}

    def lost(labels: set[str]) -> set[str]:
        return {label for label in labels if parse(label).taxon is None}

    isiis = classes("images/isiis_planktonset/isiis_planktonset.zip")
    assert (len(isiis), lost(isiis)) == (
        121,
        {"unknown_blobs_and_smudges", "unknown_sticks", "unknown_unclassified"},
    )
    spc = classes("images/spc_pwssc/spc_pwssc.zip")
    assert (len(spc), lost(spc)) == (34, {"Blob", "Dot", "Spiral", "Unknown"})
    table = shared_data / "ecotaxa/tables/planktoscope_trellu/inst/extdata/global.tsv.gz"
    text = gzip.decompress(table.read_bytes()).decode()
    rows = csv.DictReader(io.StringIO(text), delimiter="\t")
    said = {(row["object_annotation_category"], row["object_annotation_hierarchy"]) for row in rows}
    assert len(said) == 36
    assert {label for label, above in said if parse(label, hierarchy=above).taxon is None} == {"t002", "t004"}
