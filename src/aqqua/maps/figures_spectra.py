"""The figure of size spectra: how many particles of which size, layer by layer, and the power laws through them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aqqua.errors import ConfigError
from aqqua.maps.figures_style import Style, colours, new_figure

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["spectra_figure"]

_MOST_LAYERS = 8


def spectra_figure(spectra: pl.DataFrame, style: Style, fits: pl.DataFrame | None = None) -> Figure:
    """Number spectra by layer (median of samples, band from the 10th to the 90th percentile), and slopes by depth.

    Args:
        spectra: a spectra table, as `aqqua map spectra` writes it.
        style: light or dark.
        fits: the lines that were fitted (`…_fits`), for slopes and dashed power laws.

    Raises:
        ConfigError: there is no class with particles.
    """
    import polars as pl

    width = (pl.col("esd_max_um") - pl.col("esd_min_um")) / 1000
    sized = spectra.filter(pl.col("esd_min_um") > 0, pl.col("esd_max_um").is_finite()).with_columns(
        esd_mm=(pl.col("esd_min_um") * pl.col("esd_max_um")).sqrt() / 1000, density=pl.col("number_per_l") / width
    )
    if not len(sized.filter(pl.col("density") > 0)):
        raise ConfigError("there is no class of size with particles", where="the spectra table", do="see its findings")
    shown = _layers(sized)
    figure = new_figure(3.1)
    left, right = figure.subplots(1, 2, width_ratios=(1.5, 1))
    left.loglog()
    shade = colours(style, "count")
    for number, (low, high) in enumerate(shown):
        colour = shade(0.15 + 0.85 * number / max(len(shown) - 1, 1))
        rows = sized.filter(depth_min_m=low, depth_max_m=high)
        _spectrum(left, rows, colour, f"{low:g}–{high:g} m")
        if fits is not None:
            _law(left, fits.filter(depth_min_m=low, depth_max_m=high), rows, colour)
    left.set_xlabel("equivalent spherical diameter (mm)")
    left.set_ylabel("number (l$^{-1}$ mm$^{-1}$)")
    left.set_title("a  Size spectra")
    left.legend(title="layer", title_fontsize=7, ncols=2 if len(shown) > 4 else 1)
    left.grid(color=style.line, linewidth=0.4)
    _slopes(right, fits, style)
    return figure


def _layers(sized: pl.DataFrame) -> list[tuple[float, float]]:
    """Layers to show, from the top: those of several samples if there are any, and at most eight."""
    import polars as pl

    keys = ["depth_min_m", "depth_max_m"]
    counted = sized.group_by(keys).agg(pl.col("sample_id").n_unique()).sort(keys)
    several = counted.filter(pl.col("sample_id") > 1)
    rows = (several if len(several) else counted).select(keys).rows()
    return [rows[i] for i in np.unique(np.linspace(0, len(rows) - 1, _MOST_LAYERS).round().astype(int))]


def _spectrum(axis: Axes, rows: pl.DataFrame, colour: object, label: str) -> None:
    import polars as pl

    by_class = (
        rows.group_by("esd_mm")
        .agg(
            pl.col("density").median().alias("middle"),
            pl.col("density").quantile(0.1).alias("low"),
            pl.col("density").quantile(0.9).alias("high"),
        )
        .sort("esd_mm")
        .filter(pl.col("middle") > 0)
    )
    size, middle, low, high = (by_class[name].to_numpy() for name in ("esd_mm", "middle", "low", "high"))
    axis.plot(size, middle, "o-", color=colour, markersize=2.5, linewidth=1.1, label=label)
    axis.fill_between(size, np.where(low > 0, low, middle), high, color=colour, alpha=0.15, linewidth=0)


def _law(axis: Axes, fits: pl.DataFrame, rows: pl.DataFrame, colour: object) -> None:
    """The power law with the median slope and intercept of a layer, where one was fitted."""
    slope, intercept = fits["psd_ml_slope"].median(), fits["psd_ml_log10_intercept"].median()
    if not isinstance(slope, float) or not isinstance(intercept, float):
        return
    seen = rows.filter(rows["density"] > 0)["esd_mm"]
    if not len(seen):
        return
    ends = np.array([seen.min(), seen.max()], float)
    axis.plot(ends, 10 ** (intercept + slope * np.log10(ends)), color=colour, linewidth=0.7, linestyle=(0, (4, 2)))


def _slopes(axis: Axes, fits: pl.DataFrame | None, style: Style) -> None:
    """Slope of each spectrum against the middle of its layer."""
    if fits is None or not fits["psd_ml_slope"].count():
        axis.set_axis_off()
        return
    known = fits.drop_nulls("psd_ml_slope")
    depth = ((known["depth_min_m"] + known["depth_max_m"]) / 2).to_numpy()
    axis.scatter(known["psd_ml_slope"].to_numpy(), depth, s=6, color=style.series[0], alpha=0.4, linewidths=0)
    axis.invert_yaxis()
    axis.set_xlabel("slope of the number spectrum")
    axis.set_ylabel("depth (m)")
    axis.set_title("b  Slopes")
    axis.grid(color=style.line, linewidth=0.4)
