"""From an agreed submission to a dataset, over real servers, and back out again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from aqqua.collect.receive import receive, sources_in
from aqqua.collect.registry import Registry, State
from aqqua.collect.withdraw import revoke, withdraw
from aqqua.errors import ConfigError, RemoteError, SourceError
from aqqua.sources.transfer.resume import Patience
from aqqua.store.dataset import Dataset
from aqqua.store.lineage import origin
from tests.make.ecotaxa import FLAVOURS, write_package
from tests.make.servers import ftp_server, web_server
from tests.make.submissions import whole_answers


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    registry = Registry.open(tmp_path / "registry.sqlite")
    yield registry
    registry.close()


@pytest.fixture
def owner(tmp_path: Path) -> Path:
    """Two zips of an owner on a server."""
    (tmp_path / "owner").mkdir()
    write_package(tmp_path / "owner" / "leg1.zip", FLAVOURS["import"])
    write_package(tmp_path / "owner" / "leg2.zip", FLAVOURS["backup"], seed=1)
    return tmp_path / "owner"


def agreed(registry: Registry, **other: object) -> str:
    id = registry.submit(whole_answers(instrument="ZooScan", **other)).id
    registry.change(id, State.AGREED, by="ada")
    return id


def test_over_ftp_into_a_dataset_linked_both_ways(registry: Registry, owner: Path, tmp_path: Path) -> None:
    with ftp_server(owner) as address:
        id = agreed(registry, address=address)
        with_login = address.replace("//", "//owner:s%C3%B6cret@")
        done = receive(registry, id, into=tmp_path / "data", addresses=[with_login], by="ada")
    made = Dataset.open(tmp_path / "data" / id)
    facts = done.submission.facts
    assert done.submission.state is State.INGESTED
    assert made.card.submission == id
    assert made.card.licence == "CC-BY-4.0"
    assert made.card.consent_global_interpolation is True
    assert (facts["dataset_uuid"], facts["images"]) == (made.uuid, len(made))
    assert {shard["source"] for shard in facts["shards"]} == {"leg1.zip", "leg2.zip"}
    assert len(facts["transfer_record_sha256"]) == 64
    assert "s%C3%B6cret" not in json.dumps([vars(event) for event in registry.history(id)], default=str)


def test_a_transfer_that_breaks_off_goes_on(
    registry: Registry, owner: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with web_server(owner) as web:
        id = agreed(registry, address=f"{web.address}/leg1.zip")
        web.broken_after = [10**9] + [0] * 6
        monkeypatch.setattr(Patience, "pause", lambda self, failures, asked_s: None)
        with pytest.raises(RemoteError):
            receive(registry, id, into=tmp_path / "data")
        assert registry.get(id).state is State.TRANSFERRING
        web.broken_after = []
        assert receive(registry, id, into=tmp_path / "data").submission.state is State.INGESTED


def test_nothing_is_fetched_before_the_terms_are_agreed_on(registry: Registry, tmp_path: Path) -> None:
    id = registry.submit(whole_answers()).id
    with pytest.raises(ConfigError, match="before the terms are agreed on"):
        receive(registry, id, into=tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_where_nothing_can_be_fetched_the_way_is_told(registry: Registry, tmp_path: Path) -> None:
    id = agreed(registry, location="disk", address="", size_gb="5000")
    with pytest.raises(ConfigError) as error:
        receive(registry, id, into=tmp_path / "data")
    assert "Copy the data to a disk" in str(error.value)
    assert f"aqqua collect receive {id} --from" in str(error.value)


def test_data_on_a_disk_here_are_read_where_they_lie(registry: Registry, owner: Path, tmp_path: Path) -> None:
    id = agreed(registry, location="disk", address="")
    done = receive(registry, id, into=tmp_path / "data", addresses=[str(owner)])
    assert done.fetched is None
    assert not (tmp_path / "data" / "raw").exists()
    assert [path.name for path in done.sources] == ["leg1.zip", "leg2.zip"]


def test_what_cannot_be_used_is_told_and_stays_in_transfer(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "letter.docx").write_text("Dear colleagues")
    id = agreed(registry, location="disk", address="")
    with pytest.raises(SourceError, match="no reader recognises"):
        receive(registry, id, into=tmp_path / "data", addresses=[str(tmp_path / "odd")])
    assert registry.get(id).state is State.TRANSFERRING


def test_no_zip_among_them_is_left_out_silently(owner: Path) -> None:
    from tests.make.packing import pack

    pack(owner / "readme.zip", {"letter.txt": b"Dear colleagues"})
    with pytest.raises(SourceError, match=r"no reader recognises readme\.zip"):
        sources_in(owner)


def released_model(folder: Path, dataset: Dataset) -> Path:
    """A folder as `aqqua export --to model` leaves it, as far as lineage looks at it."""
    (folder / "reef-1").mkdir(parents=True)
    model = {"format": "aqqua model", "model_id": "reef-0f", "data": [origin(dataset)]}
    (folder / "reef-1" / "model.json").write_text(json.dumps(model))
    (folder / "reef-1" / "model_card.json").write_text(json.dumps({"format": "aqqua model card", "title": "Reef"}))
    return folder / "reef-1"


def test_withdrawal_takes_the_images_out_and_tells_what_it_cannot(
    registry: Registry, owner: Path, tmp_path: Path
) -> None:
    id = agreed(registry, location="disk", address="")
    receive(registry, id, into=tmp_path / "data", addresses=[str(owner)])
    before = len(Dataset.open(tmp_path / "data" / id))
    registry.change(id, State.PUBLISHED, by="ada", doi="10.5281/zenodo.1")
    shelf = released_model(tmp_path / "shelf", Dataset.open(tmp_path / "data" / id))
    shelves = {"models": [shelf.parent], "releases": [shelf.parent]}
    done = withdraw(registry, id, reason="rights were not ours", by="contributor", **shelves)
    assert before > 0
    assert done.images == before
    assert len(Dataset.open(tmp_path / "data" / id)) == 0
    assert done.submission.state is State.WITHDRAWN
    told = str(done)
    assert f"{before:,} images are no longer shown" in told
    assert "aqqua dataset compact" in told
    assert "a record with a DOI cannot be deleted" in told
    assert f"train again without them: {shelf}" in told
    assert f"publish a version without them: {shelf}" in told
    assert "weights do not forget" in told
    assert "CC-BY-4.0 cannot be taken back" in told
    with pytest.raises(ConfigError, match="withdrawn cannot become withdrawn"):
        withdraw(registry, id, reason="again", by="contributor")
    with pytest.raises(ConfigError, match="needs a reason"):
        withdraw(registry, id, reason=" ", by="contributor")


@pytest.mark.parametrize(
    ("consent", "entry", "value"),
    [
        ("maps", "consent_global_interpolation", False),
        ("training", "license_allows_training", False),
        ("publication", "publish", "never"),
    ],
)
def test_one_consent_is_taken_back_alone(
    registry: Registry, owner: Path, tmp_path: Path, consent: str, entry: str, value: object
) -> None:
    id = agreed(registry, location="disk", address="")
    receive(registry, id, into=tmp_path / "data", addresses=[str(owner)])
    done = revoke(registry, id, consent, reason="our board decided so", by="contributor")
    card = Dataset.open(tmp_path / "data" / id).card
    assert getattr(card, entry) == value
    assert done.submission.state is State.INGESTED
    assert done.cannot
    assert registry.history(id)[-1].what == "revoked"
    with pytest.raises(ConfigError, match="no consent"):
        revoke(registry, id, "everything", reason="x", by="contributor")


def test_zips_beside_bins_are_not_left_out(owner: Path) -> None:
    from tests.make.ifcb import write_bin

    write_bin(owner)
    assert [path.name for path in sources_in(owner)] == ["owner", "leg1.zip", "leg2.zip"]
