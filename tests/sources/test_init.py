"""Recognising a source: none or several readers is an error that names --source, never a guess."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest

from aqqua import sources
from aqqua.errors import NotFoundError, SourceError, UnknownNameError
from aqqua.sources.part import Source
from tests.make.ecotaxa import FLAVOURS, write_package
from tests.make.ifcb import write_bin
from tests.make.images import as_file
from tests.make.packing import pack


@pytest.mark.parametrize("name", sources.SOURCES)
def test_every_reader_is_one(name: str) -> None:
    reader = sources.load_source(name)
    assert isinstance(reader, Source)
    assert reader.name == name
    assert reader.looks_for


def test_a_special_reader_goes_before_the_general_one(tmp_path: Path) -> None:
    package = write_package(tmp_path / "p", FLAVOURS["import"])
    assert sources.load_source("folder").recognise(package.path)
    assert sources.recognise(package.path).name == "ecotaxa_export"


def test_several_readers_are_an_error_with_each_ones_reason(tmp_path: Path) -> None:
    write_package(tmp_path / "p", FLAVOURS["import"])
    write_bin(tmp_path / "bins")
    with pytest.raises(SourceError, match="several readers") as caught:
        sources.recognise(tmp_path)
    told = str(caught.value)
    assert "ecotaxa_export: 2 EcoTaxa tables" in told
    assert "ifcb: 1 IFCB bin" in told
    assert "--source" in told
    assert sources.recognise(tmp_path, "ifcb").name == "ifcb"


def test_no_reader_is_an_error_that_says_what_each_looks_for(tmp_path: Path) -> None:
    pack(tmp_path / "s", {"notes.doc": b"", "more.doc": b"", "a.nc": b""})
    with pytest.raises(SourceError, match=r"2 × \.doc, 1 × \.nc") as caught:
        sources.recognise(tmp_path / "s")
    told = str(caught.value)
    assert all(name in told for name in sources.SOURCES)
    assert "--source" in told


def test_a_single_file_is_named_and_not_all_that_lies_beside_it(tmp_path: Path) -> None:
    pack(tmp_path / "s", {"cruise.doc": b"", "a.mdb": b"", "b.mdb": b""})
    with pytest.raises(SourceError, match="no reader recognises this file") as caught:
        sources.recognise(tmp_path / "s" / "cruise.doc")
    assert caught.value.where is not None
    assert str(caught.value.where).endswith("cruise")
    assert ".mdb" not in str(caught.value)


def test_a_folder_of_zips_is_answered_with_what_to_do(tmp_path: Path) -> None:
    pack(tmp_path / "s", {"a.zip": b"", "b.zip": b""})
    with pytest.raises(SourceError, match="2 × ") as caught:
        sources.recognise(tmp_path / "s")
    assert caught.value.do == "name the zips inside it as sources"


def test_an_unknown_name_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="ecotaxa_export"):
        sources.recognise(tmp_path, "ecotaxa")


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        sources.recognise(tmp_path / "nothing")


class Spiral:
    """A reader of another package."""

    name = "spiral"
    general = False
    looks_for = "spirals"

    def recognise(self, path: object) -> str | None:
        return "it is a spiral"

    def parts(self, path: object) -> list[object]:
        return []


def test_readers_of_other_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("spiral", f"{__name__}:Spiral", "aqqua.sources")
    monkeypatch.setattr(sources, "entry_points", lambda group: [entry])
    monkeypatch.setitem(__import__("sys").modules, __name__, __import__("types").SimpleNamespace(Spiral=Spiral))
    pack(tmp_path / "s", {"1.png": as_file(np.zeros((2, 2), np.uint8))})
    assert sources.source_names() == sorted([*sources.SOURCES, "spiral"])
    assert sources.recognise(tmp_path / "s").name == "spiral"
