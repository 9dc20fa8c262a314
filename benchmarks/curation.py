"""How well curation finds what it looks for: scale bars, copies, near duplicates, focus, emptiness, cut-off objects.

    python -m benchmarks curation

Truth is made from a virtual ocean of 600 images (vignettes, cropped and emptied images, changed copies; its own sealed
defocus). False alarms are counted on real images, where there are any (AQQUA_SHARED_DATA); so are the genuine EcoTaxa
packages that have scale bars.
"""

from __future__ import annotations

import io
import resource
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from PIL import Image

from aqqua.curate.compare import compare
from aqqua.curate.content import find_content
from aqqua.curate.copies import as_function
from aqqua.curate.hashing import MAX_BITS, close_pairs, perceptual_hash
from aqqua.curate.scores import score_image
from aqqua.ocean.vignettes import STYLES, vignette
from benchmarks._machine import machine, shared_data

IMAGES = 600
Pixels = np.ndarray


@dataclass(frozen=True)
class Seen:
    """An image of the ocean and what is true about it."""

    instrument: str
    pixels: Pixels
    defocus: float
    mask: Pixels


def main() -> None:
    """Print the tables in Markdown."""
    start = time.perf_counter()
    ocean = _ocean()
    isiis = list(_zipped("images/isiis_planktonset/isiis_planktonset.zip", 10, 3000))
    _bars(ocean, isiis)
    _copies(ocean)
    _near(ocean, isiis)
    _scores(ocean)
    _hashes()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"\n{machine('numpy', 'pillow', 'polars')}; {time.perf_counter() - start:.0f} s, peak {peak:,.0f} MB")


def _bars(ocean: list[Seen], isiis: list[Pixels]) -> None:
    print("| scale bars and footers | images | found | bar length exact | cut off within 1 px |")
    print("|---|---:|---:|---:|---:|")
    rng = np.random.default_rng(0)
    usable = [seen.pixels for seen in ocean if min(seen.pixels.shape[:2]) >= 24]
    for style in STYLES:
        made = [vignette(p, style, bar_px=int(rng.integers(24, 120)), gamma=rng.choice([0.7, 1, 1.5])) for p in usable]
        found = [find_content(one.pixels) for one in made]
        hits = [(m, f) for m, f in zip(made, found, strict=True) if f.kind != "none"]
        exact = sum(m.bar_px == f.bar_px for m, f in hits) / len(made)
        near = sum(m.picture[3] - 1 <= f.y1 <= m.ink_y for m, f in hits) / len(made)
        print(f"| drawn, {style} | {len(made):,} | {len(hits) / len(made):.1%} | {exact:.1%} | {near:.1%} |")
    genuine = _genuine()
    if genuine:
        hits_ = sum(find_content(image).kind == "scale_bar" for image in genuine)
        print(f"| genuine EcoTaxa packages | {len(genuine)} | {hits_} | | |")
    for name, images in _real(ocean, isiis):
        wrong = sum(find_content(image).kind != "none" for image in images)
        print(f"| none there: {name} | {len(images):,} | {wrong} false | | |")


def _real(ocean: list[Seen], isiis: list[Pixels]) -> Iterator[tuple[str, list[Pixels]]]:
    yield "virtual ocean", [seen.pixels for seen in ocean]
    if isiis:
        yield "ISIIS", isiis
        yield "SPC", list(_zipped("images/spc_pwssc/spc_pwssc.zip", 1, 4000))
        yield "FlowCam", list(_zipped("flowcam/visualspreadsheet/visualspreadsheet_rois.zip", 1, 4000))
        folder = shared_data("images/uvp5_morphr/inst/extdata/plank")
        yield "UVP5", [np.array(Image.open(path)) for path in sorted(folder.glob("*.jpg"))] if folder else []


def _copies(ocean: list[Seen]) -> None:
    print("\n| copies of one image, proven by pixels | pairs | found |\n|---|---:|---:|")
    for style in STYLES:
        pairs = [(s.pixels, vignette(s.pixels, style, gamma=1.5).pixels) for s in ocean if min(s.mask.shape) >= 24]
        print(f"| {style} | {len(pairs):,} | {_share(as_function(a, b) is not None for a, b in pairs)} |")
    others = [(a.pixels, vignette(b.pixels, "uvp6").pixels) for a, b in pairwise(ocean)]
    wrong = sum(as_function(a, b) is not None for a, b in others)
    print(f"| vignette of another image | {len(others):,} | {wrong} false |")


def _near(ocean: list[Seen], isiis: list[Pixels]) -> None:
    print("\n| near duplicates | images | hash within 7 bits | and pixels the same |\n|---|---:|---:|---:|")
    sets = {"virtual ocean": [s.pixels for s in ocean if s.pixels.dtype == np.uint8]}
    sets |= {"ISIIS": isiis[::3]} if isiis else {}
    for name, images in sets.items():
        some = [image for image in images[::3] if min(image.shape[:2]) >= 16]
        for change, make in _CHANGES.items():
            both = [_found(image, make(image)) for image in some]
            close, same = (sum(column) / len(both) for column in zip(*both, strict=True))
            print(f"| {name}, {change} | {len(both):,} | {close:.1%} | {same:.1%} |", flush=True)
    for name, images in sets.items():
        pairs, same = _false(images)
        every = len(images) * (len(images) - 1) // 2
        print(f"| {name}, pairs of different images | {every:,} | {pairs:,} | {same} |")


def _found(image: Pixels, changed: Pixels) -> tuple[bool, bool]:
    close = (perceptual_hash(image) ^ perceptual_hash(changed)).bit_count() <= MAX_BITS
    likeness = compare(image, changed)
    return close, close and likeness is not None and likeness.same


def _false(images: list[Pixels]) -> tuple[int, int]:
    """Pairs of different images with close hashes, and those that are taken for the same capture."""
    hashes = np.array([perceptual_hash(image) for image in images], np.uint64)
    pairs = {(int(a), int(b)) for left, right in close_pairs(hashes) for a, b in zip(left, right, strict=True)}
    near = [(a, b) for a, b in pairs if np.abs(np.subtract(images[a].shape[:2], images[b].shape[:2])).max() <= 4]
    likeness = [compare(images[a], images[b]) for a, b in near]
    return len(near), sum(one is not None and one.same for one in likeness)


def _scores(ocean: list[Seen]) -> None:
    print(
        "\n| instrument | images | focus against true defocus (Spearman) | blurred (> 0.35) below sharp (< 0.1) | ms |"
    )
    print("|---|---:|---:|---:|---:|")
    for name in sorted({seen.instrument for seen in ocean}):
        some = [seen for seen in ocean if seen.instrument == name]
        start = time.perf_counter()
        told = [score_image(seen.pixels) for seen in some]
        cost = (time.perf_counter() - start) / len(some) * 1e3
        focus, defocus = np.array([t["focus"] for t in told]), np.array([seen.defocus for seen in some])
        soft, sharp = focus[defocus > 0.35], focus[defocus < 0.1]
        below = f"{(soft[:, None] < sharp[None]).mean():.2f} ({len(soft)})" if len(soft) >= 5 else f"– ({len(soft)})"
        print(f"| {name} | {len(some)} | {_spearman(focus, defocus):+.2f} | {below} | {cost:.1f} |")
    print("\n| flag | true cases flagged | false alarms |\n|---|---:|---:|")
    whole = [score_image(seen.pixels) for seen in ocean]
    for flag, make in (("empty", _emptied), ("cut_off", _cropped)):
        made = [image for seen in ocean if (image := make(seen)) is not None]
        hit = _share(score_image(image)[flag] for image in made)
        print(f"| {flag} | {hit} of {len(made)} | {_share(t[flag] for t in whole)} of {len(whole)} |")
    soft_ = [t["out_of_focus"] for t, seen in zip(whole, ocean, strict=True) if seen.defocus > 0.35]
    sharp_ = [t["out_of_focus"] for t, seen in zip(whole, ocean, strict=True) if seen.defocus <= 0.35]
    print(f"| out_of_focus (defocus > 0.35) | {_share(soft_)} of {len(soft_)} | {_share(sharp_)} of {len(sharp_)} |")


def _emptied(seen: Seen) -> Pixels | None:
    """The water around the object: a part of the image that the true mask leaves free, with a margin."""
    rows, columns = np.nonzero(seen.mask)
    gap = 6
    strips = [
        seen.pixels[: max(rows.min() - gap, 0)] if len(rows) else seen.pixels,
        seen.pixels[rows.max() + gap :] if len(rows) else seen.pixels[:0],
        seen.pixels[:, : max(columns.min() - gap, 0)] if len(rows) else seen.pixels[:0],
        seen.pixels[:, columns.max() + gap :] if len(rows) else seen.pixels[:0],
    ]
    best = max(strips, key=lambda strip: min(strip.shape[:2]))
    return best if min(best.shape[:2]) >= 6 else None


def _cropped(seen: Seen) -> Pixels | None:
    """The image cut through the middle of the object's body."""
    columns = np.flatnonzero((seen.mask == 2).any(axis=0))
    if len(columns) < 8 or np.median(columns) < 8:
        return None
    return np.ascontiguousarray(seen.pixels[:, : int(np.median(columns))])


def _hashes(count: int = 200_000) -> None:
    """What the search costs where hashes are many and spread evenly."""
    hashes = np.random.default_rng(0).integers(0, 2**63, count, dtype=np.uint64)
    start = time.perf_counter()
    found = sum(len(left) for left, _ in close_pairs(hashes))
    cost = time.perf_counter() - start
    print(f"\n{count:,} random hashes: {cost:.0f} s for all pairs within {MAX_BITS} bits, {found} of them")


def _jpeg(quality: int) -> Callable[[Pixels], Pixels]:
    def save(image: Pixels) -> Pixels:
        file = io.BytesIO()
        Image.fromarray(image).save(file, "JPEG", quality=quality)
        return np.array(Image.open(io.BytesIO(file.getvalue())))

    return save


def _shifted(image: Pixels) -> Pixels:
    padding = ((1, 0), (1, 0)) + ((0, 0),) * (image.ndim - 2)
    return np.ascontiguousarray(np.pad(image, padding, mode="edge")[:-1, :-1])


_CHANGES: dict[str, Callable[[Pixels], Pixels]] = {
    "JPEG quality 90": _jpeg(90),
    "JPEG quality 75": _jpeg(75),
    "JPEG quality 50": _jpeg(50),
    "shifted by 1 px": _shifted,
    "border of 1 px cut": lambda image: np.ascontiguousarray(image[1:-1, 1:-1]),
    "15 % darker": lambda image: (image * 0.85).astype(np.uint8),
}


def _share(told: Any) -> str:
    values = [bool(one) for one in told]
    return f"{sum(values) / max(len(values), 1):.1%}"


def _spearman(a: np.ndarray, b: np.ndarray) -> float:
    return float(pl.DataFrame({"a": a, "b": b}).select(pl.corr("a", "b", method="spearman")).item())


def _ocean() -> list[Seen]:
    from aqqua.ocean import write_ocean
    from aqqua.sources.ingest import ingest

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        report = write_ocean(root / "raw", images=IMAGES, samples=3, seed=1, flaws=False)
        dataset = ingest(report.sources, root / "data").dataset
        truth = (
            pl.read_parquet(report.truth / "sightings.parquet")
            .filter("detected")
            .select("object_id", "defocus", "mask")
        )
        table = dataset.metadata(["object_id", "instrument"]).join(truth, on="object_id", maintain_order="left")
        with zipfile.ZipFile(report.truth / "masks.zip") as masks:
            return [
                Seen(instrument, dataset.image(uid), defocus, _decoded(masks.read(mask)))
                for uid, instrument, defocus, mask in table.select("uid", "instrument", "defocus", "mask").iter_rows()
            ]


def _zipped(name: str, step: int, most: int) -> Iterator[Pixels]:
    path = shared_data(name)
    if path is None:
        return
    with zipfile.ZipFile(path) as files:
        names = [member for member in files.namelist() if member.lower().endswith((".jpg", ".png", ".tif"))]
        for member in islice(names, 0, None, step):
            if most <= 0:
                return
            most -= 1
            yield _decoded(files.read(member))


def _genuine() -> list[Pixels]:
    """The different images of the genuine packages, all of which have a bar."""
    folder = shared_data("ecotaxa/qa_packages")
    found: dict[bytes, Pixels] = {}
    for path in sorted(folder.rglob("*")) if folder else []:
        if path.suffix.lower() in {".jpg", ".png"} and "corrupted" not in str(path):
            image = np.array(Image.open(path).convert("RGB"))
            found[image.tobytes()] = image
    return list(found.values())


def _decoded(data: bytes) -> Pixels:
    return np.array(Image.open(io.BytesIO(data)))


if __name__ == "__main__":
    main()
