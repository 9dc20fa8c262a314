"""Which projects are meant: ids, files, all; mistakes are told with their line."""

from __future__ import annotations

from pathlib import Path

import pytest

from aqqua.errors import ConfigError, NotFoundError
from aqqua.sources.ecotaxa_api.selection import project_ids


def test_ids_each_once_in_order() -> None:
    assert project_ids(["12,7", "3 12", "7"]) == [12, 7, 3]


def test_all() -> None:
    assert project_ids(["all"]) is None


@pytest.mark.parametrize(
    "text",
    [
        "12\n7\n",
        "# mine\n12  # nets\n\n7\n",
        "id,title\n12,Nets\n7,Other\n",
        "\ufeffinstrument;projid\nZooscan;12\nUVP6;7\n",
        "title\tid\nNets\t12\nOther\t7\n",
    ],
)
def test_files(text: str, tmp_path: Path) -> None:
    path = tmp_path / "my projects.txt"
    path.write_text(text, "utf-8")
    assert project_ids([str(path)]) == [12, 7]


def test_a_wrong_line_is_told(tmp_path: Path) -> None:
    path = tmp_path / "projects.csv"
    path.write_text("id,title\n12,Nets\nx,Other\n")
    with pytest.raises(ConfigError, match=r"'x' is not the id of a project[\s\S]*line 3"):
        project_ids([str(path)])


def test_what_is_neither_id_nor_file_is_told() -> None:
    with pytest.raises(NotFoundError):
        project_ids(["nowhere.txt"])
    with pytest.raises(ConfigError, match="neither the id of a project nor a file"):
        project_ids(["everything"])
    with pytest.raises(ConfigError, match="no projects are named"):
        project_ids([])
