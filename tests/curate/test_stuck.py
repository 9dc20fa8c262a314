from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aqqua.curate.signatures import read_signatures, signatures
from aqqua.curate.stuck import find_stuck
from aqqua.store.dataset import Dataset
from tests.make.captures import capture, dataset_of, uids_by_name


def frame_of(seed: int, noise_seed: int) -> np.ndarray:
    """The same particle with the noise of another frame."""
    noise = np.random.default_rng(noise_seed).normal(0, 3, (64, 76))
    return np.clip(capture(seed, sigma=0) + noise, 0, 255).astype(np.uint8)


def cruise(path: Path, *, places: bool, samples: list[str] | None = None) -> Dataset:
    """Ten frames: particle 0 is in every second one at the same place, the others are somewhere."""
    rng = np.random.default_rng(0)
    images = [frame_of(0 if i % 2 else 50 + i, i) for i in range(10)]
    x = [200 + i % 3 if i % 2 else int(rng.integers(0, 1000)) for i in range(10)]
    y = [300 - i % 2 if i % 2 else int(rng.integers(0, 1000)) for i in range(10)]
    raw = {"src_x": [str(v) for v in x], "src_y": [str(v) for v in y]} if places else {}
    return dataset_of(path, images, raw=raw, converted={"sample_id": samples or ["s"] * 10})


def stuck(dataset: Dataset) -> dict[str, int]:
    found = find_stuck(dataset, read_signatures(dataset, signatures(dataset)))
    names = {uid: name for name, uid in uids_by_name(dataset).items()}
    return {names[uid]: count for uid, count in found.select("uid", "stuck_count").iter_rows()}


@pytest.mark.parametrize("places", [True, False])
def test_what_stays_at_its_place_is_stuck(tmp_path: Path, places: bool) -> None:
    assert stuck(cruise(tmp_path / "d", places=places)) == {f"object_{i}": 5 for i in range(1, 10, 2)}


def test_one_group_has_the_uid_of_its_first_in_time(tmp_path: Path) -> None:
    dataset = cruise(tmp_path / "d", places=True)
    found = find_stuck(dataset, read_signatures(dataset, signatures(dataset)))
    assert set(found["stuck_group"]) == {uids_by_name(dataset)["object_1"]}
    assert found["uid"].is_sorted()


def test_the_same_look_at_other_places_is_not_stuck(tmp_path: Path) -> None:
    images = [frame_of(0, i) for i in range(6)]
    places = {"object_bx": [str(100 * i) for i in range(6)], "object_by": ["5"] * 6}
    assert stuck(dataset_of(tmp_path / "d", images, raw=places, converted={"sample_id": ["s"] * 6})) == {}


def test_other_particles_at_one_place_are_not_stuck(tmp_path: Path) -> None:
    images = [frame_of(i, i) for i in range(6)]
    places = {"object_bx": ["7"] * 6, "object_by": ["5"] * 6}
    assert stuck(dataset_of(tmp_path / "d", images, raw=places, converted={"sample_id": ["s"] * 6})) == {}


def test_in_another_sample_it_is_another_particle(tmp_path: Path) -> None:
    samples = ["a", "a", "a", "b", "b", "b", "c", "c", "c", "d"]
    assert stuck(cruise(tmp_path / "d", places=True, samples=samples)) == {}
