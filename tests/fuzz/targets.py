"""What is attacked: for each reader a writer of a valid miniature. A new reader is one line in `TARGETS`."""

from __future__ import annotations

import functools
import json
import shutil
import struct
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import xxhash

from tests.make import ecotaxa, flowcam, fluxes, folders, frames, ifcb, ifdo, stacks, zooprocess
from tests.make.datasets import miniature
from tests.make.images import random_image
from tests.make.packing import pack

__all__ = ["TARGETS", "Target"]


@dataclass(frozen=True)
class Target:
    """A reader, and a valid file or folder for it.

    Args:
        write: writes the miniature to a path.
        read: reads it.
        name: of the file or folder; the suffix may matter to the reader.
        mend: makes a changed file right again where a checksum would stop every change at the door.
        only: pattern of the files in a folder that are changed.
    """

    write: Callable[[Path], object]
    read: Callable[[Path], object]
    name: str = "source"
    mend: Callable[[bytes], bytes] | None = None
    only: str = "*"

    @functools.cached_property
    def seed(self) -> Path:
        """The miniature, written once in this process."""
        path = Path(tempfile.mkdtemp(prefix="aqqua-fuzz-")) / self.name
        self.write(path)
        return path

    def copy(self, folder: Path) -> Path:
        """The miniature, once more, in a folder."""
        target = folder / self.name
        (shutil.copytree if self.seed.is_dir() else shutil.copyfile)(self.seed, target)
        return target


def read_source(path: Path) -> None:
    """What an ingest does with a source, without writing: recognise, read, harmonise, decode."""
    from aqqua.metadata.card import Card
    from aqqua.metadata.harmonise import harmonise
    from aqqua.sources import recognise
    from aqqua.sources.archive import Tree
    from aqqua.sources.cards import card_for

    tree = Tree(path)
    card = card_for(tree, None, Card())
    reader = recognise(tree)
    tree.fingerprint()
    for part in reader.parts(tree)[:3]:
        part.estimate()
        frame = part.read(0, 40).frame
        usable = frame.filter(pl.col("_reason").is_null())
        if usable.is_empty():
            continue
        harmonise(usable, source=reader.name, card=card)
        for row in usable.head(6).select(part.needs).iter_rows(named=True):
            part.mask(row)
        for _ in part.pictures(usable.head(6)):
            pass


def read_dataset(path: Path) -> None:
    """What is done with a dataset of others: verify it, then read it only if all is well."""
    from aqqua.store.dataset import Dataset
    from aqqua.store.verify import verify

    dataset = Dataset.open(path)
    if any(finding.severity == "error" for finding in verify(dataset, 2)):
        return
    dataset.metadata()
    dataset.labels()
    dataset.images(dataset.metadata([])["uid"].to_list()[:3])


def read_dataset_tables(path: Path) -> None:
    """The tables of a dataset that nobody verified."""
    from aqqua.store.dataset import Dataset

    dataset = Dataset.open(path)
    len(dataset)
    assert dataset.card is not None
    dataset.labels()
    dataset.rejected()
    dataset.findings()
    dataset.metadata(["object_id", "latitude"])
    for uid in dataset.metadata([])["uid"].to_list()[:2]:
        dataset.row(uid)
        dataset.raw([uid])


def write_manifest_only(path: Path) -> None:
    folder = Path(tempfile.mkdtemp(prefix="aqqua-fuzz-")) / "d"
    dataset = miniature(folder, (4, 3))
    shutil.copyfile(folder / "manifest" / f"v{dataset.snapshot:06}.parquet", path)


def read_manifest_only(path: Path) -> None:
    from aqqua.store.manifest import read_manifest

    root = path.parent
    (root / "manifest").mkdir(exist_ok=True)
    shutil.copyfile(path, root / "manifest" / "v000001.parquet")
    for shard in read_manifest(root, 1).shards:
        assert shard.images.is_relative_to(root)


def unsealed(data: bytes) -> bytes:
    """A Parquet file of ours without its seal, so that what is behind it is attacked."""
    return data.replace(b'"seal": "xxh3:', b'"sea_": "xxh3:')


def read_lmdb(path: Path) -> None:
    """A third-party shard: its structure is verified before LMDB sees it."""
    from lmdb.verify import VerifyError, verify

    from aqqua.errors import FormatError
    from aqqua.store.codec import decode
    from aqqua.store.images import ShardReader

    try:
        if verify(str(path), subdir=False):
            return
    except (VerifyError, OSError, ValueError):
        return
    reader = ShardReader(path)
    try:
        for key, value in reader.visit():
            try:
                decode(value, where=key)
            except FormatError:
                continue
    finally:
        reader.close()


def write_lmdb(path: Path) -> None:
    from aqqua.store.codec import encode
    from aqqua.store.images import write_shard

    rng = np.random.default_rng(0)
    write_shard(path, [encode(random_image(rng, side=30)) for _ in range(12)])


def write_record(path: Path, **kind: object) -> None:
    from aqqua.store.codec import encode

    rng = np.random.default_rng(0)
    path.write_bytes(encode(random_image(rng, side=40, **kind)))  # type: ignore[arg-type]


def read_value(path: Path) -> None:
    from aqqua.store.codec import decode

    decode(path.read_bytes(), shape=(40, 40), dtype="uint8")


def signed(data: bytes) -> bytes:
    """A record whose checksum is right, whatever is in it."""
    chunk = data[:-16]
    return chunk + data[-16:-8] + struct.pack("<Q", xxhash.xxh3_64_intdigest(chunk)) if len(data) > 16 else data


def write_cframe(path: Path, **more: object) -> None:
    import blosc2

    pixels = np.random.default_rng(0).integers(0, 30, (40, 40), np.uint8)
    path.write_bytes(blosc2.asarray(pixels, chunks=(20, 20), blocks=(10, 10), **more).to_cframe())


def write_tensor(path: Path) -> None:
    import blosc2

    pixels = np.random.default_rng(0).integers(0, 30, (40, 40), np.uint8)
    packed = blosc2.pack_tensor(pixels)
    assert isinstance(packed, bytes)
    path.write_bytes(packed)


def read_card(path: Path) -> None:
    from aqqua.metadata.card import Card

    Card.load(path)


def write_mapping(path: Path) -> None:
    from aqqua.metadata import mapping

    shutil.copyfile(Path(mapping.__file__).parents[1] / "sources" / "mappings" / "ifcb.yaml", path)


def read_mapping(path: Path) -> None:
    from aqqua.metadata.mapping import InstrumentMapping

    InstrumentMapping.parse(path.read_bytes().decode("utf-8", "replace"), where=str(path))


def write_table(path: Path) -> None:
    """Images with a table beside them."""
    folders.write_classes(path)
    lines = ["file,lat,lon,depth,label"]
    lines += [f"copepod/copepod_{n}.png,5{n}.5,10.{n},12,Calanus" for n in range(3)]
    (path / "table.csv").write_text("\n".join(lines) + "\n")


def write_model(path: Path) -> None:
    path.mkdir()
    text = json.dumps({"format": "aqqua model", "model_id": "m", "data": [{"shards": ["a"], "path": "x"}]})
    for name in ("model.json", "heads.json", "data.json"):
        (path / name).write_text(text)


def read_models(path: Path) -> None:
    from aqqua.store.lineage import _models

    list(_models(path, {"a"}))


def read_uid_list(path: Path) -> None:
    from aqqua.store.withdraw import read_uids

    read_uids(path)


def write_r_table(path: Path) -> None:
    frame = pl.DataFrame({"lon": [1.5, None], "n": [1, 2], "model": pl.Series(["a", None], dtype=pl.Categorical)})
    fluxes.write_rdata(path, {"flux": frame}, packed=False)


def read_r_table(path: Path) -> None:
    from aqqua.maps.flux.rdata import read_rdata

    read_rdata(path)


def write_trap_text(path: Path) -> None:
    row = {"latitude": 50, "longitude": -145, "depth": 200, "start": "1991-07-18T00:00:00", "days": 3, "flux": 12.5}
    fluxes.write_pangaea(path, [row, row | {"days": 17}])


def read_measured(path: Path) -> None:
    from aqqua.maps.flux.traps import read_traps

    read_traps(path)


def write_relation(path: Path) -> None:
    from aqqua.maps.flux.model import PRESETS, write_model

    write_model(PRESETS["guidi2008"], path, {})


def read_relation(path: Path) -> None:
    from aqqua.maps.flux.model import read_model

    read_model(path)


def _package(flavour: str) -> Callable[[Path], object]:
    return lambda path: ecotaxa.write_package(path, ecotaxa.FLAVOURS[flavour])


def _stack(suffix: str) -> Callable[[Path], object]:
    arrays = {"images": stacks.stack(), **stacks.columns()}
    return lambda path: stacks.write(path / f"cells{suffix}", arrays)


def _dataset(path: Path) -> None:
    dataset = miniature(path, (4, 3))
    dataset.add_tombstones([1], "blurred").add_labels(pl.DataFrame({"uid": [0], "label": ["Calanus"]}))


PICTURES = frames.frames()
ITEMS = {name: [{"image-latitude": 54.3, "image-longitude": 10.2, "image-altitude-meters": -5}] for name in PICTURES}


def _annotated(name: str, told: bytes) -> Callable[[Path], object]:
    return lambda path: pack(path, frames.files_of(PICTURES) | {name: told})


TARGETS: dict[str, Target] = {
    "ecotaxa tsv": Target(_package("import"), read_source),
    "ecotaxa zip": Target(_package("general"), read_source, "export.zip"),
    "ecotaxa legacy": Target(_package("legacy_comma"), read_source),
    "ifcb bin": Target(ifcb.write_bin, read_source),
    "folder with card": Target(folders.write_classes, read_source),
    "folder with table": Target(write_table, read_source),
    "zip": Target(folders.write_classes, read_source, "images.zip"),
    "flowcam": Target(flowcam.write_run, read_source),
    "zooprocess": Target(lambda path: zooprocess.write_scan(path, scan=".tif"), read_source),
    "coco": Target(frames.write_coco, read_source),
    "yolo": Target(lambda path: pack(path, frames.files_of(PICTURES, "images/") | frames.yolo()), read_source),
    "squidle": Target(_annotated("annotations.csv", frames.squidle()), read_source),
    "biigle": Target(_annotated("report.csv", frames.biigle()), read_source),
    "ifdo": Target(lambda path: ifdo.write_set(path, ITEMS), read_source),
    "ifdo json": Target(lambda path: ifdo.write_set(path, ITEMS, kind="json"), read_source),
    "npz": Target(_stack(".npz"), read_source),
    "hdf5": Target(_stack(".h5"), read_source),
    "record": Target(write_record, read_value, "value", signed),
    "record 16 bit": Target(functools.partial(write_record, dtype="uint16"), read_value, "value", signed),
    "record trailer": Target(write_record, read_value, "value"),
    "cframe": Target(write_cframe, read_value, "value"),
    "pack_tensor": Target(write_tensor, read_value, "value"),
    "lmdb": Target(write_lmdb, read_lmdb, "images.mdb"),
    "manifest": Target(write_manifest_only, read_manifest_only, "m.parquet", unsealed),
    "dataset": Target(_dataset, read_dataset),
    "dataset tables": Target(_dataset, read_dataset_tables, only="*.parquet", mend=unsealed),
    "dataset texts": Target(_dataset, read_dataset_tables, only="*[!.][!m]*[!bt]"),
    "card": Target(lambda path: path.write_text(folders.CARD), read_card, "card.yaml"),
    "mapping": Target(write_mapping, read_mapping, "ifcb.yaml"),
    "model": Target(write_model, read_models),
    "file of r": Target(write_r_table, read_r_table, "a.Rdata"),
    "traps": Target(write_trap_text, read_measured, "GO_flux.tab"),
    "calibration of flux": Target(write_relation, read_relation, "c.json"),
    "list of images": Target(lambda path: path.write_text("uid,why\n3,x\n4,y\n"), read_uid_list, "u.csv"),
}
