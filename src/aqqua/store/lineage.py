"""Where did a source go? Shards, labels, masks, predictions, splits – and models and releases made from the dataset.

The question comes with a withdrawal: the owner of images asks what has to be made again without them. It can be asked
before and after the images were withdrawn, and after their bytes are gone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from aqqua.errors import AqquaError, NotFoundError
from aqqua.store.dataset import Dataset
from aqqua.store.identity import FILE_NAME
from aqqua.store.manifest import Shard
from aqqua.store.masks import MaskFile, mask_names, mask_path
from aqqua.store.moves import led, read_moves, read_withdrawn
from aqqua.store.rows import reading
from aqqua.store.withdraw import chosen

__all__ = ["Lineage", "lineage", "origin"]

_MODEL, _MODEL_CARD = "model.json", "model_card.json"
_MODEL_FILES = {"model.json": "learned", "heads.json": "heads", "data.json": "unfinished"}
_MAX_JSON_BYTES = 16 << 20
_ORIGIN = "aqqua_origin"
"""Raw column in which a merge of datasets keeps where each image was: identity/shard/key."""
_NO_TABLES_BY_UID = {"meta", "jobs", "explore", "moves", "manifest", "tombstones", "images", "masks"}


@dataclass(frozen=True)
class Lineage:
    """What contains a source, a sample or images.

    Args:
        about: what was asked for.
        dataset: path, uuid and snapshot.
        images: how many there are, those withdrawn but not yet compacted included.
        removed: how many of them are withdrawn, but still in the sealed files.
        erased: how many were withdrawn and are gone for good.
        shards: number, source, fingerprint, identity, images, and the files.
        tables: files of the dataset that have rows about them: labels, predictions, splits, quality …, each with the
            number of rows; predictions with their model, also those that are about other images, but by a model that
            learned from them.
        masks: files with masks of them.
        models: model folders that learned from shards with them (`learned`), took taxa from their labels (`heads`), or
            began to learn from them and have not ended (`unfinished`); and predictions in other datasets by models
            that learned from them (`predictions`). Released ones are marked.
        releases: other datasets, released models and documents that contain or name them.
    """

    about: dict[str, Any]
    dataset: dict[str, Any]
    images: int = 0
    removed: int = 0
    erased: int = 0
    shards: list[dict[str, Any]] = field(default_factory=list)
    tables: list[dict[str, Any]] = field(default_factory=list)
    masks: list[dict[str, Any]] = field(default_factory=list)
    models: list[dict[str, Any]] = field(default_factory=list)
    releases: list[dict[str, Any]] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        """All of it, to be read."""
        asked = ", ".join(f"{name} {value}" for name, value in self.about.items())
        lines = [
            f"{asked} in {self.dataset['path']} (snapshot {self.dataset['snapshot']}): {self.images:,} images, "
            f"{self.removed:,} of them withdrawn; {self.erased:,} more withdrawn and gone for good"
        ]
        for name in ("shards", "tables", "masks", "models", "releases"):
            entries = getattr(self, name)
            lines.append(f"{name}: {'none' if not entries else ''}".rstrip())
            lines += [f"  {_line(entry)}" for entry in entries]
        return "\n".join(lines)


def origin(dataset: Dataset) -> dict[str, Any]:
    """What a model keeps of a dataset it learned from, so that `lineage` finds it again."""
    card, shards = dataset.card, [shard for shard in dataset.shards if shard.n_images > shard.n_removed]
    return {
        "path": dataset.path.name,
        "uuid": dataset.uuid,
        "title": card.title,
        "licence": card.licence,
        "license_allows_training": card.license_allows_training,
        "doi": card.doi,
        "citation": card.citation,
        "snapshot": dataset.snapshot,
        "images": len(dataset),
        "instruments": _by_instrument(dataset),
        "shards": [shard.fingerprint for shard in shards],
        "identities": [shard.identity for shard in shards],
    }


def _by_instrument(dataset: Dataset) -> dict[str, int]:
    counts = dataset.metadata(["instrument"])["instrument"].fill_null("unknown").value_counts()
    return dict(sorted(counts.iter_rows()))


def lineage(
    dataset: Path | str | Dataset,
    *,
    source: str | None = None,
    sample: str | None = None,
    uids: Path | str | pl.Series | None = None,
    models: Sequence[Path | str] = (),
    releases: Sequence[Path | str] = (),
) -> Lineage:
    """Say what contains a source, a sample or images.

    Args:
        dataset: the dataset.
        source: name of the raw source.
        sample: a sample; with `source`, only of that source.
        uids: images: a series, or a file as for `withdraw`.
        models: folders in which to look for models, at any depth.
        releases: folders in which to look for datasets and documents, at any depth.

    Raises:
        UnknownNameError: there is no such source or sample, and never was.
        NotFoundError: a folder is not there, or an image is not in the dataset.
    """
    opened = dataset if isinstance(dataset, Dataset) else Dataset.open(dataset)
    meant = chosen(opened, source=source, sample=sample, uids=uids)
    erased = _erased(opened, source) if sample is None and uids is None else pl.DataFrame({"fingerprint": []})
    shards = list(_shards(opened, meant))
    fingerprints = {shard["fingerprint"] for shard in shards} | set(erased["fingerprint"])
    asked = {"source": source, "sample": sample, "uids": None if uids is None else len(meant)}
    about = {"path": str(opened.path), "uuid": opened.uuid, "snapshot": opened.snapshot}
    return Lineage(
        {name: value for name, value in asked.items() if value is not None},
        about,
        len(meant),
        len(meant.filter(~meant.is_in(opened.metadata([])["uid"].implode()))),
        len(erased),
        shards,
        list(_tables(opened, meant, fingerprints)),
        list(_masks(opened, meant)),
        [one for folder in models for one in _models(_there(folder), fingerprints)],
        [one for folder in releases for one in _releases(_there(folder), opened, fingerprints, shards)],
    )


def _erased(dataset: Dataset, source: str | None) -> pl.DataFrame:
    return read_withdrawn(dataset.path, dataset.snapshot).filter(pl.col("source") == source)


def _there(folder: Path | str) -> Path:
    if not Path(folder).is_dir():
        raise NotFoundError("there is no such folder", where=folder, do="give folders with models or releases in them")
    return Path(folder)


def _shards(dataset: Dataset, meant: pl.Series) -> Iterator[dict[str, Any]]:
    counts = dict((meant // (1 << 32)).value_counts().iter_rows())
    for shard in dataset.shards:
        if count := counts.get(shard.number):
            yield {
                "number": shard.number,
                "images": count,
                "of": shard.n_images,
                "source": shard.source,
                "fingerprint": shard.fingerprint,
                "identity": shard.identity,
                "files": [_name(path, dataset) for path in (shard.images, shard.converted, shard.raw)],
            }


def _tables(dataset: Dataset, meant: pl.Series, fingerprints: set[str]) -> Iterator[dict[str, Any]]:
    """Parquet files with a column `uid` that have rows about the images, and predictions by models that saw them."""
    infos = (dataset.path / "predictions").glob(f"*/{_MODEL}")
    learned = {path.parent.name for path in infos if _seen(_json(path).get("learned_from"), fingerprints)}
    moves = read_moves(dataset.path, dataset.manifest.moves)
    for path in sorted(dataset.path.rglob("*.parquet")):
        inside = path.relative_to(dataset.path).parts
        if inside[0] in _NO_TABLES_BY_UID:
            continue
        with reading(path):
            if "uid" not in pl.read_parquet_schema(path):
                continue
            found = led(pl.read_parquet(path, columns=["uid"]), moves, dataset.shards)["uid"]
        rows = int(found.is_in(meant.implode()).sum())
        taught = inside[0] == "predictions" and inside[1] in learned
        if rows or taught:
            model = {"model": inside[1]} if inside[0] == "predictions" else {}
            how = {"by": "a model that learned from them"} if taught else {}
            yield {"kind": inside[0], **model, "file": "/".join(inside), "rows": rows, **how}


def _masks(dataset: Dataset, meant: pl.Series) -> Iterator[dict[str, Any]]:
    wanted = {number: set(keys) for number, keys in _keys(meant)}
    for name in mask_names(dataset.path):
        for shard in dataset.shards:
            file = MaskFile.of(mask_path(dataset.path, name, shard.number)) if shard.number in wanted else None
            if file and (count := sum(1 for _ in file.reader().visit_sparse(wanted[shard.number]))):
                yield {"name": name, "file": _name(file.path, dataset), "masks": count}


def _keys(meant: pl.Series) -> Iterator[tuple[int, list[int]]]:
    frame = pl.DataFrame({"shard": meant // (1 << 32), "key": meant % (1 << 32)})
    yield from frame.group_by("shard").agg("key").iter_rows()


def _models(folder: Path, fingerprints: set[str]) -> Iterator[dict[str, Any]]:
    """Models that learned from a shard of these sources, or whose heads did."""
    for path in sorted({path.parent for name in _MODEL_FILES for path in folder.rglob(name)}):
        info = _json(path / _MODEL)
        noted = [(how, _json(path / name).get("data")) for name, how in _MODEL_FILES.items()]
        if info.get("data"):
            noted = [one for one in noted if one[0] != "unfinished"]  # the training has ended: its model says the same
        for how, data in [*noted, ("predictions", info.get("learned_from"))]:
            for entry, count in _seen(data, fingerprints):
                told = {"model": info.get("model_id"), "folder": str(path), "how": how, **_release(path)}
                yield told | {"dataset": entry.get("path"), "snapshot": entry.get("snapshot"), "shards": count}


def _seen(data: Any, fingerprints: set[str]) -> list[tuple[dict[str, Any], int]]:
    """Those entries of a list of origins that have some of the shards, and how many."""
    entries = [entry for entry in data if isinstance(entry, dict)] if isinstance(data, list) else []
    shards = [entry.get("shards") for entry in entries]
    counts = [len(set(map(str, one)) & fingerprints) if isinstance(one, list) else 0 for one in shards]
    return [(entry, count) for entry, count in zip(entries, counts, strict=True) if count]


def _release(folder: Path) -> dict[str, Any]:
    """What marks a model folder as a released one."""
    card = _json(folder / _MODEL_CARD)
    if card.get("format") != "aqqua model card":
        return {}
    return {
        "released": card.get("title") or card.get("model_id"),
        "version": card.get("version"),
        "doi": card.get("doi"),
    }


def _releases(
    folder: Path, dataset: Dataset, fingerprints: set[str], shards: Sequence[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Datasets with the same shards or sources, models, and documents that name the dataset or a source by its hash."""
    identities = {shard["identity"] for shard in shards}
    origins = [f"{dataset.uuid}/{shard['number']}/" for shard in shards]
    datasets = {path.parent for path in folder.rglob(FILE_NAME)}
    models = {path.parent for path in folder.rglob(_MODEL_CARD) if _release(path.parent)}
    for path in sorted(models):
        data = [_json(path / name).get("data") for name in (_MODEL, "heads.json")]
        if learned := [count for one in data for _, count in _seen(one, fingerprints)]:
            told = {"kind": "model", "path": str(path), "model": _json(path / _MODEL).get("model_id")}
            yield told | _release(path) | {"shards": max(learned)}
    for path in sorted(folder.rglob("*.json")):
        if dataset.path in path.resolve().parents or not path.is_file() or path.stat().st_size > _MAX_JSON_BYTES:
            continue
        if (path.name != FILE_NAME and datasets & set(path.parents)) or path.parent in models:
            continue  # the dataset or model it is of is told
        if path.name == FILE_NAME:
            try:
                other = Dataset.open(path.parent)
            except AqquaError:
                continue
            same = [shard for shard in other.shards if _is_from(shard, identities, fingerprints, origins)]
            if same:
                images = sum(shard.n_images - shard.n_removed for shard in same)
                yield {"kind": "dataset", "path": str(path.parent), "shards": len(same), "images": images}
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        if named := [word for word in (dataset.uuid, *sorted(fingerprints)) if word and word in text]:
            yield {"kind": "document", "path": str(path), "names": named}


def _is_from(shard: Shard, identities: set[str], fingerprints: set[str], origins: Sequence[str]) -> bool:
    """Whether a shard is one of ours, of one of our sources, or has images that were merged from our shards."""
    if shard.identity in identities or shard.fingerprint in fingerprints:
        return True
    try:
        if not origins or _ORIGIN not in pl.read_parquet_schema(shard.raw):
            return False
        raw = pl.scan_parquet(shard.raw).select(pl.col(_ORIGIN).str.contains_any(list(origins)).any())
        return bool(raw.collect().item())
    except (OSError, pl.exceptions.PolarsError):
        return False


def _json(path: Path) -> dict[str, Any]:
    """A small JSON file; nothing if there is none or it is no such file."""
    try:
        if path.stat().st_size > _MAX_JSON_BYTES:
            return {}
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _name(path: Path, dataset: Dataset) -> str:
    return path.relative_to(dataset.path).as_posix()


def _line(entry: dict[str, Any]) -> str:
    shown = {name: value for name, value in entry.items() if name not in {"files", "fingerprint", "identity"}}
    return ", ".join(f"{name} {value}" for name, value in shown.items() if value is not None)
