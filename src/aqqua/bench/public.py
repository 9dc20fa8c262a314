"""The field's public benchmarks, from copies on this machine: a card, a table, and the folder reader does the rest.

| name | what | what must lie in the folder |
|---|---|---|
| ndsb | PlanktonSet 1.0 as given for the Kaggle NDSB (doi:10.7289/V5D21VJD) | train/CLASS/NUMBER.jpg |
| whoi | WHOI-Plankton (Orenstein et al. 2015, arXiv 1510.00745) | YEAR/CLASS/BIN_ROI.png |
| seanoe | FlowCAMNet, ISIISNet, UVP6Net, ZooCamNet, ZooScanNet as benchmarked by Panaïotis et al. 2026 \
(doi:10.5194/essd-18-945-2026) | taxa.csv.gz, and the images unpacked |
| planktonzilla | Planktonzilla-17M (arXiv 2606.00080) as saved by `datasets` | Parquet files with `image` |
| classes | any other set | CLASS/NAME.png |

Nothing is fetched. What a set does not say (pixel size, place) is a stand-in on the card, good enough to measure a
model with and for nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from aqqua.errors import ConfigError, FormatError, NotFoundError, UnknownNameError

if TYPE_CHECKING:
    from aqqua.sources.ingest import IngestReport

__all__ = ["PUBLIC", "read_public"]

_MOST_BYTES = 64 << 20
"""Of one image inside a table."""
_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")


@dataclass(frozen=True)
class Public:
    """How one benchmark is laid out.

    Args:
        title: of the card.
        table: makes the table of the images from the folder; may put images into the second folder.
        instrument: of all images, if there is one.
        pixel_um: of all images, if it is known.
        card: further lines of the card.
    """

    title: str
    table: Callable[[Path, Path], pl.DataFrame]
    instrument: str | None = None
    pixel_um: float | None = None
    card: str = ""


def read_public(
    name: str,
    folder: Path | str,
    dataset: Path | str,
    *,
    instrument: str | None = None,
    pixel_um: float | None = None,
) -> IngestReport:
    """Ingest a local copy of a public benchmark.

    Args:
        name: which one, see `PUBLIC`.
        folder: the copy.
        dataset: the dataset to be made; card and table are written beside it, as DATASET.source/.
        instrument: where the set does not name one.
        pixel_um: side of a pixel, where the set does not say it.

    Returns:
        What came in; `print` it.

    Raises:
        UnknownNameError: there is no such benchmark.
        NotFoundError: there is no such folder, or not what should lie in it.
        ConfigError: instrument or pixel size are not known.
    """
    if name not in PUBLIC:
        raise UnknownNameError("public benchmark", name, PUBLIC)
    from aqqua.sources.ingest import ingest

    public, folder, dataset = PUBLIC[name], Path(folder), Path(dataset)
    if not folder.is_dir():
        raise NotFoundError("there is no such folder", where=folder, do="unpack the set there; nothing is fetched")
    work = dataset.with_name(f"{dataset.name}.source")
    work.mkdir(parents=True, exist_ok=True)
    table = public.table(folder, work)
    own = set(table.columns)
    card = _card(public, instrument or public.instrument, pixel_um or public.pixel_um, own, folder)
    table.write_csv(work / "table.csv")
    (work / "card.yaml").write_text(card, encoding="utf-8")
    images = work / "images" if (work / "images").is_dir() else folder
    return ingest([images], dataset, source="folder", card=work / "card.yaml")


def _card(public: Public, instrument: str | None, pixel_um: float | None, own: set[str], folder: Path) -> str:
    """The card as YAML: what the set says, and stand-ins for what it does not."""
    if instrument is None and "instrument" not in own:
        raise ConfigError("the set does not say with which instrument", where=folder, do='give instrument="UVP6"')
    if pixel_um is None and "pixel_um" not in own:
        raise ConfigError("the set does not say how large a pixel is", where=folder, do="give pixel_um=73")
    defaults = {"instrument": instrument, "pixel_um": pixel_um, **_STAND_INS}
    lines = [f"  {name}: {value}" for name, value in defaults.items() if value is not None]
    head = [f"title: {public.title}", "licence: unknown", "table: table.csv", *public.card.splitlines()]
    return "\n".join([*head, "coordinates_precision: where the set has none, a stand-in", "defaults:", *lines, ""])


_STAND_INS: Mapping[str, Any] = {
    "latitude": 0.0,
    "longitude": -30.0,
    "time_utc": "2000-01-01T00:00:00Z",
    "depth_min_m": 0,
    "depth_max_m": 1000,
}


def _images(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES and path.is_file())
    if not found:
        raise NotFoundError("there is no image in this folder", where=folder, do="unpack the set there")
    return found


def _classes(folder: Path, _: Path) -> pl.DataFrame:
    """The folder an image lies in is its class."""
    rows = [(path.relative_to(folder).as_posix(), path.parent.name) for path in _images(folder)]
    return pl.DataFrame(rows, schema=["file", "label"], orient="row")


def _whoi(folder: Path, work: Path) -> pl.DataFrame:
    """As classes; the bin, a sample, stands in the name before the last underscore."""
    stem = pl.col("file").str.split("/").list.last().str.replace(r"\.[^.]*$", "")
    return _classes(folder, work).with_columns(sample_id=stem.str.replace(r"_[0-9]+$", ""))


def _seanoe(folder: Path, _: Path) -> pl.DataFrame:
    """taxa.csv.gz: objid, taxon_level1, taxon_level2, set (train, val, test), img_path."""
    found = [path for name in ("taxa.csv.gz", "taxa.csv") for path in sorted(folder.rglob(name))]
    if not found:
        raise NotFoundError("there is no taxa.csv.gz in this folder", where=folder, do="unpack the archive there")
    table = _csv(found[0], {"objid", "taxon_level1", "img_path"})
    more = {"split": pl.col("set")} if "set" in table.columns else {}
    lineage = {"lineage": pl.col("lineage_level1")} if "lineage_level1" in table.columns else {}
    name = pl.col("img_path").str.split("/").list.last()
    rows = table.select(file=name, label=pl.col("taxon_level1"), **more, **lineage)
    return rows.filter(pl.col("file").is_in([path.name for path in _images(folder)]))


def _planktonzilla(folder: Path, work: Path) -> pl.DataFrame:
    """Parquet files whose `image` holds the bytes of a file; they are written out under numbers of their own."""
    files = sorted(folder.rglob("*.parquet"))
    if not files:
        raise NotFoundError("there are no Parquet files in this folder", where=folder, do="save the set there")
    out = work / "images"
    out.mkdir(exist_ok=True)
    parts = [_unpacked(path, number, out) for number, path in enumerate(files)]
    return pl.concat(parts, how="diagonal_relaxed")


_COLUMNS = {
    "Latitude": "latitude", "Longitude": "longitude", "Depth_min": "depth_min_m", "Depth_max": "depth_max_m",
    "timestamp": "time_utc", "dataset": "project", "original_label": "original_label", "split": "split",
    "instrument": "instrument", "pixel_um": "pixel_um",
}  # fmt: skip


def _unpacked(path: Path, number: int, out: Path) -> pl.DataFrame:
    """Write the images of one file, and return their rows."""
    frame = pl.read_parquet(path)
    if not isinstance(frame.schema.get("image"), pl.Struct) or not {"proposed_label", "original_label"} & set(
        frame.columns
    ):
        do = "columns: image (bytes and path), proposed_label or original_label"
        raise FormatError("this is no part of Planktonzilla", where=path, do=do)
    names = []
    for row, picture in enumerate(frame["image"]):
        data = picture.get("bytes") if picture else None
        suffix = Path(str((picture or {}).get("path") or ".png")).suffix.lower()
        name = f"{number:05d}-{row:07d}{suffix if suffix in _SUFFIXES else '.png'}"
        if not data or len(data) > _MOST_BYTES:
            raise FormatError(f"row {row} has no image, or one beyond {_MOST_BYTES >> 20} MiB", where=path)
        (out / name).write_bytes(data)
        names.append(name)
    label = pl.coalesce(*(name for name in ("proposed_label", "original_label") if name in frame.columns))
    kept = {new: pl.col(old) for old, new in _COLUMNS.items() if old in frame.columns}
    return frame.select(file=pl.Series(names), label=label, **kept)


def _csv(path: Path, needed: set[str]) -> pl.DataFrame:
    try:
        table = pl.read_csv(path, infer_schema=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise FormatError(f"the table cannot be read: {error}", where=path) from error
    if missing := needed - set(table.columns):
        raise FormatError(f"the table lacks {', '.join(sorted(missing))}", where=path)
    return table


PUBLIC: dict[str, Public] = {
    "ndsb": Public("PlanktonSet 1.0 (NDSB)", _classes, "ISIIS", 68.0, "doi: 10.7289/V5D21VJD"),
    "whoi": Public("WHOI-Plankton", _whoi, "IFCB", 0.294, "doi: 10.1575/1912/7341"),
    "seanoe": Public(
        "Plankton images of SEANOE (Panaïotis et al. 2026)", _seanoe, card="doi: 10.5194/essd-18-945-2026"
    ),
    "planktonzilla": Public("Planktonzilla-17M", _planktonzilla, card="doi: 10.48550/arXiv.2606.00080"),
    "classes": Public("Images in class folders", _classes),
}
"""Name → layout."""
