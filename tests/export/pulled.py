"""A dataset pulled from the EcoTaxa double, with predictions that are written, not computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from aqqua.sources.ecotaxa_api.client import EcotaxaClient
from aqqua.sources.ecotaxa_api.links import links
from aqqua.sources.ecotaxa_api.pull import pull
from aqqua.store.dataset import Dataset
from tests.ecotaxa_double import EcotaxaDouble
from tests.ecotaxa_double.tables import Obj, Person, Project
from tests.make.ecotaxa_project import fill

__all__ = ["MODEL", "Pulled", "predict", "pulled"]

MODEL = "tiny-00000000"
LONG_AGO = "2026-11-23T00:00:00+00:00"


@dataclass
class Pulled:
    """A server, a project with eight objects, the account that annotates, and the dataset."""

    double: EcotaxaDouble
    alice: Person
    project: Project
    client: EcotaxaClient
    dataset: Dataset

    def object(self, number: int) -> Obj:
        """An object by its name's number."""
        return next(obj for obj in self.double.world.objects_of(1) if obj.orig_id == f"obj_{number}")


@contextmanager
def pulled(folder: Path, right: str = "Annotate", **more: Any) -> Iterator[Pulled]:
    """Make the server, pull everything, and keep the server running."""
    with EcotaxaDouble() as double:
        alice = double.world.add_person("Alice Owner", "alice@lab.test")
        service = double.world.add_person("Service", "service@lab.test")
        project = fill(double.world, alice, **more)
        project.rights[service.id] = right
        client = double.client(service)
        report = pull([project.projid], folder / "mine", client=client)
        assert report.dataset is not None
        yield Pulled(double, alice, project, client, report.dataset)


def predict(dataset: Dataset, names: Mapping[str, Mapping[str, Any]], created_utc: str = LONG_AGO) -> None:
    """Write predictions.

    Args:
        dataset: pulled.
        names: object_id → taxon_linear, p_linear, taxon_knn, p_knn; others are predicted as nothing.
        created_utc: when the model said so.
    """
    rows = [{"uid": uid, **names.get(name, {})} for uid, name in links(dataset).select("uid", "object_id").iter_rows()]
    schema = {
        "uid": pl.UInt64,
        "taxon_linear": pl.String,
        "p_linear": pl.Float32,
        "taxon_knn": pl.String,
        "p_knn": pl.Float32,
    }
    info = {"weights_sha256": "0" * 64, "preprocessing_hash": "0" * 16, "created_utc": created_utc, "label_set": []}
    for shard in dataset.shards:
        mine = [row for row in rows if row["uid"] >> 32 == shard.number]
        dataset.write_predictions(MODEL, shard.number, pl.DataFrame(mine, schema=schema), info)
