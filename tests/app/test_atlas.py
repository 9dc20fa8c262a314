"""Which maps the explorer finds, and which it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from aqqua.app.atlas import find_maps
from aqqua.errors import FormatError, NotFoundError
from tests.make.mapped import write_mapped


def test_reports_and_files_are_found(tmp_path: Path) -> None:
    out = write_mapped(tmp_path / "maps")
    (out / "report.html").write_text("<p>hello")
    by_folder, by_file, by_report = find_maps(
        [out, out / "maps" / "Copepoda" / "map.nc", out / "report.html"], asked=True
    )
    assert by_folder.name == "maps"
    assert by_folder.report == out / "report.html"
    assert [sheet.title for sheet in by_folder.sheets] == ["Copepoda, 0–200 m"]
    assert (by_file.name, by_file.report, len(by_file.sheets)) == ("map", None, 1)
    assert (by_report.name, len(by_report.sheets)) == ("report", 0)
    assert [one.name for one in find_maps([out, out])] == ["maps", "maps-2"]


def test_what_holds_no_maps_is_told_if_it_was_named(tmp_path: Path) -> None:
    (tmp_path / "odd.nc").write_bytes(b"odd")
    for path, error in ((tmp_path / "odd.nc", FormatError), (tmp_path / "none.nc", NotFoundError)):
        with pytest.raises(error):
            find_maps([path])
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotFoundError, match="no maps here"):
        find_maps([tmp_path / "empty"])
    assert find_maps([tmp_path / "odd.nc", tmp_path / "empty", tmp_path / "none"], asked=False) == []
