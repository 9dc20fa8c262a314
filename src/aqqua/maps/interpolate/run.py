"""Cross-validate and predict, from arrays or from a recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xarray as xr

    from aqqua.maps.interpolate.fitted import Fitted

__all__ = ["predict"]


def predict(fitted: Fitted, cube: xr.Dataset, layer: int = 0) -> xr.Dataset:
    """Predict every ocean cell of a layer of a predictor cube.

    Returns:
        Variables mean, median, q05, q95, sd_sampling, sd_model, dissimilarity, aoa, distance_km and n_obs over
        (latitude, longitude), NaN on land, with units; attributes `totals` (JSON) and provenance.
    """
    raise NotImplementedError
