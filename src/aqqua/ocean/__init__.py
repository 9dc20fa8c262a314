"""The virtual ocean: organisms → instruments → raw source files, with sealed truth.

Organisms are drawn from traits as bodies in three dimensions with physical size (`organisms`), instruments image the
same bodies as they would (`cameras`, `instruments`), a plausible ocean says who is where (`world`, `survey`), and what
the instruments see is written in their own formats (`write`), with everything that is true about it (`truth`).
"""

from aqqua.ocean.sheet import contact_sheet
from aqqua.ocean.truth import verify_seal
from aqqua.ocean.write import OceanReport, write_ocean

__all__ = ["OceanReport", "contact_sheet", "verify_seal", "write_ocean"]
