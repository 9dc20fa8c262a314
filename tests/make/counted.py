"""Datasets whose every object, volume and name is known, for what is counted from them; and exports of EcoPart."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from aqqua.maps.classes import ECOPART_EDGES_UM
from aqqua.metadata.card import Card, Person
from aqqua.store.dataset import Dataset
from aqqua.store.shard import ShardBuilder

_USUAL: dict[str, Any] = {
    "sample_id": "haul_1",
    "acquisition_id": "run_1",
    "instrument": "PlanktoScope",
    "modality": "bright-field",
    "time_utc": datetime(2022, 6, 1, 12, tzinfo=UTC),
    "latitude": 54.0,
    "longitude": 8.0,
    "depth_min_m": 0.0,
    "depth_max_m": 10.0,
    "pixel_um": 10.0,
    "volume_l": 2.0,
    "subsample_factor": None,
}
_KINDS = {"volume_l": pl.Float64, "subsample_factor": pl.Float64, "acquisition_id": pl.String, "sample_id": pl.String}


def rows(count: int, label: str | None, **values: Any) -> list[dict[str, Any]]:
    """So many objects of one name: columns of Converted Metadata, `status`, and `raw:…` for columns of the source."""
    return [{"label": label, "status": "validated", **values} for _ in range(count)]


def counted_dataset(
    path: Path, objects: Sequence[Mapping[str, Any]], *, consent: bool | None = True, **card: Any
) -> Dataset:
    """A dataset of these objects, each with an image of 20 × 20 pixels."""
    people = (Person("Ada Example"),)
    told = Card(title="Counted", people=people, consent_global_interpolation=consent, **card)
    dataset = Dataset.create(path, told)
    n = len(objects)
    converted = {name: [one.get(name, usual) for one in objects] for name, usual in _USUAL.items()}
    source = {"source_path": ["counted.csv"] * n, "source_row": list(range(2, n + 2))}
    frame = pl.DataFrame(
        {
            "object_id": [one.get("object_id", f"object_{number}") for number, one in enumerate(objects)],
            "sample_idx": [0] * n,
            "image_rank": [one.get("image_rank", 0) for one in objects],
            **converted,
            **source,
        },
        schema_overrides=_KINDS,
    )
    said = {name: None for one in objects for name in one if name.startswith("raw:")}
    raw = {name.removeprefix("raw:"): [str(one.get(name, "")) for one in objects] for name in said}
    labelled = [(number, one) for number, one in enumerate(objects) if one["label"] is not None]
    labels = pl.DataFrame(
        {
            "_row": [number for number, _ in labelled],
            "label": [one["label"] for _, one in labelled],
            "taxon": [one.get("taxon", one["label"]) for _, one in labelled],
            "status": [one["status"] for _, one in labelled],
            "part": [one.get("part") for _, one in labelled],
            "by": ["source"] * len(labelled),
        },
        schema_overrides={
            "label": pl.String,
            "taxon": pl.String,
            "status": pl.String,
            "by": pl.String,
            "part": pl.String,
        },
    )
    builder = ShardBuilder(path.parent / f"build-{path.name}", source="counted", fingerprint=path.name)
    images = [np.full((20, 20), 200, np.uint8) for _ in objects]
    builder.add_batch(images, frame, pl.DataFrame({**source, **raw}), labels)
    return dataset.commit([builder.seal()])


def predicted(dataset: Dataset, guesses: Sequence[str | None], p: Sequence[float] | None = None, **more: Any) -> None:
    """Predictions of a model "model" for all images, in the order of the objects they were made of."""
    named = dataset.metadata(["object_id"]).with_columns(pl.col("object_id").str.extract(r"(\d+)$").cast(pl.Int64))
    frame = pl.DataFrame(
        {
            "uid": named.sort("object_id")["uid"],
            "taxon_linear": list(guesses),
            "p_linear": list(p or [1.0] * len(guesses)),
            **more,
        },
        schema_overrides={"taxon_linear": pl.String},
    )
    info = {"model_id": "model", "weights_sha256": "0" * 64, "preprocessing_hash": "0", "label_set": []}
    dataset.write_predictions("model", dataset.shards[0].number, frame, info)


def edge_text(place: int) -> str:
    """The name of a class as EcoPart writes it."""

    def rounded(value: float) -> str:
        return f"{value:.3g}"

    low = ECOPART_EDGES_UM[place]
    if place == len(ECOPART_EDGES_UM) - 1:
        return f">{rounded(low / 1000)} mm"
    high = ECOPART_EDGES_UM[place + 1]
    return f"{rounded(low)}-{rounded(high)} µm" if high < 1000 else f"{rounded(low / 1000)}-{rounded(high / 1000)} mm"


def ecopart_export(
    folder: Path,
    counts: Mapping[str, Sequence[Sequence[int]]],
    *,
    litres: float = 20.0,
    zoo: Mapping[str, Mapping[float, Mapping[str, int]]] | None = None,
    packed: bool = False,
) -> Path:
    """A detailed export as EcoPart writes it, in Latin-1.

    Args:
        folder: where to write.
        counts: profile → one list of 45 numbers per layer of 5 m, from the surface down.
        litres: volume of each layer; a layer of it is missing where the list is empty.
        zoo: profile → middle of the layer → branch of the tree → number.
        packed: each table gzipped.
    """
    folder.mkdir(parents=True, exist_ok=True)
    head = "export_detailed_20240422_11_10"
    summary = ["profile\tCruise\tDataOwner\tyyyy-mm-dd hh:mm\tLatitude \tLongitude\tProject"]
    for number, (profile, layers) in enumerate(counts.items()):
        summary.append(
            f"{profile}\tcruise\tada example(ada@example.org)\t2020-01-0{number + 1} 12:00:00\t50.5\t-30.25\tp"
        )
        names = [f"LPM ({edge_text(place)}) [# l-1]" for place in range(45)]
        names += [f"LPM biovolume ({edge_text(place)}) [mm3 l-1]" for place in range(45)]
        lines = ["\t".join(["Profile", "Rawfilename", "yyyy-mm-dd hh:mm", "Depth [m]", "Sampled volume [L]", *names])]
        for layer, some in enumerate(layers):
            water = litres if some else 0.0
            cells = [repr(n / litres) for n in some] + ["0.001"] * 45 if some else [""] * 90
            lines.append(
                "\t".join(
                    [profile, "HDR1", f"2020-01-0{number + 1} 12:00:00", str(layer * 5 + 2.5), str(water), *cells]
                )
            )
        _write(folder / f"{head}_PAR_{profile}.tsv", lines, packed)
    for profile, found in (zoo or {}).items():
        trees = sorted({tree for taxa in found.values() for tree in taxa})
        names = [f"{tree} [# m-3]" for tree in trees] + [f"{tree} biovolume [mm3 l-1]" for tree in trees]
        names += [f"{tree} avgesd [mm]" for tree in trees]
        lines = ["\t".join(["Profile", "Rawfilename", "yyyy-mm-dd hh:mm", "Depth [m]", "Sampled volume [L]", *names])]
        for middle, taxa in found.items():
            cells = [repr(1000 * taxa[tree] / litres) if tree in taxa else "" for tree in trees]
            cells += ["0.5" if tree in taxa else "" for tree in trees] + [
                "1.5" if tree in taxa else "" for tree in trees
            ]
            lines.append("\t".join([profile, "HDR1", "2020-01-01 12:00:00", str(middle), str(litres), *cells]))
        _write(folder / f"{head}_ZOO_{profile}.tsv", lines, packed)
    _write(folder / f"{head}_Export_metadata_summary.tsv", summary, False)
    return folder


def _write(path: Path, lines: Sequence[str], packed: bool) -> None:
    content = ("\n".join(lines) + "\n").encode("latin-1")
    if packed:
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(content))
    else:
        path.write_bytes(content)
