"""Very many images: same seed, same bytes; the truth says which organism each image shows, and which way round."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from aqqua.errors import ConfigError
from aqqua.ocean import many
from aqqua.ocean.files import sha256_of
from aqqua.ocean.many import TURNS, write_many
from aqqua.ocean.truth import verify_seal
from aqqua.sources.ingest import ingest


@pytest.fixture(scope="module")
def ocean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("many") / "ocean"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(many, "_BIN", 40)
        patch.setattr(many, "_BINS", 2)
        patch.setattr(many, "_LEG", 80)
        write_many(out, seed=3, images=130, reuse=5)
    return out


def _digests(out: Path) -> dict[str, str]:
    return {path.relative_to(out).as_posix(): sha256_of(path) for path in sorted(out.rglob("*")) if path.is_file()}


def test_the_seal_fits_and_nothing_is_left_over(ocean: Path) -> None:
    assert verify_seal(ocean) == []
    assert not list(ocean.rglob("*.npz"))
    assert sorted(path.name for path in (ocean / "ifcb").iterdir()) == ["bins.csv", "card.yaml", "leg_0000", "leg_0001"]


def test_the_same_seed_gives_the_same_bytes(ocean: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("_BIN", 40), ("_BINS", 2), ("_LEG", 80)):
        monkeypatch.setattr(many, name, value)
    write_many(tmp_path / "again", seed=3, images=130, reuse=5)
    assert _digests(tmp_path / "again") == _digests(ocean)


def test_all_come_into_a_dataset_and_truth_finds_them(ocean: Path, tmp_path: Path) -> None:
    report = ingest([ocean / "ifcb"], tmp_path / "data")
    assert (report.images, report.rejected) == (130, 0)
    sightings = pl.concat(pl.read_parquet(path) for path in sorted((ocean / "truth" / "sightings").iterdir()))
    assert sightings.height == 130
    portraits = pl.read_parquet(ocean / "truth" / "portraits.parquet")
    masks = zipfile.ZipFile(ocean / "truth" / "masks.zip")
    names = {f"{name}_{roi:05d}": (portrait, turn) for name, roi, portrait, turn in sightings.iter_rows()}
    (shard,) = report.dataset.shards
    objects = pl.read_parquet(shard.converted)["object_id"].to_list()
    darker = 0
    for key, pixels in report.dataset.iter_images(shard):
        portrait, turn = names[objects[key]]
        size = portraits.row(portrait, named=True)
        assert pixels.shape == (size["height"], size["width"])
        mask = np.asarray(Image.open(io.BytesIO(masks.read(f"{portrait:05}.png"))))[TURNS[turn]]
        darker += bool(pixels[mask == 2].mean() < pixels[mask == 0].mean())
    assert darker >= 125  # a body takes light away, wherever it lies


def test_images_of_one_organism_differ(ocean: Path, tmp_path: Path) -> None:
    dataset = ingest([ocean / "ifcb"], tmp_path / "data").dataset
    hashes = pl.concat(pl.read_parquet(shard.converted, columns=["xxh3"]) for shard in dataset.shards)
    assert hashes["xxh3"].n_unique() == 130


def test_nothing_is_overwritten_and_emptiness_is_refused(ocean: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        write_many(ocean, images=10, reuse=1)
    with pytest.raises(ConfigError):
        write_many(tmp_path / "none", images=0, reuse=1)
    with pytest.raises(ConfigError):
        write_many(tmp_path / "none", images=1, reuse=0)
