"""Carbon from size: the table itself, its units, and which row a taxon gets."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqqua.errors import ConfigError, NotFoundError
from aqqua.maps.carbon import Allometry, carbon_mg, load_allometry, reference, row_of
from aqqua.metadata.taxa import builtin, clean

TABLE = (files("aqqua.maps") / "carbon.csv").read_text("utf-8")


def test_a_copepod_of_one_cubic_millimetre() -> None:
    found = carbon_mg("Calanoida", [1.0])
    assert found.value[0] == pytest.approx(0.0703)
    assert (found.lo[0], found.hi[0]) == (pytest.approx(0.0703 / 2), pytest.approx(0.0703 * 2))
    assert found.source[0] == "copepoda"


def test_units_by_hand() -> None:
    # 10,000 µm³ of a dinoflagellate: 0.760 · 10⁴^0.819 = 1,435 pg.
    assert carbon_mg("Dinophyceae", [1e-5]).value[0] == pytest.approx(0.760 * 1e4**0.819 * 1e-9)
    # 1 mm³ of marine snow: 0.99 µg.
    assert carbon_mg("aggregates", [1.0]).value[0] == pytest.approx(0.99e-3)
    # 1 mm² of a calanoid: 45.25 µg dry weight, 45 % of it carbon.
    assert carbon_mg("Calanoida", [1.0], quantity="area").value[0] == pytest.approx(45.25 * 0.45e-3)


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("Acartia", "copepoda"),
        ("Euphausiacea", "malacostraca"),
        ("Bivalvia", "mollusca"),
        ("fecal pellet", "detritus"),
        ("Pyrosoma", "pyrosoma"),
        ("Scyphozoa", "cnidaria"),
        ("Narcomedusae", "narcomedusae"),
        ("Radiolaria", "rhizaria"),
        ("Tintinnida", "ciliates"),
        ("Echinodermata", "animals"),
        ("diatoms_large", "diatoms_large"),
    ],
)
def test_the_nearest_taxon_above_counts(name: str, row: str) -> None:
    found = row_of(name)
    assert found is not None
    assert found.row == row


@pytest.mark.parametrize("name", ["bubble", "plastic", "bead", "no such name", "Trichodesmium"])
def test_without_an_equation_there_is_no_carbon(name: str) -> None:
    found = carbon_mg(name, [1.0, 2.0])
    assert np.isnan(found.value).all()
    assert found.source.tolist() == ["", ""]


def test_several_taxa_at_once_and_sizes_that_are_none() -> None:
    found = carbon_mg(["Copepoda", "Salpida", "bubble", "Copepoda"], [1.0, 1.0, 1.0, -1.0])
    assert found.value[:2].tolist() == pytest.approx([0.0703, 0.0087])
    assert np.isnan(found.value[2:]).all()
    assert np.isnan(carbon_mg("Copepoda", [0.0, np.nan]).value).all()


def test_taxa_and_sizes_have_to_pair() -> None:
    with pytest.raises(ConfigError, match="2 taxa for 3 sizes"):
        carbon_mg(["Copepoda", "Salpida"], [1, 2, 3])


def test_sizes_beyond_those_measured_are_said() -> None:
    assert carbon_mg("Dinophyceae", [100e-9, 1e4 * 1e-9, 1e-3]).extrapolated.tolist() == [True, False, True]


@given(st.sampled_from(load_allometry()), st.floats(1e-9, 1e4))
def test_every_row_gives_positive_carbon_within_its_interval(row: Allometry, size: float) -> None:
    found = carbon_mg(row.row, [size], quantity="area" if row.quantity == "area" else "biovolume")
    assert 0 < found.lo[0] <= found.value[0] <= found.hi[0]
    assert found.source[0] == row.row


def test_no_row_makes_more_carbon_than_its_own_weight_where_it_was_measured() -> None:
    for row in load_allometry():
        if row.quantity == "biovolume":
            middle = {"mm3": 1.0, "um3": 1e-5}[row.size_unit]
            assert row.mg(np.array([middle]))[0] < 0.3 * middle, row.row  # mg in mm³: a density below 0.3 of water


def test_taxa_of_the_table_are_known_and_ids_agree() -> None:
    for row in load_allometry():
        known = builtin().find(clean(row.taxon))
        assert known is not None or row.taxon == "Pyrosoma", row.row
        if row.aphia_id is not None and known is not None:
            assert known.aphia_id == row.aphia_id, row.row


def test_every_row_has_its_evidence() -> None:
    for row in load_allometry():
        assert row.source, row.row
        assert row.evidence, row.row
        assert row.status in {"checked", "unchecked"}
        assert row.use in {"default", "alternative"}
        assert row.factor_from in {"published", "assumed"}


def test_one_default_for_each_taxon() -> None:
    defaults = [(row.taxon, row.quantity) for row in load_allometry() if row.use == "default"]
    assert len(defaults) == len(set(defaults))


def test_a_table_of_your_own(tmp_path: Path) -> None:
    head, first = TABLE.splitlines()[:2]
    own = tmp_path / "own.csv"
    own.write_text(f"{head}\n{first.replace('0.0703', '0.08')}\n", "utf-8")
    assert carbon_mg("Acartia", [1.0], table=own).value[0] == pytest.approx(0.08)
    assert np.isnan(carbon_mg("Salpida", [1.0], table=own).value[0])


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("0.0703", "much", "no number"),
        ("mm3", "cups", "unit of biovolume"),
        (",mg,", ",stone,", "stone"),
        (",2,assumed", ",0.5,assumed", "factor"),
        ("0.0703", "-1", "positive"),
        ("row,use", "line,use", "no column row"),
    ],
)
def test_wrong_tables_are_told(tmp_path: Path, old: str, new: str, told: str) -> None:
    own = tmp_path / "own.csv"
    own.write_text("\n".join(TABLE.splitlines()[:2]).replace(old, new, 1) + "\n", "utf-8")
    with pytest.raises(ConfigError, match=told):
        load_allometry(own)


def test_rows_twice_and_no_file(tmp_path: Path) -> None:
    own = tmp_path / "own.csv"
    head, first = TABLE.splitlines()[:2]
    own.write_text(f"{head}\n{first}\n{first}\n", "utf-8")
    with pytest.raises(ConfigError, match="twice"):
        load_allometry(own)
    with pytest.raises(NotFoundError):
        load_allometry(tmp_path / "none.csv")


def test_the_page_shows_every_row() -> None:
    text = reference()
    for row in load_allometry():
        assert f"`{row.row}`" in text
    assert "µm³" in text
