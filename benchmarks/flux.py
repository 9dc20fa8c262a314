"""Carbon flux: published relations and a calibrated one against traps, and what published maps add up to.

    python -m benchmarks flux

Real casts (EcoPart, 121 of the UVP5 at six time-series stations), real traps and thorium (Mouw et al. 2016), each
station held out once: fitted to the others, the relation predicts the median of its traps. The peers are the published
relations as they stand, and a Martin curve of the other stations that knows no particles. Then the gridded products of
the POC_flux_database, added up here and by its authors.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl

from aqqua.maps.flux.calibrate import Calibration, HeldOut, calibrate_matches, held_out
from aqqua.maps.flux.fit import Fitting
from aqqua.maps.flux.inputs import read_spectra
from aqqua.maps.flux.match import Matching, MatchUps, match_ups
from aqqua.maps.flux.model import PRESETS, FluxModel
from aqqua.maps.flux.products import published
from aqqua.maps.flux.traps import read_traps
from benchmarks._machine import machine, shared_data

CASTS = "interpolation/ecopart_uvp5_rufas2024"
MOUW = "interpolation/mouw2016_pocflux/GO_flux.tab.gz"
DATABASE = "interpolation/poc_flux"
NAMES = {"22.7N 157.9W": "HOT", "31.5N 64.2W": "BATS", "49.0N 16.4W": "PAP", "50.2N 145.1W": "OSP"}
NAMES |= {"79.3N 4.4E": "HAUSGARTEN", "3.0S 151.0W": "EqPac"}
BOOTSTRAP = 200


@dataclass(frozen=True)
class Result:
    """What `make bench-maps` needs of this page.

    Args:
        calibration: with everything in it.
        worst: largest factor between calibrated flux and trap median among the stations held out.
        met: whether no station differs by more than a factor of 2.
    """

    calibration: Calibration
    worst: float
    met: bool


@cache
def spectra() -> pl.DataFrame | None:
    """The spectra of the casts, None where there are no shared data."""
    folder = shared_data(CASTS)
    return None if folder is None else read_spectra(folder)[0]


def matched(how: Matching | None = None, *, database: bool = False) -> MatchUps | None:
    """Match-ups with Mouw's traps (and those of the POC_flux_database), None where there are no shared data."""
    casts, mouw, more = spectra(), shared_data(MOUW), shared_data(f"{DATABASE}/data/02.obs_flux_targ.Rdata")
    if casts is None or mouw is None or more is None:
        return None
    tables = [read_traps(path)[0] for path in ([mouw, more] if database else [mouw])]
    return match_ups(casts, pl.concat(tables), how)


def target(bootstrap: int = BOOTSTRAP) -> Result | None:
    """The calibration with default settings and its one target; None where there are no shared data."""
    matches = matched()
    if matches is None:
        return None
    found = calibrate_matches(matches, bootstrap=bootstrap)
    worst = max(max(ratio, 1 / ratio) for ratio in found.held_out.stations.values())
    return Result(found, worst, worst <= 2)


def main() -> None:
    """Print the tables in Markdown."""
    matches, result = matched(), target()
    if matches is None or result is None:
        print("no shared data: set AQQUA_SHARED_DATA")
        return
    _presets(matches)
    _calibrated(result)
    _variants(matches)
    _products()
    print(f"\n{machine('polars', 'scipy', 'numpy')}")


def _name(station: str) -> str:
    return NAMES.get(station, station)


def _presets(matches: MatchUps) -> None:
    """Each published relation as it stands, station by station."""
    names = list(dict.fromkeys(matches.station.tolist()))
    print(f"Calculated / measured, middle of the match-ups of a station ({len(matches)} in all):\n")
    print(f"| relation | {' | '.join(map(_name, names))} |\n|---|{'---:|' * len(names)}")
    for preset in PRESETS.values():
        ratio = _preset_flux(matches, preset) / matches.observed
        cells = [f"{np.exp(np.median(np.log(ratio[matches.station == name]))):.2f}" for name in names]
        print(f"| {preset.name} | {' | '.join(cells)} |")


def _preset_flux(matches: MatchUps, preset: FluxModel) -> np.ndarray:
    used = (matches.esd_um >= preset.esd_min_um) & (matches.esd_um <= preset.esd_max_um)
    return np.asarray(matches.density[:, used] @ preset.per_particle(matches.esd_um[used]))


def _calibrated(result: Result) -> None:
    found = result.calibration
    print(f"\nCalibrated ({BOOTSTRAP} resamples of stations, 95 %):\n")
    print("| number | value | from | to |\n|---|---:|---:|---:|")
    for name, (low, high) in found.intervals.items():
        print(f"| {name} | {getattr(found.fit, name):.3g} | {low:.3g} | {high:.3g} |")
    print("\n| station held out | match-ups | calibrated / measured | Martin curve of the others / measured |")
    print("|---|---:|---:|---:|")
    baseline = found.baseline.stations
    for name, ratio in found.held_out.stations.items():
        count = int((found.matches.station == name).sum())
        print(f"| {_name(name)} | {count} | **{ratio:.2f}** | {baseline[name]:.2f} |")
    told = "met" if result.met else f"missed by {result.worst / 2:.2f} times"
    print(f"\nTarget, every held-out station within a factor of 2: worst {result.worst:.2f}, {told}.")


def _variants(matches: MatchUps) -> None:
    """The same held-out test under other choices: how much hangs on them."""
    print("\n| choice | stations | within 2 | worst | match-ups within 2 | median factor |")
    print("|---|---:|---:|---:|---:|---:|")
    _variant("as above", held_out(matches, Fitting()))
    choices = {
        "exponent of Guidi 2008, its sizes": Fitting(b=3.81, esd_max_um=1500),
        "sizes of Guidi 2008": Fitting(esd_max_um=1500),
        "exponent of Bisson 2022": Fitting(b=2.24),
        "no change with depth": Fitting(attenuation=False),
        "moored as drifting": Fitting(moored=False),
        "A alone: exponent and sizes of Guidi 2008": Fitting(b=3.81, attenuation=False, moored=False, esd_max_um=1500),
        "no particles (Martin curve)": Fitting(particles=False),
    }
    for name, how in choices.items():
        _variant(name, held_out(matches, how))
    others = {
        "traps within 300 km": matched(Matching(radius_km=300)),
        "single measurements too": matched(Matching(least=1)),
        "60 days, single ones too (with EqPac)": matched(Matching(least=1, season_d=60)),
        "with the POC_flux_database": matched(database=True),
    }
    for name, some in others.items():
        if some is not None:
            _variant(name, held_out(some, Fitting()))


def _variant(name: str, left: HeldOut) -> None:
    factors = [max(ratio, 1 / ratio) for ratio in left.stations.values()]
    near = sum(1 for factor in factors if factor <= 2)
    shown = f"{len(factors)} | {near} | {max(factors):.1f} | {left.within_two:.0%} | {left.factor:.2f}"
    print(f"| {name} | {shown} |")


def _products() -> None:
    """Published maps, added up here and by the authors of the database."""
    folder = shared_data(DATABASE)
    if folder is None:
        return
    print("\nPgC yr⁻¹:\n\n| product | depth m | added up here | by the database's authors |\n|---|---:|---:|---:|")
    for row in published(folder).iter_rows(named=True):
        own, theirs = ("" if row[key] is None else f"{row[key]:.2f}" for key in ("total_pg_yr", "published_pg_yr"))
        kind = " (ocean model)" if row["kind"] == "RECCAP2" else ""
        print(f"| {row['product']}{kind} | {row['depth_m']:.0f} | {own} | {theirs} |")
