"""Counts of a model corrected by its confusions, stratum by stratum (see `aqqua.tasks.count`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aqqua.maps.rollup import UNKNOWN
from aqqua.metadata.check import Finding
from aqqua.tasks.count import Calibration, Method, correct, gamma_limits
from aqqua.tasks.posteriors import posteriors

if TYPE_CHECKING:
    from aqqua.store.dataset import Dataset

__all__ = ["Settings", "corrected", "vectors_of"]

_LEAST = 50
_SCHEMA = {"stratum": pl.UInt32, "size": pl.Int64, "taxon": pl.String} | dict.fromkeys(
    ("y_k", "lo_k", "hi_k"), pl.Float64
)


@dataclass(frozen=True)
class Settings:
    """How to correct.

    Args:
        method: "cc", "acc", "pacc" or "em".
        draws: of the bootstrap.
        seed: of the bootstrap.
    """

    method: Method
    draws: int = 200
    seed: int = 0


def corrected(objects: pl.DataFrame, settings: Settings, findings: list[Finding]) -> pl.DataFrame:
    """What there is per m³ of each taxon, with intervals, where a model named the objects.

    Images that a person named are counted as they are; the model's answers for the others are corrected by the answers
    it gave, held out, for images that a person named: of the same instrument, where there are 50 of them at least.

    Args:
        objects: `dataset`, `uid`, `stratum`, `size`, `instrument`, `sample`, `per_m3`, `by`, rolled-up names `taxon`,
            `human` and `guess`, and `judged` (the model has an answer, or declined); with `vector` for "pacc" and "em".
        settings: how.
        findings: instruments without enough validated images are added.

    Returns:
        `stratum`, `size`, `taxon`, `y_k`, `lo_k`, `hi_k`; only strata whose water is known, of instruments that can be
        corrected. The row `UNKNOWN` holds what no known class explains.
    """
    parts = [pl.DataFrame(schema=_SCHEMA)]
    for (instrument,), some in objects.group_by("instrument", maintain_order=True):
        model = some.filter(pl.col("by") == "model")
        if not model.height:
            continue
        known = _known(some)
        if known.height < _LEAST:
            known = _known(objects)
        if known.height < _LEAST or known["human"].n_unique() < 2:
            told = (
                f"fewer than {_LEAST} validated images that the model has judged: counts of the model are not corrected"
            )
            findings.append(
                Finding("warning", "not_corrected", told, str(instrument), known.height, "validate more images")
            )
            continue
        parts.append(_of_instrument(some, known, settings))
    return pl.concat(parts)


def _known(objects: pl.DataFrame) -> pl.DataFrame:
    return objects.filter(pl.col("human").is_not_null() & pl.col("judged") & (pl.col("human") != UNKNOWN))


def _of_instrument(some: pl.DataFrame, known: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    named = {*known["human"], *some.filter(pl.col("by") == "model")["guess"].drop_nulls(), *some["taxon"]} - {UNKNOWN}
    classes = tuple(sorted(named))
    calibration, posterior = _calibrated(some, known, classes, settings)
    rows = []
    place = pl.Series(np.arange(len(some)))
    some = some.with_columns(_place=place).filter(pl.col("per_m3").is_not_null())
    for (stratum, size), part in some.group_by("stratum", "size", maintain_order=True):
        numbers = _one(part, calibration, posterior, classes, settings)
        names = [*classes, UNKNOWN]
        rows += [(stratum, size, name, *map(float, row)) for name, row in zip(names, numbers.T, strict=True)]
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def _calibrated(
    some: pl.DataFrame, known: pl.DataFrame, classes: Sequence[str], settings: Settings
) -> tuple[Calibration, NDArray[np.float64] | None]:
    truth, answer = _index(known["human"], classes), _index(known["guess"], classes)
    group = known["sample"].rank("dense").to_numpy().astype(np.int64) - 1
    if settings.method not in {"pacc", "em"}:
        return Calibration(tuple(classes), truth, answer, None, group), None
    vectors = [frame["vector"].to_numpy().astype(np.float64) for frame in (known, some)]
    held, judged = posteriors(vectors[0], truth, vectors[1], len(classes), group=group, seed=settings.seed)
    taught = some.select("dataset", "uid").join(
        known.select("dataset", "uid").with_row_index("row"), on=["dataset", "uid"], how="left", maintain_order="left"
    )["row"]  # images that were taught with are judged held out, wherever they are counted
    here = taught.is_not_null().to_numpy()
    judged[here] = held[taught.drop_nulls().to_numpy()]
    return Calibration(tuple(classes), truth, answer, held, group), judged


def _one(
    part: pl.DataFrame,
    calibration: Calibration,
    posterior: NDArray[np.float64] | None,
    classes: Sequence[str],
    settings: Settings,
) -> NDArray[np.float64]:
    """Estimate, lower and upper limit of one stratum and size: (3, k + 1)."""
    model = part.filter(pl.col("by") == "model")
    fixed = part.filter((pl.col("by") != "model") | pl.col("by").is_null())
    y, v = np.zeros((2, len(classes) + 1))
    place, weight = _index(fixed["taxon"], classes), fixed["per_m3"].to_numpy()
    np.add.at(y, place, weight)
    np.add.at(v, place, weight**2)
    most = float(part["per_m3"].max() or 1.0)  # type: ignore[arg-type]
    lo, hi = gamma_limits(y, v, most)
    if not model.height:
        return np.stack([y, lo, hi])
    told = posterior[model["_place"].to_numpy()] if posterior is not None else None
    answer = _index(model["guess"], classes)
    found = correct(
        calibration, answer, method=settings.method, posterior=told, weight=model["per_m3"].to_numpy(),
        draws=settings.draws, seed=settings.seed,
    )  # fmt: skip
    if not fixed.height:
        return np.stack([found.n, found.lo, found.hi])
    best = y + found.n
    low = best - np.hypot(y - lo, found.n - found.lo)
    high = best + np.hypot(np.where(y > 0, hi - y, 0.0), found.hi - found.n)
    return np.stack([best, np.maximum(low, 0.0), high])


def _index(names: pl.Series, classes: Sequence[str]) -> NDArray[np.int64]:
    """Place of each name; one behind the last for what is none of them."""
    place = {name: number for number, name in enumerate(classes)}
    return np.array([place.get(name, len(classes)) for name in names], dtype=np.int64)


def vectors_of(dataset: Dataset, objects: pl.DataFrame, model: str | None) -> pl.DataFrame:
    """The objects with `vector` of a model, for methods that need probabilities; objects without one are left out.

    Raises:
        UnknownNameError: the model has written no vectors.
    """
    return objects.join(dataset.predictions(model, ["vector"]), on="uid", how="inner", maintain_order="left")
