from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, UnidentifiedImageError

from aqqua.metadata.fields import FIELDS
from aqqua.ocean.flaws import FLAWS, choose, cut_short
from aqqua.ocean.instruments import INSTRUMENTS


def test_flaws_name_real_fields_and_instruments() -> None:
    for kind in FLAWS:
        assert kind.instrument in INSTRUMENTS
        assert kind.field == "image" or kind.field in FIELDS
        assert kind.expected in {"rejected", "repaired"}


def test_the_choice_is_that_of_the_seed_and_spares_tiny_sources() -> None:
    objects = [f"o{i}" for i in range(50)]
    kind = FLAWS[0]
    assert choose(kind, objects, 1) == choose(kind, objects, 1)
    assert len({choose(kind, objects, seed) for seed in range(10)}) > 3
    assert choose(kind, objects[:3], 1) is None


def test_a_file_cut_short_is_no_image_any_more(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.effect_noise((60, 60), 50).save(path)
    size = path.stat().st_size
    cut_short(path)
    assert path.stat().st_size == int(0.6 * size)
    with pytest.raises((OSError, SyntaxError, UnidentifiedImageError)), Image.open(path) as image:
        image.load()
