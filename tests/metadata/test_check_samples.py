"""PSSdb's flags of samples, and the thresholds."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from aqqua.errors import ConfigError, NotFoundError, UnknownNameError
from aqqua.metadata.check import Limits, check_rows
from aqqua.metadata.check_samples import least_images


@pytest.fixture(autouse=True)
def all_sea(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aqqua.metadata.land.sea_within", lambda latitude, *_: np.ones(len(latitude), dtype=bool))


def sample(name: str, count: int, first: int = 0, instrument: str = "ZooScan") -> pl.DataFrame:
    return pl.DataFrame(
        {"uid": range(first, first + count), "sample_id": [name] * count, "instrument": [instrument] * count},
        schema_overrides={"uid": pl.UInt64},
    )


def labels(taxa: list[str], statuses: list[str]) -> pl.DataFrame:
    return pl.DataFrame(
        {"uid": range(len(taxa)), "taxon": taxa, "status": statuses}, schema_overrides={"uid": pl.UInt64}
    )


def codes(frame: pl.DataFrame, said: pl.DataFrame | None = None, limits: Limits | None = None) -> dict[str, str]:
    return {one.code: one.where for one in check_rows(frame, labels=said, limits=limits) if one.code != "field_missing"}


def test_the_least_count_of_a_sample_is_pssdb_s() -> None:
    assert least_images(0.05) == 64
    assert codes(sample("a", 64)) == {}
    assert codes(sample("a", 63)) == {"few_images": "a"}


@pytest.mark.parametrize(("bubbles", "flagged"), [(20, False), (21, True)])
def test_more_than_a_fifth_of_artefacts(bubbles: int, flagged: bool) -> None:
    taxa = ["bubble"] * bubbles + ["Copepoda"] * (100 - bubbles)
    assert ("many_artefacts" in codes(sample("a", 100), labels(taxa, ["validated"] * 100))) is flagged


@pytest.mark.parametrize(
    ("instrument", "validated", "flagged"),
    [("ZooScan", 95, False), ("ZooScan", 94, True), ("UVP6", 94, True), ("IFCB", 0, False)],
)
def test_validated_shares_of_zooscan_and_uvp(instrument: str, validated: int, flagged: bool) -> None:
    said = labels(["Copepoda"] * 100, ["validated"] * validated + ["predicted"] * (100 - validated))
    assert ("not_validated" in codes(sample("a", 100, instrument=instrument), said)) is flagged


def test_samples_without_any_label_are_not_called_unvalidated() -> None:
    frame = pl.concat([sample("a", 100), sample("b", 100, 100)])
    assert codes(frame, labels(["Copepoda"] * 100, ["validated"] * 100)) == {}


def test_images_that_came_before_the_instrument() -> None:
    frame = sample("a", 70, instrument="UVP5").with_columns(pl.lit(datetime(1999, 1, 1, tzinfo=UTC)).alias("time_utc"))
    assert codes(frame) == {"time_before_instrument": "a"}
    assert codes(frame, limits=Limits.of({"first_year": {"UVP5": 1990}})) == {}


def test_a_time_that_never_changes() -> None:
    frame = pl.concat([sample(name, 70) for name in "abcde"])
    assert codes(frame.with_columns(pl.lit(datetime(2019, 7, 1, 8, tzinfo=UTC)).alias("time_utc"))) == {
        "time_constant": "time_utc"
    }


def test_water_volumes() -> None:
    frame = sample("a", 70, instrument="IFCB")
    assert "volume_unusual" in codes(frame.with_columns(pl.lit(5.0).alias("volume_l")))
    assert "volume_zero" in codes(frame.with_columns(pl.lit(0.0).alias("volume_l")))


def test_thresholds_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "limits.yaml"
    path.write_text("artefact_share: 0.5\nvalidated_instruments: [IFCB]\n")
    limits = Limits.load(path)
    assert (limits.artefact_share, limits.validated_instruments, limits.coast_km) == (0.5, ("IFCB",), 5.0)
    assert Limits.of({"coast_km": 2}).coast_km == 2.0


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("coast: 2", UnknownNameError),
        ("coast_km: far", ConfigError),
        ("coast_km: -1", ConfigError),
        ("first_year: {UVP5: soon}", ConfigError),
        ("- 1", ConfigError),
        ("a: [", ConfigError),
    ],
)
def test_thresholds_that_cannot_be(tmp_path: Path, text: str, error: type[Exception]) -> None:
    path = tmp_path / "limits.yaml"
    path.write_text(text)
    with pytest.raises(error):
        Limits.load(path)


def test_no_file_of_thresholds(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        Limits.load(tmp_path / "none.yaml")
