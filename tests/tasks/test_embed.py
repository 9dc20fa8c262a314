from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aqqua.errors import FormatError
from aqqua.models.checkpoint import load
from aqqua.models.describe import describe
from aqqua.models.engines import open_model
from aqqua.tasks import embed as module
from aqqua.tasks.embed import embed, forget
from tests.make.onnx_models import write_plain_model
from tests.make.trainable import make_dataset


def test_every_image_gets_the_vector_of_its_pixels(trained: Path, tmp_path: Path) -> None:
    ds, model = make_dataset(tmp_path / "ds", 20, shards=2), load(trained)
    vectors = embed(model, ds)
    assert sorted(vectors) == [0, 1]
    uids = np.concatenate([v.uid for v in vectors.values()]).tolist()
    assert uids == ds.metadata(["pixel_um"])["uid"].to_list()
    some = uids[7]
    alone = describe(model.network, [model.preprocessing.prepare(ds.image(some), 20.0)])[0]
    found = np.concatenate([v.vector for v in vectors.values()])[7]
    np.testing.assert_allclose(found, alone, atol=1e-5)


def test_windows_do_not_matter(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ds, model = make_dataset(tmp_path / "ds", 20), load(trained)
    whole = embed(model, ds)[0].vector
    forget(model, ds)
    monkeypatch.setattr(module, "_WINDOW", 3)
    np.testing.assert_allclose(embed(model, ds)[0].vector, whole, atol=1e-5)


def test_removed_images_get_none(trained: Path, tmp_path: Path) -> None:
    ds = make_dataset(tmp_path / "ds", 20)
    gone = ds.metadata(["pixel_um"])["uid"].to_list()[5]
    left = ds.add_tombstones([gone], "a test")
    uids = embed(load(trained), left)[0].uid.tolist()
    assert len(uids) == 19
    assert gone not in uids


def test_what_is_done_is_not_done_again(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ds, model = make_dataset(tmp_path / "ds", 10), load(trained)
    first = embed(model, ds)[0].vector
    monkeypatch.setattr(module, "open_model", None)
    module._model.cache_clear()
    assert np.array_equal(embed(model, ds)[0].vector, first)
    forget(model, ds)
    assert not any(path.name.startswith("embed-") for path in (ds.path / "jobs").glob("*"))


def test_damaged_intermediate_vectors_are_told(trained: Path, tmp_path: Path) -> None:
    ds, model = make_dataset(tmp_path / "ds", 10), load(trained)
    embed(model, ds)
    next((ds.path / "jobs").rglob("*.npy")).write_bytes(b"nothing")
    with pytest.raises(FormatError, match="remove the file"):
        embed(model, ds)


def test_vectors_are_found_by_id_across_shards(trained: Path, tmp_path: Path) -> None:
    ds = make_dataset(tmp_path / "ds", 20, shards=2)
    found = embed(load(trained), ds)
    everything = np.concatenate([found[shard].vector for shard in found])
    uids = ds.metadata([])["uid"].to_numpy()
    order = np.random.default_rng(0).permutation(20)
    assert np.array_equal(found.of(uids[order]), everything[order])
    assert found.of(uids[:0]).shape == (0, load(trained).vector_length)


def test_vectors_stay_on_disk_until_they_are_wanted(trained: Path, tmp_path: Path) -> None:
    found = embed(load(trained), make_dataset(tmp_path / "ds", 10))[0]
    assert isinstance(found.vector.base, np.memmap)


def test_the_engine_of_the_model_is_the_one_that_computes(tmp_path: Path) -> None:
    ds, folder = make_dataset(tmp_path / "ds", 10), write_plain_model(tmp_path / "model")
    exact, small = (embed(open_model(folder, engine), ds)[0].vector for engine in ("onnx", "onnx-int8"))
    np.testing.assert_allclose(small[:, 0], 1.01 * exact[:, 0], rtol=1e-5)
    assert len(list((ds.path / "jobs").rglob("*.npy"))) == 2
