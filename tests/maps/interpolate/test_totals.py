import numpy as np
import pytest

from aqqua.maps.cube import cell_area_m2
from aqqua.maps.interpolate import Prediction, integrate


def prediction(mean: np.ndarray, replicates: np.ndarray, aoa: np.ndarray) -> Prediction:
    zero = np.zeros(len(mean))
    return Prediction(mean, mean, zero, zero, zero, zero, zero, aoa, zero, replicates.astype(np.float32))


def test_a_mean_of_one_is_the_volume_of_the_layer() -> None:
    latitude = np.repeat(np.arange(-89.5, 90), 360)
    inside = latitude > 0
    found = integrate(
        prediction(np.ones(len(latitude)), np.ones((3, len(latitude))), inside), cell_area_m2(latitude), 200.0
    )
    assert found["all"].area_km2 == pytest.approx(510.07e6, rel=1e-4)
    assert found["all"].value == pytest.approx(510.07e12 * 200, rel=1e-4)
    assert found["inside"].value == pytest.approx(found["outside"].value)
    assert (found["all"].low, found["all"].high) == pytest.approx((found["all"].value,) * 2)


def test_land_is_left_out() -> None:
    mean = np.array([1.0, np.nan, 2.0])
    found = integrate(prediction(mean, np.stack([mean, mean]), np.array([True, False, False])), np.full(3, 1e6), 1.0)
    assert found["all"].value == pytest.approx(3e6)
    assert found["all"].area_km2 == pytest.approx(2)
    assert found["outside"].value == pytest.approx(2e6)


def test_errors_that_go_together_do_not_cancel() -> None:
    rng = np.random.default_rng(0)
    level, n = rng.lognormal(0, 0.2, (400, 1)), 50
    together, apart = (
        integrate(prediction(np.ones(n), each, np.ones(n, bool)), np.ones(n), 1.0)["all"]
        for each in (
            np.broadcast_to(level, (400, n)),
            rng.lognormal(0, 0.2, (400, n)),
        )
    )
    assert together.high - together.low == pytest.approx(50 * 0.66, rel=0.15)
    assert apart.high - apart.low < 0.25 * (together.high - together.low)


def test_without_replicates_there_is_no_interval() -> None:
    found = integrate(prediction(np.ones(2), np.zeros((0, 2)), np.ones(2, bool)), np.ones(2), 1.0)["all"]
    assert np.isnan(found.low)
    assert np.isnan(found.high)
