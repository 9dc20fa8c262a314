from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from aqqua.errors import AqquaError, ConfigError, FormatError, NotFoundError, RemoteError, UnsafeInputError
from aqqua.export import export
from aqqua.models.checkpoint import load
from aqqua.models.released import sha256_of
from aqqua.sources.transfer import fetch
from aqqua.sources.transfer.doi import bare_doi
from aqqua.tasks.obtain import obtain
from aqqua.tasks.predict import predict
from tests.make.records import Record, record_server
from tests.make.trainable import make_dataset


@pytest.fixture
def released(model_folder: Path, tmp_path: Path) -> Path:
    export(model_folder, to="model", out=tmp_path / "released")
    return tmp_path / "released"


@pytest.fixture
def record(released: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Record]:
    monkeypatch.setenv("AQQUA_MODELS", str(tmp_path / "cache"))
    with record_server(released) as record:
        monkeypatch.setenv("AQQUA_DOI_RESOLVER", record.address)
        yield record


def flip(path: Path, at: int = -1) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def new_sum(folder: Path, name: str) -> None:
    """Write a file's sum into the card, as somebody would who exchanges it on purpose."""
    card = json.loads((folder / "model_card.json").read_text())
    card["files"][name]["sha256"] = sha256_of(folder / name)
    (folder / "model_card.json").write_text(json.dumps(card))


def test_a_model_by_its_doi_is_fetched_verified_and_used(record: Record, released: Path, tmp_path: Path) -> None:
    ds = make_dataset(tmp_path / "ds", 8)
    report = predict(record.doi, [ds.path])
    assert report.model_id == load(released).model_id
    assert ds.predictions()["vector"].null_count() == 0
    folder = obtain(record.doi)
    assert folder.parent == tmp_path / "cache"
    assert {path.name for path in folder.iterdir()} >= {path.name for path in released.iterdir()}


def test_a_fetched_model_needs_no_network_again(record: Record) -> None:
    first = obtain(record.doi)
    record.asked.clear()
    assert obtain(f"https://doi.org/{record.doi[4:]}") == first
    assert record.asked == []


def test_a_fetch_that_broke_off_goes_on(record: Record, tmp_path: Path) -> None:
    folder = obtain(record.doi)
    (folder / ".verified").unlink()
    (folder / "model.safetensors").unlink()
    assert load(obtain(record.doi)).model_id


def test_an_archive_that_sends_something_else_is_not_believed(record: Record) -> None:
    record.exchanged["model.safetensors"] = b"x" * (record.folder / "model.safetensors").stat().st_size
    with pytest.raises(RemoteError, match="checksum"):
        obtain(record.doi)


def test_a_record_whose_files_are_not_those_of_its_card(record: Record, released: Path) -> None:
    flip(released / "model.safetensors")
    (released / "SHA256SUMS").unlink()
    with pytest.raises(FormatError, match="damaged, or was exchanged") as told:
        obtain(record.doi)
    assert "remove" in str(told.value)


def test_a_doi_that_leads_elsewhere_or_to_no_model(record: Record, tmp_path: Path) -> None:
    record.leads_to = f"{record.address}/somewhere/else"
    with pytest.raises(RemoteError, match="leads to no Zenodo record"):
        obtain(record.doi)
    with pytest.raises(RemoteError, match="no such file"):
        obtain("doi:10.5281/zenodo.78")
    record.leads_to = f"{record.address}/records/77"
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "images.zip").write_bytes(b"x")
    record.folder = tmp_path / "data"
    with pytest.raises(NotFoundError, match="holds no aqqua model"):
        obtain(record.doi)
    with pytest.raises(ConfigError, match="no DOI"):
        obtain("https://example.org/model")


def test_fetch_knows_dois_too(record: Record, released: Path, tmp_path: Path) -> None:
    report = fetch([record.doi], tmp_path / "got", only=["*.md"])
    assert [path.name for path in report.files] == ["MODEL_CARD.md"]
    assert (tmp_path / "got" / "MODEL_CARD.md").read_bytes() == (released / "MODEL_CARD.md").read_bytes()


@pytest.mark.parametrize("text", ["doi:10.5281/zenodo.7", "https://doi.org/10.5281/Zenodo.7", "DOI:10.5281/zenodo.7"])
def test_a_doi_is_known_in_all_its_spellings(text: str) -> None:
    assert bare_doi(text) == "10.5281/zenodo.7"
    assert bare_doi("10.5281/zenodo.7 x") is None


@pytest.mark.parametrize("name", ["model.safetensors", "model.json", "MODEL_CARD.md"])
def test_a_damaged_file_of_a_release_is_refused(name: str, released: Path) -> None:
    flip(released / name)
    with pytest.raises(FormatError, match=f"{name} is damaged, or was exchanged"):
        obtain(released)


def test_exchanged_weights_are_refused(released: Path, trained: Path, tmp_path: Path) -> None:
    """Of another model, with a model.json that fits them, and even with sums that fit them."""
    from aqqua.train.run import train

    other = train(
        data=[trained.parent / "shapes"], out=tmp_path / "o", size="pico", steps=1, batch=15, slices=8, seed=5
    )
    for name in ("model.safetensors", "model.json"):
        shutil.copyfile(other / name, released / name)
    load(released)
    with pytest.raises(FormatError, match="exchanged"):
        predict(released, [tmp_path])
    for name in ("model.safetensors", "model.json"):
        new_sum(released, name)
    with pytest.raises(FormatError, match="the card is of model"):
        obtain(released)


def test_a_changed_card_is_noticed(released: Path) -> None:
    card = released / "model_card.json"
    card.write_text(card.read_text().replace('"licence": "unknown"', '"licence": "CC0-1.0"', 1))
    with pytest.raises(FormatError, match="not the card that was released"):
        obtain(released)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"files": {"../x": {"sha256": "0"}}}, UnsafeInputError, "names a file"),
        ({"files": {"model.json": {}}}, FormatError, "no SHA-256"),
        ({"files": {"gone.md": {"sha256": "0"}}}, NotFoundError, "is missing"),
        ({"files": {}}, FormatError, "not part of this release"),
        ({"files": []}, FormatError, "not the card"),
        ({"format": "x"}, FormatError, "not the card"),
    ],
)
def test_a_hostile_card(change: dict[str, object], error: type[AqquaError], words: str, released: Path) -> None:
    card = json.loads((released / "model_card.json").read_text())
    (released / "model_card.json").write_text(json.dumps(card | change))
    with pytest.raises(error, match=words):
        obtain(released)


def test_a_release_stays_as_it_was_published(released: Path, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in released.iterdir()}
    ds = make_dataset(tmp_path / "ds", 18)
    assert predict(released, [ds.path]).classes == 3
    assert {path.name: path.read_bytes() for path in released.iterdir()} == before
    (released / "heads.safetensors").write_bytes(b"x")
    with pytest.raises(FormatError, match="not part of this release"):
        predict(released, [ds.path])


def test_nothing_is_learnt_from_labels_of_owners_who_do_not_want_it(model_folder: Path, tmp_path: Path) -> None:
    closed = make_dataset(tmp_path / "closed", 18, training=False)
    free = make_dataset(tmp_path / "free", 18, seed=1)
    report = predict(model_folder, [closed.path, free.path])
    assert (report.images, report.examples) == (36, 18)
    assert [one["path"] for one in json.loads((model_folder / "heads.json").read_text())["data"]] == ["free"]
    info = json.loads((closed.path / "predictions" / report.model_id / "model.json").read_text())
    assert {one["path"] for one in info["learned_from"]} == {"shapes", "free"}
    assert predict(model_folder, [closed.path]).agreement is None
