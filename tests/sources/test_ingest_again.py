"""The verb run again: after a crash, with more sources, with a better card."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aqqua.metadata.card import Card
from aqqua.sources.archive import Tree
from aqqua.sources.build import build_shard
from aqqua.sources.ingest import ingest
from aqqua.sources.plan import plan_source
from aqqua.store.dataset import Dataset
from aqqua.store.shard import ShardBuilder
from tests.make.ecotaxa import FLAVOURS, rows, write_package
from tests.make.folders import write_classes
from tests.make.ifcb import write_bin
from tests.sources.asking import IFCB_CARD, identities, pixels_of


def test_a_source_is_not_added_twice(tmp_path: Path) -> None:
    write_classes(tmp_path / "s.zip")
    first = ingest([tmp_path / "s.zip", tmp_path / "s.zip"], tmp_path / "ds")
    assert first.images == 6
    again = ingest([tmp_path / "s.zip"], tmp_path / "ds")
    assert (again.images, again.shards, again.skipped) == (0, 0, [tmp_path / "s.zip"])
    assert "nothing to do" in str(again)
    assert again.dataset == first.dataset


def test_more_sources_are_added_to_what_is_there(tmp_path: Path) -> None:
    write_classes(tmp_path / "s.zip")
    package = write_package(tmp_path / "p", FLAVOURS["import"])
    write_bin(tmp_path / "bins")
    one = ingest([tmp_path / "s.zip"], tmp_path / "ds").dataset
    two = ingest([package.path], tmp_path / "ds").dataset
    assert identities(two)[: len(one.shards)] == identities(one)
    three = ingest([tmp_path / "bins"], tmp_path / "ds", card=IFCB_CARD).dataset
    assert len(three) == 6 + len(package.pixels) + 4
    assert set(three.metadata(["instrument"])["instrument"]) == {"ISIIS", "ZooScan", "IFCB"}


def test_with_a_better_card_only_the_rejected_rows_are_tried_again(tmp_path: Path) -> None:
    table = rows()
    table = [
        row | ({"object_depth_min": "", "object_depth_max": ""} if row["sample_id"] == "sample_1" else {})
        for row in table
    ]
    package = write_package(tmp_path / "p", FLAVOURS["import"], table)
    first = ingest([package.path], tmp_path / "ds")
    assert 0 < first.images < len(table)
    second = ingest([package.path], tmp_path / "ds", card=Card(defaults={"depth_m": 5}))
    assert second.images == len(table) - first.images
    assert second.rejected == 0
    assert len(second.dataset) == len(table)
    assert len(pixels_of(second.dataset)) == len(table)
    assert identities(second.dataset)[0] == identities(first.dataset)[0]


def test_a_run_that_was_interrupted_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_classes(tmp_path / "s.zip", images=5)
    clean = ingest([tmp_path / "s.zip"], tmp_path / "clean", shard_images=2).dataset
    calls = []
    original = ShardBuilder.seal

    def seal(self: ShardBuilder, *args: object) -> object:
        calls.append(self.folder)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return original(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(ShardBuilder, "seal", seal)
    with pytest.raises(KeyboardInterrupt):
        ingest([tmp_path / "s.zip"], tmp_path / "ds", shard_images=2)
    assert len(Dataset.open(tmp_path / "ds")) == 0
    again = ingest([tmp_path / "s.zip"], tmp_path / "ds", shard_images=2).dataset
    assert len(calls) == 6, "two were done, one was interrupted, three remained"
    assert identities(again) == identities(clean)
    assert not (tmp_path / "ds" / "jobs").exists()


def test_an_interruption_between_commit_and_tidying_adds_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_classes(tmp_path / "s.zip")
    monkeypatch.setattr(
        "aqqua.sources.ingest.shutil.rmtree", lambda *args, **kwargs: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    with pytest.raises(KeyboardInterrupt):
        ingest([tmp_path / "s.zip"], tmp_path / "ds")
    monkeypatch.undo()
    report = ingest([tmp_path / "s.zip"], tmp_path / "ds")
    assert len(report.dataset) == 6
    assert not (tmp_path / "ds" / "jobs").exists()


def test_a_killed_process_costs_at_most_its_shard(tmp_path: Path) -> None:
    write_classes(tmp_path / "s.zip", images=32)
    clean = ingest([tmp_path / "s.zip"], tmp_path / "clean", shard_images=4).dataset
    code = "import sys; from aqqua.sources.ingest import ingest; ingest([sys.argv[1]], sys.argv[2], shard_images=4)"
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "s.zip"), str(tmp_path / "ds")])
    while not list((tmp_path / "ds").glob("jobs/*/*/notes.json")):
        assert process.poll() is None, "it was done before it could be killed"
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert len(Dataset.open(tmp_path / "ds")) == 0
    report = ingest([tmp_path / "s.zip"], tmp_path / "ds", shard_images=4)
    assert identities(report.dataset) == identities(clean)


def test_a_pool_makes_the_same_shards(tmp_path: Path) -> None:
    write_classes(tmp_path / "s.zip")
    here = ingest([tmp_path / "s.zip"], tmp_path / "here", shard_images=3).dataset
    pool = ingest([tmp_path / "s.zip"], tmp_path / "pool", shard_images=3, where="pool", workers=2).dataset
    assert identities(pool) == identities(here)
    assert len(here.shards) == 2


def test_a_job_can_be_done_by_another_process() -> None:
    assert build_shard.__module__ == "aqqua.sources.build"
    assert "<" not in build_shard.__qualname__


def test_constants_of_one_source_do_not_slip_into_the_next(tmp_path: Path) -> None:
    write_classes(tmp_path / "with.zip")
    write_classes(tmp_path / "without.zip", card="", seed=1)
    dataset = ingest([tmp_path / "with.zip"], tmp_path / "ds").dataset
    assert (dataset.card.title, dataset.card.defaults) == ("A small survey", {})
    assert ingest([tmp_path / "without.zip"], tmp_path / "ds").images == 0


def test_the_journal_of_a_run_with_another_card_is_removed_too(tmp_path: Path) -> None:
    write_classes(tmp_path / "s.zip", card="")
    ingest([tmp_path / "s.zip"], tmp_path / "ds")
    (content,) = {plan_source(Tree(tmp_path / "s.zip"), None, Card(), (), 9).content}
    (tmp_path / "ds" / "jobs" / f"{content}-00000000" / "000000").mkdir(parents=True)
    ingest([tmp_path / "s.zip"], tmp_path / "ds", card=Card(title="another"))
    assert not (tmp_path / "ds" / "jobs").exists()


def test_a_folder_that_has_grown_adds_what_is_new(tmp_path: Path) -> None:
    write_bin(tmp_path / "bins", "D20220522T003051_IFCB134")
    first = ingest([tmp_path / "bins"], tmp_path / "ds", card=IFCB_CARD)
    write_bin(tmp_path / "bins", "D20220523T003051_IFCB134", seed=9)
    second = ingest([tmp_path / "bins"], tmp_path / "ds", card=IFCB_CARD)
    assert (first.images, second.images) == (4, 4)
    names = second.dataset.metadata(["object_id"])["object_id"]
    assert names.n_unique() == len(names) == 8
    for path in (tmp_path / "bins").iterdir():
        os.utime(path, (1e9, 1e9))
    assert ingest([tmp_path / "bins"], tmp_path / "ds", card=IFCB_CARD).images == 0, "copied to another disk"


def test_a_mended_table_adds_only_what_had_been_rejected(tmp_path: Path) -> None:
    """A line too many moves all others: lines are known by object and pixels, not by their number."""
    table = rows()
    half = [{**row, "object_depth_min": "", "object_depth_max": ""} if n % 2 else row for n, row in enumerate(table)]
    first = ingest([write_package(tmp_path / "p", FLAVOURS["import"], half).path], tmp_path / "ds")
    second = ingest([write_package(tmp_path / "p", FLAVOURS["import"], table).path], tmp_path / "ds")
    assert 0 < first.images < len(table) == len(second.dataset)


def test_another_source_of_the_same_name_is_added(tmp_path: Path) -> None:
    write_bin(tmp_path / "a" / "bins", seed=1)
    write_bin(tmp_path / "b" / "bins", seed=2)
    report = ingest([tmp_path / "a" / "bins", tmp_path / "b" / "bins"], tmp_path / "ds", card=IFCB_CARD)
    assert report.images == 8


def test_files_of_one_folder_are_sources_of_their_own(tmp_path: Path) -> None:
    for seed, name in enumerate(("D20220522T003051_IFCB134", "D20220523T003051_IFCB134")):
        write_bin(tmp_path / "bins", name, seed=seed)
        dataset = ingest([tmp_path / "bins" / f"{name}.adc"], tmp_path / "ds", card=IFCB_CARD).dataset
    assert [shard.source for shard in dataset.shards] == [
        "bins/D20220522T003051_IFCB134",
        "bins/D20220523T003051_IFCB134",
    ]
    assert ingest([tmp_path / "bins" / f"{name}.adc"], tmp_path / "ds", card=IFCB_CARD).images == 0
