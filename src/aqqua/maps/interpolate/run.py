"""Cross-validate and predict, from arrays or from a recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xarray as xr

    from aqqua.maps.interpolate.fitted import Fitted
    from aqqua.maps.interpolate.problem import Floats, Problem
    from aqqua.maps.interpolate.recipe import Settings
    from aqqua.maps.interpolate.report import CvReport

__all__ = ["cross_validate", "predict"]


def cross_validate(
    problem: Problem, settings: Settings | None = None, *, places: tuple[Floats, Floats] | None = None
) -> CvReport:
    """Cross-validate the whole way – learners, stack, calibration, intervals – under every scheme.

    Args:
        problem: places, values and predictors.
        settings: how; the defaults if None.
        places: latitude and longitude of the map's cells, for kNNDM; without them kNNDM uses the sites' own extent.
    """
    raise NotImplementedError


def predict(fitted: Fitted, cube: xr.Dataset, layer: int = 0) -> xr.Dataset:
    """Predict every ocean cell of a layer of a predictor cube.

    Returns:
        Variables mean, median, q05, q95, sd_sampling, sd_model, dissimilarity, aoa, distance_km and n_obs over
        (latitude, longitude), NaN on land, with units; attributes `totals` (JSON) and provenance.
    """
    raise NotImplementedError
