"""The report as one HTML page that needs nothing else: no scripts, no fonts, no addresses; light and dark."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import math
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from aqqua.maps.figures_model import headline, named
from aqqua.maps.report_words import GUIDE, amount, amounts, cautions, html_unit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from aqqua.maps.report_chapter import Chapter

__all__ = ["STYLE", "encoded", "page", "picture", "policy"]

STYLE = (
    ":root{--ground:#f3f5f7;--surface:#fff;--line:#dde2e7;--ink:#16212b;--soft:#52606d;--here:#00678a;--care:#8a4b00;"
    "--care-ground:#fff6e8;color-scheme:light dark}"
    "@media(prefers-color-scheme:dark){:root{--ground:#0b1015;--surface:#10161c;--line:#26313b;--ink:#e8eef3;"
    "--soft:#9fb0bd;--here:#62c8e8;--care:#f0b45c;--care-ground:#231b10}}"
    "*{box-sizing:border-box}"
    "body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif}"
    "main{max-width:72rem;margin:0 auto;padding:2rem 1.5rem}"
    "h1{font-size:1.7rem;line-height:1.2;margin:0 0 .4rem}h2{font-size:1.3rem;margin:0 0 .6rem}"
    "h3{font-size:1rem;margin:1.6rem 0 .5rem}p{margin:0 0 .8rem;max-width:46rem}"
    "section{background:var(--surface);border:1px solid var(--line);border-radius:8px;padding:1.5rem;margin:1.25rem 0}"
    "section>:last-child{margin-bottom:0}.lead{font-size:1.05rem;color:var(--soft)}a{color:var(--here)}"
    "table{border-collapse:collapse;width:100%;font-size:.92rem}.wide{overflow-x:auto;margin-bottom:1rem}"
    "th,td{padding:.35rem .8rem .35rem 0;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap;"
    "vertical-align:bottom;"
    "font-variant-numeric:tabular-nums}th{font-weight:600;color:var(--soft);white-space:normal}"
    "th:first-child,td:first-child,.text{text-align:left}"
    "tr.own td{font-weight:600}tr.first td{border-top:2px solid var(--line)}"
    "sup{line-height:0}figure{margin:1rem 0}figure img{display:block;width:100%;height:auto;max-width:68rem}"
    "figure.small img{max-width:44rem}figcaption{color:var(--soft);font-size:.88rem;max-width:46rem;margin-top:.3rem}"
    ".care{background:var(--care-ground);border-left:4px solid var(--care);"
    "padding:.8rem 1rem;border-radius:0 6px 6px 0;"
    "margin:1rem 0}.care ul{margin:.3rem 0 0;padding-left:1.2rem}.care strong{color:var(--care)}"
    "dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(20rem,1fr));gap:1rem 2rem;margin:0}"
    "dt{font-weight:600}dd{margin:.15rem 0 0;color:var(--soft);font-size:.95rem}"
    "pre{overflow-x:auto;background:var(--ground);border:1px solid var(--line);border-radius:6px;padding:.8rem;"
    "font-size:.82rem}summary{cursor:pointer;color:var(--here)}"
    "@media print{body{background:#fff}section{break-inside:avoid-page;border:0;padding:0}}"
)
"""The look of the page."""

_CAPTIONS = {
    "scores": "Left: skill under each way of hiding places, beside maps that know no environment. Right: what was "
    "observed against what was predicted without it.",
    "coverage": "Do 90 % intervals hold 90 % of the observations that were hidden? The band is 87 to 93 %.",
    "importance": "How much of the R² of logs is lost, out of block folds, when one predictor is dealt out anew. "
    "Correlated predictors stand in for each other: a short bar does not say that the sea does not care.",
    "effects": "How the expected value changes along each predictor: accumulated local effects (ALE), and partial "
    "dependence (PD) for comparison. Ticks are the tenths of what was sampled; far from them the curves are weak.",
}
_SMALL = {"importance"}
_COLUMNS = (
    ("pearson2_log", "r² log"),
    ("r2_log", "R² log"),
    ("pearson2", "r²"),
    ("r2", "R²"),
    ("r2_without_top", "R², no top 1 %"),
    ("spearman", "rank"),
    ("total_ratio", "total ratio"),
    ("coverage", "90 % holds"),
)
_LEARNERS = ("stack", "knn_geo", "mean")
_WHERE = {"all": "everywhere", "inside": "inside the area of applicability", "outside": "outside of it"}


def page(chapters: Sequence[Chapter], pictures: Mapping[str, Mapping[str, str]], title: str, recipe: str = "") -> str:
    """The whole page.

    Args:
        chapters: taxa and layers, in the order they stand.
        pictures: name of a chapter → name of a figure → HTML that shows it (see `picture`).
        title: of the page.
        recipe: as YAML, for the end of the page.
    """
    mapped = [chapter for chapter in chapters if chapter.maps is not None]
    body = [_overview(mapped, chapters), _guide()]
    body += [_chapter(one, number, pictures.get(one.name, {})) for number, one in enumerate(chapters)]
    body.append(_origin(mapped, recipe))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy()}">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head><body><main><h1>{escape(title)}</h1>"
        f'<p class="lead">{_lead(mapped)}</p>{"".join(body)}</main></body></html>\n'
    )


def policy() -> str:
    """What a browser may load for this page: its own style, and pictures within it."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"


def picture(light: str, dark: str, alternative: str) -> str:
    """A figure in both looks (addresses made by `encoded`); the reader's browser takes the one that suits it."""
    return (
        f'<picture><source media="(prefers-color-scheme: dark)" srcset="{dark}">'
        f'<img src="{light}" alt="{escape(alternative, quote=True)}"></picture>'
    )


def encoded(figure: Figure, *, dpi: int = 190) -> str:
    """A figure as an address that holds it: a PNG with 256 colours, a third of the size of one with all.

    To be called while the style of the figure holds (`drawing`): matplotlib makes ticks only when it draws.
    """
    from PIL import Image

    drawn, packed = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=dpi, metadata={"Software": None})
    with Image.open(drawn) as image:
        few = image.convert("RGB").quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        few.save(packed, format="png", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(packed.getvalue()).decode()}"


def _lead(mapped: Sequence[Chapter]) -> str:
    taxa = len({chapter.taxon for chapter in mapped})
    maps = f"{len(mapped):,} map{'s' * (len(mapped) != 1)} of {taxa:,} tax{'a' if taxa != 1 else 'on'}"
    return f"{maps}, interpolated from samples and the environment, with what can be said about their trustworthiness."


def _overview(mapped: Sequence[Chapter], chapters: Sequence[Chapter]) -> str:
    rows = []
    for number, one in enumerate(chapters):
        if one not in mapped:
            told = f'<td class="text" colspan="6">not interpolated: {escape(one.skipped)}</td>'
            rows.append(f"<tr><td>{escape(one.name)}</td>{told}</tr>")
            continue
        skill = _cell(one, "stack", "pearson2_log")
        near = _cell(one, "knn_geo", "pearson2_log")
        rows.append(
            f'<tr><td><a href="#c{number}">{escape(one.name)}</a></td><td>{one.places:,}</td><td>{skill}</td>'
            f"<td>{near}</td><td>{_cell(one, 'stack', 'coverage')}</td><td>{1 - one.outside_share:.0%}</td>"
            f"<td>{_total(one, 'all')}</td></tr>"
        )
    head = "<tr><th>Map</th><th>observations</th><th>r² log, 10° blocks</th><th>nearest neighbours</th>"
    head += "<th>90 % holds</th><th>area within reach</th><th>total (90 %)</th></tr>"
    note = "Area within reach: share of the mapped area inside the area of applicability."
    table = f'<div class="wide"><table>{head}{"".join(rows)}</table></div>'
    return f"<section><h2>At a glance</h2>{table}<p>{note}</p></section>"


def _cell(chapter: Chapter, learner: str, column: str) -> str:
    if chapter.scores is None or chapter.held is None or not len(chapter.held):
        return "–"
    return _score(chapter, headline(chapter.held), learner, column)


def _score(chapter: Chapter, scheme: str, learner: str, column: str) -> str:
    assert chapter.scores is not None
    found = chapter.scores.filter(scheme=scheme, learner=learner)
    value = found[column][0] if len(found) and column in found.columns else None
    if value is None or math.isnan(value):
        return "–"
    return f"{value:.1%}" if column == "coverage" else f"{value + 0.0:.2f}".replace("-0.00", "0.00").replace("-", "−")


def _total(chapter: Chapter, where: str) -> str:
    if chapter.totals is None or not len(found := chapter.totals.filter(where=where)):
        return "–"
    row = found.row(0, named=True)
    return amounts([row[name] for name in ("value", "low", "high")], row["unit"])


def _guide() -> str:
    parts = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>" for name, text in GUIDE)
    return f"<section><h2>How to read this</h2><dl>{parts}</dl></section>"


def _chapter(chapter: Chapter, number: int, pictures: Mapping[str, str]) -> str:
    head = f'<section id="c{number}"><h2>{escape(chapter.name)}</h2>'
    if chapter.maps is None:
        return f"{head}<p>Not interpolated: {escape(chapter.skipped)}.</p></section>"
    care = "".join(f"<li>{escape(one)}</li>" for one in cautions(chapter))
    care = f'<div class="care"><strong>Be careful</strong><ul>{care}</ul></div>' if care else ""
    caption = f"Unit: {html_unit(escape(chapter.unit))}. The scale is logarithmic; both maps show areas true to size."
    parts = [head, care, _figure(pictures, "map", caption), _totals(chapter), _crossed(chapter)]
    parts += [_figure(pictures, name, escape(_CAPTIONS[name])) for name in ("scores", "coverage")]
    if chapter.importance:
        stack = ", ".join(f"{escape(named(name))} {weight:.2f}" for name, weight in chapter.weights.items())
        parts.append(f"<h3>What it stands on</h3><p>Learners and their weights: {stack}.</p>")
    parts += [_figure(pictures, name, escape(_CAPTIONS[name])) for name in ("importance", "effects")]
    return "".join(parts) + "</section>"


def _figure(pictures: Mapping[str, str], name: str, caption: str) -> str:
    if name not in pictures:
        return ""
    small = ' class="small"' if name in _SMALL else ""
    return f"<figure{small}>{pictures[name]}<figcaption>{caption}</figcaption></figure>"


def _totals(chapter: Chapter) -> str:
    if chapter.totals is None:
        return ""
    rows = "".join(
        f"<tr><td>{_WHERE.get(row['where'], escape(row['where']))}</td><td>{row['area_km2'] / 1e6:,.1f}</td>"
        f"<td>{amount(row['value'], row['unit'])}</td>"
        f"<td>{amount(row['low'], row['unit'])} – {amount(row['high'], row['unit'])}</td></tr>"
        for row in chapter.totals.iter_rows(named=True)
    )
    unit = chapter.totals["unit"][0]
    told = "total" if unit == "mg m-3 m3" else f"total ({html_unit(escape(unit))})"
    head = f"<tr><th>Where</th><th>million km²</th><th>{told}</th><th>90 % of block bootstraps</th></tr>"
    return f'<h3>Totals</h3><div class="wide"><table>{head}{rows}</table></div>'


def _crossed(chapter: Chapter) -> str:
    if chapter.scores is None or chapter.held is None:
        return ""
    rows = []
    for scheme in chapter.scores["scheme"].unique(maintain_order=True):
        for place, learner in enumerate(_LEARNERS):
            marks = "".join(f"<td>{_score(chapter, scheme, learner, column)}</td>" for column, _ in _COLUMNS)
            kind = ' class="own first"' if place == 0 else ""
            name = escape(named(scheme)) if place == 0 else ""
            rows.append(f'<tr{kind}><td>{name}</td><td class="text">{escape(named(learner))}</td>{marks}</tr>')
    heads = "".join(f"<th>{name}</th>" for _, name in _COLUMNS)
    head = f'<tr><th>Hidden by</th><th class="text">Map</th>{heads}</tr>'
    return f'<h3>Cross-validation</h3><div class="wide"><table>{head}{"".join(rows)}</table></div>'


def _origin(mapped: Sequence[Chapter], recipe: str) -> str:
    notes = [(one.name, one.notes.get("data_hash", "–"), one.notes.get("aqqua_version", "–")) for one in mapped]
    rows = "".join(
        "<tr>" + "".join(f'<td class="text">{escape(str(v))}</td>' for v in note) + "</tr>" for note in notes
    )
    head = '<tr><th class="text">Map</th><th class="text">observations (hash)</th><th class="text">aqqua</th></tr>'
    table = f'<div class="wide"><table>{head}{rows}</table></div>'
    said = f"<details><summary>The recipe</summary><pre>{escape(_readable(recipe))}</pre></details>" if recipe else ""
    return f"<section><h2>Where it comes from</h2>{table}{said}</section>"


def _readable(recipe: str) -> str:
    """YAML as it is; YAML within JSON unpacked."""
    return str(json.loads(recipe)) if re.match(r'^"', recipe) else recipe
