"""The figure of size spectra, from spectra of a known law."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from aqqua.errors import ConfigError
from aqqua.maps.figures_spectra import spectra_figure
from aqqua.maps.figures_style import LIGHT, drawing, save


def spectra(samples: int = 3) -> tuple[pl.DataFrame, pl.DataFrame]:
    """N(D) = 2 · D^−4 per litre and mm in the first layer, a tenth of it in the second; one layer of one sample."""
    edges = 2 ** (np.arange(12) / 3) * 100
    rows, fits = [], []
    for number in range(samples):
        for low, high, share in ((0.0, 50.0, 1.0), (50.0, 200.0, 0.1), *([(0.0, 7.0, 1.0)] if number == 0 else [])):
            key = {"sample_id": f"s{number}", "depth_min_m": low, "depth_max_m": high}
            middle, width = np.sqrt(edges[1:] * edges[:-1]) / 1000, np.diff(edges) / 1000
            for i, density in enumerate(2 * share * middle**-4.0):
                size = {"esd_min_um": edges[i], "esd_max_um": edges[i + 1]}
                rows.append(key | size | {"number_per_l": density * width[i]})
            fits.append(key | {"psd_ml_slope": -4.0, "psd_ml_log10_intercept": float(np.log10(2 * share))})
    return pl.DataFrame(rows), pl.DataFrame(fits)


def test_spectra_lie_on_their_law(tmp_path: Path) -> None:
    table, fits = spectra()
    with drawing(LIGHT):
        figure = spectra_figure(table, LIGHT, fits)
        assert save(figure, tmp_path / "a.png", dpi=40).stat().st_size > 1000
    left = figure.axes[0]
    legend = left.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["0–50 m", "50–200 m"]
    drawn, law = left.lines[0], left.lines[1]
    size, density = (np.asarray(values, float) for values in drawn.get_data())
    np.testing.assert_allclose(density, 2 * size**-4, rtol=1e-6)
    ends = np.asarray(law.get_data()[1], float)
    np.testing.assert_allclose(ends, [2 * size[0] ** -4, 2 * size[-1] ** -4], rtol=1e-6)


def test_one_sample_without_fits_is_drawn_and_nothing_is_told() -> None:
    table, _ = spectra(1)
    with drawing(LIGHT):
        assert len(spectra_figure(table, LIGHT).axes[0].lines) == 3
    with pytest.raises(ConfigError, match="no class of size"):
        spectra_figure(table.with_columns(number_per_l=0.0), LIGHT)
