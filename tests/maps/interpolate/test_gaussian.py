import numpy as np
import pytest

from aqqua.maps.interpolate.gaussian import gp_log
from aqqua.maps.interpolate.learners import Inputs


def smooth(n: int, seed: int) -> tuple[Inputs, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1, (n, 2))
    inputs = Inputs(x, rng.uniform(-60, 60, n), rng.uniform(-180, 180, n))
    return inputs, np.exp(1 + np.sin(x[:, 0]) + 0.3 * x[:, 1])


def test_a_smooth_function_is_found_again() -> None:
    inputs, y = smooth(400, 0)
    new, truth = smooth(100, 1)
    said = gp_log(0.01, 0, 0).fit(inputs, y, None).predict(new)
    assert np.corrcoef(np.log(said), np.log(truth))[0, 1] ** 2 > 0.97


def test_noise_becomes_the_middle() -> None:
    inputs, _ = smooth(300, 0)
    y = np.random.default_rng(0).lognormal(1, 0.5, 300)
    said = np.log(gp_log(0.01, 0, 0).fit(inputs, y, None).predict(inputs))
    assert said.std() < 0.2
    assert said.mean() == pytest.approx(1, abs=0.1)


def test_again_keeps_what_was_chosen() -> None:
    inputs, y = smooth(200, 0)
    fitted = gp_log(0.01, 0, 0).fit(inputs, y, None)
    again = fitted.again().fit(inputs, y, None)  # type: ignore[attr-defined]
    assert again.length == fitted.length  # type: ignore[attr-defined]
    assert np.allclose(again.predict(inputs), fitted.predict(inputs))


def test_far_more_places_than_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aqqua.maps.interpolate.gaussian._MOST", 150)
    inputs, y = smooth(400, 0)
    said = gp_log(0.01, 0, 0).fit(inputs, y, None).predict(inputs)
    assert np.corrcoef(np.log(said), np.log(y))[0, 1] ** 2 > 0.9
