"""The objects of a dataset that count: one per individual, with the name that counts and how large it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import polars as pl

from aqqua.maps.rollup import UNKNOWN
from aqqua.maps.sizes import measured
from aqqua.metadata.check import Finding

if TYPE_CHECKING:
    from aqqua.store.dataset import Dataset

__all__ = ["Names", "read_objects"]

Names = Literal["both", "people", "model"]
_COLUMNS = (
    *("object_id", "sample_id", "acquisition_id", "sample_idx", "image_rank", "instrument", "modality", "time_utc"),
    *("latitude", "longitude", "depth_min_m", "depth_max_m", "altitude_m", "pixel_um", "width", "height", "volume_l"),
    *("subsample_factor", "source_path"),
)
_SAID = ("label", "taxon", "status", "part")


def read_objects(
    dataset: Dataset,
    findings: list[Finding],
    *,
    names: Names = "both",
    model: str | None = None,
    least: float = 0.0,
    ellipsoid: bool = False,
) -> pl.DataFrame:
    """One row per individual.

    Args:
        dataset: the dataset.
        findings: what is left out or looks wrong is added.
        names: whose word counts: "both" (a person's, else the model's, else that of the source's own classifier),
            "people" (validated labels only), "model" (the model's for all).
        model: whose predictions; None: the newest.
        least: probability below which a prediction does not count.
        ellipsoid: see `aqqua.maps.sizes.measured`.

    Returns:
        Converted Metadata that matters, `name` (`UNKNOWN` where nobody says, or the model declines), `by` ("person",
        "model", "source", null), `guess` and `p` of the model, `judged` (it has looked), `human` (the validated name),
        `esd_um`, `biovolume_mm3`.
    """
    images = dataset.metadata(_COLUMNS).drop("shard")
    images = images.join(dataset.labels().select("uid", *_SAID), on="uid", how="left", maintain_order="left")
    images = _with_guesses(dataset, images, model, least)
    images = _individuals(_sampled(images, dataset, findings))
    images = _living_wholes(images, dataset, findings)
    named = _named(images, names)
    sizes = measured(dataset, named.select("uid", "width", "height", "pixel_um"), findings, ellipsoid=ellipsoid)
    return named.join(sizes, on="uid", how="left", maintain_order="left")


def _with_guesses(dataset: Dataset, images: pl.DataFrame, model: str | None, least: float) -> pl.DataFrame:
    """What a model says of each image: null where it declines, or says nothing."""
    if model is None and not dataset.prediction_models():
        return images.with_columns(
            guess=pl.lit(None, pl.String), p=pl.lit(None, pl.Float32), judged=pl.lit(value=False)
        )
    heads = ["taxon_linear", "p_linear", "taxon_knn", "p_knn"]
    said = dataset.predictions(model, heads)
    linear = pl.col("taxon_linear").is_not_null()
    said = said.select(
        "uid", guess=pl.coalesce("taxon_linear", "taxon_knn"), p=pl.when(linear).then("p_linear").otherwise("p_knn")
    )
    images = images.join(said, on="uid", how="left", maintain_order="left")
    sure = pl.col("p").fill_null(1.0) >= least
    return images.with_columns(judged=pl.col("guess").is_not_null(), guess=pl.when(sure).then("guess"))


def _sampled(images: pl.DataFrame, dataset: Dataset, findings: list[Finding]) -> pl.DataFrame:
    """Every image has a sample: one without a name is called by its place in its table; images from the air are out."""
    air = pl.col("depth_min_m").is_null() | pl.col("depth_max_m").is_null()
    if flown := images.filter(air).height:
        told = "images without depth (from the air, or of a lake's height) were left out"
        findings.append(Finding("info", "no_depth", told, str(dataset.path), flown, "nothing to do"))
    images = images.filter(~air)
    nameless = images["sample_id"].null_count()
    if nameless:
        told = "images without sample: those of one table and number were taken as one"
        do = "give sample_id in a table"
        findings.append(Finding("warning", "no_sample", told, str(dataset.path), nameless, do))
    place = pl.format("{}#{}", pl.col("source_path").fill_null("?"), pl.col("sample_idx").fill_null(0))
    return images.with_columns(
        sample_id=pl.coalesce("sample_id", place), acquisition_id=pl.col("acquisition_id").fill_null("")
    )


def _individuals(images: pl.DataFrame) -> pl.DataFrame:
    """One image of each object: the first with a label, else the first."""
    who = pl.coalesce(pl.col("object_id"), pl.format("uid {}", "uid"))
    ordered = images.with_columns(_who=who).sort(pl.col("label").is_null(), "image_rank", "uid", maintain_order=True)
    keys = ["instrument", "sample_id", "acquisition_id", "source_path", "_who"]
    return ordered.unique(keys, keep="first", maintain_order=True).sort("uid").drop("_who")


def _living_wholes(images: pl.DataFrame, dataset: Dataset, findings: list[Finding]) -> pl.DataFrame:
    """Without discarded images, and without parts: a head and a tail are no two animals."""
    discarded = (pl.col("status") == "discarded").fill_null(value=False)
    part = pl.col("part").is_not_null() & (pl.col("status") == "validated").fill_null(value=False)
    for mask, code, told in (
        (discarded, "discarded", "discarded images are not counted"),
        (part & ~discarded, "parts", "images of parts of animals are not counted as animals"),
    ):
        if count := images.filter(mask).height:
            findings.append(Finding("info", code, told, str(dataset.path), count, "nothing to do"))
    return images.filter(~discarded & ~part)


def _named(images: pl.DataFrame, names: Names) -> pl.DataFrame:
    told = pl.coalesce("taxon", "label")
    images = images.with_columns(
        human=pl.when((pl.col("status") == "validated").fill_null(value=False)).then(told),
        source=pl.when((pl.col("status") == "predicted").fill_null(value=False)).then(told),
    )
    person, source = (
        pl.col("human").is_not_null() & (names != "model"),
        pl.col("source").is_not_null() & (names == "both"),
    )
    judged = pl.col("judged") & (names != "people")
    images = images.with_columns(
        name=pl.when(person).then("human").when(judged).then("guess").when(source).then("source").fill_null(UNKNOWN),
        by=pl.when(person)
        .then(pl.lit("person"))
        .when(judged)
        .then(pl.lit("model"))
        .when(source)
        .then(pl.lit("source")),
    )
    return images.drop("source", "label", "taxon", "part")
