"""Look-ups: what is certain is taken, the rest is told; nothing is asked for twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aqqua.errors import ConfigError, RemoteError
from aqqua.metadata.label_parts import parse
from aqqua.metadata.taxa import builtin, load_taxonomy
from aqqua.sources.ecotaxa_api.polite import Manners
from aqqua.sources.taxa_online import Cache, Found, candidate, freeze, look_up, names_to_ask
from aqqua.sources.worms import Worms
from tests.ecotaxa_double import EcotaxaDouble
from tests.make.worms import WormsDouble, worms_double


@pytest.fixture
def double() -> Iterator[WormsDouble]:
    with worms_double() as server:
        yield server


def ask(double: WormsDouble, names: list[str], cache: Cache, *, fresh: bool = False) -> dict[str, Found]:
    worms = Worms(double.url, manners=Manners(attempts=2, interval_s=0, sleep=lambda _: None))
    return look_up(names, "worms", cache=cache, worms=worms, fresh=fresh)


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Acartia_clausi (CV female)", "Acartia clausi"),
        ("nauplii<Copepoda", ""),
        ("Neoceratium 02", "Neoceratium"),
        ("Oncaea<Oncaeidae", "Oncaea"),
    ],
)
def test_what_to_ask_for(label: str, name: str) -> None:
    assert candidate(label) == name


def test_only_what_is_not_known_is_asked_for() -> None:
    labels = [("Copepoda", None), ("nauplii<Copepoda", None), ("detritus", None), ("t001", None), ("Foobara", None)]
    asked = names_to_ask([*labels, ("Acartia clausi", None)], builtin())
    assert list(asked) == ["Foobara", "Acartia", "Acartia clausi"]


def test_an_accepted_name_comes_with_all_that_is_above_it(double: WormsDouble, tmp_path: Path) -> None:
    found = ask(double, ["Acartia clausi"], Cache(tmp_path / "cache.json"))["Acartia clausi"]
    assert found.name == "Acartia clausi"
    assert found.entries["Acartia clausi"] == {
        "parent": "Acartia",
        "rank": "Species",
        "aphia": 900002,
        "checked": "worms",
    }
    assert list(found.entries)[:2] == ["Biota", "Animalia"]


def test_a_synonym_becomes_another_name_of_the_accepted_one(double: WormsDouble, tmp_path: Path) -> None:
    found = ask(double, ["Ceratium fusus var. seta"], Cache(tmp_path / "cache.json"))
    names = freeze(found, tmp_path / "taxa.yaml")
    taxon = parse("Ceratium fusus var. seta", names).taxon
    assert taxon is not None
    assert (taxon.name, taxon.aphia_id, taxon.checked) == ("Tripos fusus", 840626, "worms")


def test_what_is_not_certain_is_told(double: WormsDouble, tmp_path: Path) -> None:
    found = ask(double, ["Acartai", "Doublenameus", "Xyzzy"], Cache(tmp_path / "cache.json"))
    assert {name: (one.name, one.near) for name, one in found.items()} == {
        "Acartai": (None, ("Acartia",)),
        "Doublenameus": (None, ("Doublenameus",)),
        "Xyzzy": (None, ()),
    }


def test_nothing_is_asked_for_twice(double: WormsDouble, tmp_path: Path) -> None:
    path = tmp_path / "cache.json"
    first = ask(double, ["Acartia clausi", "Xyzzy"], Cache(path))
    asked = len(double.asked)
    assert ask(double, ["Acartia clausi", "Xyzzy"], Cache(path)) == first
    assert len(double.asked) == asked
    ask(double, ["Xyzzy"], Cache(path), fresh=True)
    assert len(double.asked) == asked + 1


def test_what_was_found_before_a_failure_is_kept(double: WormsDouble, tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache.json")
    ask(double, ["Copepoda"], cache)
    double.faults = [500] * 9
    with pytest.raises(RemoteError):
        ask(double, ["Copepoda", "Acartia"], cache)
    again = Cache(tmp_path / "cache.json").get("worms", "copepoda")
    assert again is not None
    assert again.name == "Copepoda"


def test_a_damaged_cache_is_told(tmp_path: Path) -> None:
    (tmp_path / "cache.json").write_text("{")
    with pytest.raises(ConfigError, match="damaged"):
        Cache(tmp_path / "cache.json")


def test_a_snapshot_grows_and_is_read_again(double: WormsDouble, tmp_path: Path) -> None:
    path, cache = tmp_path / "taxa.yaml", Cache(tmp_path / "cache.json")
    freeze(ask(double, ["Acartia"], cache), path)
    freeze(ask(double, ["Acartia clausi"], cache), path)
    names = load_taxonomy(path)
    assert names.taxa["Acartia"].aphia_id == 900001
    assert names.taxa["Acartia clausi"].lineage[-3:] == ("Acartiidae", "Acartia", "Acartia clausi")
    assert names.taxa["Oithona"].aphia_id == 106485  # what the snapshot does not speak of stays
    assert builtin().taxa["Acartia"].aphia_id is None


def test_ecotaxa_s_taxa_with_their_ids(tmp_path: Path) -> None:
    with EcotaxaDouble() as server:
        client = server.client(server.world.add_person("Alice", "alice@lab.test"))
        names = ["Oncaeidae", "detritus", "Cyclo"]
        found = look_up(names, "ecotaxa", cache=Cache(tmp_path / "cache.json"), ecotaxa=client)
    assert found["Oncaeidae"].entries["Oncaeidae"] == {
        "parent": "Ergasilida",
        "ecotaxa": 78418,
        "rank": "Family",
        "aphia": 128586,
        "checked": "ecotaxa",
    }
    assert found["detritus"].entries["detritus"]["rank"] == "category"
    assert found["Cyclo"] == Found({}, near=("Cyclopoida",))
    frozen = freeze(found, tmp_path / "taxa.yaml")
    oncaeidae = frozen.taxa["Oncaeidae"]
    assert (oncaeidae.ecotaxa_id, oncaeidae.lineage[-3:]) == (78418, ("Cyclopoida", "Ergasilida", "Oncaeidae"))
