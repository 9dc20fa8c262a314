"""The real ISIIS PlanktonSet 1.0 after ten minutes of training on two cores, by the whole protocol, beside baselines.

    python -m benchmarks isiis

The data (30,336 images, 121 classes; Cowen et al. 2015, doi:10.7289/V5D21VJD) are looked for in the folder that the
environment variable AQQUA_SHARED_DATA names, else in ../shared/data. Environment: AQQUA_BENCH_MINUTES (10),
AQQUA_BENCH_OUT (a temporary folder; give one to keep dataset, model and report).
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from aqqua.bench import bench
from aqqua.train.run import train
from benchmarks._labelled import build


def main() -> None:
    """Ingest, train, measure, print the report in Markdown."""
    minutes = float(os.environ.get("AQQUA_BENCH_MINUTES", "10"))
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(os.environ.get("AQQUA_BENCH_OUT", temporary))
        dataset = build("isiis", out)
        if dataset is None:
            print("skipped: there are no shared data (set AQQUA_SHARED_DATA)")
            return
        train(data=[dataset], out=out / "model", minutes=minutes, name="isiis")
        print(bench(out / "model", data=[dataset], out=out / "report"), flush=True)


if __name__ == "__main__":
    main()
