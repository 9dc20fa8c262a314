"""A double of EcoTaxa with a manager, an annotator and the account that wants to look."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from aqqua.sources.ecotaxa_api.client import EcotaxaClient
from tests.ecotaxa_double import EcotaxaDouble, World
from tests.ecotaxa_double.tables import Person, Project


@dataclass
class Cast:
    """A server and the people on it.

    Args:
        client: with Alice's login.
    """

    double: EcotaxaDouble
    alice: Person
    bob: Person
    aqqua: Person
    client: EcotaxaClient

    @property
    def world(self) -> World:
        return self.double.world

    def project(self, title: str = "Net samples", owner: Person | None = None, **rights: str) -> Project:
        """A project of Alice's; rights by first name."""
        made = self.world.add_project(title, owner or self.alice)
        made.rights |= {getattr(self, name).id: right for name, right in rights.items()}
        return made

    def filled(self, objects: int = 3) -> Project:
        """A project of Alice's with objects in two samples."""
        made = self.project()
        for number in range(objects):
            name = f"s{number % 2 + 1}"
            sample = self.world.add_sample(made, name, tot_vol="12.5")
            acquisition = self.world.add_acquisition(made, sample, f"{name}_acq", {"pixel": "0.0106"}, sub_part="4")
            self.world.add_object(made, acquisition, f"obj_{number + 1}", free={"area": 100.5 + number})
        return made


@pytest.fixture
def cast() -> Iterator[Cast]:
    with EcotaxaDouble() as double:
        alice = double.world.add_person("Alice Owner", "alice@lab.test")
        bob = double.world.add_person("Bob Annotator", "bob@lab.test")
        aqqua = double.world.add_person("AqQua Service", "aqqua@geomar.de")
        yield Cast(double, alice, bob, aqqua, double.client(alice))
