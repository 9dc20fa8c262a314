"""From observations at some places to a map of everywhere, with honest uncertainty.

The way through: `Problem` (arrays) or `Recipe` (files) → `cross_validate` (how good is it, four ways side by side) →
`fit` → `Fitted.predict` (mean, median, interval, sampling and model spread, applicability) → `integrate` (totals).
"""

from aqqua.maps.interpolate.cross import cross_validate
from aqqua.maps.interpolate.fitted import Fitted, fit
from aqqua.maps.interpolate.problem import Prediction, Problem
from aqqua.maps.interpolate.recipe import Recipe, Settings, read_recipe
from aqqua.maps.interpolate.report import CvReport, SchemeReport
from aqqua.maps.interpolate.run import predict
from aqqua.maps.interpolate.scores import Scores, score
from aqqua.maps.interpolate.totals import Total, integrate

__all__ = [
    "CvReport",
    "Fitted",
    "Prediction",
    "Problem",
    "Recipe",
    "SchemeReport",
    "Scores",
    "Settings",
    "Total",
    "cross_validate",
    "fit",
    "integrate",
    "predict",
    "read_recipe",
    "score",
]
