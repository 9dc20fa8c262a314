"""The work of one job: rows are read, joined, harmonised; images are read and sealed as a shard.

Whatever cannot be used becomes a reject with its reason; the rest goes on. A job's output is a folder with sealed
shards, `rejects.parquet` and `notes.json`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl

from aqqua.errors import AqquaError, FormatError, SourceError
from aqqua.metadata.check import Finding
from aqqua.metadata.harmonise import Harmonised, harmonise
from aqqua.progress import job as shown
from aqqua.sources.block import Block
from aqqua.sources.join import join_table
from aqqua.sources.part import PROBLEM, Part
from aqqua.sources.pixels import Picture
from aqqua.sources.plan import Job, Piece, held_key, row_keys
from aqqua.store.codec import encode, record
from aqqua.store.rejects import REJECT_SCHEMA
from aqqua.store.shard import SealedShard, ShardBuilder

__all__ = ["JobResult", "build_shard"]

_BLOCK_ROWS = 1 << 12
_BLOCK_BYTES = 32 << 20
_SHOWN = 256
"""Rows go to the shard by so many, or when their images are so large; progress is shown for so many."""
Mask = np.ndarray | SourceError | FormatError | None

_REJECTS, _NOTES = "rejects.parquet", "notes.json"


@dataclass
class JobResult:
    """What a job gave.

    Args:
        shards: sealed, in order.
        rejects: rows that did not get in.
        findings: what looked odd.
        rows: number of rows seen, those already in the dataset included.
        known: how many of them were in the dataset already.
        used: for each of the owner's tables the rows that found an image, and the column that was the key.
    """

    shards: list[SealedShard] = field(default_factory=list)
    rejects: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=REJECT_SCHEMA))
    findings: list[Finding] = field(default_factory=list)
    rows: int = 0
    known: int = 0
    used: list[tuple[set[int], str | None]] = field(default_factory=list)

    @classmethod
    def load(cls, folder: Path) -> JobResult:
        """Read what a finished job has left."""
        notes = json.loads((folder / _NOTES).read_text(encoding="utf-8"))
        shards = [SealedShard.load(folder / name) for name in notes["shards"]]
        if None in shards:
            raise FormatError(
                "a shard of an earlier run is not whole", where=folder, do="remove this folder, run again"
            )
        return cls(
            [shard for shard in shards if shard],
            pl.read_parquet(folder / _REJECTS),
            [Finding(**finding) for finding in notes["findings"]],
            notes["rows"],
            notes["known"],
            [(set(rows), key) for rows, key in notes["used"]],
        )


def build_shard(job: Job, out: Path) -> None:
    """Do one job: write the folder `out`.

    Raises:
        StorageError: the disk is full.
        ConfigError: the card has a wrong entry.
    """
    out.mkdir(parents=True, exist_ok=True)
    work = _Work(job, out)
    size = sum((piece.stop or piece.part.estimate()) - piece.start for piece in job.pieces)
    with shown(f"Reading {job.source}", size, unit="images") if job.aloud else nullcontext(_silent) as advance:
        for piece in job.pieces:
            work.do(piece, advance)
    work.finish()


def _silent(n: int = 1, note: str = "") -> None:
    """Show nothing."""


class _Work:
    """What one job has in hand."""

    def __init__(self, job: Job, out: Path) -> None:
        self.job, self.out = job, out
        self.result = JobResult(used=[(set(), None) for _ in job.tables])
        self.names: list[str] = []
        self.rejects: list[pl.DataFrame] = []
        self.provenance: dict[str, dict[str, None]] = {}
        self.samples: dict[str | None, int] = {}
        self.builder: ShardBuilder | None = None
        self.cut = 0

    def do(self, piece: Piece, advance: Callable[..., None]) -> None:
        """All rows of one piece."""
        part = _at_hand(self.job.fingerprint, piece.part)
        try:
            rows = part.read(piece.start, piece.stop)
        except (SourceError, FormatError) as error:
            self._refuse_part(part, error)
            return
        self.result.findings += rows.findings
        self.result.rows += rows.frame.height
        marked = self.job.curation.marked(part, self._joined(rows.frame), self.result.findings)
        frame = self._unknown(marked)
        self._refuse(frame.filter(pl.col("_reason").is_not_null()))
        usable = frame.filter(pl.col("_reason").is_null())
        if usable.is_empty():
            return
        told = harmonise(usable, source=self.job.kind, card=self.job.card)
        self.rejects.append(told.rejects)
        self.result.findings += told.findings
        for name, way in told.provenance.items():
            self.provenance.setdefault(name, {})[way] = None
        advance(rows.frame.height - told.converted.height)
        self._images(part, usable, told, advance)

    def finish(self) -> None:
        """Seal what is open and write what goes beside it."""
        self._seal()
        self.result.findings += self.job.curation.told(self.cut)
        rejects = pl.concat([pl.DataFrame(schema=REJECT_SCHEMA), *self.rejects])
        rejects.write_parquet(self.out / _REJECTS)
        notes = {
            "shards": self.names,
            "findings": [finding.to_dict() for finding in self.result.findings],
            "rows": self.result.rows,
            "known": self.result.known,
            "used": [(sorted(rows), key) for rows, key in self.result.used],
        }
        (self.out / _NOTES).write_text(json.dumps(notes), encoding="utf-8")

    def _unknown(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Without the rows that are in the dataset already."""
        if not self.job.known:
            return frame
        known = pl.Series([key in self.job.known for key in row_keys(frame)], dtype=pl.Boolean)
        self.result.known += int(known.sum())
        return frame.filter(~known)

    def _joined(self, frame: pl.DataFrame) -> pl.DataFrame:
        """With the columns of the owner's tables."""
        for number, owner in enumerate(self.job.tables):
            joined = join_table(frame, owner.table, owner.name)
            rows, key = self.result.used[number]
            self.result.used[number] = (rows | set(joined.used), key if joined.key is None else joined.key)
            self.result.findings += joined.findings
            frame = joined.frame
        return frame

    def _refuse(self, rows: pl.DataFrame) -> None:
        """Rows that their reader could not use."""
        if rows.height:
            told = rows.select("source_path", "source_row", "object_id", *PROBLEM).rename(
                {name: name[1:] for name in PROBLEM}
            )
            self.rejects.append(told.with_columns(_as_json(rows)).select(*REJECT_SCHEMA))

    def _images(self, part: Part, raw: pl.DataFrame, told: Harmonised, advance: Callable[..., None]) -> None:
        """Read and encode the images of harmonised rows, some thousand rows at a time."""
        converted = self._numbered(told.converted)
        clean = raw.drop(*PROBLEM)
        for first in range(0, converted.height, _BLOCK_ROWS):
            rows = converted[first : first + _BLOCK_ROWS]
            block = Block.of(rows, clean, told.labels)
            masks = _masks(part, block.raw)
            for number, picture in enumerate(part.pictures(block.raw)):
                self._image(block, number, picture, masks)
                if not number % _SHOWN:
                    advance(min(_SHOWN, rows.height - number))
            self._flush(block)

    def _image(
        self, block: Block, number: int, picture: Picture | SourceError | FormatError, masks: Callable[[int], Mask]
    ) -> None:
        """Encode an image; one that cannot be read, or that the format does not hold, becomes a reject."""
        try:
            if not isinstance(picture, Picture):
                raise picture
            whole, picture = picture, self.job.curation.picture(picture)
            self.cut += picture.pixels.shape != whole.pixels.shape
            encoded = record(picture.pixels)
        except (SourceError, FormatError) as error:
            self._refuse_image(block.raw[number], error)
            return
        if self.job.held and held_key(block.rows.row(number, named=True), encoded.xxh3) in self.job.held:
            self.result.known += 1
            return
        block.take(number, encoded, picture, self._mask(masks(number), picture, block.raw, number))
        room = self.job.shard_images - (len(self.builder) if self.builder else 0)
        if len(block.records) >= room or block.nbytes >= _BLOCK_BYTES:
            self._flush(block)

    def _mask(self, mask: Mask, picture: Picture, raw: pl.DataFrame, number: int) -> bytes | None:
        """The mask of an image as a value; one that cannot be used is a finding, and the image goes without."""
        if mask is None:
            return None
        if isinstance(mask, np.ndarray) and mask.shape == picture.pixels.shape[:2]:
            return encode(mask.astype(np.uint8) if mask.dtype == bool else mask)
        told = mask.what if isinstance(mask, AqquaError) else "it has another size than the image as it is stored"
        where = str(raw["image_path"][number])
        message = f"masks of objects that cannot be used: {told}; the images came in without"
        self.result.findings.append(Finding("warning", "mask_unusable", message, where))
        return None

    def _flush(self, block: Block) -> None:
        """Put what was read into the open shard, and seal it if it is full."""
        if not block.records:
            return
        builder = self._open()
        builder.add_records(block.records, *block.tables(), masks=block.masks)
        block.clear()
        if builder.full or len(builder) >= self.job.shard_images:
            self._seal()

    def _refuse_part(self, part: Part, error: AqquaError) -> None:
        """A whole table that cannot be read."""
        told = {
            "source_path": part.tree.where(part.name),
            "field": "table",
            "reason": f"the table cannot be used: {error.what}",
            "do": error.do or "",
        }
        self.rejects.append(pl.DataFrame([told], schema=REJECT_SCHEMA))

    def _refuse_image(self, raw: pl.DataFrame, error: AqquaError) -> None:
        told = raw.select(
            "source_path",
            "source_row",
            "object_id",
            pl.lit("image").alias("field"),
            pl.lit(_reason(error, raw)).alias("reason"),
            pl.lit(error.do or "").alias("do"),
        )
        self.rejects.append(told.with_columns(_as_json(raw)).select(*REJECT_SCHEMA))

    def _numbered(self, converted: pl.DataFrame) -> pl.DataFrame:
        """Samples numbered throughout the shard, not table by table."""
        for name in converted["sample_id"].unique(maintain_order=True).to_list():
            self.samples.setdefault(name, len(self.samples))
        numbers = [self.samples[name] for name in converted["sample_id"].to_list()]
        return converted.with_columns(pl.Series("sample_idx", numbers, pl.Int32))

    def _open(self) -> ShardBuilder:
        if self.builder is None:
            name = f"shard-{len(self.names)}"
            self.names.append(name)
            self.builder = ShardBuilder(
                self.out / name, source=self.job.source, fingerprint=self.job.fingerprint, seed=self.job.seed
            )
        return self.builder

    def _seal(self) -> None:
        if self.builder is not None:
            self.builder.seal({name: "; ".join(ways) for name, ways in self.provenance.items()})
            self.builder = None


_last_part: list[tuple[str, Part]] = []


def _at_hand(fingerprint: str, part: Part) -> Part:
    """A copy of the part, to be worked with; the same one as before, if it is the same part.

    So a folder is listed once for all jobs of this process, and what a part has read goes when the next part comes.
    """
    if _last_part != [(fingerprint, part)]:
        _last_part[:] = [(fingerprint, replace(part))]
    return _last_part[0][1]


def _masks(part: Part, raw: pl.DataFrame) -> Callable[[int], Mask]:
    """Gives the mask of a row by its number; readers without masks cost nothing."""
    if type(part).mask is Part.mask:
        return _no_mask
    rows = raw.select(part.needs).rows(named=True)

    def read(number: int) -> Mask:
        try:
            return part.mask(rows[number])
        except (SourceError, FormatError) as error:
            return error

    return read


def _no_mask(_: int) -> Mask:
    return None


def _as_json(rows: pl.DataFrame) -> pl.Series:
    own = [name for name in rows.columns if not name.startswith("_")]
    return rows.select(pl.struct(own).struct.json_encode().alias("raw")).to_series()


def _reason(error: AqquaError, raw: pl.DataFrame) -> str:
    """What is wrong with an image; the path of the image, where the row is of a table."""
    image = raw["image_path"][0]
    return error.what if str(raw["source_path"][0]).endswith(image) else f"{error.what} ('{image}')"
