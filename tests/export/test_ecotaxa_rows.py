from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aqqua.export.ecotaxa_images import planes
from aqqua.export.ecotaxa_rows import Head, annotate, leave_out, name_files, name_objects, name_parents
from tests.export.frames import IDS, images


def named(frame: pl.DataFrame) -> pl.DataFrame:
    return name_objects(name_parents(frame)).sort("uid")


def filed(frame: pl.DataFrame) -> pl.DataFrame:
    return name_files(annotate(named(frame), IDS.get), partial(planes, sixteen_bit="keep"))


def test_too_long_sides_are_told_apart() -> None:
    good, bad = leave_out(images(3, width=[20_000, 20_001, 5], height=[20_000, 5, 5]))
    assert (len(good), len(bad)) == (2, 1)


def test_parents_have_names_even_where_the_source_gave_none() -> None:
    frame = named(images(3, sample_id=["s", None, None], acquisition_id=None, project=["p", "p", None]))
    assert frame.select("sample", "acq", "process").rows() == [
        ("s", "s", "process_s"),
        ("p", "p", "process_p"),
        ("sample", "sample", "process_sample"),
    ]


def test_an_acquisition_belongs_to_one_sample_and_one_instrument() -> None:
    frame = named(images(4, sample_id=["a", "b", "b", "c"], acquisition_id=["x", "x", "y", "z"], instrument="IFCB"))
    assert frame["acq"].to_list() == ["a_x", "b_x", "y", "z"]
    frame = named(images(3, instrument=["IFCB", "ZooScan", None]))
    assert frame["acq"].to_list() == ["net 1_IFCB", "net 1_ZooScan", "net 1_unknown"]


def test_images_of_one_object_share_its_name() -> None:
    frame = named(images(3, object_id=["o", "o", "p"], image_rank=[0, 1, 0]))
    assert frame["object"].to_list() == ["o", "o", "p"]


def test_different_objects_of_one_name_get_different_names() -> None:
    frame = named(images(3, object_id="o", acquisition_id=["a", "b", "b"], image_rank=[0, 0, 1]))
    assert frame["object"].to_list() == ["a_o", "b_o", "b_o"]
    frame = named(images(3, object_id="o", uid=[0, 1 << 63, 2]))
    assert sorted(frame["object"]) == ["o", "o_2", "o_9223372036854775808"]


def test_names_fit_into_the_database_and_stay_different() -> None:
    long = "µ" * 300
    frame = named(images(2, object_id=[long + "a", long + "b"], sample_id="tab\there\n", acquisition_id="\x00"))
    assert frame["object"].str.len_chars().to_list() == [255, 255]
    assert frame["object"].n_unique() == 2
    assert frame["sample"].unique().to_list() == ["tab here"]
    assert frame["acq"].unique().to_list() == ["_"]


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.sampled_from(["o", "O", "p q", None]), st.sampled_from(["s", "t"]), st.integers(0, 2)),
        min_size=1,
        max_size=12,
    )
)
def test_whatever_the_names_every_image_has_a_place_of_its_own(rows: list[tuple[str | None, str, int]]) -> None:
    names = [name or "x" for name, _, _ in rows]
    frame = images(
        len(rows),
        object_id=names,
        sample_id=[s for _, s, _ in rows],
        image_rank=[r for *_, r in rows],
        acquisition_id=None,
    )
    files = filed(frame)
    assert len(files) == len(rows)
    assert files.select(pl.col("folder"), pl.col("file").str.to_lowercase()).is_duplicated().sum() == 0
    assert files.select("object", "rank").is_duplicated().sum() == 0
    assert files.group_by("object").agg(pl.col("rank").sort()).filter(pl.col("rank").list.first() != 0).is_empty()
    assert files.group_by("object").agg(pl.col("acq").n_unique())["acq"].max() == 1


@pytest.mark.parametrize(
    ("head", "linear", "expected"),
    [
        ("best", "Calanoida", ("Calanoida", 0.75, 45074)),
        ("best", None, ("detritus", 0.5, 84963)),
        ("linear", "Calanoida", ("Calanoida", 0.75, 45074)),
        ("linear", None, (None, None, None)),
        ("knn", "Calanoida", ("detritus", 0.5, 84963)),
    ],
)
def test_the_taxon_is_the_heads(head: Head, linear: str | None, expected: tuple[object, ...]) -> None:
    frame = annotate(named(images(1, taxon_linear=linear, p_knn=0.5)), IDS.get, head=head)
    assert frame.select("category", "score", "category_id").row(0) == expected
    assert frame["route"][0] == ("id" if expected[0] else "none")


def test_a_taxon_without_id_goes_by_name() -> None:
    frame = annotate(named(images(2, taxon_linear=["Acartia", "Calanoida"])), IDS.get)
    assert frame["route"].to_list() == ["name", "id"]
    assert frame["status"].to_list() == ["predicted", "predicted"]


def test_what_people_said_is_kept_unless_asked_otherwise() -> None:
    time = datetime(2015, 11, 11, tzinfo=UTC)
    frame = named(
        images(
            3,
            label=["egg<other", "Calanoida", "y"],
            label_status=["validated", "dubious", "predicted"],
            label_ecotaxa_id=[92731, None, 5],
            label_time=time,
        )
    )
    kept = annotate(frame, IDS.get).select("category", "category_id", "status", "score", "route")
    assert kept.rows() == [
        ("egg<other", 92731, "validated", None, "id"),
        ("Calanoida", 45074, "dubious", None, "id"),
        ("Calanoida", 45074, "predicted", 0.75, "id"),
    ]
    predicted = annotate(frame, IDS.get, human="as_predicted").select("category", "category_id", "status")
    assert predicted.rows()[:2] == [("egg<other", 92731, "predicted"), ("Calanoida", 45074, "predicted")]


def test_without_a_model_the_sources_own_prediction_counts() -> None:
    frame = images(2, taxon_linear=None, taxon_knn=None, label=["copepod", None], label_status=["predicted", None])
    rows = annotate(named(frame), IDS.get)
    assert rows.select("category", "status", "score", "route").rows() == [
        ("copepod", "predicted", None, "name"),
        (None, "predicted", None, "none"),
    ]


def test_an_object_has_one_annotation_for_all_its_images() -> None:
    frame = named(
        images(3, object_id="o", image_rank=[0, 1, 2], taxon_linear=["a", "b", "c"], p_linear=[0.1, 0.9, 0.5])
    )
    rows = annotate(frame, IDS.get)
    assert rows.select("category", "score", "taxon_linear").unique().rows() == [("b", pytest.approx(0.9), "b")]
    judged = frame.with_columns(
        label=pl.Series(["x", None, None]),
        label_status=pl.Series(["validated", None, None]),
    )
    assert annotate(judged, IDS.get).select("category", "status").unique().rows() == [("x", "validated")]


def test_folders_and_files_have_plain_names() -> None:
    files = filed(images(3, sample_id=["a/b", "a b", ".hidden"], acquisition_id=None, object_id=["x/y", "../z", "ü"]))
    by_sample = dict(files.select("sample", "folder").iter_rows())
    assert by_sample == {"a b": "a_b_1", "a/b": "a_b_2", ".hidden": "hidden"}
    assert set(files["file"]) == {"x_y.png", "_z.png", "_.png"}


def test_several_images_are_numbered_from_0() -> None:
    files = filed(images(3, object_id=["o", "o", "p"], image_rank=[7, 3, 0]))
    assert files.select("object", "rank", "file", "uid").rows() == [
        ("o", 0, "o_0.png", 1),
        ("o", 1, "o_1.png", 0),
        ("p", 0, "p.png", 2),
    ]


def test_channels_become_images() -> None:
    files = filed(images(2, channels=[2, 1], channel_names=["bright, chl", None]))
    assert files.select("object", "rank", "plane", "plane_index").rows() == [
        ("object_0", 0, "bright", 0),
        ("object_0", 1, "chl", 1),
        ("object_1", 0, "", None),
    ]


def test_more_than_a_hundred_images_of_an_object_are_cut() -> None:
    files = filed(images(120, object_id="o", image_rank=list(range(120)), uid=list(range(120))))
    assert files["rank"].to_list() == list(range(100))
