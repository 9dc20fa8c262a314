"""Tables of labels: nothing is lost on the way there and back; the owner's word counts."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqqua.errors import ConfigError, NotFoundError, UnknownNameError
from aqqua.metadata.label_table import MATCH_SCHEMA, describe, load_labels, nearest_names, source_labels
from aqqua.metadata.labels import read_labels
from aqqua.metadata.taxa import builtin
from aqqua.ocean.organisms import TAXA
from tests.metadata.rows import good, raw_table

LABELS = [*((taxon.name, taxon.hierarchy) for taxon in TAXA.values()), ("t001", None), ("part (Annelida)", None),
          ("copepod_calanoid_eggs", None), ("nauplii<Copepoda", None), ("Copepoda nauplii", None)]  # fmt: skip


def test_back_from_the_taxon_to_every_source_label() -> None:
    table = describe(LABELS)
    assert dict(table.schema) == MATCH_SCHEMA
    back = [label for taxon in table["taxon"].unique() for label in source_labels(table, taxon)]
    assert sorted(back) == sorted(label for label, _ in dict.fromkeys(LABELS))
    copepods = source_labels(table, "Copepoda", stage="nauplius")
    assert sorted(set(copepods)) == ["Copepoda nauplii", "nauplii<Copepoda"]
    assert source_labels(table, None) == ["t001"]


@given(st.lists(st.text(max_size=20), max_size=5))
def test_no_label_is_left_out(labels: list[str]) -> None:
    assert describe(labels)["label"].to_list() == list(dict.fromkeys(labels))


def test_several_parents_are_known() -> None:
    assert builtin().taxa["egg sac"].also_in == ("Copepoda",)
    assert builtin().taxa["egg sac"].lineage == ("Biota", "egg", "egg sac")


@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet"])
def test_a_table_that_match_wrote_can_be_given_back(tmp_path: Path, suffix: str) -> None:
    table, path = describe(LABELS), tmp_path / f"labels.{suffix}"
    if suffix == "parquet":
        table.write_parquet(path)
    else:
        table.write_csv(path, separator="\t" if suffix == "tsv" else ",")
    again = describe(LABELS, table=load_labels(path))
    assert again.drop("by").equals(table.drop("by"))


def test_the_owner_s_word_counts(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("Class;Scientific Name;AphiaID;stage;eggs\nblob a;Appendicularia;;;\nXY;Newus plankticus;"
                    "urn:lsid:marinespecies.org:taxname:4711;adult;yes\nCopepoda;Calanoida;;;\n")  # fmt: skip
    table = describe(["blob a", "Blob_A", "XY", "Copepoda", "Salpida"], table=load_labels(path))
    assert table.select("taxon", "aphia_id", "stage", "eggs", "by").rows() == [
        ("Appendicularia", 146421, None, None, "owner"),
        ("Appendicularia", 146421, None, None, "owner"),
        ("Newus plankticus", 4711, "adult", True, "owner"),
        ("Calanoida", 1100, None, None, "owner"),
        ("Salpida", 137214, None, None, "name"),
    ]
    raw = raw_table([good(label="blob a"), good(label="Salpida"), good(label="nobody")])
    labels, findings = read_labels(raw, source="folder", table=load_labels(path))
    assert labels.select("label", "taxon", "taxon_by").rows() == [
        ("blob a", "Appendicularia", "owner"), ("Salpida", "Salpida", "name"), ("nobody", None, None),
    ]  # fmt: skip
    assert [finding.code for finding in findings] == ["label_by_owner", "label_without_taxon"]


@pytest.mark.parametrize(
    ("text", "error", "told"),
    [
        ("label,colour\na,red\n", UnknownNameError, "colour"),
        ("taxon\nCopepoda\n", ConfigError, "one column label"),
        ("label,aphia_id\na,many\n", ConfigError, "line 2"),
        ("label,eggs\na,perhaps\n", ConfigError, "eggs"),
        ("label,taxon\na,b\na,c\n", ConfigError, "two meanings"),
        ("label,category\na,b\n", ConfigError, "one column label"),
    ],
)
def test_what_is_wrong_with_a_table_is_told(tmp_path: Path, text: str, error: type[Exception], told: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(text)
    with pytest.raises(error, match=told):
        load_labels(path)


def test_a_missing_or_strange_table(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        load_labels(tmp_path / "none.csv")
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(ConfigError):
        load_labels(tmp_path / "a.parquet")


def test_names_that_look_alike() -> None:
    assert nearest_names("Oncea")[0] == "Oncaea"
    assert nearest_names("qqqq") == []


def test_labels_of_an_image_carry_qualifiers() -> None:
    labels, _ = read_labels(raw_table([good(label="nauplii<Copepoda"), good(label="Oithona_eggs")]), source="folder")
    assert labels.select("label", "taxon", "stage", "eggs").rows() == [
        ("nauplii<Copepoda", "Copepoda", "nauplius", None),
        ("Oithona_eggs", "Oithona", None, True),
    ]
    assert isinstance(labels, pl.DataFrame)
