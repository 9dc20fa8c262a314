from __future__ import annotations

import numpy as np
import pytest

from aqqua.bench.leakage import Cameras, leakage


def seen(leak: float, n: int = 900, seed: int = 0) -> tuple[np.ndarray, Cameras]:
    """Three taxa before three cameras; `leak` is how far a camera moves its vectors."""
    rng = np.random.default_rng(seed)
    taxon, camera = rng.integers(0, 3, n), rng.integers(0, 3, n)
    x = 2 * np.eye(8)[taxon] + leak * np.eye(8)[3 + camera] + rng.normal(0, 0.4, (n, 8))
    names = [f"taxon {t}" for t in taxon], [f"camera {c}" for c in camera]
    return x.astype(np.float32), Cameras.of(*names)


def test_vectors_without_a_camera_leak_nothing() -> None:
    told = leakage(*seen(0))
    assert told is not None
    assert (told["taxa"], told["instruments"], told["pairs"]) == (3, 3, 6)
    assert told["probe_chance"] == pytest.approx(1 / 3)
    assert told["probe"] == pytest.approx(1 / 3, abs=0.08)
    assert told["purity"] == pytest.approx(told["purity_blind"], abs=0.03)
    assert told["robustness"] > 0.95
    assert told["transfer"] > 0.95


def test_vectors_of_the_camera_are_found_out() -> None:
    little, much = leakage(*seen(1)), leakage(*seen(8))
    assert little is not None
    assert much is not None
    assert much["probe"] > little["probe"] > 0.6
    assert much["purity"] > 0.95
    assert much["robustness"] < 0.1 < little["robustness"]


def test_what_one_camera_teaches_may_not_hold_for_another() -> None:
    rng = np.random.default_rng(0)
    taxon, camera = rng.integers(0, 3, 900), rng.integers(0, 3, 900)
    x = np.eye(8)[(taxon + camera) % 3] + rng.normal(0, 0.2, (900, 8))  # to the next camera each looks like the next
    told = leakage(x.astype(np.float32), Cameras.of([str(t) for t in taxon], [str(c) for c in camera]))
    assert told is not None
    assert told["transfer_within"] > 0.95
    assert told["transfer"] < 0.05


def test_a_camera_that_sees_other_taxa_is_no_leak() -> None:
    """The instrument follows from the taxon here; nothing is asked but within a taxon."""
    x, _ = seen(0)
    cameras = Cameras.of(["a", "b"] * 450, ["one", "two"] * 450)
    assert leakage(x, cameras) is None


def test_balance_hides_the_commoner_camera() -> None:
    x, cameras = seen(0, n=2000)
    rare = np.flatnonzero((cameras.instrument != 0) | (np.arange(2000) % 20 == 0))
    names = [cameras.taxa[t] for t in cameras.taxon[rare]], [cameras.instruments[i] for i in cameras.instrument[rare]]
    told = leakage(x[rare], Cameras.of(*names))
    assert told is not None
    assert told["probe"] == pytest.approx(1 / 3, abs=0.12)


def test_an_unknown_instrument_is_one_of_its_own() -> None:
    assert Cameras.of(["a", "a"], [None, "ISIIS"]).instruments == ["?", "ISIIS"]
