"""The fit finds a truth that is known, and says what cannot be fitted."""

from __future__ import annotations

import numpy as np
import pytest

from aqqua.errors import ConfigError
from aqqua.maps.flux.fit import Fitting, fit, predicted
from aqqua.maps.flux.match import MatchUps, match_ups
from tests.make.fluxes import TRUTH, spectra, traps


@pytest.fixture(scope="module")
def matches() -> MatchUps:
    return match_ups(spectra(), traps())


def test_the_truth_is_found(matches: MatchUps) -> None:
    found = fit(matches)
    assert found.b == pytest.approx(TRUTH["b"], abs=0.5)
    assert found.attenuation == pytest.approx(TRUTH["attenuation"], abs=0.15)
    assert found.moored == pytest.approx(TRUTH["moored"], rel=0.15)
    fixed = fit(matches, Fitting(b=TRUTH["b"]))
    assert fixed.b == TRUTH["b"]
    assert fixed.a == pytest.approx(TRUTH["a"], rel=0.2)
    assert predicted(fixed, matches) == pytest.approx(matches.observed, rel=0.25)


def test_one_wild_trap_does_not_carry_it_away(matches: MatchUps) -> None:
    wild = matches.observed.copy()
    wild[0] *= 30
    how = Fitting(b=TRUTH["b"])
    parts = {name: getattr(matches, name) for name in MatchUps.__dataclass_fields__}
    found = fit(MatchUps(**(parts | {"observed": wild})), how)
    assert found.a == pytest.approx(TRUTH["a"], rel=0.6)


def test_what_does_not_vary_is_not_fitted(matches: MatchUps) -> None:
    one_depth = matches.take(np.flatnonzero(matches.depth_m == 100))
    found = fit(one_depth)
    assert found.attenuation == 0
    assert found.moored == 1


def test_without_particles_it_is_a_martin_curve(matches: MatchUps) -> None:
    found = fit(matches, Fitting(particles=False))
    value = predicted(found, matches)
    same = (matches.depth_m == 100) & (matches.kind == "drifting")
    assert np.ptp(value[same]) < 1e-9
    assert found.b == 0


def test_one_station_is_too_few(matches: MatchUps) -> None:
    with pytest.raises(ConfigError, match="one station"):
        fit(matches.take(np.flatnonzero(matches.station == matches.station[0])))


def test_no_particle_in_the_range_is_told(matches: MatchUps) -> None:
    with pytest.raises(ConfigError, match="no particle of 9000"):
        fit(matches, Fitting(esd_min_um=9000, esd_max_um=9999))
