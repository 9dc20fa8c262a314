from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from aqqua.errors import NotFoundError, StorageError
from aqqua.store import compact as module
from aqqua.store.compact import compact
from aqqua.store.dataset import Dataset
from aqqua.store.moves import read_moves, read_withdrawn
from aqqua.store.parquet import write_frame
from aqqua.store.verify import verify
from aqqua.store.withdraw import withdraw
from tests.make.datasets import miniature, sealed_shard


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """Three shards with everything that names images; two of the shards have removed images."""
    dataset = miniature(tmp_path / "dataset", (12, 7, 5))
    rows = dataset.metadata(["height", "width"])
    for shard in dataset.shards:
        mine = rows.filter(shard=shard.number)
        vectors = pl.Series([[float(uid % 97), 1.0] for uid in mine["uid"]], dtype=pl.Array(pl.Float32, 2))
        frame = pl.DataFrame({"uid": mine["uid"], "vector": vectors, "p_knn": [0.5] * len(mine)})
        dataset.write_predictions("vit-1", shard.number, frame, {"weights_sha256": "0"})
        masks = [(uid, np.full((h, w), 1 + uid % 7, np.uint8)) for uid, _, h, w in mine[::2].iter_rows()]
        dataset.write_masks("objects", shard.number, masks, {"what": "objects"})
        quality = pl.DataFrame({"uid": mine["uid"], "focus": np.arange(len(mine)) / 10})
        write_frame(dataset.path / "quality" / f"{shard.number:08}.parquet", quality, kind="quality")
    split = rows.select("uid", split=pl.lit("train"))
    write_frame(dataset.path / "splits" / "first.parquet", split, kind="split", notes={"seed": 1})
    (dataset.path / "explore").mkdir()
    dataset.add_labels(pl.DataFrame({"uid": [1, 2, 1 << 32], "label": ["Oithona", "Metridia", "Evadne"]}))
    return withdraw(dataset, uids=pl.Series([0, 2, 5, (1 << 32) + 3]), reason="blurred").dataset


def picture(dataset: Dataset) -> dict[str, tuple[object, ...]]:
    """All that is known of each image, by its own name instead of its uid."""
    rows = dataset.metadata()
    labels = {uid: dataset.label_history(uid).drop("uid").rows() for uid in rows["uid"]}
    vectors = dict(dataset.predictions().select("uid", "vector").iter_rows())
    parts = [pl.read_parquet(path) for path in (dataset.path / "quality").glob("*.parquet")]
    quality = dict(pl.concat(parts).iter_rows())
    splits = dict(pl.read_parquet(dataset.path / "splits" / "first.parquet").iter_rows())
    found: dict[str, tuple[object, ...]] = {}
    for row in rows.drop("shard", "key").iter_rows(named=True):
        uid = row.pop("uid")
        mask = dataset.mask(uid, "objects")
        known = None if mask is None else mask.tolist()
        found[row["object_id"]] = (
            *row.values(),
            dataset.image(uid).tolist(),
            dataset.raw([uid]),
            labels[uid],
            vectors[uid],
            known,
            quality[uid],
            splits[uid],
        )
    return found


def test_all_goes_along_and_the_bytes_are_gone(dataset: Dataset) -> None:
    before = picture(dataset)
    gone = [path.read_bytes() for path in dataset.path.glob("images/*/*.mdb")]
    report = compact(dataset)
    after = report.dataset
    assert (report.images, report.shards, len(after)) == (4, 2, 20)
    assert picture(after) == before
    assert [shard.number for shard in after.shards] == [2, 3, 4]
    assert after.shards[0] == dataset.shards[2], "a shard without removed images stays as it is"
    assert verify(after, 3) == []
    names = sorted(path.name for path in dataset.path.rglob("*") if path.is_file())
    assert not [name for name in names if name.startswith(("00000000", "00000001"))]
    assert not (dataset.path / "tombstones").exists() or not list((dataset.path / "tombstones").iterdir())
    assert not (dataset.path / "explore").exists()
    assert not (dataset.path / "jobs").exists()
    assert gone
    labelled = pl.concat([pl.read_parquet(path) for path in dataset.path.glob("labels/*.parquet")])
    assert set(labelled["uid"]) <= set(after.metadata()["uid"]), "no label of a removed image is left on the disk"
    assert str(report).startswith("4 removed images are gone for good")


def test_moves_lead_from_old_to_new_uids(dataset: Dataset) -> None:
    names = dict(dataset.metadata(["object_id"]).select("uid", "object_id").iter_rows())
    after = compact(dataset).dataset
    again = compact(withdraw(after, uids=pl.Series([(3 << 32) + 1, 2 << 32]), reason="twice").dataset).dataset
    now = dict(again.metadata(["object_id"]).select("uid", "object_id").iter_rows())
    moves = dict(read_moves(again.path, again.manifest.moves).iter_rows())
    assert len(again) == 18
    assert [shard.number for shard in again.shards] == [4, 5, 6]
    assert {now[moves.get(old, old)] for old, name in names.items() if name in now.values()} == set(now.values())
    assert all(now[moves[old]] == name for old, name in names.items() if old in moves)
    assert not set(moves.values()) - set(now)


def test_labels_given_to_old_uids_are_not_lost(dataset: Dataset) -> None:
    """Someone had the dataset open while it was compacted."""
    old = dataset.metadata(["object_id"])
    uid, name = old["uid"][0], old["object_id"][0]
    after = compact(dataset).dataset
    table = pl.DataFrame({"uid": [uid], "label": ["Pseudocalanus"]})
    dataset.add_labels(table)
    new = Dataset.open(after.path).metadata(["object_id"]).filter(object_id=name)["uid"][0]
    assert new != uid
    assert Dataset.open(after.path).label_history(new)["label"].to_list()[-1] == "Pseudocalanus"


def test_a_shard_of_which_nothing_is_left_goes(dataset: Dataset) -> None:
    rejects = pl.DataFrame({"source_path": ["source_1.zip!t.tsv", "source_2.zip!t.tsv"], "reason": ["no time"] * 2})
    dataset.commit([], rejects=rejects)
    out = withdraw(dataset.path, source="source_1.zip", reason="the owner asked for it")
    assert (out.images, out.before) == (6, 1)
    after = compact(out.dataset).dataset
    assert {shard.source for shard in after.shards} == {"source_0.zip", "source_2.zip"}
    assert after.rejected()["source_path"].to_list() == ["source_2.zip!t.tsv"]
    withdrawn = read_withdrawn(after.path, after.snapshot).filter(source="source_1.zip")
    assert len(withdrawn) == 7
    assert set(withdrawn["reason"]) == {"blurred", "the owner asked for it"}
    assert set(withdrawn["fingerprint"]) == {"print_1"}
    again = after.commit([sealed_shard(after.path / "jobs" / "x", 3, 9)])
    assert [shard.number for shard in again.shards] == [2, 3, 5], "numbers are never used again"
    assert verify(again, 3) == []


def test_nothing_to_do(tmp_path: Path) -> None:
    dataset = miniature(tmp_path / "dataset", (3,))
    report = compact(dataset.path)
    assert (report.images, report.dataset) == (0, dataset)
    assert "nothing to do" in str(report)


@pytest.mark.parametrize("step", ["publish", "tidy", "_replace"])
def test_interrupted_and_run_again(dataset: Dataset, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before, real, calls = picture(dataset), getattr(module, step), []

    def power_cut(*arguments: object, **options: object) -> None:
        calls.append(step)
        if step == "tidy" and len(calls) == 1:
            real(*arguments, **options)
            return
        raise KeyboardInterrupt

    monkeypatch.setattr(module, step, power_cut)
    with pytest.raises(KeyboardInterrupt):
        compact(dataset)
    monkeypatch.undo()
    between = Dataset.open(dataset.path)
    assert set(between.metadata()["object_id"]) == set(before)
    assert [finding for finding in verify(between, 3) if finding.severity == "error"] == []
    assert len(list(dataset.path.glob("jobs/compact-*/*/summary.json"))) == 2, "what is built is kept for the next run"
    after = compact(dataset.path).dataset
    assert picture(after) == before
    assert verify(after, 3) == []
    assert not (dataset.path / "jobs").exists()


def test_a_dataset_that_changed_meanwhile_is_not_harmed(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    from aqqua.scale import map_shards

    def meanwhile(*arguments: object, **options: object) -> object:
        done = map_shards(*arguments, **options)  # type: ignore[arg-type]
        withdraw(dataset.path, uids=pl.Series([2 << 32]), reason="also blurred")
        return done

    monkeypatch.setattr(module, "map_shards", meanwhile)
    with pytest.raises(StorageError, match="changed while"):
        compact(dataset)
    monkeypatch.undo()
    assert len(compact(dataset.path).dataset) == 19


def test_in_a_pool_it_is_the_same(dataset: Dataset) -> None:
    before = picture(dataset)
    assert picture(compact(dataset, where="pool", workers=2).dataset) == before


def test_old_uids_are_refused(dataset: Dataset) -> None:
    after = compact(dataset).dataset
    with pytest.raises(NotFoundError, match="no image 1"):
        after.image(1)
