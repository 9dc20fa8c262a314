"""How many flipped bits are noticed by `aqqua dataset verify --level 2`: `python -m benchmarks damage`.

A small dataset with everything in it: shards, labels, tombstones, predictions, masks, rejects. Bits are flipped one at
a time, spread over every region of every file, unused bytes of LMDB pages included; each time the dataset is opened
and verified.
"""

from __future__ import annotations

import os
import random
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from aqqua.errors import AqquaError
from aqqua.store.dataset import Dataset
from aqqua.store.images import ShardReader
from aqqua.store.verify import verify

__all__ = ["Tally", "main", "measure", "small_dataset"]

_PAGE_BYTES = 4096
_TRAILER_BYTES = 16
_MANY = 50


@dataclass
class Tally:
    """What became of the flips in one region.

    Args:
        flips: how many bits were flipped, one at a time.
        found: where they were noticed: "opening", or the level of verification.
        missed: file and bit of those that nobody noticed.
    """

    flips: int = 0
    found: Counter[str] = field(default_factory=Counter)
    missed: list[tuple[str, int]] = field(default_factory=list)


def main(flips: int = _MANY) -> None:
    """Print a table: region, flips, where they were found, missed."""
    os.environ["AQQUA_QUIET"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        tallies = measure(small_dataset(Path(folder) / "dataset").path, flips)
    print("| region | bits flipped | noticed at opening | level 0 | level 1 | level 2 | missed |")
    print("|---|---|---|---|---|---|---|")
    for name, tally in sorted(tallies.items()):
        counts = " | ".join(str(tally.found[step]) for step in ("opening", "0", "1", "2"))
        print(f"| {name} | {tally.flips} | {counts} | {len(tally.missed)} |")
    total = sum(tally.flips for tally in tallies.values())
    missed = sum(len(tally.missed) for tally in tallies.values())
    print(f"\n{total - missed:,} of {total:,} flipped bits noticed ({(total - missed) / total:.2%})")


def small_dataset(path: Path) -> Dataset:
    """A dataset with one file at least of every kind."""
    from tests.make.datasets import miniature, sealed_shard

    dataset = miniature(path, (40, 12))
    uids = dataset.metadata()["uid"]
    dataset.add_labels(pl.DataFrame({"uid": uids[:2], "label": ["Calanus", "Acartia"], "by": "explorer"}))
    for shard in dataset.shards:
        inside = uids.filter((uids // (1 << 32)) == shard.number)
        vectors = pl.Series(np.linspace(0, 1, 4 * len(inside)).reshape(-1, 4), dtype=pl.Array(pl.Float32, 4))
        frame = pl.DataFrame({"uid": inside, "vector": vectors})
        dataset.write_predictions("vit-1", shard.number, frame, {"weights_sha256": "0" * 64})
    sides = dataset.metadata(["height", "width"])[::3].iter_rows(named=True)
    masks = [(one["uid"], np.full((one["height"], one["width"]), 1, np.uint8)) for one in sides if one["shard"] == 0]
    dataset.write_masks("objects", 0, masks, {"what": "everything"})
    dataset = dataset.add_tombstones(uids[4:6].to_list(), "blurred")
    rejects = pl.DataFrame({"source_path": ["a.zip!t.tsv"], "reason": ["no position"]})
    return dataset.commit([sealed_shard(path / "jobs" / "2", 5, 2)], rejects=rejects)


def measure(root: Path, flips: int, seed: int = 0) -> dict[str, Tally]:
    """Flip bits in every region of every file of a dataset, one at a time.

    Args:
        root: the dataset; it is as before afterwards.
        flips: about how many in each region.
        seed: of the choice.
    """
    chance, tallies = random.Random(seed), dict[str, Tally]()
    for path in sorted(path for path in root.rglob("*") if path.is_file() and path.name != "card.yaml"):
        content = path.read_bytes()
        for region, places in _regions(path, root, content):
            tally = tallies.setdefault(region, Tally())
            for place in sorted(chance.sample(range(8 * len(places)), min(flips, 8 * len(places)))):
                at, bit = int(places[place // 8]), place % 8
                path.write_bytes(content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :])
                tally.flips += 1
                if step := _noticed(root):
                    tally.found[step] += 1
                else:
                    tally.missed.append((str(path.relative_to(root)), 8 * at + bit))
        path.write_bytes(content)
    return tallies


def _noticed(root: Path) -> str | None:
    """Where the damage shows."""
    try:
        dataset = Dataset.open(root)
    except AqquaError:
        return "opening"
    levels = (level for level in range(3) if any(one.severity == "error" for one in verify(dataset, level)))
    return next(map(str, levels), None)


def _regions(path: Path, root: Path, content: bytes) -> Iterator[tuple[str, np.ndarray]]:
    """Names and places (offsets of bytes) of the regions of a file."""
    inside = path.relative_to(root).parts
    kind = "/".join(inside[:2]) if inside[0] == "meta" else inside[0]
    if path.suffix == ".mdb":
        yield from _lmdb_regions(path, kind, content)
    elif path.suffix == ".parquet":
        end = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
        yield f"{kind} (Parquet): data", np.arange(end)
        yield f"{kind} (Parquet): footer", np.arange(end, len(content))
    else:
        name = kind if len(inside) == 1 else f"{kind} ({inside[-1] if not inside[-1][0].isdigit() else 'shard.json'})"
        yield name, np.arange(len(content))


def _lmdb_regions(path: Path, kind: str, content: bytes) -> Iterator[tuple[str, np.ndarray]]:
    names = np.full(len(content), "pages: headers, nodes, keys", dtype=object)
    for run in re.finditer(rb"\0{64,}", content):
        names[run.start() : run.end()] = "pages: unused bytes"
    names[: 2 * _PAGE_BYTES] = "meta pages"
    reader = ShardReader(path)
    for _, value in reader.visit_sparse():
        begin = content.index(bytes(value))
        names[begin : begin + len(value) - _TRAILER_BYTES] = "chunks"
        names[begin + len(value) - _TRAILER_BYTES : begin + len(value)] = "trailers"
    reader.close()
    for name in dict.fromkeys(names.tolist()):
        yield f"{kind} (LMDB): {name}", np.flatnonzero(names == name)


if __name__ == "__main__":
    main()
