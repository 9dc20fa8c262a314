"""The sample flags of PSSdb that need no map: 0/0, missing metadata, few images, artefacts, validation, pixel sizes.

The seventh, on land, is in `check_places`. Thresholds and their source: `aqqua.metadata.check_limits.Limits`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import polars as pl

from aqqua.metadata.check import Finding, in_samples, sample_names
from aqqua.metadata.check_limits import Limits

__all__ = ["findings", "least_images"]

ARTEFACTS = ("artefact", "bubble", "bead")
"""What PSSdb counts as artefacts; images out of focus are not among them."""


def findings(frame: pl.DataFrame, labels: pl.DataFrame | None, limits: Limits) -> Iterator[Finding]:
    """What whole samples show.

    Args:
        frame: Converted Metadata.
        labels: `uid`, `taxon`, `status`; None if there are none to speak of.
        limits: the thresholds.
    """
    for needs, check in _CHECKS:
        if set(needs) <= set(frame.columns):
            yield from check(frame, limits)
    if labels is not None and labels.height and {"uid", "sample_id"} <= set(frame.columns):
        yield from _labelled(frame, labels, limits)


def least_images(uncertainty: float) -> int:
    """The least number n of images whose Poisson probability P(n; mean n) is not above a limit.

    >>> least_images(0.05)
    64
    """
    count = 1
    while math.exp(count * math.log(count) - count - math.lgamma(count + 1)) > uncertainty:
        count += 1
    return count


def _zero(frame: pl.DataFrame, _: Limits) -> Iterator[Finding]:
    zero = (pl.col("latitude") == 0) & (pl.col("longitude") == 0)
    told = "the position is 0° N 0° E, which mostly means that it is missing"
    do = "correct it, or confirm that it is the Gulf of Guinea"
    yield from in_samples(frame, zero, "warning", "position_zero", told, do)


_WANTED = {
    "volume_l": "without water volume there are no abundances: give volume_l in a table or card.yaml",
    "sample_id": "without sample there are no counts per sample: give sample_id in a table",
}


def _missing(frame: pl.DataFrame, _: Limits) -> Iterator[Finding]:
    """Metadata that a sample may lack without being rejected."""
    for name, do in _WANTED.items():
        lost = frame.filter(pl.col(name).is_null()) if name in frame.columns else frame.clear()
        if lost.height:
            share = 100 * lost.height / frame.height
            much = f"{share:.0f} % of the images" if share >= 1 else "some images"
            severity = "warning" if name == "sample_id" else "info"
            samples = next(in_samples(lost, None, "info", "", "", "")).samples if name != "sample_id" else ()
            told = f"{name} is missing for {much}"
            yield Finding(severity, "field_missing", told, name, lost.height, do, samples)  # type: ignore[arg-type]


def _few(frame: pl.DataFrame, limits: Limits) -> Iterator[Finding]:
    least = least_images(limits.count_uncertainty)
    sizes = pl.len().over("sample_id")
    few = pl.col("sample_id").is_not_null() & (sizes < least)
    told = f"samples have fewer than {least} images: their counts are uncertain by themselves"
    do = "check that nothing is missing; pool small samples before you compare them"
    yield from in_samples(frame, few, "warning", "few_images", told, do)


def _pixel_sizes(frame: pl.DataFrame, _: Limits) -> Iterator[Finding]:
    sizes = pl.col("pixel_um").round(3).drop_nulls().n_unique().over("instrument", "sample_id")
    several = pl.col("sample_id").is_not_null() & (sizes > 1)
    told = "samples have images of several pixel sizes"
    do = "confirm that they were taken with several magnifications"
    yield from in_samples(frame, several, "warning", "several_pixel_sizes", told, do)


def _labelled(frame: pl.DataFrame, labels: pl.DataFrame, limits: Limits) -> Iterator[Finding]:
    """Shares of artefacts and of validated labels per sample, of all its images as PSSdb counts them."""
    known = frame.filter(pl.col("sample_id").is_not_null()).join(
        labels.select("uid", "taxon", "status"), on="uid", how="left", maintain_order="left"
    )
    instrument = pl.col("instrument").first() if "instrument" in frame.columns else pl.lit(None, pl.String)
    shares = known.group_by("sample_id", maintain_order=True).agg(
        pl.len(),
        pl.col("taxon").is_in(ARTEFACTS).fill_null(value=False).mean().alias("artefacts"),
        (pl.col("status") == "validated").fill_null(value=False).mean().alias("validated"),
        pl.col("status").is_not_null().any().alias("labelled"),
        instrument.alias("instrument"),
    )
    many = shares.filter(pl.col("artefacts") > limits.artefact_share)
    told = f"more than {limits.artefact_share:.0%} of a sample are artefacts, bubbles or beads"
    yield from _of(many, "many_artefacts", told, "check the sample and its labels; leave it out of abundances")
    checked = pl.col("instrument").is_in(limits.validated_instruments) & pl.col("labelled")
    open_ = shares.filter(checked & (pl.col("validated") < limits.validated_share))
    told = f"less than {limits.validated_share:.0%} of a sample are validated"
    yield from _of(open_, "not_validated", told, "validate the rest, or use the sample for training only")


def _of(shares: pl.DataFrame, code: str, told: str, do: str) -> Iterator[Finding]:
    samples = tuple(shares.select("sample_id", "len").iter_rows())
    if samples:
        yield Finding("warning", code, told, sample_names(samples), sum(count for _, count in samples), do, samples)


_Check = Callable[[pl.DataFrame, Limits], Iterator[Finding]]
_CHECKS: tuple[tuple[tuple[str, ...], _Check], ...] = (
    (("latitude", "longitude"), _zero),
    ((), _missing),
    (("sample_id",), _few),
    (("instrument", "sample_id", "pixel_um"), _pixel_sizes),
)
