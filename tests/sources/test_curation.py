from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aqqua.curate.content import find_content
from aqqua.errors import ConfigError
from aqqua.ocean.vignettes import vignette
from aqqua.sources.curation import Curation
from aqqua.sources.ingest import ingest
from tests.make.captures import capture
from tests.make.folders import CARD
from tests.make.images import as_file
from tests.make.packing import pack


def three_copies(path: Path) -> dict[str, np.ndarray]:
    """Raw, processed and vignette of three images, and a fourth without copies."""
    raws = [capture(seed) for seed in range(3)]
    images = {f"raw/{i}.png": raw for i, raw in enumerate(raws)} | {"raw/3.png": capture(9)}
    images |= {f"processed/{i}.png": (raw * 0.8).astype(np.uint8) for i, raw in enumerate(raws)}
    images |= {f"vignettes/{i}.png": vignette(raw, "uvp6").pixels for i, raw in enumerate(raws)}
    pack(path, {name: as_file(pixels) for name, pixels in images.items()} | {"card.yaml": CARD.encode()})
    return images


def paths_in(dataset: object) -> set[str]:
    uids = dataset.metadata([])["uid"]  # type: ignore[attr-defined]
    return {row["image_path"] for row in dataset.raw(uids)}  # type: ignore[attr-defined]


def test_the_raw_ones_come_in_and_the_rest_is_in_rejected_with_the_reason(tmp_path: Path) -> None:
    images = three_copies(tmp_path / "source")
    report = ingest([tmp_path / "source"], tmp_path / "data")
    assert report.images == 4
    assert paths_in(report.dataset) == {f"raw/{i}.png" for i in range(4)}
    rejected = report.dataset.rejected()
    assert set(rejected["field"]) == {"variant"}
    assert len(rejected) == 6
    assert any("'raw/0.png', which is kept: vignette with scale bar" in reason for reason in rejected["reason"])
    assert sum(f.count for f in report.findings if f.code == "variants") == 6
    uid = report.dataset.metadata([])["uid"][0]
    [row] = report.dataset.raw([uid])
    assert np.array_equal(report.dataset.image(uid), images[row["image_path"]])


def test_all_of_them_if_asked_also_afterwards(tmp_path: Path) -> None:
    three_copies(tmp_path / "source")
    assert ingest([tmp_path / "source"], tmp_path / "data").images == 4
    again = ingest([tmp_path / "source"], tmp_path / "data")
    assert (again.images, len(again.skipped)) == (0, 1)
    report = ingest([tmp_path / "source"], tmp_path / "data", variants="all")
    assert (report.images, len(report.dataset)) == (6, 10)


def test_footers_are_cut_if_asked(tmp_path: Path) -> None:
    raw = capture(4)
    files = {"a.png": as_file(vignette(raw, "text").pixels), "b.png": as_file(capture(5)), "card.yaml": CARD.encode()}
    pack(tmp_path / "source", files)
    whole = ingest([tmp_path / "source"], tmp_path / "whole").dataset
    assert sorted(find_content(whole.image(uid)).kind for uid in whole.metadata([])["uid"]) == ["footer", "none"]
    report = ingest([tmp_path / "source"], tmp_path / "cut", cut_footers=True)
    rows = report.dataset.metadata(["object_id", "height"])
    uid = rows.filter(object_id="a")["uid"][0]
    assert np.array_equal(report.dataset.image(uid), raw)
    assert rows.filter(object_id="a")["height"][0] == raw.shape[0]
    assert [(f.code, f.count) for f in report.findings if f.code == "footers_cut"] == [("footers_cut", 1)]


def test_what_is_usual_leaves_fingerprints_as_they_were() -> None:
    assert Curation().key == ""
    assert len({Curation("all").key, Curation(cut_footers=True).key, Curation("all", True).key}) == 3
    with pytest.raises(ConfigError):
        Curation("some")  # type: ignore[arg-type]
