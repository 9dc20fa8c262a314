"""Do intervals of corrected counts and of spectral slopes hold what they promise? And what genuine EcoPart casts give.

Counts: five classes as overlapping clouds, 600 images to learn the confusions from, samples whose shares are drawn
anew (prior shift), an answer only where one class is likelier than all others together. Slopes: known power laws in
EcoPart's classes, detection falling off over the three smallest classes, fitted as `aqqua map spectra` does.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aqqua.maps.classes import ECOPART_EDGES_UM
from aqqua.maps.ecopart import read_ecopart
from aqqua.maps.spectra import fit_spectra, pool_layers
from aqqua.maps.spectra_fit import fit_lines, fit_poisson, from_mode
from aqqua.tasks.count import METHODS, Calibration, correct
from benchmarks._machine import shared_data

Array = NDArray[np.float64]
PRIOR = np.array([0.4, 0.25, 0.2, 0.1, 0.05])
K = len(PRIOR)
REPEATS = 60
LOW, HIGH = ECOPART_EDGES_UM[17:43] / 1000, ECOPART_EDGES_UM[18:44] / 1000


def main() -> None:
    """Print the three tables."""
    corrected_counts()
    slopes()
    casts()


def corrected_counts() -> None:
    """Share of 95 % intervals that hold the mean count, and mean error as a share of the sample."""
    print(f"counts under prior shift, {REPEATS} worlds × {K} classes: 95 % intervals that hold (mean error)\n")
    print("| images in the sample | " + " | ".join(METHODS) + " |")
    print("|---" * (1 + len(METHODS)) + "|")
    for n in (40, 300):
        held: dict[str, list[bool]] = {method: [] for method in METHODS}
        errors: dict[str, list[float]] = {method: [] for method in METHODS}
        for seed in range(REPEATS):
            calibration, mean, p = _world(seed, n)
            for method in METHODS:
                found = correct(calibration, _answers(p), method=method, posterior=p, draws=60, seed=seed)
                held[method] += ((found.lo[:K] <= mean) & (mean <= found.hi[:K])).tolist()
                errors[method] += (np.abs(found.n[:K] - mean) / n).tolist()
        cells = [f"{np.mean(held[method]):.0%} ({np.mean(errors[method]):.3f})" for method in METHODS]
        print(f"| {n} | " + " | ".join(cells) + " |")
    print()


def _world(seed: int, n: int) -> tuple[Calibration, Array, Array]:
    rng = np.random.default_rng(seed)
    centres = rng.normal(0, 1.6, (K, 3))

    def posterior(truth: NDArray[np.int64]) -> Array:
        x = centres[truth] + rng.normal(size=(len(truth), 3))
        logits = -((x[:, None] - centres) ** 2).sum(axis=-1) / 2 + np.log(PRIOR)
        p = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(p / p.sum(axis=1, keepdims=True))

    truth = rng.choice(K, 600, p=PRIOR)
    taught = posterior(truth)
    mean = n * rng.dirichlet(np.ones(K))
    sample = posterior(np.repeat(np.arange(K), rng.poisson(mean)))
    return Calibration(tuple("abcde"), truth, _answers(taught), taught), mean, sample


def _answers(p: Array) -> NDArray[np.int64]:
    return np.where(p.max(axis=1) < 0.5, K, p.argmax(axis=1))


def slopes() -> None:
    """Bias of the slope and coverage of its interval, for both ways of fitting."""
    print("slopes of known power laws, 1,000 spectra each: bias of s (95 % intervals that hold)\n")
    print("| objects | patchiness α | likelihood | least squares | likelihood with the mode's class |")
    print("|---|---|---|---|---|")
    rng = np.random.default_rng(0)
    middle, width = np.sqrt(LOW * HIGH), HIGH - LOW
    for s, k, litres in ((4.0, 0.1, 20.0), (4.0, 10.0, 100.0)):
        for alpha in (0.0, 0.1):
            mean = np.tile(litres * k * (LOW ** (1 - s) - HIGH ** (1 - s)) / (s - 1), (1000, 1))
            mean[:, :3] *= [0.1, 0.3, 0.7]
            n = rng.poisson(mean * (rng.gamma(1 / alpha, alpha, mean.shape) if alpha else 1.0)).astype(float)
            water, used = np.full((1000, 1), litres), from_mode(n)
            with_mode = used | (np.arange(n.shape[1]) == n.argmax(axis=1)[:, None])
            cells = []
            for choice in (used, with_mode):
                line = fit_poisson(n, water, LOW, HIGH, choice).number_line()
                cells.append(_told(line.slope, line.slope_lo, line.slope_hi, -s))
            filled = used & (np.cumsum(used & (n == 0), axis=1) == 0)
            density = np.log10(np.where(n > 0, n, np.nan) / litres / width)
            ols = fit_lines(np.log10(middle), density, filled)
            cells.insert(1, _told(ols.slope, ols.slope_lo, ols.slope_hi, -s))
            print(f"| {n.sum(axis=1).mean():,.0f} | {alpha} | " + " | ".join(cells) + " |")
    print()


def _told(slope: Array, low: Array, high: Array, truth: float) -> str:
    known = np.isfinite(slope)
    held = ((low <= truth) & (truth <= high))[known].mean()
    return f"{abs(np.nanmean(slope)) - abs(truth):+.2f} ({held:.0%})"


def casts() -> None:
    """Genuine UVP5 casts: how many, and their slopes by depth."""
    folder = shared_data("interpolation/ecopart_uvp5_rufas2024")
    if folder is None:
        print("no EcoPart exports beside the checkout")
        return
    read = read_ecopart([folder])
    layers = read.spectra.select("sample_id", "depth_min_m").n_unique()
    sums = read.spectra.group_by("sample_id", "esd_min_um").agg(pl.col("n").sum()).sort("sample_id", "esd_min_um")
    gaps = sum(_has_gap(part["n"].to_numpy()) for _, part in sums.group_by("sample_id"))
    print(
        f"EcoPart: {read.profiles} casts, {layers:,} layers of 5 m; {gaps} casts have a class that no object can be in"
    )
    fits = fit_spectra(pool_layers(read.spectra, (0, 100, 200, 500, 1000)))
    bins = fits.with_columns(
        layer=pl.col("depth_min_m")
        .cut([99, 199, 499], labels=["0–100", "100–200", "200–500", "500–1000"], left_closed=True)
        .cast(pl.String)
    )
    names = {"psd_ml_slope": "numbers", "nbss_ml_slope": "biovolume", "psd_ols_slope": "numbers, least squares"}
    print("\n| layer (m) | spectra | " + " | ".join(f"median slope of {name}" for name in names.values()) + " |")
    print("|---" * 5 + "|")
    for (layer,), part in bins.group_by("layer", maintain_order=True):
        cells = [f"{np.nanmedian(part[name].to_numpy()):.2f}" for name in names]
        print(f"| {layer} | {part.height} | " + " | ".join(cells) + " |")


def _has_gap(n: NDArray[np.int64]) -> bool:
    many = np.flatnonzero(n >= 10)
    return bool((n[many[0] : many[-1]] == 0).any()) if len(many) else False
