"""What a job leaves in its process for the next one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from aqqua.sources import build, folder
from aqqua.sources.archive import Tree
from aqqua.sources.folder import Folder, FolderImages
from aqqua.sources.ingest import ingest
from tests.make.folders import write_classes


def test_the_same_part_is_kept_and_another_one_takes_its_place(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_classes(tmp_path / name, 2)
    first, again, other = (Folder().parts(Tree(tmp_path / name))[0] for name in ("one", "one", "two"))
    kept = build._at_hand("print", first)
    assert kept == first
    assert kept is not first  # or a job would keep what each of its parts has read
    assert build._at_hand("print", again) is kept
    assert build._at_hand("print", other) == other
    assert build._at_hand("changed", other) == other
    assert len(build._last_part) == 1


def test_a_folder_is_listed_once_for_all_its_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_classes(tmp_path / "s", 5)
    listed: list[int] = []
    original = folder._object_ids

    def noted(images: Sequence[str]) -> list[str]:
        listed.append(len(images))
        return original(images)

    monkeypatch.setattr(folder, "_object_ids", noted)
    report = ingest([tmp_path / "s"], tmp_path / "data", shard_images=2)
    assert report.shards == 5
    assert listed == [10]
    assert FolderImages.needs == ("image_path",)
