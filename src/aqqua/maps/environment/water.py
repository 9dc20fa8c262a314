"""Density, mixed layer and stratification of the water column, after TEOS-10.

Sources: the Gibbs-SeaWater toolbox (T. J. McDougall & P. M. Barker 2011); C. de Boyer Montégut et al. 2004, Mixed
layer depth over the global ocean, JGR 109:C12003, doi:10.1029/2004JC002378 (0.03 kg m⁻³ denser than at 10 m).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aqqua.errors import MissingExtraError

__all__ = ["Column", "mixed_layer_depth", "water_column"]

_DENSER_KG_M3 = 0.03
_REFERENCE_M = 10.0


@dataclass(frozen=True)
class Column:
    """What temperature and salinity say of the water column.

    Args:
        sigma0: (month, depth, latitude, longitude) potential density anomaly at the surface, kg m⁻³.
        n2: (month, depth − 1, latitude, longitude) squared buoyancy frequency between levels, s⁻².
        between_m: (depth − 1,) depths of `n2`.
        mixed_m: (month, latitude, longitude) mixed layer depth, metres.
    """

    sigma0: np.ndarray
    n2: np.ndarray
    between_m: np.ndarray
    mixed_m: np.ndarray


def water_column(
    temperature_c: np.ndarray, salinity: np.ndarray, depth: np.ndarray, latitude: np.ndarray, longitude: np.ndarray
) -> Column:
    """Density, stratification and mixed layer of in-situ temperature and practical salinity.

    Args:
        temperature_c: (month, depth, latitude, longitude) °C.
        salinity: the same shape, practical salinity.
        depth: (k,) metres, ascending.
        latitude: (h,) degrees north.
        longitude: (w,) degrees east.

    Raises:
        MissingExtraError: gsw is not installed.
    """
    try:
        import gsw
    except ImportError as error:
        raise MissingExtraError("mixed layer and stratification", "gsw", "maps") from error
    north = latitude[None, :, None]
    pressure = gsw.p_from_z(-depth[:, None, None], north) * np.ones((1, 1, len(longitude)))
    east = np.broadcast_to(longitude[None, None, :] % 360, pressure.shape)
    lat = np.broadcast_to(north, pressure.shape)
    sigma, stable = [], []
    for warm, salt in zip(temperature_c, salinity, strict=True):
        absolute = gsw.SA_from_SP(salt, pressure, east, lat)
        conservative = gsw.CT_from_t(absolute, warm, pressure)
        sigma.append(gsw.sigma0(absolute, conservative))
        stable.append(gsw.Nsquared(absolute, conservative, pressure, lat, axis=0)[0])
    sigma0 = np.stack(sigma)
    return Column(sigma0, np.stack(stable), (depth[1:] + depth[:-1]) / 2, mixed_layer_depth(sigma0, depth))


def mixed_layer_depth(sigma0: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """Depth at which water is 0.03 kg m⁻³ denser than at 10 m, interpolated; the last level where it never is.

    Args:
        sigma0: (month, depth, latitude, longitude) kg m⁻³.
        depth: (k,) metres, ascending.

    Returns:
        (month, latitude, longitude) metres, NaN where nothing is known at 10 m.
    """
    above = int(np.clip(np.searchsorted(depth, _REFERENCE_M, side="right") - 1, 0, len(depth) - 1))
    below = min(above + 1, len(depth) - 1)
    span = depth[below] - depth[above]
    share = 0.0 if span == 0 else float(np.clip((_REFERENCE_M - depth[above]) / span, 0, 1))
    start = sigma0[:, above] if share == 0 else (1 - share) * sigma0[:, above] + share * sigma0[:, below]
    limit = start + _DENSER_KG_M3
    found = np.full(start.shape, np.nan)
    deepest = np.full(start.shape, np.nan)
    for level in range(above + 1, len(depth)):
        here, before = (
            sigma0[:, level],
            np.maximum(sigma0[:, level - 1], start) if level == above + 1 else sigma0[:, level - 1],
        )
        crossed = np.isnan(found) & (here >= limit)
        with np.errstate(invalid="ignore", divide="ignore"):
            part = np.clip((limit - before) / (here - before), 0, 1)
        top = max(depth[level - 1], _REFERENCE_M)
        found = np.where(crossed, top + part * (depth[level] - top), found)
        deepest = np.where(np.isfinite(here), depth[level], deepest)
    return np.asarray(np.where(np.isfinite(start), np.where(np.isnan(found), deepest, found), np.nan))
