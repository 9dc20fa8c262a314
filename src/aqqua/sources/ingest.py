"""Read raw sources into a dataset (verb `aqqua ingest`).

Sources are recognised and cut into jobs; each job seals a shard in the dataset's journal (`jobs/`); when all are done,
one commit per source makes them part of the dataset. A run that was interrupted is simply run again: what is sealed is
not done again, a source that is in the dataset is not added twice, and with a better card or table only the rows that
were rejected before are tried again.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import polars as pl

from aqqua.errors import ConfigError, SourceError
from aqqua.metadata.card import Card
from aqqua.metadata.check import Finding
from aqqua.progress import say
from aqqua.scale import map_shards
from aqqua.sources import zips_beside
from aqqua.sources.aqqua_dataset import merge, merged_card
from aqqua.sources.archive import Tree
from aqqua.sources.build import JobResult, build_shard
from aqqua.sources.cards import card_for, check_card, refuse_mixed_rights, tables_for
from aqqua.sources.curation import Curation, Variants
from aqqua.sources.join import unmatched_rows
from aqqua.sources.part import PROBLEM
from aqqua.sources.plan import SourcePlan, held_key, plan_source, row_keys
from aqqua.sources.summary import IngestReport, merge_findings, reject_groups
from aqqua.store.dataset import Dataset
from aqqua.store.moves import read_withdrawn
from aqqua.store.rejects import REJECT_SCHEMA
from aqqua.store.shard import MAX_SHARD_IMAGES

__all__ = ["IngestReport", "ingest"]

_JOBS = "jobs"


def ingest(
    sources: Sequence[str | Path],
    dataset: str | Path,
    *,
    source: str | None = None,
    card: str | Path | Card | None = None,
    table: str | Path | None = None,
    fix: str | Path | None = None,
    labels: str | Path | None = None,
    taxa: str | Path | None = None,
    variants: Variants = "keep-raw",
    cut_footers: bool = False,
    where: Literal["here", "pool", "slurm", "ray"] = "here",
    workers: int | None = None,
    shard_images: int = MAX_SHARD_IMAGES,
    **engine_options: Any,
) -> IngestReport:
    """Read raw sources into a dataset, which is made if it is not there.

    Args:
        sources: folders, zips, raw files, or other datasets, which are merged.
        dataset: the dataset to make or to add to.
        source: name of the reader, if it cannot be recognised.
        card: what the sources do not say themselves; else `card.yaml` inside a source, `<source>.card.yaml` beside it,
            or the dataset's own.
        table: the owner's table, joined by file, object or sample; what it says wins over the source.
        fix: a table of corrections, which win over `table`.
        labels: the owner's table of what labels mean; wins over that of the card and the built-in names.
        taxa: a snapshot of taxa, as `aqqua taxa freeze` makes it.
        variants: of several copies of one image take the raw one where that is certain ("keep-raw"), or take "all".
        cut_footers: store images without burnt-in scale bars and footers; else pixels come in bit for bit.
        where: run here, in a process pool, on SLURM or on Ray.
        workers: how many processes or nodes.
        shard_images: a shard gets no more images than this.
        engine_options: of the engine, see `aqqua.scale.map_shards`.

    Returns:
        How many images came in, which rows did not and why.

    Raises:
        SourceError: a source is not recognised, or has nothing to read.
        UnsafeInputError: a source would escape its folder.
        ConfigError: the card or a table has a wrong entry.
        StorageError: the disk is full; the dataset is as before, and what was done is kept for the next run.
    """
    if isinstance(sources, (str, Path)):
        sources = [sources]
    if not sources or not 0 < shard_images <= MAX_SHARD_IMAGES:
        raise ConfigError(f"{len(sources)} sources, {shard_images} images a shard", do="give at least one of both")
    path = Path(dataset)
    stores, sources = _apart(sources, source)
    if stores and (table is not None or fix is not None):
        do = "ingest the raw sources with the table first, then merge"
        raise ConfigError("the metadata of a dataset are harmonised already: no table is joined to it", do=do)
    usual = Dataset.open(path).card if Dataset.is_at(path) else Card()
    tables = [given for given in (table, fix) if given is not None]
    given = {"labels": labels, "taxa": taxa}
    names: dict[str, Any] = {name: Path(path).absolute() for name, path in given.items() if path is not None}
    trees = [Tree(one) for one in sources]
    own = [replace(card_for(tree, card, usual), **names) for tree in trees]
    plans = [
        _plan(tree, source, its, tables, shard_images, Curation(variants, cut_footers), aloud=where == "here")
        for tree, its in zip(trees, own, strict=True)
    ]
    whole = usual if Dataset.is_at(path) else _first_card(plans, stores, card)
    said = [(tree.path, its) for tree, its in zip(trees, own, strict=True)]
    refuse_mixed_rights(whole, said + [(one.path, one.card) for one in stores])
    store = Dataset.open(path) if Dataset.is_at(path) else Dataset.create(path, whole)
    todo = list(_not_yet_in(store, plans))
    jobs = [(job, _journal(store, plan) / f"{number:06}") for plan in todo for number, job in enumerate(plan.jobs)]
    options = {"where": where, "workers": workers, **engine_options}
    outs = map_shards(build_shard, [job for job, _ in jobs], [out for _, out in jobs], what="Ingesting", **options)
    before = store
    store, results = _committed(store, todo, outs, named={tree.path.resolve() for tree in trees})
    for one in stores:
        store = merge(one, store, where=where, workers=workers, **engine_options)
    _tidy(store)
    skipped = [plan.path for plan in plans if plan.fingerprint not in {one.fingerprint for one in todo}]
    return _report(before, store, results, skipped)


def _committed(
    store: Dataset, todo: Sequence[SourcePlan], outs: Sequence[Path], *, named: set[Path]
) -> tuple[Dataset, list[JobResult]]:
    """Make what the jobs have left part of the dataset, source by source; nothing, if one of them gave nothing at all.

    Args:
        store: the dataset.
        todo: the sources.
        outs: what the jobs have left.
        named: all sources the user named.
    """
    done = dict(zip(outs, map(JobResult.load, outs), strict=True))
    results = [
        _gathered(store, plan, [done[out] for out in outs if out.parent == _journal(store, plan)], named)
        for plan in todo
    ]
    for plan, result in zip(todo, results, strict=True):
        store = store.commit(result.shards, rejects=result.rejects, findings=result.findings)
        _forget(store, plan)
    return store, results


def _apart(sources: Sequence[str | Path], reader: str | None) -> tuple[list[Dataset], list[str | Path]]:
    """The sources that are datasets themselves, and the others.

    Raises:
        ConfigError: a dataset was said to be something else.
    """
    stores = [Dataset.open(one) for one in sources if Dataset.is_at(one)]
    if stores and reader not in {None, "aqqua_dataset"}:
        raise ConfigError(f"this is a dataset, no source for the reader {reader}", where=stores[0].path)
    return stores, [one for one in sources if not Dataset.is_at(one)]


def _first_card(plans: Sequence[SourcePlan], stores: Sequence[Dataset], given: str | Path | Card | None) -> Card:
    """The card of a new dataset: that of its first source; of datasets what all their cards say."""
    if plans:
        return _about(plans[0].jobs[0].card)
    if given is not None:
        return given if isinstance(given, Card) else Card.load(given)
    return merged_card([one.card for one in stores])


def _report(before: Dataset, after: Dataset, results: Sequence[JobResult], skipped: list[Path]) -> IngestReport:
    """What came in between two snapshots of the dataset, and what did not."""
    rejects = pl.concat([pl.DataFrame(schema=REJECT_SCHEMA), *(result.rejects for result in results)])
    return IngestReport(
        images=len(after) - len(before),
        rejected=len(rejects.select("source_path", "source_row", "object_id").unique()),
        findings=merge_findings(finding for result in results for finding in result.findings),
        shards=len(after.shards) - len(before.shards),
        dataset=after,
        groups=reject_groups(rejects),
        skipped=skipped,
    )


def _plan(
    tree: Tree,
    source: str | None,
    own: Card,
    tables: list[str | Path],
    shard_images: int,
    curation: Curation,
    *,
    aloud: bool,
) -> SourcePlan:
    check_card(own)
    joined = tables_for(tree, own, tables)
    return plan_source(tree, source, own, joined, shard_images, aloud=aloud, curation=curation)


def _about(card: Card) -> Card:
    """What a source's card says about a dataset: not its constants, which would slip into sources added later."""
    return replace(card, defaults={}, overrides={}, table=None, labels=None, taxa=None)


def _journal(store: Dataset, plan: SourcePlan) -> Path:
    return store.path / _JOBS / plan.fingerprint


def _not_yet_in(store: Dataset, plans: Sequence[SourcePlan]) -> Iterator[SourcePlan]:
    """The plans without sources that are in the dataset with the same card and tables, or that are named twice.

    Where card or tables are others, the rows that came in before are left out. What was withdrawn stays out.
    """
    seen = {shard.fingerprint for shard in store.shards}
    withdrawn = read_withdrawn(store.path, store.snapshot)
    gone = set(withdrawn["fingerprint"].unique())
    for plan in plans:
        if plan.fingerprint in gone - seen:
            say(f"{plan.source}: was withdrawn, and stays out")
            _forget(store, plan)
            continue
        if plan.fingerprint in seen:
            say(f"{plan.source}: was ingested before, nothing to do")
            _forget(store, plan)
            continue
        seen.add(plan.fingerprint)
        known = _known_rows(store, plan, withdrawn)
        if known:
            say(f"{plan.source}: {len(known):,} images came in or were withdrawn before; rejected rows are tried again")
        elif plan.source in {shard.source for shard in store.shards}:
            say(f"{plan.source}: was ingested before with other content; images that are the same are passed over")
        held = _held(store, plan)
        yield replace(plan, jobs=tuple(replace(job, known=known, held=held) for job in plan.jobs))


def _known_rows(store: Dataset, plan: SourcePlan, withdrawn: pl.DataFrame) -> frozenset[str]:
    """Rows of the same source that are in the dataset, or were until they were withdrawn (whatever it holds now)."""
    shards = [shard for shard in store.shards if shard.fingerprint.startswith(f"{plan.content}-")]
    columns = ["source_path", "source_row"]
    tables = [pl.read_parquet(shard.converted, columns=columns) for shard in shards]
    same = pl.col("fingerprint").str.starts_with(f"{plan.content}-") | (pl.col("source") == plan.source)
    tables.append(withdrawn.filter(same).select(columns))
    return frozenset(key for table in tables for key in row_keys(table))


def _held(store: Dataset, plan: SourcePlan) -> frozenset[str]:
    """Images that came from a source of this name when it held something else: fewer files, say, or an older table."""
    columns = ["source_path", "object_id", "xxh3"]
    others = [shard for shard in store.shards if shard.source == plan.source]
    others = [shard for shard in others if not shard.fingerprint.startswith(f"{plan.content}-")]
    tables = [pl.read_parquet(shard.converted, columns=columns) for shard in others]
    return frozenset(held_key(row, row["xxh3"]) for table in tables for row in table.iter_rows(named=True))


def _gathered(store: Dataset, plan: SourcePlan, results: Sequence[JobResult], named: set[Path]) -> JobResult:
    """What all jobs of a source gave, and the rows of the owner's tables that found no image.

    Raises:
        SourceError: there was nothing to read, or a table fits no image at all.
    """
    findings = merge_findings(finding for result in results for finding in result.findings)
    findings += _unread(plan.path, named)
    rejects = [result.rejects for result in results]
    for number, owner in enumerate(plan.tables):
        used = set().union(*(result.used[number][0] for result in results))
        key = next((key for result in results if (key := result.used[number][1]) is not None), None)
        if key is None:
            _give_up(store, plan, f"no column of the table {owner.name} names images, objects or samples of the source")
        rest = unmatched_rows(owner.table, used, owner.name, key or "")
        told = rest.select("source_path", "source_row", "object_id", *PROBLEM).rename({n: n[1:] for n in PROBLEM})
        rejects.append(told.with_columns(pl.lit(None, pl.String).alias("raw")).select(*REJECT_SCHEMA))
    rows = sum(result.rows for result in results)
    together = pl.concat([pl.DataFrame(schema=REJECT_SCHEMA), *rejects]).unique(maintain_order=True)
    if rows == 0 and together.is_empty():
        _give_up(store, plan, "there is nothing to read: " + ("; ".join(f.message for f in findings) or "no rows"))
    return JobResult([shard for result in results for shard in result.shards], together, findings, rows)


def _unread(path: Path, named: set[Path]) -> list[Finding]:
    """What lies in a folder, and is neither read with it nor named as a source itself."""
    zips = [one for one in zips_beside(path) if one.resolve() not in named]
    if not zips:
        return []
    names = ", ".join(one.name for one in zips[:4]) + (" …" if len(zips) > 4 else "")
    what = f"zips in this folder are sources of their own and were not read: {names}"
    return [Finding("warning", "zips_not_read", what, str(path), len(zips), "name them as sources, too")]


def _give_up(store: Dataset, plan: SourcePlan, what: str) -> None:
    """Leave nothing of a source that cannot be ingested."""
    _forget(store, plan)
    _tidy(store)
    raise SourceError(what, where=plan.path, do="check the path and the table, then run again")


def _forget(store: Dataset, plan: SourcePlan) -> None:
    """Remove the journal of a source, also that of runs with another card."""
    for folder in (store.path / _JOBS).glob(f"{plan.content}-*"):
        shutil.rmtree(folder, ignore_errors=True)


def _tidy(store: Dataset) -> None:
    """Remove the journal if nothing is in it."""
    with contextlib.suppress(OSError):
        (store.path / _JOBS).rmdir()
