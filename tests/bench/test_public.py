from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from aqqua.bench.labelled import read_labelled
from aqqua.bench.parts import make_parts
from aqqua.bench.public import read_public
from aqqua.errors import ConfigError, FormatError, NotFoundError, UnknownNameError
from aqqua.store.dataset import Dataset
from tests.make.trainable import SHAPES, draw


def picture(number: int) -> np.ndarray:
    return draw(SHAPES[number % 3], 24 + number, np.random.default_rng(number))


def save(path: Path, number: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture(number)).save(path)


def labels(dataset: Path) -> dict[str, str]:
    ds = Dataset.open(dataset)
    assert ds.rejected().is_empty()
    both = ds.metadata(["object_id"]).join(ds.labels().select("uid", "label"), on="uid")
    return dict(both.select("object_id", "label").iter_rows())


def test_ndsb_has_class_folders_under_train(tmp_path: Path) -> None:
    for n in range(6):
        save(tmp_path / "ndsb" / "train" / SHAPES[n % 3] / f"{n}.jpg", n)
    read_public("ndsb", tmp_path / "ndsb", tmp_path / "d")
    assert labels(tmp_path / "d") == {str(n): SHAPES[n % 3] for n in range(6)}
    ds = Dataset.open(tmp_path / "d")
    about = ds.metadata(["instrument", "pixel_um"])
    assert about["instrument"].unique().to_list() == ["ISIIS"]
    assert about["pixel_um"].unique().to_list() == [68.0]
    # All of it is called train: that is no split, so the id decides.
    assert make_parts(read_labelled([ds])).by == "id"


def test_whoi_knows_the_bin_and_its_time_by_the_name(tmp_path: Path) -> None:
    for n in range(6):
        save(tmp_path / "w" / "2012" / SHAPES[n % 3] / f"IFCB5_2012_02{n % 2}_081515_{n:05d}.png", n)
    read_public("whoi", tmp_path / "w", tmp_path / "d")
    about = Dataset.open(tmp_path / "d").metadata(["sample_id", "instrument", "time_utc"])
    assert set(about["sample_id"]) == {"IFCB5_2012_020_081515", "IFCB5_2012_021_081515"}
    assert about["time_utc"].dt.year().unique().to_list() == [2012]
    assert sorted(labels(tmp_path / "d").values()) == sorted(SHAPES * 2)


def seanoe(folder: Path) -> None:
    sets = ["train", "val", "test"]
    rows = []
    for n in range(12):
        save(folder / "imgs" / f"{1000 + n}.png", n)
        rows.append(
            (
                1000 + n,
                SHAPES[n % 3],
                f"Biota>{SHAPES[n % 3]}",
                "level 2",
                "TRUE",
                sets[n // 3 % 3],
                f"x/{1000 + n}.png",
            )
        )
    names = ["objid", "taxon_level1", "lineage_level1", "taxon_level2", "plankton", "set", "img_path"]
    pl.DataFrame(rows, schema=names, orient="row").write_csv(folder / "taxa.csv")


def test_seanoe_sets_keep_their_own_test_set(tmp_path: Path) -> None:
    seanoe(tmp_path / "s")
    with pytest.raises(ConfigError, match="which instrument"):
        read_public("seanoe", tmp_path / "s", tmp_path / "d", pixel_um=73)
    with pytest.raises(ConfigError, match="how large a pixel"):
        read_public("seanoe", tmp_path / "s", tmp_path / "d", instrument="UVP6")
    read_public("seanoe", tmp_path / "s", tmp_path / "d", instrument="UVP6", pixel_um=73)
    assert labels(tmp_path / "d") == {str(1000 + n): SHAPES[n % 3] for n in range(12)}
    data = read_labelled([Dataset.open(tmp_path / "d")])
    parts = make_parts(data)
    test = {data.column("object_id")[row] for row in parts.test_rows}
    assert test == {"1006", "1007", "1008"}
    assert "own test set" in parts.told


def test_planktonzilla_is_read_from_parquet(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    rows = []
    for n in range(6):
        buffer = io.BytesIO()
        Image.fromarray(picture(n)).save(buffer, "PNG")
        image = {"bytes": buffer.getvalue(), "path": f"../../{n}.png"}
        rows.append(
            {"image": image, "dataset": "uvp6net", "proposed_label": SHAPES[n % 3], "Latitude": 43.5, "Longitude": 7.25}
        )
    pl.DataFrame(rows).write_parquet(tmp_path / "p" / "a.parquet")
    read_public("planktonzilla", tmp_path / "p", tmp_path / "d", instrument="UVP6", pixel_um=73)
    assert sorted(labels(tmp_path / "d").values()) == sorted(SHAPES * 2)
    about = Dataset.open(tmp_path / "d").metadata(["latitude", "longitude"])
    assert about["latitude"].unique().to_list() == [43.5]
    assert not list(tmp_path.glob("*.png"))


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="no public benchmark is called 'nsdb'"):
        read_public("nsdb", tmp_path, tmp_path / "d")
    with pytest.raises(NotFoundError, match="no such folder"):
        read_public("ndsb", tmp_path / "no", tmp_path / "d")
    with pytest.raises(NotFoundError, match="no image"):
        read_public("ndsb", tmp_path, tmp_path / "d")
    with pytest.raises(NotFoundError, match=r"taxa\.csv\.gz"):
        read_public("seanoe", tmp_path, tmp_path / "d")
    with pytest.raises(NotFoundError, match="Parquet"):
        read_public("planktonzilla", tmp_path, tmp_path / "d")
    (tmp_path / "taxa.csv").write_text("objid,img_path\n1,x.png\n")
    with pytest.raises(FormatError, match="lacks taxon_level1"):
        read_public("seanoe", tmp_path, tmp_path / "d")
    pl.DataFrame({"image": [1]}).write_parquet(tmp_path / "a.parquet")
    with pytest.raises(FormatError, match="no part of Planktonzilla"):
        read_public("planktonzilla", tmp_path, tmp_path / "d")
