"""From sources to jobs: each makes one shard or few, in an order that depends on the sources alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import xxhash

from aqqua.errors import SourceError
from aqqua.metadata.card import Card
from aqqua.sources import recognise
from aqqua.sources.archive import Tree
from aqqua.sources.cards import OwnerTable
from aqqua.sources.curation import Curation
from aqqua.sources.part import Part

__all__ = ["Job", "Piece", "SourcePlan", "plan_source"]

_JOBS, _LEAST_ROWS = 16, 1 << 13


@dataclass(frozen=True)
class Piece:
    """Rows of a part: from `start` up to, not including, `stop` (None: to the end)."""

    part: Part
    start: int = 0
    stop: int | None = None


@dataclass(frozen=True)
class Job:
    """What one worker does at a time: some pieces of one source, sealed as one shard (more only if it gets too large).

    A source makes up to some sixteen jobs, so that a pool helps with one large source too; see `_job_rows`.

    Args:
        kind: name of the reader.
        source: the source, as people know it.
        fingerprint: of the source, the card and the tables.
        card: what the source does not say itself.
        tables: of the owner, to be joined.
        pieces: the rows, in order.
        shard_images: a shard gets no more images than this.
        seed: of the order within the shard.
        known: rows that are in the dataset already, as `source_path:source_row`.
        held: images that are there already if their pixels are the same, as `source_path:object_id:xxh3`.
        aloud: show how far it is.
        curation: what becomes of copies and footers.
    """

    kind: str
    source: str
    fingerprint: str
    card: Card
    tables: tuple[OwnerTable, ...]
    pieces: tuple[Piece, ...]
    shard_images: int
    seed: int
    known: frozenset[str] = frozenset()
    held: frozenset[str] = frozenset()
    aloud: bool = False
    curation: Curation = field(default_factory=Curation)


@dataclass(frozen=True)
class SourcePlan:
    """All that is to be done for one source."""

    path: Path
    source: str
    content: str
    fingerprint: str
    tables: tuple[OwnerTable, ...]
    jobs: tuple[Job, ...]


def plan_source(
    tree: Tree,
    kind: str | None,
    card: Card,
    tables: Sequence[OwnerTable],
    shard_images: int,
    *,
    aloud: bool = False,
    curation: Curation = Curation(),  # noqa: B008 frozen
) -> SourcePlan:
    """Recognise a source and cut it into jobs.

    Args:
        tree: the source.
        kind: name of the reader, if the user has said so.
        card: of the source.
        tables: of the owner.
        shard_images: a shard gets no more images than this.
        aloud: jobs show how far they are.
        curation: what becomes of copies and footers.

    Raises:
        SourceError: no reader, or several, recognise it, or there is nothing to read.
    """
    reader = recognise(tree, kind)
    parts = reader.parts(tree)
    if not parts:
        raise SourceError("there is nothing to read", where=tree.path, do=f"{reader.name} looks for {reader.looks_for}")
    content = tree.fingerprint() + _choice(tree)
    said = kind if kind and ":" in kind else reader.name  # with its options
    fingerprint = f"{content}-{_recipe(said, card, tables, curation)}"
    name = tree.path.name or tree.path.resolve().name
    name = f"{name}/{tree.only}" if tree.only else name  # files of one folder are sources of their own
    jobs = tuple(
        Job(
            kind=reader.name,
            source=name,
            fingerprint=fingerprint,
            card=card,
            tables=tuple(tables),
            pieces=pieces,
            shard_images=shard_images,
            seed=xxhash.xxh32_intdigest(f"{content}/{number}".encode()),
            aloud=aloud,
            curation=curation,
        )
        for number, pieces in enumerate(_packed(parts, shard_images))
    )
    return SourcePlan(tree.path, name, content, fingerprint, tuple(tables), jobs)


def _choice(tree: Tree) -> str:
    """A table or bin chosen from a folder is another source than the whole folder."""
    return f".{xxhash.xxh32_hexdigest(tree.only.encode())}" if tree.only else ""


def _recipe(kind: str, card: Card, tables: Sequence[OwnerTable], curation: Curation) -> str:
    """Eight digits that change with what is said about a source from outside."""
    digest = xxhash.xxh32(f"{kind}\0{json.dumps(card.to_dict(), sort_keys=True, default=str)}".encode())
    digest.update(curation.key.encode())
    for table in tables:
        digest.update(table.table.frame.write_csv().encode())
    return digest.hexdigest()


def _job_rows(total: int, shard_images: int) -> int:
    """How many rows a job gets: a source has at most some sixteen jobs, of a power of two of rows each.

    It depends on the source alone, not on who does the work, so the shards are the same with any engine and any number
    of workers.
    """
    share = -(-total // _JOBS)
    return min(shard_images, max(_LEAST_ROWS, 1 << (share - 1).bit_length()))


def _packed(parts: Sequence[Part], shard_images: int) -> Iterator[tuple[Piece, ...]]:
    """Fill jobs up to about as many rows as they get; a part that is larger is cut."""
    sizes = [part.estimate() for part in parts]
    limit = _job_rows(sum(sizes), shard_images)
    waiting: list[Piece] = []
    rows = 0
    for part, size in zip(parts, sizes, strict=True):
        if waiting and rows + size > limit:
            yield tuple(waiting)
            waiting, rows = [], 0
        starts = list(range(0, max(size, 1), limit))
        for start in starts[:-1]:
            yield (Piece(part, start, start + limit),)
        waiting.append(Piece(part, starts[-1]))
        rows += size - starts[-1]
    if waiting:
        yield tuple(waiting)


def held_key(row: Mapping[str, object], xxh3: object) -> str:
    """What an image is known by when its source has changed: its file, its object, and its pixels."""
    return f"{row['source_path']}:{row['object_id']}:{xxh3}"


def row_keys(frame: pl.DataFrame) -> pl.Series:
    """What a row is known by: its file and line."""
    return frame.select(
        pl.format("{}:{}", "source_path", pl.col("source_row").cast(pl.String).fill_null(""))
    ).to_series()
