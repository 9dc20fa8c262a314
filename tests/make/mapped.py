"""What `aqqua map interpolate` leaves behind, in miniature: a folder with maps, scores and out-of-fold predictions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import xarray as xr

from aqqua.maps.interpolate.scores import score
from aqqua.maps.output import VARIABLES, assemble, write_maps

__all__ = ["LATITUDE", "LONGITUDE", "write_mapped"]

LATITUDE, LONGITUDE = np.arange(-85.0, 90, 10), np.arange(-175.0, 180, 10)
LAYER = (0.0, 200.0)


def piece(months: int = 0) -> xr.Dataset:
    """High at high latitudes, outside of what is known in the south; the first column is land."""
    north, east = np.meshgrid(LATITUDE, LONGITUDE, indexing="ij")
    mean = 10 ** (np.abs(north) / 45 - 1 + 0.1 * months)
    fields = dict.fromkeys(VARIABLES, mean * 0.3)
    fields |= {"mean": mean, "aoa": (north > -50).astype(float), "distance_km": np.abs(east) * 20}
    fields["n_obs"] = (np.abs(east - 5) < 40).astype(float)
    for values in fields.values():
        values[:, 0] = np.nan
    axes = ("latitude", "longitude")
    return xr.Dataset({n: (axes, v) for n, v in fields.items()}, {"latitude": LATITUDE, "longitude": LONGITUDE})


def _held(scheme: str, noise: float) -> pl.DataFrame:
    random = np.random.default_rng(len(scheme))
    observed = np.where(random.random(120) < 0.1, 0, random.lognormal(0, 1.2, 120))
    stack = np.maximum(observed, 0.02) * random.lognormal(0, noise, 120)
    columns = {"fold": random.integers(0, 5, 120), "latitude": random.uniform(-60, 60, 120)}
    columns |= {"longitude": random.uniform(-170, 170, 120), "observed": observed, "stack": stack}
    columns |= {"knn_geo": random.permutation(stack), "mean": np.full(120, observed.mean())}
    ends = {"q05": stack * 0.2, "q95": stack * 4, "median": stack, "nearest_km": stack, "dissimilarity": stack}
    return pl.DataFrame({"scheme": [scheme] * 120} | columns | ends)


def write_mapped(out: Path, taxon: str = "Copepoda", *, months: bool = False, skipped: str = "") -> Path:
    """Write the folders of one taxon; returns the folder of the recipe."""
    home, crossed = out / "maps" / taxon, out / "cv" / taxon
    home.mkdir(parents=True)
    crossed.mkdir(parents=True)
    limits = {"layer_min_m": LAYER[0], "layer_max_m": LAYER[1]}
    fact: dict[str, object] = {"taxon": taxon, **limits, "places": 120, "left_out": {"value missing": 2}}
    fact |= {"importance": {"temperature_c": 0.2, "place": 0.1}, "weights": {"rf_log": 1.0}}
    facts = [fact]
    if skipped:
        facts.append({"taxon": taxon, "layer_min_m": 200.0, "layer_max_m": 500.0, "skipped": skipped})
    (home / "summary.json").write_text(json.dumps(facts))
    steps = [1, 7] if months else [None]
    pieces = {(taxon, LAYER, month): piece(month or 0) for month in steps}
    about = {"data_hash": "sha256:00ff", "recipe": "seed: 1"}
    write_maps(assemble(pieces, about, unit="mg m-3"), home / "map.nc")
    sums = [
        {"taxon": taxon, **limits, "month": month, "unit": "mg m-3 m3", "where": where, "value": share * 1e17}
        | {"low": share * 8e16, "high": share * 1.3e17, "area_km2": share * 3e8}
        for month in steps
        for where, share in (("all", 1.0), ("inside", 0.75), ("outside", 0.25))
    ]
    pl.DataFrame(sums, infer_schema_length=None).write_csv(home / "totals.csv")
    held = [_held(scheme, noise) for scheme, noise in (("random", 0.3), ("blocks10", 1.5), ("knndm", 1.0))]
    rows = []
    for one in held:
        for learner in ("stack", "knn_geo", "mean"):
            found = score(one["observed"].to_numpy(), one[learner].to_numpy())
            inside = one.filter(pl.col("observed").is_between(pl.col("q05"), pl.col("q95")))
            told = {"scheme": one["scheme"][0], "learner": learner, "weight": None, **vars(found)}
            rows.append(limits | told | {"coverage": len(inside) / len(one) if learner == "stack" else None})
    pl.DataFrame(rows, infer_schema_length=None).write_csv(crossed / "scores.csv")
    named = [pl.lit(value).alias(name) for name, value in limits.items()]
    pl.concat(held).with_columns(named).write_parquet(crossed / "out_of_fold.parquet")
    return out
