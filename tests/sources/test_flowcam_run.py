"""What a run says about volume, pixel size and clock, and what happens where it contradicts itself."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from aqqua.metadata.check import Finding
from aqqua.sources.archive import Tree
from aqqua.sources.flowcam_files import parse_list
from aqqua.sources.flowcam_run import Run
from tests.make.flowcam import CONTEXT, RUN_SUMMARY, SUMMARY, list_bytes, particles
from tests.make.packing import pack

LISTED = parse_list(list_bytes(particles().rows).decode())
WHOLE = {"run.ctx": CONTEXT, "run_run_summary.txt": RUN_SUMMARY, "run_summary.csv": SUMMARY}


def run(folder: Path, files: dict[str, str]) -> Run:
    data = {name: text.encode() for name, text in files.items()}
    pack(folder, {"run.lst": b"", **data})
    return Run.read(Tree(folder), "run.lst")


def told(made: Run) -> dict[str, Finding]:
    return {finding.code: finding for finding in made.findings(LISTED)}


def columns(made: Run) -> pl.DataFrame:
    return LISTED.frame.select(made.columns(LISTED))


def volume_ml(made: Run) -> float | None:
    text = columns(made)["volume_l"][0]
    return float(text) * 1000 if text else None


@pytest.mark.parametrize(
    ("files", "expected", "code"),
    [
        (WHOLE, 0.01737, None),
        ({name: WHOLE[name] for name in ("run.ctx", "run_run_summary.txt")}, 0.0174, None),
        ({"run.ctx": CONTEXT}, 0.017375, "volume_by_geometry"),
        ({"run.ctx": CONTEXT.replace("FluidVolumeImaged_ml=0.0000", "FluidVolumeImaged_ml=0.0173")}, 0.0173, None),
        ({"run_summary.csv": SUMMARY}, 0.01737, None),
        ({**WHOLE, "run_summary.csv": SUMMARY.replace("0.01737", "0.5")}, 0.5, "volume_differs"),
        ({}, None, "no_volume"),
    ],
)
def test_the_volume_imaged(tmp_path: Path, files: dict[str, str], expected: float | None, code: str | None) -> None:
    made = run(tmp_path / "r", files)
    assert volume_ml(made) == (None if expected is None else pytest.approx(expected, rel=1e-4))
    assert {one for one in told(made) if "volume" in one} == ({code} if code else set())


def test_a_diluted_sample(tmp_path: Path) -> None:
    diluted = CONTEXT.replace("UseDilutionCalculation=0", "UseDilutionCalculation=1")
    made = run(tmp_path / "r", {"run.ctx": diluted.replace("SampleDilution=1", "SampleDilution=4")})
    assert volume_ml(made) == pytest.approx(0.017375 / 4, rel=1e-4)
    assert "4 times" in told(made)["sample_diluted"].message


def test_two_pixel_sizes(tmp_path: Path) -> None:
    made = run(tmp_path / "r", {"run.ctx": CONTEXT.replace("=0.5544", "=0.2772")})
    assert set(columns(made)["pixel_um"]) == {"0.5544"}
    assert "0.5544 µm in the list and 0.2772 µm in the context" in told(made)["pixel_size_differs"].message
    assert "pixel_size_differs" not in told(run(tmp_path / "s", WHOLE))


def test_the_clock_is_not_guessed(tmp_path: Path) -> None:
    assert set(columns(run(tmp_path / "r", {"run.ctx": CONTEXT}))["imaged_utc"]) == {None}
    assert columns(run(tmp_path / "s", WHOLE))["imaged_utc"][0] == "2024-04-08T08:14:11.131Z"


def test_files_of_another_name_in_the_same_folder(tmp_path: Path) -> None:
    pack(tmp_path / "tank", {"metadata.lst": b"", "tank_7.ctx": CONTEXT.encode()})
    made = Run.read(Tree(tmp_path / "tank"), "metadata.lst")
    assert made.name == "tank"
    assert made.context["Fluid_FlowCellDepth"] == "100"
    (tmp_path / "tank" / "other.lst").write_bytes(b"")
    assert Run.read(Tree(tmp_path / "tank"), "metadata.lst").context == {}
