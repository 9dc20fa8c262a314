"""The explorer's map against umap-learn: how faithful, and how long from a cold start, in one run.

    python -m benchmarks layout

umap-learn is no part of aqqua; without it (`pip install umap-learn`) its rows are left out. Data: the digits of
scikit-learn, and, where AQQUA_BENCH_VECTORS names an .npz file with an array "vector", these vectors. Each run is a
fresh process, so that compiling and importing count; the two take turns, three rounds, medians.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from benchmarks._machine import machine

ROUNDS = 3
OURS = """
import sys, numpy as np
from aqqua.app.layout import project
np.save(sys.argv[2], project(np.load(sys.argv[1])))
"""
THEIRS = """
import sys, warnings, numpy as np
warnings.simplefilter("ignore")
from umap import UMAP
np.save(sys.argv[2], UMAP(metric="cosine", random_state=0).fit_transform(np.load(sys.argv[1])))
"""


def main() -> None:
    """Print a table in Markdown."""
    peers = {"aqqua": OURS} | ({"umap-learn": THEIRS} if find_spec("umap") else {})
    print("| vectors | | s from a cold start | trustworthiness | 15 nearest kept |\n|---|---|---:|---:|---:|")
    for name, vectors in _data().items():
        for peer, (seconds, trust, kept) in _measure(peers, vectors).items():
            print(
                f"| {name}, {len(vectors):,} × {vectors.shape[1]} | {peer} | {seconds:.1f} | {trust:.3f} | {kept:.2f} |"
            )
    print(f"\n{machine('umap-learn', 'numpy', 'scipy', 'faiss-cpu')}; wall time, median of {ROUNDS} rounds in turn")


def _data() -> dict[str, np.ndarray]:
    from sklearn.datasets import load_digits

    sets = {"digits": load_digits().data.astype(np.float32)}
    mine = os.environ.get("AQQUA_BENCH_VECTORS")
    if mine:
        sets["given"] = np.load(mine)["vector"].astype(np.float32)
    return sets


def _measure(peers: dict[str, str], vectors: np.ndarray) -> dict[str, tuple[float, float, float]]:
    times: dict[str, list[float]] = {peer: [] for peer in peers}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "in.npy", vectors)
        for _ in range(ROUNDS):
            for peer, code in peers.items():
                start = time.perf_counter()
                subprocess.run([sys.executable, "-c", code, folder / "in.npy", folder / f"{peer}.npy"], check=True)
                times[peer].append(time.perf_counter() - start)
        maps = {peer: np.load(folder / f"{peer}.npy") for peer in peers}
    return {peer: (statistics.median(times[peer]), *_faithful(vectors, flat)) for peer, flat in maps.items()}


def _faithful(vectors: np.ndarray, flat: np.ndarray) -> tuple[float, float]:
    from sklearn.manifold import trustworthiness
    from sklearn.neighbors import NearestNeighbors

    trust = float(trustworthiness(vectors, flat, n_neighbors=15, metric="cosine"))
    high = NearestNeighbors(n_neighbors=16, metric="cosine").fit(vectors).kneighbors(return_distance=False)[:, :15]
    low = NearestNeighbors(n_neighbors=16).fit(flat).kneighbors(return_distance=False)[:, :15]
    kept = np.mean([len(set(a) & set(b)) / 15 for a, b in zip(high.tolist(), low.tolist(), strict=True)])
    return trust, float(kept)


if __name__ == "__main__":
    main()
