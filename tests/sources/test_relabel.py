"""New taxa for old labels: added to the history, the label itself untouched."""

from __future__ import annotations

from pathlib import Path

import pytest

from aqqua.errors import NotFoundError
from aqqua.sources.relabel import labels_in, relabel
from tests.make.datasets import TAXA, miniature


def test_an_owner_s_table_changes_what_labels_mean(tmp_path: Path) -> None:
    dataset = miniature(tmp_path / "one", (16,))
    relabel(dataset.path, taxa=None)  # the miniature has labels without taxa
    table = tmp_path / "labels.csv"
    table.write_text("label,taxon,stage\ndetritus,marine snow,\nCalanus,Calanus finmarchicus,copepodite V\n")
    before = dataset.labels()
    changed = relabel(dataset.path, labels=table)
    after = dataset.labels()
    assert changed == before["label"].is_in(["detritus", "Calanus"]).sum() > 0
    assert after["label"].to_list() == before["label"].to_list()
    by_label = dict(after.select("label", "taxon").iter_rows())
    assert by_label == {**dict.fromkeys(TAXA), "Acartia": "Acartia", "Calanus": "Calanus finmarchicus",
                        "Chaetognatha": "Chaetognatha", "detritus": "marine snow"}  # fmt: skip
    calanus = after.filter(after["label"] == "Calanus")
    assert calanus["stage"].unique().to_list() == ["copepodite V"]
    assert calanus["taxon_by"].unique().to_list() == ["owner"]
    assert len(dataset.label_history(calanus["uid"][0])) == 3
    assert relabel(dataset.path, labels=table) == 0


def test_labels_of_datasets_tables_and_lists(tmp_path: Path) -> None:
    dataset = miniature(tmp_path / "one", (16,))
    assert [label for label, _ in labels_in(dataset.path)] == sorted(TAXA)
    (tmp_path / "a.csv").write_text("category;taxon\nb;\na b;x\n")
    (tmp_path / "a.txt").write_text("\ufeffb\n\na b\nb\n")
    assert labels_in(tmp_path / "a.csv") == labels_in(tmp_path / "a.txt") == [("b", None), ("a b", None)]
    with pytest.raises(NotFoundError):
        labels_in(tmp_path / "nothing")
