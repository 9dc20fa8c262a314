"""New taxa for old labels: added to the history, the label itself untouched."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from aqqua.errors import ConfigError, NotFoundError
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
    (tmp_path / "e.tsv").write_text(
        "object_annotation_category\tobject_annotation_hierarchy\n[t]\t[t]\npuff\ta>puff\n\t\n"
    )
    assert labels_in(tmp_path / "e.tsv") == [("puff", "a>puff")]
    with pytest.raises(NotFoundError):
        labels_in(tmp_path / "nothing")
    (tmp_path / "x.csv").write_text("colour\nred\n")
    with pytest.raises(ConfigError, match="no column of labels"):
        labels_in(tmp_path / "x.csv")


def test_class_folders_and_zips(tmp_path: Path) -> None:
    for name in ("copepod", "diatom chain"):
        (tmp_path / "raw" / name).mkdir(parents=True)
        (tmp_path / "raw" / name / "1.png").write_bytes(b"x")
    with zipfile.ZipFile(tmp_path / "raw.zip", "w") as archive:
        for path in sorted((tmp_path / "raw").rglob("*.png")):
            archive.write(path, path.relative_to(tmp_path))
    expected = [("copepod", None), ("diatom chain", None)]
    assert labels_in(tmp_path / "raw") == labels_in(tmp_path / "raw.zip") == expected
    (tmp_path / "broken.zip").write_bytes(b"PK")
    with pytest.raises(ConfigError):
        labels_in(tmp_path / "broken.zip")
