"""What people made of predictions: counted right, read back as labels, nobody named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from aqqua.errors import ConfigError
from aqqua.export.ecotaxa_compare import compare, per_class
from aqqua.export.ecotaxa_push import push
from tests.ecotaxa_double.tables import Classification
from tests.export.pulled import Pulled, predict, pulled
from tests.make.datasets import miniature
from tests.make.ecotaxa_project import CALANOIDA, CYCLOPOIDA, DETRITUS

PREDICTED = {
    **{f"obj_{n}": {"taxon_linear": "Cyclopoida", "p_linear": 0.8} for n in range(5)},
    **{f"obj_{n}": {"taxon_linear": "detritus", "p_linear": 0.9} for n in range(5, 8)},
}


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Pulled]:
    """Eight unclassified objects, predicted and pushed."""
    with pulled(tmp_path, states=[(None, None)]) as made:
        predict(made.dataset, PREDICTED)
        assert not push(made.dataset, client=made.client, apply=True).failed
        yield made


def decide(scene: Pulled, number: int, taxon: int | None, qual: str) -> None:
    when = scene.double.world.now()
    scene.object(number).become(Classification(taxon, qual, None, scene.alice.id, when))


def test_decisions_are_counted_and_become_labels(scene: Pulled, tmp_path: Path) -> None:
    for number, taxon, qual in [(0, CYCLOPOIDA, "V"), (1, CYCLOPOIDA, "V"), (2, CALANOIDA, "V"), (3, CYCLOPOIDA, "D"),
                                (5, DETRITUS, "V"), (6, DETRITUS, "X")]:  # fmt: skip
        decide(scene, number, taxon, qual)
    report = compare(scene.dataset, client=scene.client)
    assert report.counts == {"confirmed": 3, "relabelled": 1, "dubious": 1, "discarded": 1, "open": 2}
    assert report.precision == 0.75
    assert report.classes.rows() == [
        ("Cyclopoida", 5, 3, 2, pytest.approx(2 / 3), "Calanoida", 1),
        ("detritus", 3, 1, 1, 1.0, None, None),
    ]
    assert report.confusion.rows() == [
        ("Cyclopoida", "Calanoida", 1),
        ("Cyclopoida", "Cyclopoida", 2),
        ("detritus", "detritus", 1),
    ]
    text = str(report)
    assert "75.0% kept the predicted name" in text
    assert "Calanoida (1)" in text
    labels = scene.dataset.labels()
    assert dict(labels["status"].value_counts().iter_rows()) == {
        "validated": 4, "dubious": 1, "discarded": 1, "predicted": 2
    }  # fmt: skip
    assert set(labels["by"]) == {"ecotaxa"}
    assert sorted(labels.filter(pl.col("status") == "validated")["taxon"].to_list()) == [
        "Calanoida", "Cyclopoida", "Cyclopoida", "detritus"
    ]  # fmt: skip
    assert report.labels == 8
    assert compare(scene.dataset, client=scene.client).labels == 0
    written = "".join(path.read_text(encoding="utf-8") for path in report.write_csv(tmp_path / "confusion.csv"))
    assert "Alice" not in written
    assert "Cyclopoida,Calanoida,1" in written
    assert (tmp_path / "confusion_classes.csv").is_file()


def test_what_was_decided_before_the_model_spoke_does_not_count(tmp_path: Path) -> None:
    with pulled(tmp_path, states=[(CYCLOPOIDA, "V")]) as scene:
        decided = scene.object(7).now.when
        assert decided is not None
        predict(scene.dataset, PREDICTED, created_utc=f"{decided.isoformat(timespec='seconds')}+00:00"[:19])
        late = scene.double.world
        late._clock = late._clock.replace(hour=23)
        decide(scene, 0, CYCLOPOIDA, "V")
        decide(scene, 5, CYCLOPOIDA, "V")
        predict(scene.dataset, PREDICTED, created_utc="2026-11-23T22:00:00+00:00")
        assert compare(scene.dataset, client=scene.client).counts["confirmed"] == 1
        assert compare(scene.dataset, client=scene.client).counts["relabelled"] == 1
        every = compare(scene.dataset, client=scene.client, every=True).counts
        assert (every["confirmed"], every["relabelled"]) == (5, 3)


def test_no_decisions_are_no_precision(scene: Pulled) -> None:
    report = compare(scene.dataset, client=scene.client)
    assert report.counts["open"] == 8
    assert report.precision is None
    assert "–" in str(report)


def test_names_without_an_id_are_compared_by_what_they_mean(scene: Pulled) -> None:
    predict(scene.dataset, {"obj_0": {"taxon_linear": "my own name", "p_linear": 0.5}})
    decide(scene, 0, CYCLOPOIDA, "V")
    report = compare(scene.dataset, client=scene.client)
    assert report.counts["relabelled"] == 1


def test_a_dataset_from_elsewhere_is_told_so(scene: Pulled, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="pulled from this server"):
        compare(miniature(tmp_path / "other"), client=scene.client)


def test_classes_of_no_objects_are_none() -> None:
    kinds = {"predicted": pl.String, "decided": pl.String, "decision": pl.String}
    assert per_class(pl.DataFrame(schema=kinds)).is_empty()
