import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqqua.errors import UnknownNameError
from aqqua.maps.interpolate.calibrate import CALIBRATIONS, fit_calibration


def made(seed: int = 0, power: float = 0.6) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    logs = rng.uniform(0, 7, 3000)
    return np.exp(power * logs - 2) * rng.gamma(2, 0.5, 3000), np.expm1(logs)


@pytest.mark.parametrize("kind", [kind for kind in CALIBRATIONS if kind != "none"])
def test_sums_are_right(kind: str) -> None:
    y, typical = made()
    assert fit_calibration(kind, y, typical, 1.0)(typical).sum() == pytest.approx(y.sum(), rel=1e-6)


def test_power_finds_the_power() -> None:
    y, typical = made(power=0.6)
    assert fit_calibration("power", y, typical, 1.0).power == pytest.approx(0.6, abs=0.03)


def test_predictions_without_worth_become_the_mean() -> None:
    y, typical = made()
    found = fit_calibration("power", np.random.default_rng(1).permutation(y)[::-1] / (1 + typical), typical, 1.0)
    assert found.power == 0
    assert np.ptp(found(typical)) == 0


@given(st.integers(0, 50), st.sampled_from(CALIBRATIONS))
def test_larger_stays_larger(seed: int, kind: str) -> None:
    y, typical = made(seed % 5)
    new = np.sort(np.random.default_rng(seed).uniform(0, 5000, 50))
    found = fit_calibration(kind, y[:200], typical[:200], 1.0)(new)
    assert (np.diff(found) >= -1e-9 * found.max()).all()
    assert (found >= 0).all()


def test_smearing_of_lognormal_values() -> None:
    rng = np.random.default_rng(0)
    typical = np.exp(rng.normal(3, 1, 20000))
    y = typical * rng.lognormal(0, 0.8, 20000)
    found = fit_calibration("smearing", y, typical, 1e-6)
    assert found.smear == pytest.approx(np.exp(0.32), rel=0.03)
    assert found.factor == pytest.approx(1, rel=0.03)


def test_none_changes_nothing() -> None:
    y, typical = made()
    assert np.array_equal(fit_calibration("none", y, typical, 1.0)(typical), typical)


def test_zeros_stay_zeros() -> None:
    assert fit_calibration("ratio", np.zeros(5), np.ones(5), 1.0)(np.ones(5)).sum() == 0


def test_an_unknown_name() -> None:
    with pytest.raises(UnknownNameError, match="isotonic"):
        fit_calibration("isotonc", np.ones(3), np.ones(3), 1.0)
