from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from aqqua.bench.labelled import Images, Labelled, far_images, read_labelled
from aqqua.bench.measures import Question
from aqqua.bench.parts import _by_id, make_parts, read_parts, write_parts
from aqqua.errors import ConfigError, FormatError, NotFoundError, UnknownNameError
from aqqua.store.dataset import Dataset
from tests.make import trainable
from tests.make.trainable import make_dataset


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two datasets: `plain` has no samples, `tows` has six of them."""
    folder = tmp_path_factory.mktemp("parts")
    make_dataset(folder / "plain", 60)
    converted: Callable[[list[int], int], pl.DataFrame] = trainable._converted

    def with_samples(numbers: list[int], shard: int) -> pl.DataFrame:
        day = [datetime(2026, 5, 1, tzinfo=UTC) + timedelta(days=i // 10) for i in numbers]
        return converted(numbers, shard).with_columns(
            sample_id=pl.Series([f"tow {i // 10}" for i in numbers]), time_utc=pl.Series(day)
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainable, "_converted", with_samples)
        make_dataset(folder / "tows", 60, seed=1)
    return folder


def opened(folder: Path, *names: str) -> Labelled:
    return read_labelled([Dataset.open(folder / name) for name in names])


def test_labels_instruments_and_samples_are_read(folder: Path) -> None:
    data = opened(folder, "plain", "tows")
    assert len(data) == 120
    assert data.classes == ("disc", "ring", "rod")
    assert (data.sample[:60] == -1).all()
    assert len(np.unique(data.sample[60:])) == 6
    first = next(iter(data.images.windows([0, 60])))
    assert [one.pixels.ndim for one in first] == [2, 2]
    assert first[0].pixel_um == 20
    assert data.key != opened(folder, "plain").key


def test_far_images_are_drawn_and_need_no_labels(folder: Path) -> None:
    found = far_images([Dataset.open(folder / "tows")], 10, seed=0)
    assert found is not None
    assert len(found) == 10
    assert far_images([], 10, seed=0) is None


def test_without_samples_the_id_alone_decides(folder: Path) -> None:
    data = opened(folder, "plain")
    parts = make_parts(data)
    assert parts.by == "id"
    assert np.array_equal(parts.test, make_parts(data, seed=5).test)
    assert 3 <= len(parts.test_rows) <= 24


def test_the_hash_of_an_id_never_changes(folder: Path) -> None:
    """Two images of the real ISIIS set: the published split stands on this."""
    data = opened(folder, "plain")
    table = data.images.table.with_columns(
        object_id=pl.Series(["100224", "100723"] + [f"image_{i}" for i in range(58)])
    )
    parts = _by_id(Labelled(type(data.images)(data.images.datasets, table), data.classes, data.label))
    assert parts.test[:2].tolist() == [False, False]
    assert np.flatnonzero(parts.test[2:]).tolist()[:3] == [3, 10, 13]


def test_samples_stay_whole(folder: Path) -> None:
    data = opened(folder, "tows")
    parts = make_parts(data)
    assert parts.by == "sample"
    assert not set(data.sample[parts.test_rows]) & set(data.sample[parts.train_rows])
    assert "6 groups" in parts.told
    days = make_parts(data, by="time")
    assert not set(data.sample[days.test_rows]) & set(data.sample[days.train_rows])


def test_a_split_is_written_and_used_again(folder: Path, tmp_path: Path) -> None:
    data = opened(folder, "plain", "tows")
    parts = make_parts(data, by="time", seed=3)
    write_parts(tmp_path / "splits.parquet", parts, data)
    again = read_parts(tmp_path / "splits.parquet", data)
    assert np.array_equal(parts.test, again.test)
    assert again.used.all()
    table = pl.read_parquet(tmp_path / "splits.parquet")
    assert table.columns == ["dataset", "uid", "object_id", "part", "group"]
    assert table["dataset"].n_unique() == 2


def test_a_table_by_hand_may_leave_images_out(folder: Path, tmp_path: Path) -> None:
    data = opened(folder, "plain")
    rows = [(f"shape_{i}", ("train", "val", "test")[i % 3]) for i in range(30)]
    pl.DataFrame(rows, schema=["object_id", "split"], orient="row").write_csv(tmp_path / "s.csv")
    parts = read_parts(tmp_path / "s.csv", data)
    assert parts.used.sum() == 30
    assert len(parts.test_rows) == 10
    assert parts.told == "as in s.csv"


def test_what_is_no_split_is_told(folder: Path, tmp_path: Path) -> None:
    data = opened(folder, "plain")
    with pytest.raises(UnknownNameError, match="no way to split is called 'samples'"):
        make_parts(data, by="samples")
    with pytest.raises(NotFoundError, match="no such split"):
        read_parts(tmp_path / "no.csv", data)
    for name, text, error in (
        ("a.csv", "x,y\n1,2\n", "no split"),
        ("b.csv", "object_id,part\nshape_1,trian\n", "called trian"),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(FormatError, match=error):
            read_parts(tmp_path / name, data)
    (tmp_path / "c.csv").write_text("object_id,part\nshape_1,train\n")
    with pytest.raises(ConfigError, match="0 to judge"):
        read_parts(tmp_path / "c.csv", data)
    (tmp_path / "d.parquet").write_bytes(b"PAR1")
    with pytest.raises(FormatError, match="cannot be read"):
        read_parts(tmp_path / "d.parquet", data)
    with pytest.raises(ConfigError, match="leaves"):
        make_parts(data, by="instrument")  # there is only one


def test_days_stand_for_samples_where_there_are_none(folder: Path) -> None:
    plain, tows = opened(folder, "plain"), opened(folder, "tows")
    nothing = np.zeros(60, np.float32)
    assert (Question(plain, make_parts(plain), nothing).sample == -1).all()
    days = make_parts(tows, by="time")
    assert np.array_equal(Question(tows, days, nothing).sample, tows.sample)
    unnamed = Images(tows.images.datasets, tows.images.table.with_columns(sample_id=pl.lit(None, pl.String)))
    nameless = Labelled(unnamed, tows.classes, tows.label)
    assert np.array_equal(Question(nameless, days, nothing).sample, days.group)
    assert len(np.unique(days.group)) == 6
