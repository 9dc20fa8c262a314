"""From raw sources to a released model, and back: what contains a source that is taken back, and what comes after."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aqqua.export import export
from aqqua.models.released import verify_released
from aqqua.ocean import write_ocean
from aqqua.sources.ingest import ingest
from aqqua.store.dataset import Dataset
from aqqua.store.lineage import lineage
from aqqua.store.withdraw import withdraw
from aqqua.tasks.predict import predict
from aqqua.train.run import train

SMALL: dict[str, Any] = {"size": "pico", "steps": 2, "batch": 20, "slices": 8, "embedding": 8, "hidden": 16}


@pytest.mark.slow
def test_a_source_is_found_in_checkpoint_release_and_predictions_and_the_next_model_is_without_it(
    tmp_path: Path,
) -> None:
    raw = write_ocean(tmp_path / "raw", seed=3, samples=2, images=160).sources[:2]
    ingest(raw, tmp_path / "data")
    before = Dataset.open(tmp_path / "data")
    mine = before.shards[0].source
    others = [shard for shard in before.shards if shard.source != mine]
    assert others

    models, shelf = tmp_path / "models", tmp_path / "shelf"
    train(data=[before.path], out=models / "first", **SMALL)
    predict(models / "first", [before.path])
    export(models / "first", to="model", out=shelf / "first-1", version="1")

    found = lineage(before, source=mine, models=[models], releases=[shelf])
    model_id = json.loads((shelf / "first-1" / "model.json").read_text())["model_id"]
    assert {(one["how"], Path(one["folder"]).name) for one in found.models} >= {("learned", "first")}
    assert [(one["kind"], Path(one["path"]).name, one["model"]) for one in found.releases] == [
        ("model", "first-1", model_id)
    ]
    predictions = [one for one in found.tables if one["kind"] == "predictions"]
    assert {one["model"] for one in predictions} == {model_id}
    assert sum(one["rows"] for one in predictions) == found.images > 0
    assert len(predictions) == len(before.shards)  # those of the other images, too: the model had learned from mine
    assert all(one["by"] == "a model that learned from them" for one in predictions)

    after = withdraw(before, source=mine, reason="the owner asked").dataset
    assert lineage(after, source=mine, models=[models], releases=[shelf]).releases == found.releases

    train(data=[after.path], out=models / "second", **SMALL)
    export(models / "second", to="model", out=shelf / "second-1")
    verify_released(shelf / "second-1")
    now = lineage(after, source=mine, models=[models], releases=[shelf])
    assert {Path(one["folder"]).name for one in now.models} == {"first"}
    assert {Path(one["path"]).name for one in now.releases} == {"first-1"}
    card = json.loads((shelf / "second-1" / "model_card.json").read_text())
    assert card["saw"]["images"] == len(after) == len(before) - found.images
    assert set(card["saw"]["datasets"][0]["shards"]) == {shard.fingerprint for shard in others}
    assert set(lineage(after, source=others[0].source, models=[shelf]).models[0]) >= {"released", "version", "doi"}
