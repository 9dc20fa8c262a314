"""A Zenodo server on this machine, for tests: the deposit API over real HTTP, with faults.

**Written from the documentation** (https://developers.zenodo.org: depositions, deposition files, bucket `PUT`, the
actions newversion and publish, status codes, rate limits), **not from recorded traffic**: where the real server departs
from its documentation, this double does not. What the documentation leaves open is said where it stands in the code.
"""

from tests.zenodo_double.server import ZenodoDouble
from tests.zenodo_double.world import Fault, World

__all__ = ["Fault", "World", "ZenodoDouble"]
