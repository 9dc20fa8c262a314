"""A trained model as others can use and judge it: weights, a card for people and one for machines, every file's hash.

Nothing on the card is made up: what the run, the datasets' cards and a benchmark file do not say stands there as not
stated or not measured. A model that learned from data whose owners do not want that is not released.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from aqqua import __version__
from aqqua.errors import ConfigError, FormatError, NotFoundError, StorageError
from aqqua.export import ExportReport
from aqqua.export.model_about import About, read_about
from aqqua.export.model_facts import benchmark, carbon, require_allowed, require_current, saw, terms, training
from aqqua.export.model_words import as_text
from aqqua.export.release.words import citation_cff, license_text
from aqqua.metadata.check import Finding
from aqqua.metadata.licences import LICENCES, UNKNOWN
from aqqua.models.released import (
    CARD,
    CARD_FORMAT,
    HEADS,
    HEADS_INFO,
    INFO,
    ONNX_FILES,
    ONNX_INFO,
    SUMS,
    WEIGHTS,
    read_json,
    sha256_of,
    tensors_hash,
)
from aqqua.store.atomic import storage

__all__ = ["export_model"]

TEXT, CITATION, LICENCE = "MODEL_CARD.md", "CITATION.cff", "LICENSE"


def export_model(
    folder: Path | str,
    out: Path | str,
    *,
    uids: Sequence[int] | None = None,
    model: str | None = None,
    about: Path | str | None = None,
    bench: Path | str | None = None,
    licence: str | None = None,
    version: str | None = None,
    doi: str | None = None,
    data: Sequence[Path | str] = (),
) -> ExportReport:
    """Write the release of a model.

    Args:
        folder: of the model, made by `aqqua train`.
        out: folder to write; it must not be there, or be empty.
        uids: not for models.
        model: not for models.
        about: YAML with what only people know: title, people, licence, doi …, as on the card of a dataset, and
            intended_use, limits and carbon, see `aqqua.export.model_about.About`.
        bench: what `aqqua bench MODEL --data … --json FILE` wrote.
        licence: of the weights (SPDX); wins over what `about` says, as version and doi do.
        version: of the release.
        doi: of the record, if one was reserved.
        data: the datasets as they are now: has anything been taken back since the training?

    Returns:
        The files, how many images the model saw, and what a reader should know.

    Raises:
        NotFoundError: there is no model.
        FormatError: the weights are not those of model.json.
        ConfigError: it learned from data whose card does not allow training or that were withdrawn, or the benchmark is
            of another model.
        StorageError: `out` is not empty.
    """
    if uids is not None or model is not None:
        raise ConfigError("a model is released as a whole", do="aqqua export MODEL --to model --out FOLDER")
    folder, out = Path(folder), Path(out)
    info, heads = _read(folder)
    said = _with(read_about(about), licence, version, doi)
    require_allowed(info, heads, folder)
    since = require_current(info, heads, data)
    card = _card(info, heads, said, Path(bench) if bench else None)
    card["warnings"] += since
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise StorageError("the folder of the release is not empty", where=out, do="choose another one")
    with storage(out):
        out.mkdir(parents=True, exist_ok=True)
        _write(folder, out, card, said, heads is not None)
    notes = [Finding("warning", "model_card", text, where=str(out / TEXT)) for text in card["warnings"]]
    return ExportReport(sorted(path for path in out.iterdir()), card["saw"]["images"], notes)


def _with(said: About, licence: str | None, version: str | None, doi: str | None) -> About:
    card = said.card
    changed = replace(card, licence=licence or card.licence, version=version or card.version, doi=doi or card.doi)
    return replace(said, card=changed)


def _read(folder: Path) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """What model.json says, and heads.json if there are heads; verified."""
    if not (folder / INFO).is_file() or not (folder / WEIGHTS).is_file():
        raise NotFoundError("there is no model in this folder", where=folder, do="make one with: aqqua train")
    info = read_json(folder / INFO)
    if info.get("format") != "aqqua model":
        raise FormatError(
            "this is not the model.json of an aqqua model", where=folder, do="give a folder made by train"
        )
    if tensors_hash(folder / WEIGHTS) != info.get("weights_sha256"):
        do = "copy the model again from where it was trained"
        raise FormatError("the weights are not those model.json describes", where=folder / WEIGHTS, do=do)
    return info, read_json(folder / HEADS_INFO) if (folder / HEADS).is_file() else None


def _card(info: dict[str, Any], heads: dict[str, Any] | None, said: About, bench: Path | None) -> dict[str, Any]:
    """The card without its list of files."""
    seen, rights = saw(info, heads), terms(info, heads, said.card.licence)
    trained = training(info)
    cost = carbon(trained, said)
    measured = benchmark(bench, info) if bench else None
    return {
        "format": CARD_FORMAT,
        "format_version": 1,
        "model_id": info["model_id"],
        "title": said.card.title or str(info["model_id"]),
        "version": said.card.version,
        "abstract": said.card.abstract,
        "doi": said.card.doi,
        "citation": said.card.citation,
        "licence": said.card.licence,
        "people": list(said.card.to_dict().get("people", [])),
        "contact": said.card.contact,
        "weights_sha256": info["weights_sha256"],
        "architecture": {"kind": info.get("architecture"), **info.get("config", {})},
        "vector_length": info.get("vector_length"),
        "preprocessing": info.get("preprocessing"),
        "preprocessing_hash": info.get("preprocessing_hash"),
        "intended_use": list(said.intended_use),
        "limits": list(said.limits),
        "saw": seen,
        "terms": rights,
        "training": trained,
        "benchmark": measured,
        "carbon": cost,
        "warnings": [*seen["warnings"], *rights["warnings"], *_missing(said, measured)],
        "trained_utc": info.get("created_utc"),
        "released_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "aqqua_version": __version__,
    }


def _missing(said: About, measured: dict[str, Any] | None) -> list[str]:
    told = []
    if not any(person.author for person in said.card.people):
        told.append("no author is named: write people into a file for --about")
    if said.card.licence == UNKNOWN:
        told.append("the weights have no licence, so nobody may use them: write licence into a file for --about")
    if measured is None:
        told.append("no benchmark is given: aqqua bench MODEL --data … --json FILE, then --bench FILE")
    return told


def _write(folder: Path, out: Path, card: dict[str, Any], said: About, with_heads: bool) -> None:
    """All files; the card last but one, because it names the others, and the list of sums last."""
    exported = [name for name in (ONNX_INFO, *ONNX_FILES.values()) if (folder / name).is_file()]
    for name in (WEIGHTS, INFO, *((HEADS, HEADS_INFO) if with_heads else ()), *exported):
        shutil.copyfile(folder / name, out / name)
    listed = {path.name: _entry(path) for path in sorted(out.iterdir())}
    day = str(card["released_utc"])[:10]
    _text(out / TEXT, as_text(card, listed))
    _text(out / CITATION, yaml.safe_dump(_citation(card, said, day), allow_unicode=True, sort_keys=False, width=110))
    if said.card.licence != UNKNOWN:
        _text(out / LICENCE, license_text(LICENCES[said.card.licence], said.card.licence))
    card = card | {"files": {path.name: _entry(path) for path in sorted(out.iterdir())}}
    _text(out / CARD, json.dumps(card, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    _text(out / SUMS, "".join(f"{sha256_of(path)}  {path.name}\n" for path in sorted(out.iterdir())))


def _citation(card: dict[str, Any], said: About, day: str) -> dict[str, Any]:
    identifier = f"https://doi.org/{said.card.doi}" if said.card.doi else f"sha256:{card['weights_sha256']}"
    told = citation_cff(said.card, LICENCES[said.card.licence], day, identifier)
    told |= {"title": card["title"], "message": "Please cite this model as follows."}
    told |= {"keywords": ["plankton", "foundation model", "marine imaging"]}
    if "authors" not in told:
        told["authors"] = [{"name": "authors not named"}]
    if said.card.licence == UNKNOWN:
        told.pop("license", None)
    return told


def _entry(path: Path) -> dict[str, Any]:
    return {"bytes": path.stat().st_size, "sha256": sha256_of(path)}


def _text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
