"""Images whose names say when and by what they were taken, from the folder to the dataset."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from PIL import Image

from aqqua.metadata.card import Card
from aqqua.sources.ingest import ingest

PLACE = {"latitude": 60.6, "longitude": -147.2, "depth_m": 10, "pixel_um": 7.4}


def test_a_folder_of_named_images_needs_no_table(tmp_path: Path) -> None:
    folder = tmp_path / "spc" / "Acartia"
    folder.mkdir(parents=True)
    for clock in ("1459740420", "1460302054", "0"):
        pixels = np.full((20, 24), int(clock[-2:]) + 1, np.uint8)
        Image.fromarray(pixels).save(folder / f"SPC-PWSSC-{clock}-000486-010-2450-1620-84-60.png")
    report = ingest([tmp_path / "spc"], tmp_path / "ds", card=Card(defaults=PLACE))
    assert (report.images, report.rejected) == (2, 1)
    told = report.dataset.metadata(["time_utc", "instrument", "modality"]).sort("time_utc")
    assert told["time_utc"][0] == datetime(2016, 4, 4, 3, 27, tzinfo=UTC)
    assert told["instrument"].to_list() == ["SPC", "SPC"]
    assert told["modality"].to_list() == ["dark-field"] * 2
    assert {"instrument_guessed", "read_from_name", "volume_missing"} <= {one.code for one in report.findings}
    (reason,) = report.dataset.rejected()["reason"].to_list()
    assert "the time is missing" in reason
    assert "stands for no value" in reason
