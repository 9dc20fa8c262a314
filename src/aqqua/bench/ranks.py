"""The same answers judged by taxonomic rank: a wrong species may still be the right order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aqqua.bench.scores import rates
from aqqua.metadata.taxa import Taxon, builtin, match

__all__ = ["RANKS", "by_rank"]

RANKS = ("Phylum", "Class", "Order", "Family", "Genus", "Species")
Ints = NDArray[np.int64]


def by_rank(classes: Sequence[str], taxon: Sequence[str], true: Ints, found: Ints) -> dict[str, dict[str, Any]]:
    """Judge classes at each rank at which two or more of the true ones have a name.

    Only images whose true class is known at the rank count; an answer that is not (an order, where families are asked
    for) is wrong there.

    Args:
        classes: the labels.
        taxon: accepted name of each class, or the label itself.
        true: (n,) class of each image.
        found: (n,) class given, −1 for none.

    Returns:
        rank → images, taxa, top1, macro_f1.
    """
    lines = [_line(label, name) for label, name in zip(classes, taxon, strict=True)]
    told: dict[str, dict[str, Any]] = {}
    for rank in RANKS:
        names = sorted({line[rank] for line in lines if rank in line})
        place = {name: number for number, name in enumerate(names)}
        up = np.array([place.get(line.get(rank, ""), -1) for line in lines] + [-1], dtype=np.int64)
        t, f = up[true], up[found]  # −1, no answer, is the last place
        known = t >= 0
        if len(np.unique(t[known])) < 2:
            continue
        n = len(names)
        cells = np.bincount(t[known] * (n + 1) + np.where(f[known] < 0, n, f[known]), minlength=n * (n + 1))
        top1, macro, _ = rates(cells, n)
        told[rank.lower()] = {
            "images": int(known.sum()),
            "taxa": len(np.unique(t[known])),
            "top1": top1,
            "macro_f1": macro,
        }
    return told


def _line(label: str, name: str) -> dict[str, str]:
    """Rank → name, of the taxon a label means and all above it; empty for what is no known taxon."""
    taxa = builtin().taxa
    taxon: Taxon | None = taxa.get(name) or match(label)
    return {taxa[one].rank: one for one in taxon.lineage if one in taxa} if taxon else {}
