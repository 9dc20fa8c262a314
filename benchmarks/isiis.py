"""kNN on the real ISIIS PlanktonSet 1.0 after ten minutes of training on two cores, beside its baselines.

    python -m benchmarks isiis

The data (30,336 images, 121 classes; Cowen et al. 2015, doi:10.7289/V5D21VJD) are looked for in the folder that the
environment variable AQQUA_SHARED_DATA names, else in ../shared/data. Environment: AQQUA_BENCH_MINUTES (10),
AQQUA_BENCH_OUT (a temporary folder; give one to keep dataset and model).
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from aqqua.bench.isiis import bench
from aqqua.sources.ingest import ingest
from aqqua.store.dataset import Dataset
from aqqua.train.run import train

ROOT = Path(__file__).parents[1]
ZIP = Path("images/isiis_planktonset/isiis_planktonset.zip")
CARD = """\
title: ISIIS PlanktonSet 1.0
instruments: [ISIIS]
licence: unknown
source: NOAA NCEI accession 0127422
citation: Cowen et al. 2015
doi: 10.7289/V5D21VJD
coordinates_precision: the survey as a whole
defaults:
  instrument: ISIIS
  pixel_um: 68        # from the literature; the files do not say
  latitude: 25.0      # Straits of Florida
  longitude: -79.8
  time_utc: 2014-06-05T00:00:00Z   # the survey lasted from 2014-05-28 to 2014-06-14
  depth_min_m: 0
  depth_max_m: 150
"""


def main() -> None:
    """Ingest, train, measure, print the table in Markdown."""
    data = Path(os.environ.get("AQQUA_SHARED_DATA", ROOT.parent / "shared" / "data")) / ZIP
    if not data.is_file():
        print(f"skipped: there is no {ZIP.name} (set AQQUA_SHARED_DATA)")
        return
    minutes = float(os.environ.get("AQQUA_BENCH_MINUTES", "10"))
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(os.environ.get("AQQUA_BENCH_OUT", temporary))
        dataset, model = out / "isiis", out / "model"
        if not Dataset.is_at(dataset):
            card = out / "isiis.card.yaml"
            out.mkdir(parents=True, exist_ok=True)
            card.write_text(CARD, encoding="utf-8")
            ingest([data], dataset, card=card)
        train(data=[dataset], out=model, minutes=minutes, name="isiis")
        print(bench(model, data=[dataset]), flush=True)


if __name__ == "__main__":
    main()
