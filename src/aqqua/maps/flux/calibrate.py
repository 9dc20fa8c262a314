"""`aqqua map flux calibrate`: a relation from spectra and measured fluxes, tried on stations it never saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aqqua.errors import ConfigError
from aqqua.maps.flux.fit import Fit, Fitting, fit, predicted
from aqqua.maps.flux.inputs import read_spectra
from aqqua.maps.flux.match import Matching, MatchUps, match_ups
from aqqua.maps.flux.model import FluxModel, write_model
from aqqua.maps.flux.traps import read_traps
from aqqua.metadata.check import Finding

__all__ = ["Calibration", "HeldOut", "calibrate", "calibrate_matches", "held_out"]

Floats = NDArray[np.float64]
_INTERVALS = ("a", "b", "attenuation", "moored")


@dataclass(frozen=True)
class HeldOut:
    """What a relation gives for stations that were left out one by one while it was made.

    Args:
        table: a row per match-up: station, depth_m, kind, observed_mg_m2_d, held_out_mg_m2_d, ratio.
    """

    table: pl.DataFrame

    @property
    def stations(self) -> dict[str, float]:
        """Station → geometric middle of calibrated / measured flux."""
        middles = self.table.group_by("station", maintain_order=True).agg(pl.col("ratio").log().median().exp())
        return dict(zip(middles["station"].to_list(), middles["ratio"].to_list(), strict=True))

    @property
    def factor(self) -> float:
        """Median over match-ups of how many times the two differ (1: not at all)."""
        return float(np.exp(np.median(np.abs(np.log(self.table["ratio"].to_numpy())))))

    @property
    def within_two(self) -> float:
        """Share of match-ups that differ by no more than a factor of 2."""
        return float(np.mean(np.abs(np.log(self.table["ratio"].to_numpy())) <= np.log(2)))

    @property
    def spread(self) -> float:
        """Root mean square of ln(calibrated / measured)."""
        return float(np.sqrt(np.mean(np.log(self.table["ratio"].to_numpy()) ** 2)))


@dataclass(frozen=True)
class Calibration:
    """A calibrated relation and how far it can be trusted.

    Args:
        model: the relation, to be used by `aqqua map flux --model FILE`.
        fit: all its numbers.
        intervals: 95 % intervals of a, b, attenuation and moored by bootstrap over stations.
        held_out: on stations left out.
        baseline: the same without particles: a Martin curve of the other stations.
        matches: what it was made from.
        findings: what looks odd.
    """

    model: FluxModel
    fit: Fit
    intervals: dict[str, tuple[float, float]]
    held_out: HeldOut
    baseline: HeldOut
    matches: MatchUps
    findings: tuple[Finding, ...]

    def __str__(self) -> str:
        stations = self.held_out.stations
        near = sum(1 for ratio in stations.values() if 0.5 <= ratio <= 2)
        low = {name: f"{ends[0]:.3g} … {ends[1]:.3g}" for name, ends in self.intervals.items()}
        fit, left = self.fit, self.held_out
        lines = [
            f"{len(self.matches)} match-ups of {len(stations)} stations",
            f"A {fit.a:.4g} ({low['a']}), b {fit.b:.3g} ({low['b']}), "
            f"sizes {fit.how.esd_min_um:g}–{fit.how.esd_max_um:g} µm",
            f"depth exponent {fit.attenuation:.3g} ({low['attenuation']}); "
            f"moored traps catch {fit.moored:.2f} ({low['moored']}) of drifting ones",
            f"between stations × ÷ {np.exp(fit.station_sd):.2f}, within × ÷ {np.exp(fit.residual_sd):.2f} (1 sd)",
            f"stations held out: {near} of {len(stations)} within a factor of 2, match-ups {left.within_two:.0%}, "
            f"median factor {left.factor:.2f} (without particles: {self.baseline.factor:.2f})",
        ]
        lines += [f"  {name:16} calibrated / measured {ratio:.2f}" for name, ratio in stations.items()]
        return "\n".join([*lines, *(f"{one.severity:8} {one.message}\n         → {one.do}" for one in self.findings)])


def calibrate(
    source: Path,
    traps: Sequence[Path],
    out: Path,
    *,
    matching: Matching | None = None,
    fitting: Fitting | None = None,
    bootstrap: int = 200,
    seed: int = 0,
) -> Calibration:
    """Calibrate a relation and write it.

    Args:
        source: spectra table or exports of EcoPart.
        traps: files of measured fluxes (see `read_traps`).
        out: the calibration to write (`.json`).
        matching: how near traps and casts have to be.
        fitting: what is fitted.
        bootstrap: how many resamples of stations the intervals are from.
        seed: of the resamples.

    Raises:
        ConfigError: nothing matches, or of fewer than three stations.
    """
    if out.suffix.lower() != ".json":
        raise ConfigError("calibrations are written as .json", where=out)
    if not traps:
        raise ConfigError("name at least one file of measured fluxes", do="--traps GO_flux.tab.gz")
    spectra, about, odd = read_spectra(source)
    read = [read_traps(path) for path in traps]
    measured = pl.concat([table for table, _ in read])
    matches = match_ups(spectra, measured, matching)
    found = calibrate_matches(matches, fitting, bootstrap=bootstrap, seed=seed)
    findings = (*odd, *(one for _, some in read for one in some), *found.findings)
    told: dict[str, Any] = {"spectra": str(source), "traps": [str(path) for path in traps], "from": about, "seed": seed}
    told |= {"matching": asdict(matching or Matching()), "fit": asdict(found.fit), "intervals": found.intervals}
    told |= {"held_out": found.held_out.stations, "match_ups": matches.table().to_dicts(), "bootstrap": bootstrap}
    write_model(found.model, out, told)
    return Calibration(found.model, found.fit, found.intervals, found.held_out, found.baseline, matches, findings)


def calibrate_matches(
    matches: MatchUps, fitting: Fitting | None = None, *, bootstrap: int = 200, seed: int = 0
) -> Calibration:
    """Calibrate from match-ups: fit, bootstrap over stations, each station held out once.

    Args:
        matches: of at least three stations.
        fitting: what is fitted.
        bootstrap: how many resamples of stations.
        seed: of the resamples.

    Raises:
        ConfigError: fewer than three stations.
    """
    how = fitting or Fitting()
    found = fit(matches, how)
    left = held_out(matches, how)
    martin = held_out(matches, Fitting(attenuation=True, moored=how.moored, particles=False))
    intervals = _intervals(matches, how, bootstrap, seed)
    stations = len(set(matches.station.tolist()))
    note = f"held out, {left.within_two:.0%} of match-ups within a factor of 2; for drifting traps and thorium"
    model = FluxModel(
        "calibrated",
        found.a,
        found.b,
        how.esd_min_um,
        how.esd_max_um,
        attenuation=found.attenuation,
        station_sd=found.station_sd,
        depth_min_m=float(matches.depth_m.min()),
        depth_max_m=float(matches.depth_m.max()),
        status="calibrated",
        source=f"{len(matches)} match-ups of {stations} stations",
        note=note,
    )
    return Calibration(model, found, intervals, left, martin, matches, matches.findings)


def held_out(matches: MatchUps, how: Fitting) -> HeldOut:
    """Fit to all stations but one, predict that one; for each station in turn.

    Raises:
        ConfigError: fewer than three stations.
    """
    names = list(dict.fromkeys(matches.station.tolist()))
    if len(names) < 3:
        told = "; ".join(one.message for one in matches.findings)
        what = f"match-ups of {len(names)} stations are too few to hold one out"
        raise ConfigError(what, do=f"match at least 3: --radius-km, --season-d, --least ({told})")
    value = np.empty(len(matches))
    for name in names:
        here = np.flatnonzero(matches.station == name)
        others = np.flatnonzero(matches.station != name)
        value[here] = predicted(fit(matches.take(others), how), matches.take(here))
    table = matches.table().with_columns(held_out_mg_m2_d=pl.Series(value), ratio=pl.Series(value / matches.observed))
    return HeldOut(table)


def _intervals(matches: MatchUps, how: Fitting, bootstrap: int, seed: int) -> dict[str, tuple[float, float]]:
    """95 % percentile intervals of the numbers over resamples of stations; a station drawn twice counts as two."""
    names = np.unique(matches.station)
    chance = np.random.default_rng(seed)
    found: dict[str, list[float]] = {name: [] for name in _INTERVALS}
    for _ in range(bootstrap):
        drawn = chance.integers(0, len(names), len(names))
        if len(set(drawn.tolist())) < 2:
            continue
        places = [np.flatnonzero(matches.station == names[one]) for one in drawn]
        labels = np.concatenate([np.full(len(some), f"{number}") for number, some in enumerate(places)])
        one = fit(matches.take(np.concatenate(places), labels), how)
        for name in _INTERVALS:
            found[name].append(getattr(one, name))
    ends = {name: np.percentile(values, [2.5, 97.5]) if values else (np.nan, np.nan) for name, values in found.items()}
    return {name: (float(low), float(high)) for name, (low, high) in ends.items()}
