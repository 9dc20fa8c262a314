"""What the explorer needs is made once, kept whole or not at all, and made anew when its inputs change."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from aqqua.app import prepare as module
from aqqua.app.columns import read_frame
from aqqua.app.prepare import Prepared, prepare, quantise
from aqqua.app.sample import MODEL, build_sample, true_names, write_sample_predictions
from aqqua.errors import ConfigError, UnknownNameError
from aqqua.store.dataset import Dataset


@pytest.fixture
def small(tmp_path: Path) -> Dataset:
    """80 images of its own for each test."""
    return build_sample(tmp_path / "small", 80)


def fails(*_: Any, **__: Any) -> Any:
    raise AssertionError("made anew")


def test_a_map_is_made_once(small: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    first = prepare(small)
    (folder,) = (small.path / "explore" / MODEL).iterdir()
    assert folder.name == first.version
    monkeypatch.setattr(module, "project", fails)
    again = prepare(Dataset.open(small.path))
    assert (again.prepared.positions == first.prepared.positions).all()
    assert again.extent == first.extent
    assert [c.label for c in again.clusters] == [c.label for c in first.clusters]


def test_the_map_shows_what_is_alike_together(sample: Dataset) -> None:
    view = prepare(sample)
    names = true_names(sample)["name"].to_numpy()
    positions = view.prepared.positions
    distance = np.linalg.norm(positions[:, None] - positions, axis=2)
    near = np.argsort(distance, axis=1)[:, 1:6]
    by_chance = (names[:, None] == names).mean()
    assert by_chance < 0.2
    assert (names[near] == names[:, None]).mean() > 0.75


def test_new_predictions_give_a_new_map_and_the_old_one_goes(small: Dataset) -> None:
    first = prepare(small)
    write_sample_predictions(small, seed=5)
    second = prepare(small)
    assert second.version != first.version
    assert [folder.name for folder in (small.path / "explore" / MODEL).iterdir()] == [second.version]


def test_any_change_of_a_file_of_predictions_gives_another_version(small: Dataset) -> None:
    frame = read_frame(small, MODEL)
    versions = {module._fingerprint(small, frame, MODEL), module._fingerprint(small, frame, None)}
    for shard in small.shards:
        path = small.prediction_path(MODEL, shard.number)
        for at in (20, path.stat().st_size - 20):
            data = bytearray(path.read_bytes())
            data[at] ^= 1
            path.write_bytes(data)
            versions.add(module._fingerprint(small, frame, MODEL))
    assert len(versions) == 2 + 4


def test_removed_images_give_a_new_map_without_them(small: Dataset) -> None:
    first = prepare(small)
    gone = [int(uid) for uid in first.table.uid[:3]]
    second = prepare(small.add_tombstones(gone, "test"))
    assert len(second) == 77
    assert second.version != first.version
    assert not set(gone) & set(second.table.uid.tolist())


def test_new_labels_need_no_new_map_but_name_its_clusters(small: Dataset) -> None:
    first = prepare(small)
    small.add_labels(pl.DataFrame({"uid": first.table.uid, "label": "everything", "taxon": "Biota"}))
    second = prepare(small)
    assert second.version == first.version
    assert {c.label.split(" (")[0] for c in second.clusters} <= {"Biota"}
    assert second.table.columns["label"].values == (("everything", 80),)


@pytest.mark.parametrize(
    ("name", "content"),
    [("info.json", b"{"), ("positions.npy", b"\x93NUMPY"), ("strata_code.npy", None), ("neighbours_vectors.npy", b""),
     ("cluster.npy", b"cos\nsystem\n(S'true'\ntR."), ("cluster.npy", b"PK\x05\x06" + bytes(18))],
)  # fmt: skip
def test_a_damaged_map_is_made_anew(small: Dataset, name: str, content: bytes | None) -> None:
    first = prepare(small)
    file = small.path / "explore" / MODEL / first.version / name
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    second = prepare(small)
    assert (second.prepared.positions == first.prepared.positions).all()
    assert Prepared.load(file.parent, 80) is not None, "the damaged one was not replaced"


def test_a_full_disk_does_not_keep_the_explorer_from_opening(small: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Prepared, "save", full)
    assert len(prepare(small)) == 80
    assert not list((small.path / "explore" / MODEL).iterdir())


def test_a_map_that_another_process_finished_first_is_left(small: Dataset) -> None:
    first = prepare(small)
    module._keep(first.prepared, small.path / "explore" / MODEL, first.version)
    assert [folder.name for folder in (small.path / "explore" / MODEL).iterdir()] == [first.version]


def test_without_predictions_the_map_shows_size_and_brightness_and_says_so(plain: Dataset) -> None:
    view = prepare(plain)
    assert view.model is None
    assert f"aqqua predict MODEL {plain.path}" in str(view.note(plain.path))
    assert np.isfinite(view.prepared.positions).all()
    row = view.table.frame["longest_side_um"].to_numpy().argmax()
    found, _ = view.prepared.neighbours.similar(np.array([row]), 5)
    sides = view.table.frame["longest_side_um"].to_numpy()
    assert np.median(sides[found]) > np.median(sides), "images like the largest one are large"


def test_images_without_a_vector_lie_apart(small: Dataset) -> None:
    shutil.rmtree(small.path / "predictions")
    names = true_names(small)
    shard = small.shards[0]
    uids = names.filter(pl.col("uid") // (1 << 32) == shard.number)["uid"]
    vectors = pl.Series(np.random.default_rng(0).normal(size=(len(uids), 8)).astype(np.float32).tolist())
    frame = pl.DataFrame({"uid": uids, "vector": vectors.cast(pl.List(pl.Float32))})
    small.write_predictions("half", shard.number, frame, {})
    view = prepare(small)
    there = np.isin(view.table.uid, uids.to_numpy())
    assert str(view.note("here")).startswith(f"{80 - len(uids)} images have no vector")
    low = view.prepared.positions[there].min(axis=0)
    assert (view.prepared.positions[~there] < low).all(axis=1).mean() > 0.9
    assert view.table.columns["taxon_knn"].missing == 80


def test_predictions_without_vectors_leave_everything_apart_but_open(small: Dataset) -> None:
    shutil.rmtree(small.path / "predictions")
    uids = small.metadata(["key"])["uid"]
    for shard in small.shards:
        part = uids.filter(uids // (1 << 32) == shard.number)
        small.write_predictions("taxa", shard.number, pl.DataFrame({"uid": part, "taxon_knn": "x"}), {})
    view = prepare(small)
    assert view.table.columns["taxon_knn"].values == (("x", 80),)
    assert np.isfinite(view.prepared.positions).all()
    assert view.note("here") is not None
    with pytest.raises(ConfigError, match="no vector"):
        view.prepared.neighbours.similar(np.array([0]), 5)


def test_an_unknown_model_is_answered_with_the_nearest(small: Dataset) -> None:
    with pytest.raises(UnknownNameError, match="model with predictions") as caught:
        prepare(small, "sample-0badcaf")
    assert MODEL in str(caught.value)


def test_an_empty_dataset_opens(tmp_path: Path) -> None:
    view = prepare(Dataset.create(tmp_path / "empty"))
    assert len(view) == 0
    assert len(view.select({"missing": "label"}, [[0, 0], [1, 0], [0, 1]])) == 0


def test_positions_fill_the_square_extent(sample: Dataset) -> None:
    view = prepare(sample)
    x0, y0, x1, y1 = view.extent
    assert x1 - x0 == pytest.approx(y1 - y0)
    x, y = quantise(view.prepared.positions, view.extent)
    assert max(np.ptp(x.astype(int)), np.ptp(y.astype(int))) > 60_000
    back = x0 + x / 65_535 * (x1 - x0)
    assert np.abs(back - view.prepared.positions[:, 0]).max() < (x1 - x0) / 65_535
    info = json.loads((sample.path / "explore" / MODEL / view.version / "info.json").read_text())
    assert info["images"] == 300
    assert info["without_vector"] == 0
