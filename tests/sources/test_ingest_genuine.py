"""The verb on genuine data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aqqua.errors import SourceError
from aqqua.metadata.card import Card
from aqqua.sources.ingest import ingest
from tests.make.packing import pack
from tests.sources.asking import IFCB_CARD


def test_the_genuine_ecotaxa_packages(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "ecotaxa" / "qa_packages"
    report = ingest([folder / "import_test"], tmp_path / "ds")
    assert (report.images, report.rejected) == (11, 0)
    labels = report.dataset.labels()
    assert labels.height == 11
    assert {"Oncaeidae", "detritus", "ozzeur"} <= set(labels["label"])
    told = report.dataset.metadata(["pixel_um", "latitude"])
    assert told["pixel_um"].to_list() == pytest.approx([10.6] * told.height)
    assert told["latitude"].min() == pytest.approx(-44.72543333333333)


def test_the_genuinely_broken_packages_tell_an_owner_what_to_do(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "ecotaxa" / "qa_packages" / "import_issues"
    report = ingest([folder], tmp_path / "ds", card=Card(defaults={"pixel_um": 23}))
    reasons = "\n".join(report.dataset.rejected()["reason"])
    for told in ("the image file is damaged", "there is no image", "the row repeats line 3", "the line has 90 cells"):
        assert told in reasons
    assert all(report.dataset.rejected()["do"])
    assert report.images == 6
    assert {"empty_table"} <= {finding.code for finding in report.findings}
    with pytest.raises(SourceError, match="no reader recognises"):
        ingest([folder / "no_relevant_file"], tmp_path / "ds")


def test_genuine_bins_come_in_with_a_card(shared_data: Path, tmp_path: Path) -> None:
    report = ingest([shared_data / "ifcb" / "ifcbkit"], tmp_path / "ds", card=IFCB_CARD)
    assert (report.images, report.rejected) == (24, 0)  # 25 ROIs, two of them cuts of one organism
    told = report.dataset.metadata(["volume_l", "sample_id"]).select("sample_id", "volume_l").unique().sort("sample_id")
    assert told["volume_l"].to_list() == pytest.approx([5.080841170833334e-3, 0.003391470833333334e-3])


ISIIS_CARD = Card(
    title="ISIIS PlanktonSet 1.0",
    instruments=("ISIIS",),
    defaults={
        "pixel_um": 68,
        "time_utc": "2014-06-01T12:00:00Z",
        "latitude": 25.5,
        "longitude": -80.0,
        "depth_min_m": 0,
        "depth_max_m": 130,
    },
)


def isiis(shared_data: Path) -> Path:
    return shared_data / "images" / "isiis_planktonset" / "isiis_planktonset.zip"


def test_some_of_the_real_isiis_set(shared_data: Path, tmp_path: Path) -> None:
    import io
    import zipfile

    from PIL import Image

    with zipfile.ZipFile(isiis(shared_data)) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")][::500]
        files = {name: archive.read(name) for name in names}
    report = ingest([pack(tmp_path / "isiis.zip", files)], tmp_path / "ds", card=ISIIS_CARD)
    assert (report.images, report.rejected) == (len(files), 0)
    told = report.dataset.metadata(["source_path", "pixel_um"])
    assert set(told["pixel_um"]) == {68.0}
    for uid, path in told.select("uid", "source_path").iter_rows():
        expected = np.asarray(Image.open(io.BytesIO(files[path.split("!")[1]])))
        np.testing.assert_array_equal(report.dataset.image(uid), expected)
    assert set(report.dataset.labels()["label"]) == {name.split("/")[0] for name in files}


@pytest.mark.slow
def test_the_whole_real_isiis_set(shared_data: Path, tmp_path: Path) -> None:
    report = ingest([isiis(shared_data)], tmp_path / "ds", card=ISIIS_CARD)
    assert (report.images, report.rejected) == (30_336, 0)
    assert report.dataset.labels()["label"].n_unique() == 121
    assert report.dataset.metadata(["object_id"])["object_id"].n_unique() == 30_336
