"""Quality of every image as columns beside the dataset (`aqqua curate quality`).

`quality/00000000.parquet` holds scores and flags of the images of a shard, `quality/stuck.parquet` the particles that
stuck to the window, `quality/quality.json` the versions and thresholds. Sealed files stay as they are.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from aqqua import __version__
from aqqua.curate.content import CONTENT_VERSION
from aqqua.curate.scores import FLAGS, QUALITY_SCHEMA, QUALITY_VERSION, THRESHOLDS, score_image
from aqqua.curate.signatures import ShardTask, read_signatures, signatures
from aqqua.curate.stuck import STUCK_SCHEMA, STUCK_VERSION, find_stuck
from aqqua.errors import ConfigError, FormatError, NotFoundError, UnknownNameError
from aqqua.metadata.check import Finding
from aqqua.scale import map_shards
from aqqua.store.atomic import write_json
from aqqua.store.dataset import Dataset
from aqqua.store.parquet import write_frame
from aqqua.store.rows import reading

__all__ = ["QualityReport", "quality", "read_quality", "write_quality"]

_TOLD = {
    "out_of_focus": "images are out of focus",
    "empty": "images show nothing but water",
    "overexposed": "objects are so bright or dark that the sensor could not tell more",
    "cut_off": "objects are cut off by the border of the image",
    "low_contrast": "objects hardly stand out from the noise",
    "burnt_in": "images have a scale bar or text burnt in",
    "stuck": "particles stuck to the window are imaged again and again",
}
_DO = {
    "burnt_in": "the columns content_x0 … content_y1 say where the picture is; or ingest with --cut-footers",
    "stuck": "leave them out of counts: one particle of each stuck_group is enough",
}


@dataclass(frozen=True)
class QualityReport:
    """What was found in one dataset.

    Args:
        dataset: its folder.
        images: number of images.
        findings: how many images have which flag.
    """

    dataset: Path
    images: int
    findings: list[Finding]

    def __str__(self) -> str:
        """A line per flag."""
        lines = [f"{self.dataset.name}: {self.images:,} images"]
        lines += [f"  {f.count:,} ({f.count / max(self.images, 1):.1%}) {f.message}" for f in self.findings]
        return "\n".join(lines)


def quality(
    datasets: Sequence[Path | str],
    *,
    stuck: bool = True,
    where: Any = "here",
    workers: int | None = None,
    **options: Any,
) -> list[QualityReport]:
    """Score every image and write the quality tables; what is there already is not done again.

    Args:
        datasets: the datasets.
        stuck: look for particles stuck to the window, too.
        where: run here, in a process pool, on SLURM or on Ray.
        workers: how many at once.
        options: of the engine.

    Raises:
        NotFoundError: there is no dataset.
    """
    if not datasets:
        raise ConfigError("quality needs a dataset", do="aqqua curate quality DATASET…")
    return [_one(Dataset.open(path), stuck, where, workers, options) for path in datasets]


def read_quality(dataset: Dataset, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """Quality of the images of a dataset, in storage order, without removed images; null where nobody looked.

    Args:
        dataset: the dataset.
        columns: only these, besides `uid`; else all scores and flags, with `stuck`, `stuck_group` and `stuck_count`.

    Raises:
        NotFoundError: nobody has looked yet.
        UnknownNameError: there is no such column.
    """
    folder = dataset.path / "quality"
    paths = [path for shard in dataset.shards if (path := folder / f"{shard.number:08}.parquet").is_file()]
    if not (folder / "quality.json").is_file() or (dataset.shards and not paths):
        raise NotFoundError("there are no quality columns yet", where=dataset.path, do="aqqua curate quality DATASET")
    stuck = folder / "stuck.parquet"
    with reading(folder):
        scores = pl.concat([pl.LazyFrame(schema=QUALITY_SCHEMA), *map(pl.scan_parquet, paths)])
        held = pl.scan_parquet(stuck) if stuck.is_file() else pl.LazyFrame(schema=STUCK_SCHEMA)
        frame = dataset.lazy().select("uid").join(scores, on="uid", how="left", maintain_order="left")
        frame = frame.join(held, on="uid", how="left", maintain_order="left")
        looked = pl.lit(stuck.is_file()) & pl.col("focus").is_not_null()
        told = pl.when(looked).then(pl.col("stuck_group").is_not_null())
        frame = frame.with_columns(told.alias("stuck"))
        if columns is not None:
            known = frame.collect_schema().names()
            if unknown := [name for name in columns if name not in known]:
                raise UnknownNameError("quality column", unknown[0], known)
            frame = frame.select("uid", *(name for name in columns if name != "uid"))
        return frame.collect()


def write_quality(task: ShardTask, out: Path) -> None:
    """Score the images of one shard."""
    rows = [{"uid": uid, **score_image(pixels)} for uid, pixels in task.dataset.iter_images(task.shard)]
    frame = pl.DataFrame(rows, schema=QUALITY_SCHEMA)
    write_frame(out, frame, kind="quality", notes=_versions())


def _one(dataset: Dataset, stuck: bool, where: Any, workers: int | None, options: dict[str, Any]) -> QualityReport:
    folder = dataset.path / "quality"
    _forget_other_versions(folder)
    write_json(folder / "quality.json", {**_versions(), "flags": _TOLD, "aqqua_version": __version__})
    tasks = ShardTask.all_of(dataset)
    outs = [folder / f"{task.number:08}.parquet" for task in tasks]
    map_shards(write_quality, tasks, outs, where=where, workers=workers, what="Scoring images", **options)
    if stuck:
        looks = read_signatures(dataset, signatures(dataset, where=where, workers=workers, **options))
        notes = {"stuck_version": STUCK_VERSION, "snapshot": dataset.snapshot}
        write_frame(folder / "stuck.parquet", find_stuck(dataset, looks), kind="stuck", notes=notes)
    return QualityReport(dataset.path, len(dataset), _findings(dataset))


def _versions() -> dict[str, Any]:
    return {"quality_version": QUALITY_VERSION, "content_version": CONTENT_VERSION, "thresholds": THRESHOLDS}


def _forget_other_versions(folder: Path) -> None:
    """Remove tables that were made with other versions or thresholds; all are made again."""
    path = folder / "quality.json"
    if not path.is_file():
        return
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FormatError(f"quality.json is damaged ({error})", where=path, do="remove the folder quality/") from error
    if any(told.get(name) != value for name, value in _versions().items()):
        for table in folder.glob("*.parquet"):
            table.unlink()


def _findings(dataset: Dataset) -> list[Finding]:
    names = [*FLAGS, "stuck"]
    counts = read_quality(dataset, names).select(pl.col(name).sum() for name in names).row(0, named=True)
    found = [name for name in names if counts[name]]
    return [
        Finding("info", f"quality_{name}", _TOLD[name], dataset.path.name, int(counts[name]), _DO.get(name, ""))
        for name in sorted(found, key=lambda name: -counts[name])
    ]
