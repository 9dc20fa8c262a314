from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from pathlib import Path

from aqqua.metadata.card import Card
from aqqua.ocean.files import StillZip, make_card, sha256_of, table_text


def test_a_zip_of_the_same_content_has_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        still = StillZip(tmp_path / name)
        still.add("x/y.txt", b"hello", packed=True)
        still.add("z.png", b"\x00" * 50)
        still.close()
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as found:
        assert found.testzip() is None
        assert found.read("x/y.txt") == b"hello"


def test_tables_come_back_as_they_were() -> None:
    rows: list[dict[str, object]] = [{"a": 'he said "no"', "b": 1.5}, {"a": "x,y", "b": None}]
    found = list(csv.DictReader(io.StringIO(table_text(["a", "b"], rows))))
    assert found == [{"a": 'he said "no"', "b": "1.5"}, {"a": "x,y", "b": ""}]


def test_text_is_quoted_and_numbers_are_not_where_asked() -> None:
    text = table_text(["a", "b"], [{"a": "x", "b": 2}], delimiter="\t", quote_text=True, second=["[t]", "[f]"])
    assert text == '"a"\t"b"\n"[t]"\t"[f]"\n"x"\t2\n'


def test_cards_can_be_read_and_allow_everything(tmp_path: Path) -> None:
    make_card("Title", "Abstract", "IFCB", table=Path("bins.csv")).save(tmp_path / "card.yaml")
    card = Card.load(tmp_path / "card.yaml")
    assert card.licence == "CC0-1.0"
    assert card.consent_global_interpolation is True
    assert card.license_allows_training is True
    assert card.table == tmp_path / "bins.csv"
    assert "aqqua.ocean" in card.source


def test_sha256_is_sha256(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc" * 1000)
    assert sha256_of(tmp_path / "f") == hashlib.sha256(b"abc" * 1000).hexdigest()
