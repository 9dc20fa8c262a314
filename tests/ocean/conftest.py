"""One small ocean for all tests that only look at it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from aqqua.ocean import OceanReport, write_ocean


@dataclass(frozen=True)
class SmallOcean:
    """An ocean on disk."""

    path: Path
    report: OceanReport

    def truth(self, table: str) -> pl.DataFrame:
        return pl.read_parquet(self.path / "truth" / f"{table}.parquet")


@pytest.fixture(scope="session")
def small_ocean(tmp_path_factory: pytest.TempPathFactory) -> SmallOcean:
    """About 150 images of two visits, with flaws."""
    path = tmp_path_factory.mktemp("ocean") / "small"
    return SmallOcean(path, write_ocean(path, seed=1, samples=2, images=150))
