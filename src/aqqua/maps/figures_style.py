"""The look of figures: one light for print, one dark for screens; colour maps even to the eye; files for papers."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aqqua.errors import ConfigError, MissingExtraError, UnknownNameError
from aqqua.store.atomic import storage, whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["DARK", "LIGHT", "STYLES", "Style", "colours", "drawing", "new_figure", "save", "style_of", "svg"]

WIDTH_IN = 7.2
"""Width of a figure over two columns of a journal (183 mm)."""
_KINDS = (".png", ".svg", ".pdf")
_DPI = 300


@dataclass(frozen=True)
class Style:
    """Colours of a figure.

    Args:
        name: of the style.
        ground: behind everything.
        ink: text and frames.
        soft: ticks, notes.
        line: graticule, grids.
        land: of maps.
        sea: of maps, where nothing is known.
        veil: over places outside the area of applicability.
        dot: of observations.
        series: for lines and bars that are compared (Okabe & Ito 2008, told apart by the colour-blind).
        maps: quantity → colour map of cmocean, from little to much.
    """

    name: str
    ground: str
    ink: str
    soft: str
    line: str
    land: str
    sea: str
    veil: str
    dot: str
    series: tuple[str, ...]
    maps: dict[str, str]


LIGHT = Style(
    "light",
    ground="#ffffff",
    ink="#16212b",
    soft="#52606d",
    line="#d5dce3",
    land="#d9d6d0",
    sea="#e6eaee",
    veil="#ffffff",
    dot="#16212b",
    series=("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f"),
    maps={"amount": "deep", "uncertainty": "amp", "distance": "tempo", "count": "dense"},
)
DARK = Style(
    "dark",
    ground="#10161c",
    ink="#e8eef3",
    soft="#9fb0bd",
    line="#2c3843",
    land="#39434d",
    sea="#18222b",
    veil="#10161c",
    dot="#ffffff",
    series=("#56b4e9", "#e69f00", "#2fbf93", "#e59ac3", "#d55e00", "#8fb8de", "#a8a8a8"),
    maps={"amount": "deep_r", "uncertainty": "amp_r", "distance": "tempo_r", "count": "dense_r"},
)
STYLES = {"light": LIGHT, "dark": DARK}


def style_of(name: str) -> Style:
    """A style by its name.

    Raises:
        UnknownNameError: there is none.
    """
    if name not in STYLES:
        raise UnknownNameError("style of figures", name, STYLES)
    return STYLES[name]


def colours(style: Style, quantity: str) -> Any:
    """The colour map for a quantity, without its ends, which drown in the ink or the ground."""
    from matplotlib.colors import LinearSegmentedColormap

    with warnings.catch_warnings():  # cmocean 4 makes its maps in a way that matplotlib 3.11 no longer likes
        warnings.simplefilter("ignore", DeprecationWarning)
        from cmocean.cm import cmap_d

    name = style.maps[quantity]
    turned, name = name.endswith("_r"), name.removesuffix("_r")
    whole_map = cmap_d[name]
    steps = [0.04 + 0.88 * i / 255 for i in range(256)]
    if turned:
        steps.reverse()
    return LinearSegmentedColormap.from_list(f"{name}-{style.name}", [whole_map(step) for step in steps])


@contextmanager
def drawing(style: Style) -> Iterator[None]:
    """Settings of matplotlib while a figure is drawn and saved; those of the user come back afterwards.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
    except ImportError as error:
        raise MissingExtraError("figures", str(error.name), "maps") from error
    settings: Any = {
        "font.family": "sans-serif",
        "font.sans-serif": ["Inter", "Source Sans 3", "Helvetica", "Arial", "Liberation Sans", "DejaVu Sans"],
        "font.size": 8,
        "axes.titlesize": 9,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.labelsize": 8,
        "xtick.labelsize": 7,
        "ytick.labelsize": 7,
        "legend.fontsize": 7,
        "legend.frameon": False,
        "axes.linewidth": 0.6,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.6,
        "hatch.linewidth": 0.3,
        "figure.facecolor": style.ground,
        "axes.facecolor": style.ground,
        "savefig.facecolor": "auto",
        "text.color": style.ink,
        "axes.labelcolor": style.ink,
        "axes.edgecolor": style.soft,
        "xtick.color": style.soft,
        "ytick.color": style.soft,
        "axes.titlecolor": style.ink,
        "mathtext.default": "regular",
        "svg.fonttype": "none",
        "svg.hashsalt": "aqqua",
        "pdf.fonttype": 42,
        "path.simplify_threshold": 0.3,
    }
    with mpl.rc_context(settings):
        yield


def new_figure(height: float, width: float = WIDTH_IN) -> Figure:
    """An empty figure, in inches; no window, no global state."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    engine: Any = figure.get_layout_engine()
    engine.set(w_pad=0.08, h_pad=0.08)
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, path: Path | str, *, dpi: int = _DPI) -> Path:
    """Write a figure as PNG, SVG or PDF, by the ending of its name; the same figure gives the same bytes.

    Raises:
        ConfigError: another ending.
    """
    path = Path(path)
    if path.suffix not in _KINDS:
        raise ConfigError("figures are written as PNG, SVG or PDF", where=path, do="choose one of these endings")
    with storage(path), whole(path) as part:
        figure.savefig(part, format=path.suffix[1:], dpi=dpi, metadata=_dateless(path.suffix))
    return path


def _dateless(ending: str) -> dict[str, Any]:
    return {".png": {"Software": None}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}[ending]


def svg(figure: Figure, *, dpi: int = 150) -> str:
    """A figure as an SVG element to be put into a page; what is dense in it (cells) is a picture within."""
    written = io.StringIO()
    figure.savefig(written, format="svg", dpi=dpi, metadata={"Date": None})
    text = written.getvalue()
    return text[text.index("<svg") :]
