"""A small double of an EcoTaxa server that answers as the real one was recorded to, faults included.

    with EcotaxaDouble() as double:
        alice = double.world.add_person("Alice Owner", "alice@lab.test")
        project = double.world.add_project("Net samples", alice)
        double.client(alice).project(project.projid)

`double.faults.plan("502", "projects")` lets the next such request fail. `test_replay.py` sends every recorded request
again and compares the answers.
"""

from tests.ecotaxa_double.server import EcotaxaDouble
from tests.ecotaxa_double.state import World

__all__ = ["EcotaxaDouble", "World"]
