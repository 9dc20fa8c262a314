import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aqqua.maps.interpolate.scores import log_step, mean_scores, score

Y = np.array([0.0, 0.0, 0.1, 0.5, 1.0, 2.0, 8.0])


def test_perfect_predictions() -> None:
    found = score(Y, Y)
    assert (found.r2, found.pearson2, found.spearman, found.r2_log, found.total_ratio) == pytest.approx((1,) * 5)
    assert (found.rmse, found.mae, found.rmse_log) == (0, 0, 0)


def test_a_wrong_factor_is_forgiven_by_correlation_only() -> None:
    found = score(Y, 3 * Y)
    assert found.pearson2 == pytest.approx(1)
    assert found.spearman == pytest.approx(1)
    assert found.r2 < 0
    assert found.total_ratio == pytest.approx(3)


def test_the_mean_scores_nothing() -> None:
    found = score(Y, np.full(len(Y), Y.mean()))
    assert found.r2 == pytest.approx(0)
    assert (found.pearson2, found.spearman) == (0, 0)


def test_what_leaving_out_the_largest_value_changes() -> None:
    y = np.append(np.linspace(0.1, 1, 99), 500.0)
    guess = np.append(np.full(99, y[:99].mean()), 500.0)
    found = score(y, guess)
    assert found.r2 > 0.99
    assert found.r2_without_top == pytest.approx(0, abs=1e-9)
    assert found.total_ratio_without_top == pytest.approx(1)


def test_the_step_is_a_tenth_of_the_smallest_values() -> None:
    assert log_step(np.array([0, 0, 0.5, 0.5, 0.5])) == pytest.approx(0.05)
    assert log_step(np.zeros(3)) == 1
    assert score(Y, Y, step=0.2).step == 0.2


def test_a_larger_step_flatters() -> None:
    rng = np.random.default_rng(0)
    y = rng.lognormal(0, 2, 500) * (rng.random(500) > 0.3)
    guess = np.where(y > 0, y, 0.3)
    assert score(y, guess, step=1.0).r2_log > score(y, guess).r2_log


def test_nothing_to_explain_is_no_number() -> None:
    found = score(np.ones(5), np.ones(5))
    assert np.isnan(found.r2)
    assert np.isnan(found.pearson2)


@given(st.lists(st.integers(0, 10**6), min_size=3, max_size=50), st.floats(0.01, 100))
@example([3, 3, 3], 57.548317038982475)
def test_units_do_not_matter(values: list[int], factor: float) -> None:
    y = np.array(values, float)
    guess = y[::-1].copy()
    a, b = score(y, guess), score(y * factor, guess * factor)
    for name in ("r2", "pearson2", "spearman", "r2_log", "total_ratio"):
        assert getattr(a, name) == pytest.approx(getattr(b, name), rel=1e-6, abs=1e-6, nan_ok=True)


def test_means_over_repeats() -> None:
    found = mean_scores([score(Y, Y), score(Y, 3 * Y)])
    assert found.total_ratio == pytest.approx(2)
    assert found.n == len(Y)
