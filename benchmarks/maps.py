"""Maps of real plankton beside the published recipe, and of virtual plankton beside the truth: every target at once.

    python -m benchmarks maps [--peer]

Biomass of Drago et al. 2022 on cells of one degree, looked for in the folder that AQQUA_SHARED_DATA names, else in
../shared/data. Environment: AQQUA_BENCH_REPEATS (2), AQQUA_BENCH_WORLDS (30), AQQUA_BENCH_OUT (a temporary folder; give
one to go on where a run ended). `--peer` also shows that the cheaper peer is not a weaker one.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from aqqua.scale import map_shards
from benchmarks import _map_shards as shards
from benchmarks._machine import machine
from benchmarks._map_shards import BELOW, CASES, HEADLINE, LOWER, TOP, work

PUBLISHED_PGC = {TOP: 0.083, BELOW: 0.061}
"""Totals of the published Copepoda maps (Drago et al. 2022), Pg C."""
MG_PER_PG = 1e18
MEMBERS = 20


def main() -> None:
    """Measure what is missing, print the tables in Markdown."""
    if shards.data() is None:
        print("skipped: there is no interpolation/uvp5_drago2022 (set AQQUA_SHARED_DATA)")
        return
    repeats = int(os.environ.get("AQQUA_BENCH_REPEATS", "2"))
    worlds = int(os.environ.get("AQQUA_BENCH_WORLDS", "30"))
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(os.environ.get("AQQUA_BENCH_OUT", temporary))
        out.mkdir(parents=True, exist_ok=True)
        if "--peer" in sys.argv[1:]:
            _print_peer(_ask({m: ("peer", *CASES[0], 1, m) for m in (MEMBERS, 100)}, out))
            return
        asked: dict[Any, tuple[Any, ...]] = {("map", layer): ("map", "Copepoda", layer) for layer in (TOP, BELOW)}
        asked |= {(case, HEADLINE): ("cv", *case, HEADLINE, repeats) for case in CASES}
        asked |= {(case, LOWER): ("cv", *case, LOWER, 1) for case in CASES}
        asked |= {("peer", case): ("peer", *case, repeats, MEMBERS) for case in CASES}
        asked |= {("world", seed): ("world", seed) for seed in range(worlds)}
        said = _ask(asked, out)
    targets = _print_cases(said) + _print_coverage(said) + _print_globe(said)
    targets += _print_worlds([said["world", seed] for seed in range(worlds)]) + _flux()
    print("\n| target | measured | |\n|---|---|---|")
    for name, measured, met in targets:
        print(f"| {name} | {measured} | {'met' if met else '**missed**'} |")
    minutes = (time.perf_counter() - started) / 60
    print(f"\n{minutes:.1f} minutes, {repeats} draws of blocks, {worlds} virtual species.")
    print(machine("scikit-learn", "xgboost-cpu", "scipy", "numpy"))


def _ask(asked: dict[Any, tuple[Any, ...]], out: Path) -> dict[Any, Any]:
    """Answers by key; what lies in the folder is not asked again."""
    outs = [out / f"{'_'.join(_word(part) for part in shard)}.json" for shard in asked.values()]
    map_shards(work, list(asked.values()), outs, where="pool", workers=2, what="Maps")
    return {key: json.loads(path.read_text(encoding="utf-8")) for key, path in zip(asked, outs, strict=True)}


def _word(part: Any) -> str:
    return "-".join(f"{one}" for one in part) if isinstance(part, (tuple, list)) else str(part)


def _name(case: tuple[str, tuple[float, float]]) -> str:
    return f"{case[0]} {case[1][0]:g}–{case[1][1]:g} m"


def _peer(said: dict[Any, Any], case: Any) -> dict[str, float]:
    """The better of the two readings of the published recipe."""
    both: list[dict[str, float]] = [said["peer", case][reading] for reading in ("searched", "published")]
    return max(both, key=lambda scores: scores["pearson2_log"])


def _print_cases(said: dict[Any, Any]) -> list[tuple[str, str, bool]]:
    print("| blocks | taxon and layer | | log r² | log R² | r² | R² | total |")
    print("|---|---|---|---:|---:|---:|---:|---:|")
    for scheme in (HEADLINE, LOWER):
        for case in CASES:
            ours = said[case, scheme]["scores"]
            rows = {"**aqqua**": ours["stack"], "aqqua, median": ours["median"]}
            rows |= {"Drago 2022": _peer(said, case)} if scheme == HEADLINE else {}
            rows |= {"3 nearest samples": ours["knn_geo"]}
            for number, (who, scores) in enumerate(rows.items()):
                first = f"{scheme[6:]}° | {_name(case)}" if number == 0 else " | "
                keys = ("pearson2_log", "r2_log", "pearson2", "r2", "total_ratio")
                print(f"| {first} | {who} | " + " | ".join(f"{scores[key]:.3f}" for key in keys) + " |")
    return _case_targets({case: said[case, HEADLINE]["scores"]["stack"] for case in CASES}, said)


def _case_targets(ours: dict[Any, dict[str, float]], said: dict[Any, Any]) -> list[tuple[str, str, bool]]:
    copepods = ours[CASES[0]]["pearson2_log"]
    gains = [ours[case]["pearson2_log"] - _peer(said, case)["pearson2_log"] for case in CASES]
    totals = [ours[case]["total_ratio"] for case in CASES]
    even = all(0.95 <= value <= 1.05 for value in totals)
    return [
        ("Copepoda 0–200 m, log r² under 10° blocks ≥ 0.40", f"{copepods:.3f}", copepods >= 0.40),
        ("above Drago 2022 in all five cases (log r², 10° blocks)", _listed(gains, "+.3f"), min(gains) > 0),
        ("out-of-fold totals 0.95–1.05 of observed (10° blocks)", _listed(totals, ".3f"), even),
    ]


def _listed(numbers: list[float], form: str) -> str:
    return ", ".join(f"{number:{form}}" for number in numbers)


def _print_coverage(said: dict[Any, Any]) -> list[tuple[str, str, bool]]:
    print("\n| 90 % intervals | 10° blocks: inside | below | above | 30° blocks: inside | below | above |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    found = []
    for case in CASES:
        numbers = [said[case, scheme][key] for scheme in (HEADLINE, LOWER) for key in ("coverage", "below", "above")]
        found += [said[case, scheme]["coverage"] for scheme in (HEADLINE, LOWER)]
        print(f"| {_name(case)} | " + " | ".join(f"{100 * number:.1f} %" for number in numbers) + " |")
    measured = f"{100 * min(found):.1f} to {100 * max(found):.1f} %"
    name = "90 % intervals cover 87–93 % under 10° and 30° blocks, all cases"
    return [(name, measured, all(0.87 <= one <= 0.93 for one in found))]


def _print_globe(said: dict[Any, Any]) -> list[tuple[str, str, bool]]:
    print("\n| Copepoda, global | Pg C | 90 % interval | inside the area of applicability | published | CPU s |")
    print("|---|---:|---:|---:|---:|---:|")
    for layer, published in PUBLISHED_PGC.items():
        told = said["map", layer]
        total, inside = (
            {k: v / MG_PER_PG for k, v in told["totals"][w].items() if k != "where"} for w in ("all", "inside")
        )
        interval = f"{total['low']:.3f}–{total['high']:.3f}"
        within = f"{inside['value']:.3f} ({100 * told['aoa_share']:.0f} % of cells)"
        numbers = f"{total['value']:.3f} | {interval} | {within} | {published:.3f} | {told['cpu_s']:.0f}"
        print(f"| {layer[0]:g}–{layer[1]:g} m | {numbers} |")
    slowest = max(said["map", layer]["cpu_s"] for layer in PUBLISHED_PGC)
    return [("one taxon, full globe, < 60 s on one core (CPU time)", f"{slowest:.0f} s", slowest < 60)]


def _print_worlds(worlds: list[Any]) -> list[tuple[str, str, bool]]:
    held = np.array([world["held"]["pearson2_log"] for world in worlds])
    promised = np.array([world["promised"]["pearson2_log"] for world in worlds])
    bias, error = float((promised - held).mean()), float(np.abs(promised - held).mean())
    spread = float((promised - held).std(ddof=1) / np.sqrt(len(worlds)))
    print(f"\n| {len(worlds)} virtual species | log r² promised | held by the map | bias | mean error of one |")
    print("|---|---:|---:|---:|---:|")
    numbers = f"{promised.mean():.3f} | {held.mean():.3f} | {bias:+.3f} ± {spread:.3f} | {error:.3f}"
    print(f"| 10° blocks (headline) | {numbers} |")
    coverage = float(np.mean([world["coverage"] for world in worlds]))
    inside = float(np.mean([world["coverage_inside"] for world in worlds]))
    outside = [world["coverage_outside"] for world in worlds if world["coverage_outside"] is not None]
    totals = np.quantile([world["total_ratio"] for world in worlds], [0.1, 0.5, 0.9])
    print(
        f"\nNew observations anywhere on the map inside its 90 % interval: {100 * coverage:.1f} % "
        f"({100 * inside:.1f} % inside the area of applicability, {100 * float(np.mean(outside)):.1f} % outside). "
        f"Total of the map / true total: median {totals[1]:.2f}, 80 % of species {totals[0]:.2f}–{totals[2]:.2f}."
    )
    name = "virtual species: bias of the headline ≤ 0.03 (≥ 30 species)"
    met = abs(bias) <= 0.03 and len(worlds) >= 30
    reported = (
        "virtual species: coverage of the map's 90 % interval (to be reported)",
        f"{100 * coverage:.1f} %",
        True,
    )
    return [(name, f"{bias:+.3f} ({len(worlds)})", met), reported]


def _flux() -> list[tuple[str, str, bool]]:
    """What `python -m benchmarks flux` says of its target."""
    from benchmarks.flux import target

    result = target()
    name = "calibrated flux within a factor 2 of held-out trap medians"
    return [(name, "no shared data", False)] if result is None else [(name, f"at most {result.worst:.2f}", result.met)]


def _print_peer(said: dict[Any, Any]) -> None:
    print("| members | log r², searched | log r², published settings |\n|---:|---:|---:|")
    for members, told in said.items():
        both = [told[reading]["pearson2_log"] for reading in ("searched", "published")]
        print(f"| {members} | {both[0]:.4f} | {both[1]:.4f} |")


if __name__ == "__main__":
    main()
