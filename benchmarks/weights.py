"""The weights that are shipped with aqqua: one command that makes them again, and goes on where it was broken off.

    python -m benchmarks weights --out FOLDER [--minutes 76] [--seed 0]

Trains the recipe below without any label on all real images of the shared data that carry enough metadata or get it
from a card (ISIIS, SPC, FlowCam, UVP5) and on a virtual ocean before six cameras. The ocean knows which images show
one organism: from these pairs the vectors unlearn, after training, in what the cameras differ. Leaves the model in
FOLDER/model; `python -m benchmarks protocol --model FOLDER/model` measures it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import yaml

from benchmarks._labelled import SETS, build
from benchmarks._machine import machine

RECIPE = Path(__file__).with_name("aqqua-nano.yaml")


def main() -> None:
    """Train and say where the model is."""
    from aqqua.train.run import train

    parser = argparse.ArgumentParser(prog="python -m benchmarks weights")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=None)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    data = [path for name in SETS if (path := build(name, chosen.out)) is not None]
    table = chosen.out / "raw" / "ocean" / "truth" / "sightings.parquet"
    recipe = chosen.out / RECIPE.name
    recipe.write_text(yaml.safe_dump(yaml.safe_load(RECIPE.read_text()) | {"same_organism": str(table)}))
    model = train(recipe, data=data, out=chosen.out / "model", minutes=chosen.minutes, seed=chosen.seed)
    print(f"{model}: {len(data)} datasets; {machine('torch')}")
