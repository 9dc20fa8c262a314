"""Property tests of this folder have no deadline: a busy machine is no failure."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("metadata", deadline=None)
settings.load_profile("metadata")
