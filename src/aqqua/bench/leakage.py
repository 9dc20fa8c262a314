"""How much of the camera is left in the vectors, and how well taxa carry over from one camera to another.

Instruments see different taxa, so a probe over all images would find the instrument by the taxon. Here everything is
asked within a taxon, with as many images of each instrument.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aqqua.bench.probes import Linear
from aqqua.bench.scores import rates
from aqqua.tasks.classify import knn
from aqqua.tasks.neighbours import nearest

__all__ = ["Cameras", "leakage"]

LEAST = 10
"""Images of a taxon and instrument, below which the pair is left out."""
MOST = 200
FOLDS = 5
K = 20
Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Cameras:
    """What is known of images of several instruments.

    Args:
        taxon: (n,) taxon of each image.
        instrument: (n,) instrument of each image.
        taxa: names of the taxa.
        instruments: names of the instruments.
        seed: of all draws.
    """

    taxon: Ints
    instrument: Ints
    taxa: Sequence[str]
    instruments: Sequence[str]
    seed: int = 0

    @classmethod
    def of(cls, taxon: Sequence[str], instrument: Sequence[str | None], seed: int = 0) -> Cameras:
        """From names; an instrument that is not known is one of its own."""
        taxa, t = np.unique(list(taxon), return_inverse=True)
        names, i = np.unique([name or "?" for name in instrument], return_inverse=True)
        return cls(t.astype(np.int64), i.astype(np.int64), taxa.tolist(), names.tolist(), seed)

    def shared(self) -> list[tuple[int, list[Ints]]]:
        """Taxa that several instruments saw, with equally many rows of each of these instruments, by chance."""
        found = []
        rng = np.random.default_rng(self.seed)
        for taxon in range(len(self.taxa)):
            rows = [
                np.flatnonzero((self.taxon == taxon) & (self.instrument == i)) for i in range(len(self.instruments))
            ]
            rows = [rng.permutation(one) for one in rows if len(one) >= LEAST]
            if len(rows) > 1:
                n = min(MOST, *map(len, rows))
                found.append((taxon, [one[:n] for one in rows]))
        return found


def leakage(x: Floats, cameras: Cameras) -> dict[str, Any] | None:
    """All measures of leakage; None where no taxon was seen by two instruments.

    Returns:
        probe: balanced accuracy of guessing the instrument within a taxon, mean over taxa, and `probe_chance`;
        purity: share of the 20 nearest in the balanced pool that are of the same instrument, and `purity_blind`, what
        vectors that know nothing of instruments would give;
        robustness: of the neighbours with the same taxon and another instrument (SO) or another taxon and the same
        instrument (OS) the share SO / (SO + OS) (PathoROB, Kömen et al. 2025, arXiv 2507.17845);
        transfer: macro-F1 of kNN taught with one instrument and judged on another, on the taxa both saw, mean over
        pairs, and `transfer_within`, the same taught and judged on the other one; and counts.
    """
    shared = cameras.shared()
    if not shared:
        return None
    told: dict[str, Any] = {
        "taxa": len(shared),
        "instruments": len({int(cameras.instrument[one[0]]) for _, rows in shared for one in rows}),
    }
    probes = [_probe(x, rows, cameras.seed) for _, rows in shared]
    told["probe"], told["probe_chance"] = (float(np.mean([p[i] for p in probes])) for i in (0, 1))
    told["by_taxon"] = {cameras.taxa[t]: p[0] for (t, _), p in zip(shared, probes, strict=True)}
    pool = np.concatenate([row for _, rows in shared for row in rows])
    told |= _neighbourhood(x[pool], cameras.taxon[pool], cameras.instrument[pool])
    return told | _transfer(x, cameras)


def _probe(x: Floats, rows: list[Ints], seed: int) -> tuple[float, float]:
    """Balanced accuracy of a linear head that guesses the instrument of one taxon, in five folds, and chance."""
    label = np.repeat(np.arange(len(rows)), len(rows[0]))
    mine = x[np.concatenate(rows)]
    # Each instrument is dealt out evenly over the folds; rows are in random order already.
    fold = np.concatenate([np.arange(len(one)) % FOLDS for one in rows])
    found = np.empty_like(label)
    for number in range(FOLDS):
        test = fold == number
        head = Linear.fit(mine[~test], label[~test], len(rows), 10.0)
        found[test] = head.scores(mine[test]).argmax(axis=1)
    return float((found == label).mean()), 1 / len(rows)


def _neighbourhood(x: Floats, taxon: Ints, instrument: Ints) -> dict[str, float]:
    """Purity and robustness index among the nearest of the balanced pool."""
    own = np.arange(len(x), dtype=np.int64)
    _, rows = nearest(x, x, k=min(K, len(x) - 1), same=own)
    same_camera, same_taxon = instrument[rows] == instrument[:, None], taxon[rows] == taxon[:, None]
    so, os = (same_taxon & ~same_camera).sum(), (~same_taxon & same_camera).sum()
    count = np.bincount(instrument)
    blind = float(((count[instrument] - 1) / max(len(x) - 1, 1)).mean())
    robustness = float(so / (so + os)) if so + os else float("nan")
    return {"purity": float(same_camera.mean()), "purity_blind": blind, "robustness": robustness}


def _transfer(x: Floats, cameras: Cameras) -> dict[str, float | int]:
    """Taught with one instrument, judged on another; and taught with half of the other one, judged on the rest."""
    table = np.zeros((len(cameras.instruments), len(cameras.taxa)), dtype=np.int64)
    np.add.at(table, (cameras.instrument, cameras.taxon), 1)
    across, within = [], []
    rng = np.random.default_rng(cameras.seed)
    for a in range(len(table)):
        for b in range(len(table)):
            both = np.flatnonzero((table[a] >= LEAST) & (table[b] >= LEAST))
            if a == b or len(both) < 2:
                continue
            teach = np.flatnonzero((cameras.instrument == a) & np.isin(cameras.taxon, both))
            judge = rng.permutation(np.flatnonzero((cameras.instrument == b) & np.isin(cameras.taxon, both)))
            half = np.arange(len(judge)) % 2 == 0
            label = np.searchsorted(both, cameras.taxon)
            across.append(_macro(x, label, teach, judge[half], len(both)))
            within.append(_macro(x, label, judge[~half], judge[half], len(both)))
    if not across:
        return {"pairs": 0, "transfer": float("nan"), "transfer_within": float("nan")}
    return {"pairs": len(across), "transfer": float(np.mean(across)), "transfer_within": float(np.mean(within))}


def _macro(x: Floats, label: Ints, teach: Ints, judge: Ints, classes: int) -> float:
    found = knn(x[judge], x[teach], label[teach], classes).label
    cells = np.bincount(
        label[judge] * (classes + 1) + np.where(found < 0, classes, found), minlength=classes * (classes + 1)
    )
    return rates(cells, classes)[1]
