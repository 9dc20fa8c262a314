"""Relations between size and flux: presets, your own, calibrations on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aqqua.errors import ConfigError, NotFoundError, UnknownNameError
from aqqua.maps.flux.model import PRESETS, FluxModel, flux_model, read_model, reference, write_model


def test_guidi_by_hand() -> None:
    assert PRESETS["guidi2008"].per_particle(np.array([1000.0, 500.0])).tolist() == pytest.approx(
        [12.5, 12.5 * 0.5**3.81]
    )


def test_kriest_by_hand() -> None:
    # 0.012 nmol N at 0.002 cm: 283 nmol N cm^-1.62; 106/16 mol C per mol N; 66 m/d at 1 cm; 1000 L per m³.
    carbon_mg = 0.012 / 0.002**1.62 * 106 / 16 * 12.011e-6
    assert PRESETS["kriest2002"].a == pytest.approx(carbon_mg * 66 * 0.1**2.24 * 1000)
    assert PRESETS["kriest2002_fast"].a == pytest.approx(2 * PRESETS["kriest2002"].a)


def test_depth_changes_nothing_in_presets() -> None:
    depths = np.array([10.0, 100.0, 1000.0])
    assert all((one.at_depth(depths) == 1).all() for one in PRESETS.values())
    own = FluxModel("x", 1, 2, 100, 1000, attenuation=0.5)
    assert own.at_depth(depths).tolist() == pytest.approx([10**0.5, 1, 10**-0.5])


def test_numbers_of_your_own() -> None:
    own = flux_model("guidi2008", a=20, b=3)
    assert (own.a, own.b, own.esd_min_um, own.status) == (20, 3, 102, "own")
    assert "a 20" in own.name
    assert flux_model() == PRESETS["guidi2008"]


def test_a_typo_is_answered() -> None:
    with pytest.raises(UnknownNameError, match="guidi2008"):
        flux_model("guidi08")


@pytest.mark.parametrize("wrong", [{"a": 0.0}, {"a": -1.0}, {"esd_min_um": 2000.0}, {"b": float("nan")}])
def test_numbers_that_cannot_be(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        flux_model("guidi2008", **wrong)


def test_calibrations_are_kept(tmp_path: Path) -> None:
    own = FluxModel("calibrated", 92.0, 3.1, 102, 5200, attenuation=0.9, station_sd=0.4, status="calibrated")
    path = write_model(own, tmp_path / "c.json", {"seed": 1})
    assert read_model(path) == own
    assert flux_model(str(path)) == own
    assert flux_model(path, a=50.0).station_sd == 0


def test_calibrations_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_model(tmp_path / "c.json")
    for text in ("[1]", "{}", '{"name": "x", "a": "much", "b": 1, "esd_min_um": 1, "esd_max_um": 2}', "no json"):
        (tmp_path / "c.json").write_text(text, "utf-8")
        with pytest.raises(ConfigError):
            read_model(tmp_path / "c.json")
    with pytest.raises(ConfigError, match="json"):
        write_model(PRESETS["guidi2008"], tmp_path / "c.csv", {})


def test_the_page_shows_every_preset() -> None:
    assert all(f"`{name}`" in reference() for name in PRESETS)
