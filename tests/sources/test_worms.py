"""The client of WoRMS against a server that answers as WoRMS does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aqqua.errors import ConfigError, RemoteError
from aqqua.sources.ecotaxa_api.polite import Manners
from aqqua.sources.worms import NAMES_PER_CALL, Worms
from tests.make.worms import WormsDouble, worms_double


@pytest.fixture
def double() -> Iterator[WormsDouble]:
    with worms_double() as server:
        yield server


@pytest.fixture
def worms(double: WormsDouble) -> Worms:
    return Worms(double.url, manners=Manners(interval_s=0, sleep=lambda _: None))


def test_names_are_asked_for_by_fifty(worms: Worms, double: WormsDouble) -> None:
    names = [f"Foo{number}" for number in range(119)] + ["Copepoda"]
    found = worms.match(names)
    assert double.names == [NAMES_PER_CALL, NAMES_PER_CALL, 20]
    assert list(found) == names
    assert found["Foo0"] == []
    assert (found["Copepoda"][0].aphia_id, found["Copepoda"][0].match) == (1080, "exact")


def test_a_synonym_leads_to_the_accepted_name(worms: Worms) -> None:
    synonym = worms.match(["Ceratium fusus var. seta"])["Ceratium fusus var. seta"][0]
    assert synonym.status == "unaccepted"
    accepted = worms.accepted(synonym)
    assert accepted is not None
    assert (accepted.aphia_id, accepted.name) == (840626, "Tripos fusus")


def test_classification_from_the_root(worms: Worms) -> None:
    line = worms.classification(1080)
    assert [name for _, _, name in line] == ["Biota", "Animalia", "Arthropoda", "Copepoda"]
    assert line[-1] == (1080, "Class", "Copepoda")
    assert worms.classification(4711) == []
    assert worms.record(4711) is None


def test_a_busy_service_is_asked_again(worms: Worms, double: WormsDouble) -> None:
    double.faults = [503, 429]
    assert worms.record(1080) is not None
    assert len(double.asked) == 3


@pytest.mark.parametrize("faults", [[503] * 9, [400], [302]])
def test_a_service_that_fails_is_an_error(worms: Worms, double: WormsDouble, faults: list[int]) -> None:
    double.faults = faults
    with pytest.raises(RemoteError, match="WoRMS did not answer"):
        worms.record(1080)


def test_no_service_at_all() -> None:
    worms = Worms("http://127.0.0.1:9", manners=Manners(attempts=2, interval_s=0, sleep=lambda _: None))
    with pytest.raises(RemoteError, match="cannot be reached"):
        worms.record(1)


@pytest.mark.parametrize("address", ["http://www.marinespecies.org/rest", "marinespecies.org", "file:///etc"])
def test_unprotected_addresses_are_refused(address: str) -> None:
    with pytest.raises(ConfigError):
        Worms(address)


@pytest.mark.network
def test_the_real_worms_answers_as_ours() -> None:
    worms = Worms(manners=Manners(attempts=1))
    try:
        records = worms.match(["Calanus finmarchicus", "Neoceratium fusus"])
    except RemoteError as error:
        pytest.skip(f"WoRMS cannot be reached: {error.what}")
    assert records["Calanus finmarchicus"][0].aphia_id == 104464
    accepted = worms.accepted(records["Neoceratium fusus"][0])
    assert accepted is not None
    assert accepted.name == "Tripos fusus"
    assert ("Class", "Copepoda") in [(rank, name) for _, rank, name in worms.classification(104464)]
