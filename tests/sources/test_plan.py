"""Jobs cover every row once, whatever the parts are like."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqqua.errors import SourceError
from aqqua.metadata.card import Card
from aqqua.sources.archive import Tree
from aqqua.sources.cards import OwnerTable
from aqqua.sources.part import Part, Rows
from aqqua.sources.pixels import Picture
from aqqua.sources.plan import _job_rows, _packed, plan_source, row_keys
from aqqua.sources.tables import read_table
from tests.make.folders import write_classes
from tests.make.ifcb import write_bin


@dataclass(frozen=True)
class Fake(Part):
    """A part of some rows that believes to have some others."""

    rows_there: int = 0
    rows_believed: int = 0

    def estimate(self) -> int:
        return self.rows_believed

    def read(self, start: int = 0, stop: int | None = None) -> Rows:
        return Rows(pl.DataFrame({"n": range(self.rows_there)})[start:stop])

    def picture(self, row: Mapping[str, Any]) -> Picture:
        raise NotImplementedError


@given(
    sizes=st.lists(st.tuples(st.integers(0, 25), st.integers(0, 25)), min_size=1, max_size=6), limit=st.integers(1, 12)
)
def test_every_row_is_in_one_piece(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[tuple[int, int]], limit: int
) -> None:
    tree = Tree(tmp_path_factory.getbasetemp())
    parts = [Fake(str(n), tree, there, believed) for n, (there, believed) in enumerate(sizes)]
    jobs = list(_packed(parts, limit))
    covered = [
        (piece.part.name, row)
        for job in jobs
        for piece in job
        for row in piece.part.read(piece.start, piece.stop).frame["n"].to_list()
    ]
    assert covered == [(part.name, row) for part in parts for row in range(part.rows_there)]
    for job in jobs:
        believed = sum((piece.stop or piece.part.estimate()) - piece.start for piece in job)
        assert believed <= limit or len(job) == 1


def test_a_plan_depends_on_the_source_and_on_what_is_said_about_it(tmp_path: Path) -> None:
    write_classes(tmp_path / "s.zip")
    tree = Tree(tmp_path / "s.zip")
    table = OwnerTable("t", read_table(b"depth_m\n5\n", "t.csv"))
    plain = plan_source(tree, None, Card(), (), 100)
    assert plan_source(Tree(tmp_path / "s.zip"), None, Card(), (), 100) == plain
    other_card = plan_source(tree, None, Card(title="x"), (), 100)
    other_table = plan_source(tree, None, Card(), (table,), 100)
    assert plain.content == other_card.content == other_table.content
    assert len({plain.fingerprint, other_card.fingerprint, other_table.fingerprint}) == 3
    assert plain.jobs[0].seed == other_card.jobs[0].seed
    assert plan_source(tree, None, Card(), (), 2).jobs[0].seed == plain.jobs[0].seed


def test_a_chosen_bin_is_another_source_than_its_folder(tmp_path: Path) -> None:
    write_bin(tmp_path)
    whole = plan_source(Tree(tmp_path), None, Card(), (), 100)
    one = plan_source(Tree(next(tmp_path.glob("*.adc"))), None, Card(), (), 100)
    assert whole.content != one.content


def test_jobs_travel(tmp_path: Path) -> None:
    write_classes(tmp_path / "s.zip", images=100)
    (job,) = plan_source(Tree(tmp_path / "s.zip"), None, Card(), (), 1000).jobs
    job.pieces[0].part.table()
    assert len(pickle.dumps(job)) < 2000
    assert pickle.loads(pickle.dumps(job)).pieces[0].part.table().height == 200


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no image file"):
        plan_source(Tree(tmp_path), "folder", Card(), (), 100)


def test_rows_are_known_by_file_and_line() -> None:
    frame = pl.DataFrame({"source_path": ["a", "b"], "source_row": pl.Series([3, None], dtype=pl.Int32)})
    assert row_keys(frame).to_list() == ["a:3", "b:"]


@given(total=st.integers(0, 1 << 27), shard_images=st.integers(1, 1 << 20))
def test_a_source_makes_some_sixteen_jobs_unless_shards_would_be_too_small_or_too_large(
    total: int, shard_images: int
) -> None:
    rows = _job_rows(total, shard_images)
    assert rows <= shard_images
    assert rows == shard_images or rows & (rows - 1) == 0
    if rows < shard_images:
        assert -(-total // rows) <= 16
        assert rows == 1 << 13 or -(-total // rows) > 8


def test_a_large_part_is_cut_for_several_workers(tmp_path: Path) -> None:
    jobs = list(_packed([Fake("one", Tree(tmp_path), 100_000, 100_000)], 1 << 20))
    assert len(jobs) == 13
    assert [piece.start for job in jobs for piece in job] == list(range(0, 100_000, 1 << 13))
