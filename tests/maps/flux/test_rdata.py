"""R's data frames: read as data, refused where they hold anything else, never more than they claim."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aqqua.errors import AqquaError, FormatError, NotFoundError, UnsafeInputError
from aqqua.maps.flux import rdata
from aqqua.maps.flux.rdata import read_rdata
from tests.make.fluxes import write_rdata

FRAME = pl.DataFrame(
    {
        "lon": [1.5, None, -3.0],
        "n": [1, None, 3],
        "id": ["a", None, "µ"],
        "when": [datetime(2020, 1, 2, 3, tzinfo=UTC), None, datetime(1990, 5, 1, tzinfo=UTC)],
        "model": pl.Series(["Siegel", "Wang", None], dtype=pl.Categorical),
    }
)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("version", [2, 3])
def test_what_was_saved_is_read(tmp_path: Path, packed: bool, version: int) -> None:
    other = pl.DataFrame({"lat": [2.0]})
    path = write_rdata(tmp_path / "a.Rdata", {"flux": FRAME, "more": other}, packed=packed, version=version)
    found = read_rdata(path)
    assert list(found) == ["flux", "more"]
    assert found["flux"]["lon"].to_list() == [1.5, None, -3.0]
    assert found["flux"]["n"].to_list() == [1, None, 3]
    assert found["flux"]["id"].to_list() == ["a", None, "µ"]
    assert found["flux"]["model"].to_list() == ["Siegel", "Wang", None]
    assert found["flux"]["when"].to_list() == FRAME["when"].to_list()
    assert found["more"].equals(other)


def test_nothing_there_and_nothing_of_r(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_rdata(tmp_path / "a.Rdata")
    (tmp_path / "a.Rdata").write_bytes(b"RDA2\nA\n2\n")
    with pytest.raises(FormatError, match="binary form"):
        read_rdata(tmp_path / "a.Rdata")


def test_a_function_is_refused(tmp_path: Path) -> None:
    head = b"RDX3\nX\n" + struct.pack(">iiii", 3, 1, 1, 5) + b"UTF-8"
    name = struct.pack(">iiii", 2 | 0x400, 1, 9, 1) + b"f"
    (tmp_path / "a.Rdata").write_bytes(head + name + struct.pack(">i", 3))
    with pytest.raises(FormatError, match="no table"):
        read_rdata(tmp_path / "a.Rdata")


def test_what_unpacks_beyond_bounds_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_rdata(tmp_path / "a.Rdata", {"flux": FRAME})
    monkeypatch.setattr(rdata, "_MOST_BYTES", 100)
    with pytest.raises(UnsafeInputError):
        read_rdata(path)


def test_nesting_has_an_end(tmp_path: Path) -> None:
    head = b"RDX3\nX\n" + struct.pack(">iiii", 3, 1, 1, 5) + b"UTF-8"
    name = struct.pack(">iiii", 2 | 0x400, 1, 9, 1) + b"f"
    (tmp_path / "a.Rdata").write_bytes(head + name + struct.pack(">ii", 19, 1) * 500)
    with pytest.raises(UnsafeInputError, match="nested"):
        read_rdata(tmp_path / "a.Rdata")


@settings(max_examples=60)
@given(cut=st.integers(0, 600), flips=st.lists(st.tuples(st.integers(0, 599), st.integers(0, 255)), max_size=4))
def test_damaged_files_are_errors_of_ours_or_tables(
    tmp_path_factory: pytest.TempPathFactory, cut: int, flips: list[tuple[int, int]]
) -> None:
    path = write_rdata(tmp_path_factory.mktemp("r") / "a.Rdata", {"flux": FRAME}, packed=False)
    content = bytearray(path.read_bytes())
    for place, value in flips:
        content[place % len(content)] = value
    path.write_bytes(bytes(content[: max(cut, 1)] if cut < 300 else content))
    try:
        found = read_rdata(path)
    except AqquaError:
        return
    assert all(isinstance(frame, pl.DataFrame) for frame in found.values())
