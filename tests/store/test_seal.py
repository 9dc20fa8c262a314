from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from aqqua.errors import FormatError
from aqqua.store.parquet import write_frame
from aqqua.store.seal import require_seal, seal_file, seal_state, write_sealed_json


def test_a_sealed_json_is_whole_until_a_bit_flips(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_sealed_json(path, {"seal": "an old one", "text": 'says "seal": "xxh3:0000000000000000" itself', "n": 1})
    assert seal_state(path) == "whole"
    assert json.loads(path.read_text())["n"] == 1
    content = path.read_bytes()
    for at in range(len(content)):
        path.write_bytes(content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :])
        assert seal_state(path) != "whole", at
    path.write_bytes(content[:-20])
    assert seal_state(path) == "none"


def test_a_parquet_file_may_hold_what_looks_like_a_seal(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    frame = pl.DataFrame({"text": ['"seal": "xxh3:0000000000000000"'] * 3})
    write_frame(path, frame, kind="labels", notes={"said": '"seal": "xxh3:1111111111111111"'})
    assert seal_state(path) == "whole"
    assert pl.read_parquet(path).equals(frame)


def test_larger_than_a_block_and_a_tail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aqqua.store.seal._BLOCK", 7)
    path = tmp_path / "a"
    path.write_bytes(b"x" * 50 + b'"seal": "xxh3:0000000000000000"}')
    seal_file(path)
    assert seal_state(path) == "whole"
    monkeypatch.setattr("aqqua.store.seal._BLOCK", 1 << 20)
    assert seal_state(path) == "whole"


def test_what_has_no_place_cannot_be_sealed(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"nothing")
    with pytest.raises(FormatError, match="place for its seal"):
        seal_file(path)


def test_only_a_wrong_seal_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("{}")
    require_seal(path)
    write_sealed_json(path, {"n": 1})
    require_seal(path)
    path.write_text(path.read_text().replace("1", "2", 1))
    with pytest.raises(FormatError, match="damaged"):
        require_seal(path)
    with pytest.raises(FormatError, match="cannot be read"):
        require_seal(tmp_path / "b")
