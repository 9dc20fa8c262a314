"""The labelled sets at hand as datasets: real ones out of the shared data, and a virtual ocean with its truth.

What the files of a real set do not say (pixel size, place, day) comes from a card, from the literature where it can;
such constants are good enough to measure a model with, and for nothing else.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import polars as pl

from benchmarks._machine import shared_data

__all__ = ["SETS", "build"]

ISIIS = """\
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
SPC = """\
title: Scripps Plankton Camera, Prince William Sound
instruments: [SPC]
licence: MIT
source: https://github.com/seth814/PWSSC-Plankton-Classification
coordinates_precision: the sound as a whole
defaults:
  instrument: SPC
  pixel_um: 7.4       # of the camera's 0.5x objective, from the literature; the files do not say
  latitude: 60.6      # Prince William Sound, Alaska
  longitude: -147.2
  time_utc: 2016-06-01T00:00:00Z   # of the 214 images whose clock was not set; the others know their second
  depth_m: 10
"""
FLOWCAM = """\
title: FlowCam 8000, cultures of Pygsuia
instruments: [FlowCam]
licence: MIT
source: https://github.com/VickoT/FlowCam_Image_Classifier
coordinates_precision: a laboratory; the place is that of no water
table: flowcam.csv
defaults:
  instrument: FlowCam
  pixel_um: 0.5544    # said by the run's context file
  latitude: 0.0       # cultures
  longitude: -30.0
  time_utc: 2024-04-08T00:00:00Z   # said by the names of the samples
  depth_m: 0
"""
UVP5 = """\
title: UVP5 vignettes of the morphr package
instruments: [UVP5]
licence: unknown      # the package is under GPL-3, the images have no word of their own
source: https://github.com/jiho/morphr
coordinates_precision: not known; the place is a stand-in
defaults:
  instrument: UVP5
  pixel_um: 88        # of the UVP5 HD; the files do not say
  latitude: 0.0
  longitude: -30.0
  time_utc: 2015-01-01T00:00:00Z   # not known
  depth_min_m: 0
  depth_max_m: 500
"""
_OCEAN_IMAGES, _OCEAN_SAMPLES = 6000, 24


def build(name: str, out: Path) -> Path | None:
    """Make the dataset `out`/`name`, unless it is there; None where the shared data for it are missing.

    Args:
        name: of one of `SETS`.
        out: folder for datasets and cards.
    """
    from aqqua.store.dataset import Dataset

    out.mkdir(parents=True, exist_ok=True)
    folder = out / name
    if Dataset.is_at(folder) and len(Dataset.open(folder)):
        return folder
    if name == "ocean":
        return _ocean(folder, out / "raw" / "ocean")
    source = shared_data(SETS[name])
    return None if source is None else _real(name, source, folder)


def _real(name: str, source: Path, folder: Path) -> Path:
    from aqqua.sources.ingest import ingest

    card = folder.with_name(f"{name}.card.yaml")
    card.write_text(_CARDS[name], encoding="utf-8")
    if name == "flowcam":
        _flowcam_table(source, folder.with_name("flowcam.csv"))
    ingest([source], folder, card=card)
    return folder


def _flowcam_table(source: Path, table: Path) -> None:
    """The sample of each image stands in its name, before the last underscore; its class is its folder."""
    with zipfile.ZipFile(source) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".png") and "__MACOSX" not in name)
    rows = [(Path(n).name, Path(n).parent.name, Path(n).name.rpartition("_")[0]) for n in names]
    pl.DataFrame(rows, schema=["file", "label", "sample_id"], orient="row").write_csv(table)


def _ocean(folder: Path, raw: Path) -> Path:
    """Six cameras before the same water; what each organism truly is becomes its label."""
    from aqqua.metadata.card import Card
    from aqqua.ocean import write_ocean
    from aqqua.sources.ingest import ingest
    from aqqua.store.dataset import Dataset

    if not (raw / "truth" / "SEAL.json").is_file():
        write_ocean(raw, seed=0, samples=_OCEAN_SAMPLES, images=_OCEAN_IMAGES, flaws=False)
    if not Dataset.is_at(folder):
        Dataset.create(folder, Card(title="Virtual ocean, six cameras", licence="CC0-1.0"))
    sources = sorted(p for p in raw.iterdir() if p.name != "truth" and p.suffix not in {".yaml", ".json", ".log"})
    ingest(sources, folder)
    ds = Dataset.open(folder)
    truth = pl.read_parquet(raw / "truth" / "sightings.parquet").filter(pl.col("detected"))
    labels = ds.metadata(["object_id"]).join(truth.select("object_id", label="taxon"), on="object_id")
    if labels.height != len(ds):
        raise SystemExit(f"{labels.height} of {len(ds)} images of the ocean are in its truth")
    ds.add_labels(labels.select("uid", "label", status=pl.lit("validated"), by=pl.lit("truth")))
    return folder


SETS = {
    "isiis": "images/isiis_planktonset/isiis_planktonset.zip",
    "spc": "images/spc_pwssc/spc_pwssc.zip",
    "flowcam": "flowcam/visualspreadsheet/visualspreadsheet_rois.zip",
    "uvp5": "images/uvp5_morphr/inst/extdata/plank",
    "ocean": "",
}
"""Name of a set → where it lies in the shared data."""
_CARDS = {"isiis": ISIIS, "spc": SPC, "flowcam": FLOWCAM, "uvp5": UVP5}
