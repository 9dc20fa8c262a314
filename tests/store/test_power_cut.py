"""A power cut takes what was not synced: names are given after their content is on the disk, and `CURRENT` last."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from aqqua.metadata.check import Finding
from aqqua.store.compact import compact
from aqqua.store.dataset import Dataset
from aqqua.store.withdraw import withdraw
from tests.make.datasets import sealed_shard


@dataclass
class Disk:
    """What the system was asked for, in order: files and folders synced, names given, and when each file changed."""

    root: Path
    synced: dict[int, int] = field(default_factory=dict)
    folders: set[Path] = field(default_factory=set)
    named: list[Path] = field(default_factory=list)
    unsynced_names: set[Path] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def watch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("fsync", "replace", "rename", "mkdir"):
            monkeypatch.setattr(os, name, self._around(name, getattr(os, name)))

    def _around(self, name: str, call: Any) -> Any:
        def noted(*arguments: Any, **options: Any) -> Any:
            if name in {"replace", "rename"}:
                self.before_name(Path(arguments[0]), Path(arguments[1]))
            done = call(*arguments, **options)
            if name == "fsync":
                self.sync(Path(f"/proc/self/fd/{arguments[0]}").readlink())
            elif name in {"replace", "rename"}:
                self.unsynced_names.add(Path(arguments[1]))
            elif name == "mkdir":
                self.unsynced_names.add(Path(arguments[0]))
            return done

        return noted

    def sync(self, path: Path) -> None:
        if path.is_dir():
            self.unsynced_names = {name for name in self.unsynced_names if name.parent != path}
        else:
            status = path.stat()
            self.synced[status.st_ino] = status.st_mtime_ns

    def before_name(self, part: Path, name: Path) -> None:
        self.named.append(name)
        if part.is_file():
            status = part.stat()
            if self.synced.get(status.st_ino) != status.st_mtime_ns:
                self.faults.append(f"{name} is named before its content is on the disk")
        if name.name == "CURRENT":
            inside = [one for one in self.unsynced_names if one.is_relative_to(self.root) and "jobs" not in one.parts]
            if inside:
                self.faults.append(f"CURRENT is named before the names {sorted(inside)[:3]} are on the disk")


def test_nothing_becomes_true_before_it_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "new" / "dataset"
    disk = Disk(root)
    disk.watch(monkeypatch)
    dataset = Dataset.create(root)
    shards = [sealed_shard(root / "jobs" / str(seed), 6, seed) for seed in range(2)]
    rejects = pl.DataFrame({"source_path": ["a"], "reason": ["no position"]})
    dataset = dataset.commit(shards, rejects=rejects, findings=[Finding("info", "odd", "x")])
    dataset = withdraw(dataset, uids=pl.Series([1, 2]), reason="blurred").dataset
    dataset = compact(dataset).dataset
    assert disk.faults == []
    assert [name.name for name in disk.named].count("CURRENT") == dataset.snapshot + 1 == 4
    assert len(disk.named) > 30


def test_the_watch_sees_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(tmp_path)
    disk.watch(monkeypatch)
    (tmp_path / "a.part").write_text("x")
    (tmp_path / "a.part").replace(tmp_path / "a")
    (tmp_path / "folder").mkdir()
    (tmp_path / "b.part").write_text("x")
    with (tmp_path / "b.part").open() as file:
        os.fsync(file.fileno())
    (tmp_path / "b.part").replace(tmp_path / "CURRENT")
    assert ["content" in fault for fault in disk.faults] == [True, False]
    assert "CURRENT is named before the names" in disk.faults[1]
