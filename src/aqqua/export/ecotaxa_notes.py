"""What the person who imports an export into EcoTaxa should know about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from aqqua.metadata.check import Finding

__all__ = ["notes_on"]


def notes_on(
    rows: pl.DataFrame, files: pl.DataFrame, too_large: pl.DataFrame, zips: Sequence[Path], *, keeps_judgements: bool
) -> Iterator[Finding]:
    """Say what was left out or changed, and what EcoTaxa will ask or claim.

    Args:
        rows: one per image, annotated.
        files: one per image file.
        too_large: images that were left out.
        zips: what was written.
        keeps_judgements: whether validated objects go as such.
    """
    yield from _left_out(rows, files, too_large)
    yield from _annotations(rows, zips, keeps_judgements=keeps_judgements)
    yield from _changes(rows, files)
    yield from _handling(zips)


def _left_out(rows: pl.DataFrame, files: pl.DataFrame, too_large: pl.DataFrame) -> Iterator[Finding]:
    if n := len(too_large):
        message = "an image has a side of more than 20,000 pixels, and was left out"
        yield Finding("warning", "too_large", message, f"uid {too_large['uid'][0]}", n, "export it cut into parts")
    if n := rows["uid"].n_unique() - files["uid"].n_unique():
        message = "an object has more than 100 images; the rest was left out (EcoTaxa hides them)"
        yield Finding("warning", "too_many_images", message, count=n)


def _annotations(rows: pl.DataFrame, zips: Sequence[Path], *, keeps_judgements: bool) -> Iterator[Finding]:
    route = rows.unique("object")["route"]
    by_name = rows.filter(pl.col("route") == "name")["category"].unique().sort().to_list()
    if by_name:
        names = ", ".join(by_name[:5]) + (" …" if len(by_name) > 5 else "")
        message = f"the EcoTaxa id of {len(by_name)} taxa is not known ({names}); EcoTaxa may ask which they are"
        where = next((file.name for file in zips if "_by_name" in file.stem), "")
        yield Finding("info", "by_name", message, where, int((route == "name").sum()), "answer its questions on import")
    if n := int((route == "none").sum()):
        message = "an object has neither prediction nor label, and comes in unclassified"
        yield Finding("info", "unclassified", message, count=n)
    judged = rows.unique("object").filter(pl.col("status") != "predicted")
    if keeps_judgements and len(judged):
        message = "an object goes as people have judged it; EcoTaxa will name the importing account as who did"
        do = "say human='as_predicted' if that is not right"
        yield Finding("info", "judged", message, count=len(judged), do=do)


def _changes(rows: pl.DataFrame, files: pl.DataFrame) -> Iterator[Finding]:
    if n := rows.filter(pl.col("object") != pl.col("object_id"))["object"].n_unique():
        message = "an object got another name, as names must differ; the old one is in object_aqqua_source_id"
        yield Finding("info", "renamed", message, count=n)
    if n := files.filter(pl.col("plane") != "")["uid"].n_unique():
        message = "an image goes as one gray image per channel; their names are in object_channel"
        yield Finding("info", "channels", message, count=n)
    sizes = rows.group_by("acq").agg(pl.col("pixel_um").n_unique())
    if n := len(sizes.filter(pl.col("pixel_um") > 1)):
        message = "an acquisition has several pixel sizes; EcoTaxa keeps the first as process_pixel_um"
        yield Finding("warning", "several_pixel_sizes", message, count=n, do="use object_pixel_um, which is right")


def _handling(zips: Sequence[Path]) -> Iterator[Finding]:
    if len(zips) > 1:
        message = f"{len(zips)} zips: import them one after the other into the same project"
        yield Finding("info", "several_zips", message, str(zips[0].parent))
    numbered = {path for first in zips for path in first.parent.glob(f"{first.stem}_[0-9]*.zip")}
    if stale := sorted(numbered - set(zips)):
        message = "a zip of an earlier export lies beside"
        yield Finding("warning", "stale_zip", message, str(stale[0]), len(stale), "do not import it; remove it")
