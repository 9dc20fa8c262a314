from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from aqqua.errors import UnknownNameError
from aqqua.models.checkpoint import load
from aqqua.models.released import verify_released
from aqqua.models.shipped import DEFAULT, SHIPPED, shipped
from aqqua.tasks.obtain import obtain


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_model_is_whole_and_has_a_card(name: str) -> None:
    folder = shipped(name)
    verify_released(folder)
    card = json.loads((folder / "model_card.json").read_text())
    assert card["licence"] == "Apache-2.0"
    info = load(folder).info
    assert info["model_id"].startswith(f"{name}-")
    assert info["training"]["images_seen"] > 100_000
    assert {one["path"] for one in info["data"]} == {"isiis", "spc", "flowcam", "uvp5", "ocean"}


def test_no_path_of_a_machine_is_in_what_is_shipped() -> None:
    for name in SHIPPED:
        for path in shipped(name).iterdir():
            if path.suffix in {".json", ".md", ".cff", ".yaml"}:
                text = path.read_text()
                assert "/tmp/" not in text, path
                assert "/home/" not in text, path
                assert "/work/" not in text, path


def test_all_shipped_models_together_are_small() -> None:
    total = sum(path.stat().st_size for name in SHIPPED for path in shipped(name).iterdir())
    assert total < 30 * 2**20


def test_a_shipped_model_is_found_by_its_name_and_a_folder_of_that_name_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert obtain(DEFAULT) == shipped()
    (tmp_path / DEFAULT).mkdir()
    assert obtain(DEFAULT) == Path(DEFAULT)
    with pytest.raises(UnknownNameError, match=DEFAULT):
        shipped("aqqua-nanno")


def test_its_vectors_are_those_of_the_release() -> None:
    """Preprocessing, measured features and weights together: whatever changes one of them shows here."""
    model = load(shipped())
    y, x = np.mgrid[:40, :56]
    copepod = np.full((40, 56), 200, dtype=np.uint8)
    copepod[((x - 26) / 16.0) ** 2 + ((y - 19) / 7.0) ** 2 < 1] = 60
    copepod[(x > 40) & (abs(y - 19) < 2)] = 120
    prepared = [model.preprocessing.prepare(copepod, 30.0), model.preprocessing.prepare(copepod, None)]
    from aqqua.models.describe import describe

    known, unknown = describe(model.network, prepared)
    np.testing.assert_allclose(np.linalg.norm(known), 1, atol=1e-5)
    np.testing.assert_allclose(known[:6], KNOWN, atol=2e-3)
    np.testing.assert_allclose(unknown[:6], UNKNOWN, atol=2e-3)
    assert known @ unknown > 0.6


KNOWN = [0.0094, 0.017, 0.0247, 0.033, 0.0267, -0.0215]
UNKNOWN = [0.0122, 0.0209, 0.0246, 0.0324, 0.0255, -0.0161]
