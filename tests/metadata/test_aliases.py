"""Which instrument a text names, and that two are never one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqqua.metadata.aliases import Aliases, named_in
from aqqua.metadata.mapping import GENERIC, instrument_of, load_mapping, mapping_names

# The instruments of EcoTaxa's own list and of the PSSdb list of EcoTaxa projects.
LISTED = {
    "IFCB": "IFCB",
    "UVP5": "UVP5",
    "UVP5HD": "UVP5",
    "UVP5SD": "UVP5",
    "UVP5Z": "UVP5",
    "UVP 5": "UVP5",
    "UVP6": "UVP6",
    "UVP6REMOTE": "UVP6",
    "UVP 6": "UVP6",
    "Zooscan": "ZooScan",
    "?": None,
    "AMNIS": "ImageStream",
    "CPICS": "CPICS",
    "CytoSense": "CytoSense",
    "CytoBuoy": "CytoSense",
    "FastCam": None,
    "FlowCam": "FlowCam",
    "ISIIS": "ISIIS",
    "LISST-Holo": "LISST-Holo",
    "Loki": "LOKI",
    "Other camera": None,
    "Other flowcytometer": None,
    "Other microscope": "Light microscope",
    "Other scanner": "Flatbed scanner",
    "PlanktoScope": "PlanktoScope",
    "VPR": "VPR",
    "ZooCam": "ZooCam",
    "Zoocam": "ZooCam",
    "eHFCM": "eHFCM",
    "camera": None,
    "microscope": "Light microscope",
    "scanner": "Flatbed scanner",
}


@pytest.mark.parametrize(("text", "name"), LISTED.items())
def test_the_lists_of_ecotaxa_and_pssdb(text: str, name: str | None) -> None:
    assert instrument_of(text) == name
    assert instrument_of(text.upper()) == instrument_of(text.lower()) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Hydroptic_V4", "ZooScan"),
        ("ZooScan (Epson)", "ZooScan"),
        ("Epson Perfection V800", "Flatbed scanner"),
        ("UVP 6 LP", "UVP6"),
        ("uvp6_sn000008lp", "UVP6"),
        ("IFCB107", "IFCB"),
        ("Imaging FlowCytobot", "IFCB"),
        ("PlanktoScope v2.5", "PlanktoScope"),
        ("flow-cam 8400", "FlowCam"),
        ("FlowCAM Macro", "FlowCam"),
        ("ISIIS-3", "ISIIS"),
        ("ISIIS-DPI", "ISIIS"),
        ("loki10001.02", "LOKI"),
        ("Pi-10", "Plankton Imager"),
        ("SPC2", "SPC"),
        ("DSPC", "SPC"),
        ("LISST-Holo2", "LISST-Holo"),
        ("Planktivore (LRAH)", "Planktivore"),
        ("PISCO", "PIScO"),
    ],
)
def test_free_texts(text: str, name: str) -> None:
    assert instrument_of(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "UVP5 and ZooScan",
        "FlowCam/ZooScan",
        "UVP5/UVP6",
        "UVP",
        "UVP57",
        "zooprocess",
        "ISIIS or plankton imager",
        "electron microscope",
        "specimen",
        "raspberry pi 4",
        "myzooscanner",
        "LISST-100",
        "generic_m106_mn01_n1_sml",
        "unknown",
        "",
    ],
)
def test_two_instruments_are_none_and_so_are_parts_of_words(text: str) -> None:
    assert instrument_of(text) is None


@given(st.permutations([name for name in mapping_names() if name != GENERIC]), st.sampled_from([" ", ", ", "/", " + "]))
def test_two_names_never_give_an_answer(names: list[str], between: str) -> None:
    assert instrument_of(names[0] + between + names[1]) is None


@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    assert instrument_of(text) in {None, *mapping_names()}


def test_every_alias_finds_its_instrument_alone() -> None:
    for name in mapping_names():
        mapping = load_mapping(name)
        for alias in (*mapping.aliases, *mapping.hints):
            assert instrument_of(alias.removeprefix("=")) == name, alias


def test_longer_names_hide_those_they_contain() -> None:
    known = {"A": Aliases(("plankton imager",)), "B": Aliases(("deep focus plankton imager",), hints=("imager",))}
    assert named_in("Deep-focus Plankton Imager", known) == "B"
    assert named_in("the plankton imager", known) == "A"
    assert named_in("an imager", known) == "B"
