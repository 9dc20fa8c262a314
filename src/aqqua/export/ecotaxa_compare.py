"""What people made of a model's predictions in EcoTaxa (verb `aqqua ecotaxa compare`).

Decisions are read back, become labels of the dataset (a model can learn from them at once), and are set against what
the model had said: which names are trusted, which are mixed up with which.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from aqqua.errors import ConfigError
from aqqua.export.ecotaxa_candidates import best_of_objects, candidates, taxon_ids
from aqqua.export.ecotaxa_rows import Head
from aqqua.metadata.taxa import match
from aqqua.sources.ecotaxa_api.client import EcotaxaClient
from aqqua.sources.ecotaxa_api.links import links
from aqqua.sources.ecotaxa_api.listing import read_states
from aqqua.sources.ecotaxa_api.news import label_news
from aqqua.store.dataset import Dataset

__all__ = ["CompareReport", "compare", "per_class", "tally"]

_SHOWN = 20


@dataclass(frozen=True)
class CompareReport:
    """Predictions and decisions, object by object and summed up.

    Args:
        model: id of the model.
        objects: projid, objid, predicted, score, decided, decision ("confirmed", "relabelled", "dubious",
            "discarded", "open") and when.
        classes: per predicted name: objects, decided, confirmed, precision, and what it was relabelled to most often.
        confusion: predicted, decided, objects.
        labels: number of labels that were new to the dataset.
    """

    model: str
    objects: pl.DataFrame
    classes: pl.DataFrame
    confusion: pl.DataFrame
    labels: int

    @property
    def counts(self) -> dict[str, int]:
        """How many objects were confirmed, relabelled, called dubious, discarded, or are still open."""
        names = ("confirmed", "relabelled", "dubious", "discarded", "open")
        found: dict[str, int] = dict(self.objects["decision"].value_counts().iter_rows())
        return {name: found.get(name, 0) for name in names}

    @property
    def precision(self) -> float | None:
        """Share of the validated objects whose predicted name was kept; None if there are none."""
        counts = self.counts
        validated = counts["confirmed"] + counts["relabelled"]
        return counts["confirmed"] / validated if validated else None

    def write_csv(self, path: Path | str) -> list[Path]:
        """Write the confusion table, and beside it `…_classes.csv` and `…_objects.csv`; nobody's name is in them."""
        path = Path(path)
        files = {
            path: self.confusion,
            path.with_stem(f"{path.stem}_classes"): self.classes,
            path.with_stem(f"{path.stem}_objects"): self.objects,
        }
        for file, frame in files.items():
            frame.write_csv(file)
        return list(files)

    def __str__(self) -> str:
        """The report in plain text."""
        counts = self.counts
        told = ", ".join(f"{number:,} {name}" for name, number in counts.items())
        lines = [f"{len(self.objects):,} objects predicted by {self.model}: {told}"]
        if self.precision is not None:
            lines.append(f"of the validated ones {self.precision:.1%} kept the predicted name")
        head = f"{'predicted as':32} {'objects':>8} {'decided':>8} {'kept':>8} {'precision':>9}  most often instead"
        rows = [
            f"{name[:32]:32} {objects:8,} {decided:8,} {kept:8,} {'–' if share is None else f'{share:.1%}':>9}  "
            f"{'' if other is None else f'{other} ({n:,})'}".rstrip()
            for name, objects, decided, kept, share, other, n in self.classes.head(_SHOWN).iter_rows()
        ]
        more = len(self.classes) - _SHOWN
        lines += [head, *rows, *([f"and {more:,} more names: --csv FILE"] if more > 0 else [])]
        return "\n".join([*lines, f"{self.labels:,} new labels in the dataset"])


def compare(
    dataset: Dataset | Path | str,
    *,
    client: EcotaxaClient,
    model: str | None = None,
    head: Head = "best",
    every: bool = False,
) -> CompareReport:
    """Read back what people decided, add it to the labels of the dataset, and compare it with the predictions.

    Args:
        dataset: with pulled images and predictions.
        client: a server and a login that may view the projects.
        model: whose predictions; the newest, if not said.
        head: whose taxon counts, as for `push`.
        every: also count what was decided before the model predicted; it may have learned from that.

    Raises:
        ConfigError: no image was pulled from this server.
        NotFoundError: there are no predictions.
        RemoteError: the server fails, or a right is missing.
    """
    ds = dataset if isinstance(dataset, Dataset) else Dataset.open(dataset)
    mine = links(ds, client.server)
    if mine.is_empty():
        raise ConfigError("no image was pulled from this server", where=client.server, do="aqqua ecotaxa pull")
    named = candidates(ds, model, head).drop_nulls("taxon")
    states = pl.concat([read_states(client, projid) for projid in sorted(mine["projid"].unique().to_list())])
    news = label_news(ds, mine, states).drop("_before")
    if len(news):
        ds.add_labels(news)
    used = model or ds.prediction_models()[0]
    since = None if every else _predicted_at(ds, used)
    objects = best_of_objects(mine.join(named, on="uid"), ["projid", "objid"]).join(states, on="objid")
    told = tally(objects, taxon_ids(ds, objects["taxon"].unique().to_list()), since)
    return CompareReport(used, told, per_class(told), _confusion(told), len(news))


def tally(objects: pl.DataFrame, ids: dict[str, int], since: str | None) -> pl.DataFrame:
    """What was said and what was decided, object by object.

    A decision confirms a prediction if it has the same id in EcoTaxa or, where that is unknown, means the same taxon.

    Args:
        objects: projid, objid, taxon, score and the state: taxon_id, qual, when, name.
        ids: EcoTaxa ids of predicted names.
        since: leave out what was decided before this time (ISO, UTC).
    """
    names = objects["name"].drop_nulls().unique().to_list()
    meant = {name: (taxon.name if (taxon := match(name)) else name) for name in names}
    rows = objects.with_columns(
        _id=pl.col("taxon").replace_strict(ids, default=None, return_dtype=pl.Int64),
        _meant=pl.col("name").replace_strict(meant, default=None, return_dtype=pl.String),
    )
    by_name = (pl.col("_meant") == pl.col("taxon")) | (pl.col("name") == pl.col("taxon"))
    same = pl.when(pl.col("_id").is_not_null()).then(pl.col("_id") == pl.col("taxon_id")).otherwise(by_name)
    late = pl.lit(value=True) if since is None else pl.col("when").fill_null(since) >= since
    decision = (
        pl.when(pl.col("qual") == "D").then(pl.lit("dubious"))
        .when(pl.col("qual") == "X").then(pl.lit("discarded"))
        .when((pl.col("qual") == "V") & same).then(pl.lit("confirmed"))
        .when(pl.col("qual") == "V").then(pl.lit("relabelled"))
        .otherwise(pl.lit("open"))
    )  # fmt: skip
    told = rows.with_columns(decision=decision)
    told = told.filter((pl.col("decision") == "open") | late)
    decided = pl.when(pl.col("decision").is_in(["confirmed", "relabelled"])).then("name")
    return told.select("projid", "objid", "taxon", "score", decided.alias("decided"), "decision", "when").rename(
        {"taxon": "predicted"}
    )


def per_class(told: pl.DataFrame) -> pl.DataFrame:
    """Per predicted name: objects, decided, confirmed, precision, instead, instead_objects; the most frequent first.

    Precision is the share of the validated objects that kept the name; null where there are none.
    """
    confirmed, relabelled = pl.col("decision") == "confirmed", pl.col("decision") == "relabelled"
    sums = told.group_by("predicted").agg(
        objects=pl.len(), decided=(confirmed | relabelled).sum(), confirmed=confirmed.sum()
    )
    wrong = told.filter(relabelled).group_by("predicted", "decided").len()
    most = wrong.sort("len", "decided", descending=[True, False]).unique("predicted", keep="first", maintain_order=True)
    most = most.rename({"decided": "instead", "len": "instead_objects"})
    share = pl.when(pl.col("decided") > 0).then(pl.col("confirmed") / pl.col("decided"))
    table = sums.with_columns(precision=share).join(most, on="predicted", how="left")
    return table.sort("objects", "predicted", descending=[True, False])


def _confusion(told: pl.DataFrame) -> pl.DataFrame:
    judged = told.filter(pl.col("decision").is_in(["confirmed", "relabelled"]))
    return judged.group_by("predicted", "decided").agg(objects=pl.len()).sort("predicted", "decided")


def _predicted_at(dataset: Dataset, model: str) -> str:
    """When a model predicted, as EcoTaxa writes times: UTC, without saying so."""
    info: dict[str, Any] = json.loads((dataset.path / "predictions" / model / "model.json").read_text(encoding="utf-8"))
    return str(info.get("created_utc", ""))[:19]
