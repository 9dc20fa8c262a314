from __future__ import annotations

from pathlib import Path

import pytest

from aqqua.errors import ConfigError
from aqqua.store.tombstones import read_tombstones, write_tombstones


def test_tombstones_come_back_with_their_first_reason(tmp_path: Path) -> None:
    names = [write_tombstones(tmp_path, [7, (1 << 32) + 2, 7], "duplicate"), write_tombstones(tmp_path, [7], "blurred")]
    rows = read_tombstones(tmp_path, names).sort("shard", "key").rows()
    assert rows == [(0, 7, "duplicate"), (1, 2, "duplicate")]
    assert len(read_tombstones(tmp_path, [])) == 0
    assert all(name.startswith("tombstones/") for name in names)


def test_a_reason_is_needed(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="reason"):
        write_tombstones(tmp_path, [1], "")
