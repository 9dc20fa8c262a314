from __future__ import annotations

import errno
import os
import pickle
import random
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from aqqua.errors import ConfigError, FormatError, NotFoundError, StorageError
from aqqua.metadata.check import Finding
from aqqua.store import commit as commit_module
from aqqua.store.dataset import Dataset
from aqqua.store.verify import verify
from tests.make.datasets import batch, miniature, sealed_shard
from tests.store.ingest_and_die import COUNTS, ingest

ROOT = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-m", "tests.store.ingest_and_die"]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1", "AQQUA_QUIET": "1"}


def is_complete(dataset: Dataset) -> bool:
    """Everything is there, once."""
    made = [batch(count, seed) for seed, count in enumerate(COUNTS)]
    names = {name for one in made for name in one.converted["object_id"]}
    metadata, labels = dataset.metadata(), dataset.labels()
    findings = [finding.message for finding in dataset.findings()]
    return (
        set(metadata["object_id"]) == names
        and len(metadata) == len(dataset) == sum(COUNTS)
        and [shard.fingerprint for shard in dataset.shards] == ["print_0", "print_1", "print_2"]
        and len(labels) == sum(len(one.labels) for one in made)
        and sum(len(dataset.label_history(uid)) for uid in labels["uid"]) == len(labels)
        and dataset.rejected()["reason"].to_list() == [f"no position in source {seed}" for seed in range(3)]
        and findings == [f"no position in source {seed}" for seed in range(3)]
        and errors(dataset) == []
    )


def errors(dataset: Dataset) -> list[Finding]:
    return [finding for finding in verify(dataset, 3) if finding.severity == "error"]


def is_sound(root: Path) -> bool:
    """What an interrupted ingest left can be read, and all of it is right."""
    if not Dataset.is_at(root):
        return True  # nothing has begun
    dataset = Dataset.open(root)
    counts = [shard.n_images for shard in dataset.shards]
    whole = counts in ([], list(COUNTS[:2]), list(COUNTS))
    rows = dataset.metadata()
    told = len(dataset.rejected()) == len(dataset.findings()) == len(dataset.shards)
    labelled = set(dataset.labels()["uid"]) <= set(rows["uid"])
    return whole and told and labelled and len(rows) == sum(counts) and not errors(dataset)


def calls_of_a_whole_ingest(folder: Path) -> int:
    done = subprocess.run([*PROGRAM, str(folder), "0"], check=True, capture_output=True, cwd=ROOT, env=ENVIRONMENT)
    return int(done.stdout)


def die_and_resume(root: Path, moment: int) -> None:
    died = subprocess.run([*PROGRAM, str(root), str(moment)], check=False, cwd=ROOT, env=ENVIRONMENT, stdout=-3)
    assert died.returncode == -9
    assert is_sound(root), moment
    assert is_complete(ingest(root)), moment
    assert not [path for path in root.rglob("*") if path.suffix in {".part", ".spool", ".arrow"}]


def test_a_killed_ingest_loses_at_most_its_shard(tmp_path: Path) -> None:
    calls = calls_of_a_whole_ingest(tmp_path / "whole")
    assert is_complete(Dataset.open(tmp_path / "whole"))
    assert calls > 100
    for moment in random.Random(calls).sample(range(2, calls + 1), 3):
        die_and_resume(tmp_path / str(moment), moment)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_killed_ingest_loses_at_most_its_shard_at_any_moment(tmp_path: Path) -> None:
    calls = calls_of_a_whole_ingest(tmp_path / "whole")
    for moment in range(2, calls + 1, 10):
        die_and_resume(tmp_path / str(moment), moment)


def test_killed_twice_at_random_times(tmp_path: Path) -> None:
    root = tmp_path / "dataset"
    for delay in (0.9, 1.3):
        process = subprocess.Popen([*PROGRAM, str(root), "0"], cwd=ROOT, env=ENVIRONMENT, stdout=-3)
        time.sleep(delay * random.Random(root.name).uniform(0.5, 1.5))
        process.kill()
        process.wait()
        assert is_sound(root)
    assert is_complete(ingest(root))


def test_sealed_shards_need_not_be_built_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "dataset"
    dataset = Dataset.create(root)
    sealed = sealed_shard(root / "jobs" / "source_0", COUNTS[0], 0)

    def power_cut(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(commit_module, "write_manifest", power_cut)
    with pytest.raises(KeyboardInterrupt):
        dataset.commit([sealed])
    monkeypatch.undo()
    assert Dataset.open(root) == dataset
    before = (sealed.folder / "summary.json").stat().st_mtime_ns
    assert is_complete(ingest(root))
    assert before
    assert not sealed.folder.exists()


def test_a_commit_done_twice_adds_nothing(tmp_path: Path) -> None:
    dataset = Dataset.create(tmp_path / "dataset")
    dataset = dataset.commit([sealed_shard(tmp_path / "a")])
    again = dataset.commit([sealed_shard(tmp_path / "a"), sealed_shard(tmp_path / "a2")])
    assert again == dataset
    assert not (tmp_path / "a").exists()
    assert not (tmp_path / "a2").exists()


def test_labels_of_a_commit_that_never_came_do_not_count(tmp_path: Path) -> None:
    dataset = miniature(tmp_path / "dataset", (4,))
    orphan = dataset.path / "labels" / "v000002.parquet"
    labels = dataset.labels().with_columns(label=pl.lit("orphan"))
    labels.write_parquet(orphan)
    assert "orphan" not in set(dataset.labels()["label"])
    after = dataset.commit([], findings=[Finding("info", "told", "something")])
    assert after.snapshot == 2
    assert "orphan" not in set(after.labels()["label"])


def test_two_who_commit_at_once_both_come_in(tmp_path: Path) -> None:
    """Each opened the dataset before the other wrote."""
    one = Dataset.create(tmp_path / "dataset")
    two = Dataset.open(tmp_path / "dataset")
    one.commit([sealed_shard(tmp_path / "a", 5, 0)])
    both = two.commit([sealed_shard(tmp_path / "b", 6, 1)])
    assert [shard.n_images for shard in both.shards] == [5, 6]
    assert [shard.number for shard in both.shards] == [0, 1]


def test_processes_wait_for_each_other(tmp_path: Path) -> None:
    Dataset.create(tmp_path / "dataset")
    program = (
        "import sys, pathlib\n"
        "from aqqua.store.dataset import Dataset\n"
        "from tests.make.datasets import sealed_shard\n"
        "root, seed = pathlib.Path(sys.argv[1]), int(sys.argv[2])\n"
        "for turn in range(2):\n"
        "    shard = sealed_shard(root / 'jobs' / f'{seed}-{turn}', 3, 10 * seed + turn)\n"
        "    Dataset.open(root).commit([shard])\n"
    )
    arguments = [sys.executable, "-c", program, str(tmp_path / "dataset")]
    children = [subprocess.Popen([*arguments, str(seed)], cwd=ROOT, env=ENVIRONMENT) for seed in (1, 2)]
    assert [child.wait() for child in children] == [0, 0]
    dataset = Dataset.open(tmp_path / "dataset")
    assert (len(dataset.shards), dataset.snapshot) == (4, 4)
    assert dataset.metadata()["object_id"].n_unique() == 12
    assert errors(dataset) == []


def test_other_disks_are_copied_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    dataset = miniature(tmp_path / "dataset")
    assert errors(dataset) == []


def test_a_full_disk_leaves_the_dataset_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = miniature(tmp_path / "dataset", (4,))
    sealed = sealed_shard(tmp_path / "new", 3, 7)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="disk is full"):
        dataset.commit([sealed])
    monkeypatch.undo()
    assert Dataset.open(dataset.path) == dataset
    assert len(dataset.commit([sealed])) == 7


def test_a_sealed_shard_that_lost_a_file_is_refused(tmp_path: Path) -> None:
    dataset = Dataset.create(tmp_path / "dataset")
    sealed = sealed_shard(tmp_path / "new")
    sealed.files["raw"].unlink()
    with pytest.raises(FormatError, match="not whole"):
        dataset.commit([sealed])
    assert len(Dataset.open(dataset.path)) == 0


def test_removed_images_are_gone_from_every_view(tmp_path: Path) -> None:
    dataset = miniature(tmp_path / "dataset", (10, 6))
    uids = dataset.metadata()["uid"].to_list()
    labelled = dataset.labels()["uid"].to_list()
    for shard in dataset.shards:
        of_shard = [uid for uid in uids if uid >> 32 == shard.number]
        dataset.write_predictions("m-1", shard.number, pl.DataFrame({"uid": of_shard}), {})
    gone = [uids[3], uids[12], labelled[0]]
    after = dataset.add_tombstones(gone, "duplicate of another image")
    rest = [uid for uid in uids if uid not in gone]
    assert after.metadata()["uid"].to_list() == rest
    assert after.predictions()["uid"].to_list() == rest
    assert set(after.labels()["uid"]) == set(labelled) - set(gone)
    assert [uid for shard in after.shards for uid, _ in after.iter_images(shard)] == rest
    assert len(after) == len(rest) == sum(shard.n_images - shard.n_removed for shard in after.shards)
    for read in (after.image, after.row, lambda uid: after.raw([uid]), lambda uid: after.images([uid])):
        with pytest.raises(NotFoundError, match="removed"):
            read(gone[0])
    assert len(after.label_history(gone[2])) == 0
    assert errors(after) == []
    assert dataset.image(gone[0]).size  # an earlier snapshot is as it was
    assert pickle.loads(pickle.dumps(dataset)).metadata()["uid"].to_list() == uids
    twice = after.add_tombstones([rest[0]], "blurred")
    assert len(twice) == len(rest) - 1


def test_removing_needs_a_reason_and_an_image(tmp_path: Path) -> None:
    dataset = miniature(tmp_path / "dataset", (4,))
    with pytest.raises(ConfigError, match="reason"):
        dataset.add_tombstones([0], " ")
    for uid in (4, 1 << 32, -1):
        with pytest.raises(NotFoundError):
            dataset.add_tombstones([uid], "gone")
    assert Dataset.open(dataset.path) == dataset
