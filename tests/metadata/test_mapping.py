"""Mappings of instruments: each example row is its test."""

from __future__ import annotations

import contextlib
from datetime import datetime
from importlib.resources import files
from pathlib import Path

import polars as pl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from aqqua.errors import ConfigError, UnknownNameError
from aqqua.metadata import instruments
from aqqua.metadata import mapping as module
from aqqua.metadata.card import Card
from aqqua.metadata.harmonise import harmonise
from aqqua.metadata.mapping import Example, InstrumentMapping, instrument_of, load_mapping, mapping_names
from tests.metadata.rows import good, raw_table

EXAMPLES = [(name, example) for name in mapping_names() for example in load_mapping(name).examples]


@pytest.mark.parametrize(
    ("name", "example"), EXAMPLES, ids=[f"{name}-{index}" for index, (name, _) in enumerate(EXAMPLES)]
)
def test_example_row(name: str, example: Example) -> None:
    raw = raw_table([example.row]).with_columns(
        pl.lit(example.row[name], pl.String).alias(name)
        for name in ("image_path", "source_path")
        if name in example.row
    )
    told = harmonise(raw, source="ecotaxa_export", card=Card(**example.card))
    assert told.rejects.to_dicts() == []
    row = told.converted.row(0, named=True)
    for field, expected in example.expect.items():
        if isinstance(expected, (int, float)):
            assert row[field] == pytest.approx(expected, rel=1e-6), field
        elif isinstance(expected, datetime):
            assert row[field] == expected, field
        else:
            assert row[field] == expected, field


@pytest.mark.parametrize("name", mapping_names())
def test_every_mapping_has_an_example_evidence_and_finds_itself(name: str) -> None:
    mapping = load_mapping(name)
    assert mapping.examples
    assert mapping.doc
    assert all(rule.evidence for rules in mapping.rules.values() for rule in rules)
    if name != module.GENERIC:
        assert instrument_of(name) == name
        assert all(instrument_of(alias) == name for alias in mapping.aliases)
        assert "pixel_um" in mapping.plausible


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("epson", "Flatbed scanner"),
        ("Other scanner", "Flatbed scanner"),
        ("zooscan", "ZooScan"),
        ("Hydroptic_V4", "ZooScan"),
        ("ZooScan (Epson)", "ZooScan"),
        ("uvp5hd", "UVP5"),
        ("UVP 6 LP", "UVP6"),
        ("IFCB107", "IFCB"),
        ("PlanktoScope v2.5", "PlanktoScope"),
        ("FlowCam 8400", "FlowCam"),
        ("ISIIS-2", "ISIIS"),
        ("VPR", "VPR"),
        ("specimen", None),
        ("unknown", None),
        ("", None),
        (None, None),
    ],
)
def test_instruments_by_their_names_in_tables(text: str | None, name: str | None) -> None:
    assert instrument_of(text) == name


def test_mappings_are_found_by_file_name_and_alias_too() -> None:
    assert load_mapping("flatbed_scanner") == load_mapping("epson") == load_mapping("Flatbed scanner")


def test_reference_names_every_instrument_and_column() -> None:
    text = instruments.reference()
    for name in mapping_names():
        if name != module.GENERIC:
            assert f"## {name}\n" in text
    assert "| `pixel_um` | `process_pixel_to_micron` | px/um | published |" in text
    assert "(`runTime` − `inhibitTime`) × 4.16667e-06" in text
    assert "`acq_fluid_volume_imaged` × `process_nb_images` ÷ `acq_raw_image_total`" in text


def test_unknown_instrument_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="ZooScan"):
        load_mapping("ZooSkan")


def test_a_new_instrument_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "mappings"
    folder.mkdir()
    generic = files("aqqua.sources") / "mappings" / "unknown.yaml"
    (folder / "unknown.yaml").write_text(generic.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "snapper.yaml").write_text(
        "name: Snapper\naliases: [snap3000]\nmodality: dark-field\n"
        "fields: {pixel_um: [{column: acq_snap, unit: [px/mm], status: assumed, evidence: a test}]}\n"
    )
    monkeypatch.setattr(module, "files", lambda package: tmp_path)
    module._all.cache_clear()
    instrument_of.cache_clear()
    try:
        row = good(acq_instrument="snap3000", process_snap="50", process_pixel=None)
        told = harmonise(raw_table([row]), source="ecotaxa_export", card=Card())
        assert told.converted["pixel_um"].to_list() == [20]
        assert told.converted["instrument"].to_list() == ["Snapper"]
        assert told.converted["modality"].to_list() == ["dark-field"]
        assert told.provenance["pixel_um"] == "1000 ÷ process_snap [px/mm] (Snapper, assumed)"
    finally:
        module._all.cache_clear()
        instrument_of.cache_clear()


@pytest.mark.parametrize(
    ("text", "error", "told"),
    [
        ("[1, 2]", ConfigError, "needs a name"),
        ("name: [", ConfigError, "YAML"),
        ("name: X\nfeilds: {}", UnknownNameError, "fields"),
        ("name: X\nfields: {pixel: []}", UnknownNameError, "pixel_um"),
        ("name: X\nfields: {pixel_um: acq_pixel}", ConfigError, "list"),
        ("name: X\nfields: {pixel_um: [{unit: um}]}", ConfigError, "without a column"),
        ("name: X\nfields: {pixel_um: [{column: a, unit: furlong}]}", ConfigError, "furlong"),
        ("name: X\nfields: {pixel_um: [{column: a, status: publishd}]}", UnknownNameError, "published"),
        ("name: X\nfields: {pixel_um: [{column: a, colour: b}]}", UnknownNameError, "colour"),
        ("name: X\nfields: {pixel_um: [{column: a, product: [{column: b}]}]}", ConfigError, "product"),
        ("name: X\nplausible: {pixel_um: [5]}", ConfigError, "smallest"),
        ("name: X\nplausible: {pixel_um: [5, 1]}", ConfigError, "smallest"),
        ("name: X\nplausible: {object_id: [1, 5]}", UnknownNameError, "number"),
        ("name: X\nmodality: darkfield", UnknownNameError, "dark-field"),
        ("name: X\naliases: ['-']", ConfigError, "letter"),
        ("name: X\naliases: snapper", ConfigError, "list"),
        ("name: X\nconstants: {pixel_um: {value: .nan}}", ConfigError, "number"),
    ],
)
def test_bad_mappings(text: str, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        InstrumentMapping.parse(text)


SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=6))
KEYS = st.sampled_from(
    ["name", "column", "unit", "status", "pattern", "value", "pixel_um", "product", "power", "x", "row"]
)
NESTED = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8
)
ENTRIES = st.sampled_from(sorted(module._KEYS))


@settings(max_examples=40)
@given(st.dictionaries(ENTRIES, NESTED, max_size=5))
def test_no_yaml_breaks_the_parser(loaded: dict[str, object]) -> None:
    """Whatever stands in the file: a mapping, or an error that says what is wrong."""
    with contextlib.suppress(ConfigError, UnknownNameError):
        made = InstrumentMapping.parse(yaml.safe_dump({"name": "X", **loaded}))
        assert made.called.patterns
        run_one(made)


@given(st.text())
def test_no_text_breaks_the_parser(text: str) -> None:
    with contextlib.suppress(ConfigError, UnknownNameError):
        InstrumentMapping.parse(text)


def run_one(mapping: InstrumentMapping) -> None:
    """Harmonise a row with a mapping."""
    told = harmonise(raw_table([good()]), source="folder", card=Card(), mapping=mapping)
    assert told.converted.height + told.rejects["source_row"].n_unique() == 1
