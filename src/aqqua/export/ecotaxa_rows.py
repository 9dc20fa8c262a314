"""Images with metadata, labels and predictions → rows of EcoTaxa tables. Only frames in, only frames out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import polars as pl
import xxhash

from aqqua.export.ecotaxa_cells import MAX_ID, MAX_SIDE

__all__ = ["Head", "Human", "annotate", "leave_out", "name_files", "name_objects", "name_parents"]

Human = Literal["keep", "as_predicted"]
Head = Literal["best", "linear", "knn"]
_BY_PEOPLE = ["validated", "dubious", "discarded"]
_BEST_FIRST: dict[str, Any] = {"descending": [True, True, False, False], "nulls_last": True}
_OF_LABEL = ["label", "label_status", "label_time"]
_OF_MODEL = ["taxon_knn", "p_knn", "taxon_linear", "p_linear", "outlier"]
_OF_OBJECT = ["category", "category_id", "status", "score", *_OF_LABEL, *_OF_MODEL]
_MAX_RANK = 100
_NAME_LENGTH = 120


def leave_out(images: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split images into those that EcoTaxa takes, and those with a side that is too long for it."""
    fits = pl.max_horizontal("width", "height") <= MAX_SIDE
    return images.filter(fits), images.filter(~fits)


def name_parents(images: pl.DataFrame) -> pl.DataFrame:
    """Add sample, acq and process: every acquisition in one sample and of one instrument, one process for each.

    What has no name gets its project's or a plain one; the name of an acquisition that several samples or instruments
    use gets the sample in front, or the instrument behind.
    """
    sample = _fit(_clean(pl.coalesce("sample_id", "project", pl.lit("sample"))))
    named = images.with_columns(sample=sample)
    named = named.with_columns(acq=_fit(_clean(pl.coalesce("acquisition_id", "sample"))))
    for other, joined in (("sample", ("sample", "acq")), ("instrument", ("acq", "instrument"))):
        shared = pl.col(other).n_unique().over("acq") > 1
        apart = _fit(pl.concat_str(*(pl.col(name).fill_null("unknown") for name in joined), separator="_"))
        named = named.with_columns(acq=pl.when(shared).then(apart).otherwise("acq"))
    return named.with_columns(process=_fit(pl.lit("process_") + pl.col("acq")))


def name_objects(images: pl.DataFrame) -> pl.DataFrame:
    """Add object: a name that no other object of the export has.

    Images of one object share its name (same acquisition, different image_rank). A name that several acquisitions use
    gets the acquisition in front; a name that is still taken gets the image's uid behind.
    """
    named = images.sort("sample", "acq", "object_id", "image_rank", "uid").with_columns(
        object=_fit(_clean("object_id"))
    )
    shared = pl.col("acq").n_unique().over("object") > 1
    named = named.with_columns(
        object=pl.when(shared).then(_fit(pl.concat_str("acq", "object", separator="_"))).otherwise("object")
    )
    taken = pl.int_range(pl.len()).over("object", "image_rank") > 0
    with_uid = pl.col("object").str.slice(0, MAX_ID - 21) + "_" + pl.col("uid").cast(pl.String)
    return named.with_columns(object=pl.when(taken).then(with_uid).otherwise("object"))


def annotate(
    images: pl.DataFrame, taxon_id: Callable[[str], int | None], *, human: Human = "keep", head: Head = "best"
) -> pl.DataFrame:
    """Add status, category (a name), category_id, score, and route: "id", "name" or "none".

    A person's judgement is kept, unless `human` says otherwise; else the model's taxon counts; else the source's own
    prediction. An object with several images has one annotation: a person's, or that with the best score. The route
    says which column the category goes to: EcoTaxa rejects an id beside an empty name, so no table has both.

    Args:
        images: with object; label, label_status, label_ecotaxa_id, label_time; predictions.
        taxon_id: id of a category in EcoTaxa by its name, None where it is not known.
        human: whether what people have judged stays so, or goes as a prediction of the same category.
        head: whose taxon counts: the linear head's, the nearest neighbours', or the linear one's where there is one.
    """
    guess, score = _guess(head)
    judged = pl.col("label_status").is_in(_BY_PEOPLE).fill_null(value=False)
    by_label = judged | guess.is_null()
    rows = images.with_columns(
        category=_one_line(pl.when(by_label).then("label").otherwise(guess)),
        status=pl.when(judged & pl.lit(human == "keep")).then("label_status").otherwise(pl.lit("predicted")),
        score=pl.when(~by_label).then(score),
        own_id=pl.when(by_label).then("label_ecotaxa_id"),
        judged=judged,
    )
    rows = rows.with_columns(category_id=pl.coalesce("own_id", _lookup(rows["category"], taxon_id)))
    best = [
        pl.col(name).sort_by("judged", "score", "image_rank", "uid", **_BEST_FIRST).first().over("object")
        for name in _OF_OBJECT
    ]
    rows = rows.with_columns(best)
    by_name = pl.when(pl.col("category").is_not_null()).then(pl.lit("name")).otherwise(pl.lit("none"))
    route = pl.when(pl.col("category_id").is_not_null()).then(pl.lit("id")).otherwise(by_name)
    return rows.with_columns(route=route).drop("own_id", "judged")


def _lookup(names: pl.Series, taxon_id: Callable[[str], int | None]) -> pl.Expr:
    ids = {name: taxon_id(name) for name in names.unique(maintain_order=True).drop_nulls()}
    if not ids:
        return pl.lit(None, pl.Int64)
    return pl.col("category").replace_strict(list(ids), list(ids.values()), default=None, return_dtype=pl.Int64)


def _guess(head: Head) -> tuple[pl.Expr, pl.Expr]:
    linear = pl.col("taxon_linear").is_not_null()
    if head == "best":
        return (
            pl.coalesce("taxon_linear", "taxon_knn"),
            pl.when(linear).then("p_linear").otherwise("p_knn"),
        )
    return pl.col(f"taxon_{head}"), pl.col(f"p_{head}")


def name_files(images: pl.DataFrame, planes: Callable[[int, str, str | None], Sequence[str]]) -> pl.DataFrame:
    """Make a row per image file: add plane and its index, rank (from 0 within the object), folder and file.

    Args:
        images: with object, sample and route.
        planes: names of the files an image becomes, by channels, dtype and channel_names; one, "", if it stays whole.

    Returns:
        Rows in the order in which they are to be written: by folder, object and rank.
    """
    kinds = ["channels", "dtype", "channel_names"]
    lists = images.select(kinds).unique(maintain_order=True)
    lists = lists.with_columns(
        plane=pl.Series([list(planes(*row)) for row in lists.iter_rows()], dtype=pl.List(pl.String))
    )
    rows = images.join(lists, on=kinds, how="left", nulls_equal=True, maintain_order="left")
    rows = rows.with_columns(folder=_folder()).sort("route", "folder", "sample", "acq", "object", "image_rank", "uid")
    rows = rows.explode("plane").with_columns(
        rank=pl.int_range(pl.len()).over("object"),
        plane_index=pl.when(pl.col("plane") != "").then(pl.int_range(pl.len()).over("uid")),
    )
    rows = rows.filter(pl.col("rank") < _MAX_RANK).with_columns(_number_folders())
    stem = _slug("object").str.slice(0, _NAME_LENGTH)
    several = pl.len().over("object") > 1
    rows = rows.with_columns(file=pl.when(several).then(stem + "_" + pl.col("rank").cast(pl.String)).otherwise(stem))
    clash = pl.len().over("folder", pl.col("file").str.to_lowercase()) > 1
    unique = stem + "_" + pl.col("uid").cast(pl.String) + "_" + pl.col("rank").cast(pl.String)
    return rows.with_columns(file=pl.when(clash).then(unique).otherwise("file") + ".png")


def _folder() -> pl.Expr:
    suffix = pl.when(pl.col("route") == "none").then(pl.lit("_unclassified")).otherwise(pl.lit(""))
    return _slug("sample").str.slice(0, _NAME_LENGTH) + suffix


def _number_folders() -> pl.Expr:
    """Samples whose names become the same folder name get a number."""
    number = pl.col("sample").rank("dense").over("folder").cast(pl.Int64)
    several = pl.col("sample").n_unique().over("folder") > 1
    return pl.when(several).then(pl.col("folder") + "_" + number.cast(pl.String)).otherwise("folder").alias("folder")


def _slug(column: str) -> pl.Expr:
    plain = pl.col(column).str.replace_all(r"[^A-Za-z0-9._+-]+", "_").str.strip_chars_start(".")
    return pl.when(plain == "").then(pl.lit("_")).otherwise(plain)


def _clean(text: str | pl.Expr) -> pl.Expr:
    """One line of text without control characters; what has none left is "_"."""
    return _one_line(pl.col(text) if isinstance(text, str) else text).fill_null("_")


def _one_line(text: pl.Expr) -> pl.Expr:
    plain = text.str.replace_all(r"[\x00-\x1f\x7f\s]+", " ").str.strip_chars()
    return pl.when(plain != "").then(plain)


def _fit(name: pl.Expr) -> pl.Expr:
    """A name of at most 255 characters; one that is cut ends in a hash of the whole."""
    return name.map_batches(lambda names: pl.Series(names.name, [_fitted(text) for text in names]), pl.String)


def _fitted(name: str) -> str:
    return name if len(name) <= MAX_ID else f"{name[: MAX_ID - 17]}_{xxhash.xxh3_64_hexdigest(name.encode())}"
