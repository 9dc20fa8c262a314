"""What training on all of AqQua costs: FLOPs per image at native size, times 7.5 · 10⁹ images, in hours of GPUs.

    python -m benchmarks flops [--images 7.5e9] [--max-tokens 256] [--keep 0.4] [--utilisation 0.3] [--gpus 64]

Tokens are counted on the real images of the shared data, prepared as training does; FLOPs are counted by
`torch.utils.flop_counter` on the network itself (forward and backward, a product and a sum are two), without computing
anything. A GPU is one of JUPITER's: four GH200 in a node (apps.fz-juelich.de/jsc/hps/jupiter/configuration.html, also
for 680 W of each), 989 TFLOP/s in bfloat16 without sparsity (NVIDIA, H100 and GH200 data sheets). What share of that a
run reaches is not known before it is measured there: `--utilisation` is an assumption.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from aqqua.models.preprocess import Preprocessing
from aqqua.models.vit import PATCH, SIZES, VisionTransformer, ViTConfig
from aqqua.train.data import view_side
from benchmarks._machine import machine
from benchmarks._real import MixedSet, mixed_set

PEAK_FLOPS = 989e12
NODE_GPUS = 4
SUPERCHIP_W = 680
USUAL_SIDE = 224
VIEWS = 2
PER_CAMERA = 1000


@dataclass(frozen=True)
class Seen:
    """One image, as training sees it.

    Args:
        side: rows and columns of tokens of its views.
        channels: of the image.
    """

    side: int
    channels: int


def main() -> None:
    """Print both tables in Markdown."""
    options = _options()
    mixed = mixed_set()
    if mixed is None:
        print("skipped: there are no shared data (set AQQUA_SHARED_DATA)")
        return
    cameras = seen_by_camera(mixed, options.max_tokens)
    print(tokens_table(cameras, options.keep))
    print()
    print(cost_table(cameras, options.keep, options.images, options.utilisation, options.gpus))
    shown = f"{options.keep:.0%} of their tokens computed, at most {options.max_tokens} tokens"
    print(f"\n{VIEWS} views of each image, {shown}.")
    print(machine("torch"))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks flops")
    parser.add_argument("--images", type=float, default=7.5e9)
    parser.add_argument("--max-tokens", type=int, default=256)
    parser.add_argument("--keep", type=float, default=0.4)
    parser.add_argument("--utilisation", type=float, default=0.3)
    parser.add_argument("--gpus", type=int, default=64)
    return parser.parse_args()


def seen_by_camera(mixed: MixedSet, max_tokens: int) -> dict[str, list[Seen]]:
    """The first thousand images of each camera, as training sees them; their order in the set is random."""
    preprocessing = Preprocessing(max_tokens=max_tokens)
    found: dict[str, list[Seen]] = {}
    for image, camera in zip(mixed.images, mixed.cameras, strict=True):
        mine = found.setdefault(camera, [])
        if len(mine) < PER_CAMERA:
            prepared = preprocessing.prepare(image, None)
            mine.append(Seen(view_side(prepared), len(prepared.channels)))
    return dict(sorted(found.items()))


def tokens_table(cameras: dict[str, list[Seen]], keep: float) -> str:
    """How large images are, and what that saves against one size for all."""
    rows = ["| camera | images | tokens, median | tokens, mean | GFLOP per image, base | at 224 × 224 | saved |"]
    rows.append("|---|---:|---:|---:|---:|---:|---:|")
    for camera, images in cameras.items():
        tokens = [one.side**2 for one in images]
        native, usual = mean_flops("base", images, keep), mean_flops("base", at_usual_size(images), keep)
        rows.append(
            f"| {camera} | {len(images):,} | {np.median(tokens):,.0f} | {np.mean(tokens):,.0f} "
            f"| {native / 1e9:,.1f} | {usual / 1e9:,.1f} | {usual / native:.1f} × |"
        )
    return "\n".join(rows)


def cost_table(cameras: dict[str, list[Seen]], keep: float, images: float, utilisation: float, gpus: int) -> str:
    """What it costs to show every image once, all cameras alike."""
    rows = [f"| size | weights | GFLOP per image | FLOP for {images:.2g} images | images/s of a GPU "]
    rows[0] += f"| GPU hours | hours on {gpus} GPUs ({gpus // NODE_GPUS} nodes) | kWh |"
    rows.append("|---|---:|---:|---:|---:|---:|---:|---:|")
    for size in SIZES.keys() - {"pico"}:
        each = float(np.mean([mean_flops(size, mine, keep) for mine in cameras.values()]))
        rate = utilisation * PEAK_FLOPS / each
        hours = images / rate / 3600
        rows.append(
            f"| {size} | {weights(size) / 1e6:,.1f} M | {each / 1e9:,.2f} | {images * each:.1e} | {rate:,.0f} "
            f"| {hours:,.0f} | {hours / gpus:,.1f} | {hours * SUPERCHIP_W / 1e3:,.0f} |"
        )
    rows[2:] = sorted(rows[2:], key=lambda row: float(row.split("|")[2].split()[0].replace(",", "")))
    return "\n".join(rows) + f"\n\nAt {utilisation:.0%} of {PEAK_FLOPS / 1e12:,.0f} TFLOP/s, an assumption."


def at_usual_size(images: Iterable[Seen]) -> list[Seen]:
    """The same images stretched to 224 × 224 pixels."""
    return [Seen(USUAL_SIDE // PATCH, one.channels) for one in images]


def mean_flops(size: str, images: Sequence[Seen], keep: float) -> float:
    """FLOPs of training on one image, the mean over images."""
    return float(np.mean([VIEWS * flops(size, one.side, one.channels, keep) for one in images]))


@cache
def flops(size: str, side: int, channels: int, keep: float) -> int:
    """FLOPs of one view of one image, forward and backward; all blocks are alike, so one is enough to count.

    Args:
        size: of the network.
        side: rows and columns of tokens.
        channels: of the image.
        keep: share of the tokens that is computed.
    """
    whole, block = counted(replace(SIZES[size], depth=1), side, channels, max(1, round(keep * side**2)))
    return whole + (SIZES[size].depth - 1) * block


def counted(config: ViTConfig, side: int, channels: int, kept: int) -> tuple[int, int]:
    """FLOPs of a network and of its first block, as torch counts them while nothing is computed."""
    with torch.device("meta"):
        network = VisionTransformer(config)
        images = torch.zeros(1, channels, side * PATCH, side * PATCH)
        kinds, tokens = torch.zeros(channels, dtype=torch.int64), torch.zeros(1, kept, dtype=torch.int64)
        with FlopCounterMode(display=False) as counter:
            network(images, kinds, torch.zeros(1, 3), tokens).sum().backward()
    block = counter.get_flop_counts()["VisionTransformer.blocks.0"]
    return int(counter.get_total_flops()), sum(block.values())


@cache
def weights(size: str) -> int:
    """Number of trained numbers of a network."""
    with torch.device("meta"):
        return VisionTransformer(SIZES[size]).weights


if __name__ == "__main__":
    main()
