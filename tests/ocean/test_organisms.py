"""Every taxon: as long as its traits say, with the volume they say, and never twice the same."""

from __future__ import annotations

import numpy as np
import pytest

from aqqua.errors import UnknownNameError
from aqqua.ocean.optics import Pose, look_at
from aqqua.ocean.organisms import TAXA, build
from aqqua.ocean.shapes import Body
from aqqua.ocean.sightings import longest_extent

# Extent of the drawn body over the length in the traits: what is bent is shorter, what has horns longer.
EXTENT = {
    "Appendicularia": (0.45, 1.05),
    "fiber<detritus": (0.35, 1.05),
    "Chaetognatha": (0.75, 1.06),
    "detritus": (0.8, 1.3),
    "Dinophyceae": (0.98, 1.4),
    "Tintinnida": (0.98, 1.3),
    "Hydrozoa": (0.9, 1.2),
    "Trichodesmium": (0.9, 1.2),
}
# Hollow bodies: their volume is what they enclose.
HOLLOW = {"Hydrozoa", "Tintinnida"}


def _lengths(taxon: str, count: int) -> list[float]:
    low, high = TAXA[taxon].typical_um
    return [float(low * (high / low) ** ((i + 0.5) / count)) for i in range(count)]


def _drawn(body: Body, pose: Pose) -> tuple[float, float]:
    """Longest extent in µm and volume in µm³, as drawn."""
    grid = body.traits.length_um / 120
    optics = look_at(body, pose, grid, 3 * grid)
    star = body.traits.form == "star"
    extent = longest_extent(optics.mask > 0 if star else optics.mask == 2) * grid
    return extent, float(optics.thickness_um.sum()) * grid**2


@pytest.mark.parametrize("taxon", TAXA)
def test_drawn_as_long_as_the_traits_say(taxon: str) -> None:
    low, high = EXTENT.get(taxon, (0.9, 1.13))
    for i, length in enumerate(_lengths(taxon, 5)):
        body = build(taxon, length, 0, i)
        assert body.traits.length_um == pytest.approx(length, rel=0.35)
        extent, _ = _drawn(body, Pose(30, 0, 0))
        assert low < extent / body.traits.length_um < high


@pytest.mark.parametrize("taxon", sorted(TAXA.keys() - HOLLOW))
def test_volume_in_the_traits_is_the_volume_drawn_from_every_side(taxon: str) -> None:
    for i, length in enumerate(_lengths(taxon, 3)):
        body = build(taxon, length, 0, i)
        for pose in (Pose(30, 0, 0), Pose(77, 35, 50)):
            assert _drawn(body, pose)[1] == pytest.approx(body.traits.volume_um3, rel=0.16)


@pytest.mark.parametrize("taxon", sorted(HOLLOW))
def test_hollow_bodies_enclose_their_volume(taxon: str) -> None:
    body = build(taxon, _lengths(taxon, 3)[1], 0, 1)
    length, width = body.traits.length_um, body.traits.width_um
    assert 0.02 * length * width**2 < body.traits.volume_um3 < length * width**2


@pytest.mark.parametrize("taxon", TAXA)
def test_traits_make_sense(taxon: str) -> None:
    for i, length in enumerate(_lengths(taxon, 4)):
        traits = build(taxon, length, 0, i).traits
        assert 0 < traits.width_um <= 1.25 * traits.length_um
        assert 0 < traits.esd_um < 1.2 * max(traits.length_um, traits.width_um)
        assert 0 <= traits.lipid_fraction < 0.5
        assert traits.eggs >= 0


@pytest.mark.parametrize("taxon", TAXA)
def test_same_seed_same_body_other_name_other_body(taxon: str) -> None:
    length = _lengths(taxon, 3)[1]

    def picture(*names: str | int) -> np.ndarray:
        return look_at(build(taxon, length, 0, *names), Pose(), length / 60).phase_um

    assert (picture("a", 1) == picture("a", 1)).all()
    assert picture("a", 1).shape != picture("a", 2).shape or (picture("a", 1) != picture("a", 2)).any()


def test_females_carry_eggs_and_copepodites_do_not() -> None:
    bodies = [build("Cyclopoida", 800, 0, i).traits for i in range(40)]
    assert any(t.eggs for t in bodies if t.stage == "adult female")
    assert not any(t.eggs for t in bodies if t.stage != "adult female")


def test_forms_and_stages_vary() -> None:
    least = {"Hydrozoa": 3, "Radiolaria": 2, "chain<Bacillariophyceae": 3, "Tintinnida": 3}
    forms = {taxon: {build(taxon, _lengths(taxon, 3)[1], 0, i).traits.form for i in range(16)} for taxon in least}
    assert {taxon: len(names) for taxon, names in forms.items()} == least
    assert len({build("Calanoida", 2000, 0, i).traits.stage for i in range(20)}) >= 4


def test_long_trichodesmium_are_colonies() -> None:
    assert build("Trichodesmium", 200, 0, 1).traits.form == "trichome"
    assert {build("Trichodesmium", 2000, 0, i).traits.form for i in range(12)} == {"tuft", "puff"}


def test_an_unknown_taxon_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Calanoida"):
        build("Calanoidea", 1000, 0)


def test_folder_names_hold_no_sign_a_file_system_refuses() -> None:
    folders = [taxon.folder for taxon in TAXA.values()]
    assert len(set(folders)) == len(folders)
    assert all(folder.replace("_", "").isalnum() for folder in folders)
    assert TAXA["nauplii<Copepoda"].folder == "Copepoda_nauplii"
