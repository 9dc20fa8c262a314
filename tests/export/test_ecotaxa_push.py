"""Sending predictions: true scores, dry by default, nothing that people said is touched, all read back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aqqua.errors import ConfigError, NotFoundError, RefusedError, RemoteError
from aqqua.export.ecotaxa_push import push
from aqqua.sources.ecotaxa_api.pull import pull
from tests.ecotaxa_double.tables import Classification
from tests.export.pulled import MODEL, Pulled, predict, pulled
from tests.make.datasets import miniature
from tests.make.ecotaxa_project import CALANOIDA, CYCLOPOIDA, DETRITUS, ONCAEIDAE, add, pixels_of


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Pulled]:
    """Objects 0 and 4 are unclassified, 1 and 5 predicted, 2 and 6 validated, 3 and 7 dubious."""
    with pulled(tmp_path) as made:
        yield made


def linear(taxon: str, p: float, knn: str | None = None, p_knn: float | None = None) -> dict[str, object]:
    return {"taxon_linear": taxon, "p_linear": p, "taxon_knn": knn, "p_knn": p_knn}


def states(scene: Pulled) -> list[tuple[int | None, str | None]]:
    return [(scene.object(n).now.taxon, scene.object(n).now.qual) for n in range(8)]


def rounded(scores: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """Scores as they were before they went through 32 bits."""
    return [(taxon, round(score, 4)) for taxon, score in scores]


ALL = {f"obj_{n}": linear("Cyclopoida", 0.5 + n / 20, "detritus", 0.4) for n in range(8)}


def test_without_apply_nothing_is_sent(scene: Pulled) -> None:
    predict(scene.dataset, ALL)
    before = states(scene)
    report = push(scene.dataset, client=scene.client)
    (told,) = report.projects
    assert (told.sent, told.judged, told.same, told.verified) == (4, 4, 0, 0)
    assert states(scene) == before
    assert not scene.double.asked("POST", "classify")
    assert "Nothing was sent" in str(report)


def test_scores_and_second_names_arrive_and_judgements_stay(scene: Pulled) -> None:
    predict(scene.dataset, ALL)
    before = states(scene)
    report = push(scene.dataset, client=scene.client, apply=True, batch=3)
    (told,) = report.projects
    assert (told.sent, told.verified, told.judged, told.differ, told.meanwhile) == (4, 4, 4, 0, 0)
    assert not report.failed
    for number in (0, 1, 4, 5):
        obj = scene.object(number)
        assert (obj.now.taxon, obj.now.qual) == (CYCLOPOIDA, "P")
        assert obj.now.score == pytest.approx(0.5 + number / 20)
        assert rounded(obj.scores) == [(CYCLOPOIDA, 0.5 + number / 20), (DETRITUS, 0.4)]
    assert [states(scene)[n] for n in (2, 3, 6, 7)] == [before[n] for n in (2, 3, 6, 7)]
    assert len(scene.double.asked("POST", "classify_auto_multiple")) == 2
    again = push(scene.dataset, client=scene.client, apply=True).projects[0]
    assert (again.sent, again.same) == (0, 4)


def test_odd_scores_are_clipped_or_left_out(scene: Pulled) -> None:
    predict(
        scene.dataset,
        {
            "obj_0": linear("Cyclopoida", 1.2),
            "obj_1": linear("Cyclopoida", float("nan"), "detritus", 0.3),
            "obj_4": linear("Cyclopoida", float("inf")),
            "obj_5": linear("Cyclopoida", -0.1),
        },
    )
    assert push(scene.dataset, client=scene.client, apply=True).projects[0].verified == 3
    assert rounded(scene.object(0).scores) == [(CYCLOPOIDA, 1.0)]
    assert rounded(scene.object(1).scores) == [(DETRITUS, 0.3)]
    assert scene.object(4).now.qual is None
    assert rounded(scene.object(5).scores) == [(CYCLOPOIDA, 0.0)]


def test_taxa_that_ecotaxa_lacks_are_listed(scene: Pulled, tmp_path: Path) -> None:
    names = {"obj_0": linear("Undreamt of", 0.9), "obj_1": linear("Oncaeidae", 0.9, "Undreamt of", 0.2)}
    predict(scene.dataset, names)
    report = push(scene.dataset, client=scene.client, apply=True)
    assert report.unknown == {"Undreamt of": 1}
    assert "1 × Undreamt of" in str(report)
    assert scene.object(0).now.qual is None
    assert rounded(scene.object(1).scores) == [(ONCAEIDAE, 0.9)]
    table = tmp_path / "taxa.csv"
    table.write_text("name,ecotaxa_id\nUndreamt of,85011\nNowhere,999\n", encoding="utf-8")
    assert push(scene.dataset, client=scene.client, apply=True, taxa=table).unknown == {}
    assert scene.object(0).now.taxon == 85011
    assert push(scene.dataset, client=scene.client, taxa={"Undreamt of": 123456}).unknown == {"Undreamt of": 1}
    table.write_text("taxon,id\n", encoding="utf-8")
    push(scene.dataset, client=scene.client, taxa=table)
    table.write_text("taxon,id\na,b\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="no table of taxa"):
        push(scene.dataset, client=scene.client, taxa=table)


def test_who_validates_meanwhile_wins(scene: Pulled, monkeypatch: pytest.MonkeyPatch) -> None:
    predict(scene.dataset, ALL)
    send = type(scene.client).classify_auto

    def validated_first(self: object, *args: object) -> int:
        scene.object(0).become(Classification(CALANOIDA, "V", None, scene.alice.id, scene.double.world.now()))
        return send(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(type(scene.client), "classify_auto", validated_first)
    (told,) = push(scene.dataset, client=scene.client, apply=True).projects
    assert (told.sent, told.verified, told.meanwhile, told.differ) == (4, 3, 1, 0)
    assert scene.object(0).now.taxon == CALANOIDA


def test_what_did_not_arrive_is_told(scene: Pulled, monkeypatch: pytest.MonkeyPatch) -> None:
    predict(scene.dataset, ALL)
    monkeypatch.setattr(type(scene.client), "classify_auto", lambda *_: 4)
    report = push(scene.dataset, client=scene.client, apply=True)
    assert report.failed
    assert "4 ARE NOT AS SENT" in str(report)


def test_a_short_failure_is_overcome_and_a_long_one_told(scene: Pulled) -> None:
    predict(scene.dataset, ALL)
    scene.double.faults.plan("lost", "classify_auto_multiple")
    assert push(scene.dataset, client=scene.client, apply=True, batch=2).projects[0].verified == 4
    predict(scene.dataset, {"obj_0": linear("Oncaeidae", 0.9)})
    scene.double.faults.plan("502", "classify_auto_multiple", times=20)
    report = push(scene.dataset, client=scene.client, apply=True)
    assert isinstance(report.projects[0].failure, RemoteError)
    assert "stopped" in str(report)


def test_an_object_with_several_images_is_one_prediction(tmp_path: Path) -> None:
    with pulled(tmp_path, objects=2) as scene:
        place, images = scene.object(0).acquisition, [pixels_of("one"), pixels_of("other")]
        add(scene.double.world, scene.project, place, "obj_7", pixels=images)
        dataset = pull([1], scene.dataset.path, client=scene.client).dataset
        assert dataset is not None
        assert len(dataset) == 4
        predict(dataset, ALL)
        assert push(dataset, client=scene.client, projects=[1]).projects[0].predicted == 3
        with pytest.raises(ConfigError, match="pulled from this server"):
            push(scene.dataset, client=scene.client, projects=[7])


def test_viewers_are_refused_before_anything_is_sent(tmp_path: Path) -> None:
    with pulled(tmp_path, right="View") as scene:
        predict(scene.dataset, ALL)
        assert not push(scene.dataset, client=scene.client).failed
        report = push(scene.dataset, client=scene.client, apply=True)
        assert isinstance(report.projects[0].failure, RefusedError)
        assert "right to annotate" in str(report)
        assert not scene.double.asked("POST", "classify")


def test_objects_that_are_gone_are_counted(scene: Pulled) -> None:
    predict(scene.dataset, ALL)
    del scene.double.world.objects[100000001]
    (told,) = push(scene.dataset, client=scene.client, apply=True).projects
    assert (told.gone, told.sent, told.verified) == (1, 3, 3)


def test_without_predictions_or_pulled_images_there_is_nothing_to_send(scene: Pulled, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no predictions"):
        push(scene.dataset, client=scene.client)
    other = miniature(tmp_path / "other")
    for shard in other.shards:
        other.write_predictions(MODEL, shard.number, other.metadata([]).filter(shard=shard.number).select("uid"), {})
    with pytest.raises(ConfigError, match="pulled from this server"):
        push(other.path, client=scene.client)
