"""What was withdrawn does not come back by another ingest."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from aqqua.sources.ingest import ingest
from aqqua.store.check import reject_summary, write_missing
from aqqua.store.compact import compact
from aqqua.store.withdraw import withdraw
from tests.make.folders import CARD, write_classes


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("other_card", [True, False])
def test_it_stays_out_after_compaction(tmp_path: Path, whole: bool, other_card: bool) -> None:
    write_classes(tmp_path / "isiis", card="")
    card = tmp_path / "card.yaml"
    card.write_text(CARD)
    data = tmp_path / "data"
    dataset = ingest([tmp_path / "isiis"], data, card=card).dataset
    uids = dataset.metadata(["object_id"])
    chosen = {"source": "isiis"} if whole else {"uids": pl.Series(uids["uid"][:2])}
    withdraw(dataset, reason="the owner asked for it", **chosen)
    left = len(compact(data).dataset)
    assert left == (0 if whole else 4)
    if other_card:
        card.write_text(CARD.replace("A small survey", "The same survey"))
    report = ingest([tmp_path / "isiis"], data, card=card)
    assert (report.images, len(report.dataset)) == (0, left)


@pytest.mark.parametrize("compacted", [True, False])
def test_it_stays_out_when_the_source_has_grown(tmp_path: Path, compacted: bool) -> None:
    write_classes(tmp_path / "isiis")
    data = tmp_path / "data"
    dataset = ingest([tmp_path / "isiis"], data).dataset
    lost = dataset.metadata(["object_id"]).head(2)
    withdraw(dataset, reason="the owner asked for it", uids=lost["uid"])
    if compacted:
        compact(data)
    (tmp_path / "isiis" / "notes.txt").write_text("more")
    after = ingest([tmp_path / "isiis"], data).dataset
    assert len(after) == 4
    assert set(lost["object_id"]).isdisjoint(after.metadata(["object_id"])["object_id"])


@pytest.mark.parametrize("compacted", [True, False])
def test_what_was_withdrawn_is_not_asked_for(tmp_path: Path, compacted: bool) -> None:
    """Rejected at first, in with a card, then withdrawn: nobody is asked to fill in what it lacked."""
    write_classes(tmp_path / "isiis", card="")
    data = tmp_path / "data"
    assert ingest([tmp_path / "isiis"], data).images == 0
    assert write_missing(data, tmp_path / "before.csv") > 0
    card = tmp_path / "card.yaml"
    card.write_text(CARD)
    dataset = ingest([tmp_path / "isiis"], data, card=card).dataset
    withdraw(dataset, reason="the owner asked for it", source="isiis")
    if compacted:
        compact(data)
    assert write_missing(data, tmp_path / "after.csv") == 0
    assert reject_summary(data) == []
