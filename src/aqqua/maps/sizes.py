"""How large each object is, from what its source measured: area, axes, equivalent diameter – or from its mask.

The first of these that an image has counts: a diameter or area in µm or mm by its name; ImageJ's area in pixels
(EcoTaxa, ZooProcess, UVP), which the pixel size turns into µm²; the pixels of its mask. An "area" larger than the image
is none in pixels: it is left out and named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from aqqua.maps.classes import sphere_mm3
from aqqua.metadata.check import Finding
from aqqua.store.rows import reading
from aqqua.store.uid import join_uid

if TYPE_CHECKING:
    from aqqua.store.dataset import Dataset, Shard

__all__ = ["measured"]

_ESD_UM = ("esd_um", "diameter_esd", "diameter (esd)", "equivalent_diameter_um", "summed_esd_um")
_AREA_UM2 = ("area_um2", "area_abd", "area (abd)")
_AREA_MM2 = ("area_mm2",)
_AREA_PX = ("area", "area_exc", "area_px", "surface_area")
_AXES = ("major", "minor")
_HEADS = ("object_", "fre_", "obj_")
_SCHEMA = {"uid": pl.UInt64, "area_um2": pl.Float64, "major_um": pl.Float64, "minor_um": pl.Float64}


def measured(
    dataset: Dataset, images: pl.DataFrame, findings: list[Finding], *, ellipsoid: bool = False
) -> pl.DataFrame:
    """Size of each image's object.

    Args:
        dataset: the dataset.
        images: `uid`, `width`, `height`, `pixel_um`.
        findings: what looks wrong is added.
        ellipsoid: biovolume of a spheroid with the axes that were measured (where they are), instead of the sphere of
            equal area.

    Returns:
        In the order of `images`: `uid`, `esd_um` (diameter of the circle of equal area) and `biovolume_mm3`; null where
        nothing was measured.
    """
    parts = [pl.DataFrame(schema=_SCHEMA)]
    for shard in dataset.shards:
        told = _told(shard)
        if told is not None:
            parts.append(told)
    raw = pl.concat(parts, how="diagonal")
    frame = images.join(raw, on="uid", how="left", maintain_order="left")
    frame = _by_mask(dataset, _in_um(frame, findings))
    esd = 2 * (pl.col("area_um2") / np.pi).sqrt()
    frame = frame.with_columns(esd_um=pl.when(pl.col("area_um2") > 0).then(esd))
    sphere = pl.Series(sphere_mm3(frame["esd_um"].to_numpy()), dtype=pl.Float64).fill_nan(None)
    frame = frame.with_columns(sphere=sphere)
    spheroid = np.pi / 6 * pl.col("major_um") * pl.col("minor_um") ** 2 / 1e9
    volume = pl.coalesce(spheroid, "sphere") if ellipsoid else pl.col("sphere")
    return frame.select("uid", "esd_um", biovolume_mm3=volume)


def _told(shard: Shard) -> pl.DataFrame | None:
    """What the source measured, as numbers; pixels are still pixels (`area_px`, `major_px`, `minor_px`)."""
    with reading(shard.raw):
        scan = pl.scan_parquet(shard.raw)
        names = {_plain(name): name for name in reversed(scan.collect_schema().names())}
        esd, um2, mm2, px = (_first(names, kind) for kind in (_ESD_UM, _AREA_UM2, _AREA_MM2, _AREA_PX))
        areas = [np.pi / 4 * _number(name) ** 2 for name in esd] + [_number(name) for name in um2]
        areas += [_number(name) * 1e6 for name in mm2]
        axes = [_number(names[name]) if name in names else pl.lit(None, pl.Float64) for name in _AXES]
        nothing = pl.lit(None, pl.Float64)
        return scan.select(
            (pl.col("key").cast(pl.UInt64) + join_uid(shard.number, 0)).alias("uid"),
            area_um2=pl.coalesce(areas or [nothing]),
            area_px=pl.coalesce([_number(name) for name in px] or [nothing]),
            major_px=axes[0],
            minor_px=axes[1],
        ).collect()


def _plain(name: str) -> str:
    low = name.strip().lower()
    return next((low.removeprefix(head) for head in _HEADS if low.startswith(head)), low)


def _first(names: dict[str, str], kinds: tuple[str, ...]) -> list[str]:
    return [names[kind] for kind in kinds if kind in names]


def _number(name: str) -> pl.Expr:
    value = pl.col(name).cast(pl.String).str.strip_chars().cast(pl.Float64, strict=False)
    return pl.when(value.is_finite() & (value > 0)).then(value)


def _in_um(frame: pl.DataFrame, findings: list[Finding]) -> pl.DataFrame:
    """Pixels as µm, but where an area of pixels does not fit into the image."""
    if "area_px" not in frame.columns:
        return frame
    within = (pl.col("area_px") <= pl.col("width").cast(pl.Float64) * pl.col("height")).fill_null(value=True)
    if beyond := frame.filter(~within).height:
        told = "the area in the source is larger than the image: it is not in pixels, and was not used"
        do = "give it with its unit, as area_um2 or area_mm2"
        findings.append(Finding("warning", "area_unit", told, "", beyond, do))
    pixel = pl.when(within).then(pl.col("pixel_um").cast(pl.Float64))
    return frame.with_columns(
        area_um2=pl.coalesce("area_um2", pl.col("area_px") * pixel**2),
        major_um=pl.col("major_px") * pixel,
        minor_um=pl.col("minor_px") * pixel,
    )


def _by_mask(dataset: Dataset, frame: pl.DataFrame) -> pl.DataFrame:
    """Areas of masks that came with the images, where the source has measured none."""
    lacking = frame.filter(pl.col("area_um2").is_null())
    if not lacking.height or "source" not in dataset.mask_names():
        return frame
    found = {}
    for uid, pixel in lacking.select("uid", "pixel_um").iter_rows():
        mask = dataset.mask(uid)
        if mask is not None and pixel is not None and mask.any():
            found[uid] = float((mask > 0).sum()) * float(pixel) ** 2
    table = pl.DataFrame(
        {"uid": list(found), "by_mask": list(found.values())}, schema={"uid": pl.UInt64, "by_mask": pl.Float64}
    )
    joined = frame.join(table, on="uid", how="left", maintain_order="left")
    return joined.with_columns(area_um2=pl.coalesce("area_um2", "by_mask")).drop("by_mask")
