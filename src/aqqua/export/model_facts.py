"""The facts on a model's card: what it saw and under which terms, how it was trained, measured, and paid for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from aqqua.errors import ConfigError, FormatError
from aqqua.export.model_about import About
from aqqua.metadata.licences import LICENCES, UNKNOWN, may_pass_into
from aqqua.models.released import read_json
from aqqua.store.dataset import Dataset

__all__ = ["benchmark", "carbon", "require_allowed", "require_current", "saw", "terms", "training"]

_TOLD = ("title", "path", "uuid", "snapshot", "licence", "license_allows_training", "doi", "citation", "images")


def require_allowed(info: Mapping[str, Any], heads: Mapping[str, Any] | None, folder: Path) -> None:
    """Refuse a model that learned from data whose owners do not want that.

    Raises:
        ConfigError: it did; the datasets are named.
    """
    for what, data, do in (
        ("the model", _entries(info), "train again without them: aqqua train leaves them out"),
        ("the heads", _entries(heads), "remove heads.json and heads.safetensors, or make them anew by aqqua predict"),
    ):
        names = sorted({_name(entry) for entry in data if entry.get("license_allows_training") is False})
        if names:
            told = f"{what} learned from data whose card does not allow training: {', '.join(names)}"
            raise ConfigError(told, where=folder, do=do)


def require_current(info: Mapping[str, Any], heads: Mapping[str, Any] | None, data: Sequence[Path | str]) -> list[str]:
    """Compare what was noted at the training with the datasets as they are now.

    Args:
        info: model.json.
        heads: heads.json, if there are heads.
        data: the datasets, or some of them.

    Returns:
        What should be looked at: sources of which some images were withdrawn, datasets the model never saw.

    Raises:
        ConfigError: owners have taken back their permission to train, or whole sources, since.
    """
    entries, told = [*_entries(info), *_entries(heads)], []
    for path in data:
        dataset = Dataset.open(path)
        mine = [entry for entry in entries if entry.get("uuid") == dataset.uuid]
        seen = {str(name) for entry in mine for name in entry.get("shards", [])}
        if not mine:
            told.append(f"the model has not seen the dataset {dataset.card.title or dataset.path.name}")
        elif dataset.card.license_allows_training is False:
            what = f"the owners of {dataset.card.title or dataset.path.name} do not allow training any more"
            raise ConfigError(what, where=dataset.path, do="train again without it: aqqua train leaves it out")
        live = {shard.fingerprint: shard for shard in dataset.shards if shard.n_images > shard.n_removed}
        if gone := seen - live.keys():
            what = f"the model learned from {len(gone)} shard{'s' * (len(gone) != 1)} withdrawn since"
            raise ConfigError(what, where=dataset.path, do="train again: withdrawn images are left out")
        if partly := sorted({live[name].source for name in seen if live[name].n_removed}):
            told.append(f"some images were withdrawn from {', '.join(partly)}; the model may have seen them")
    return told


def saw(info: Mapping[str, Any], heads: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the model learned from, and what its heads took their labels from."""
    data, taught = _entries(info), _entries(heads)
    instruments: Counter[str] = Counter()
    for entry in data:
        counts = entry.get("instruments")
        known = counts if isinstance(counts, dict) else {"not recorded": entry.get("images", 0)}
        instruments.update({str(name): int(count) for name, count in known.items()})
    warnings = [] if data else ["nobody recorded what the model learned from"]
    if heads is not None and not taught:
        warnings.append("nobody recorded of which datasets the labels are that the heads learned from")
    return {
        "datasets": [_dataset(entry) for entry in data],
        "images": sum(int(entry.get("images", 0)) for entry in data),
        "images_by_instrument": dict(sorted(instruments.items(), key=lambda one: (-one[1], one[0]))),
        "left_out": info.get("training", {}).get("left_out", []),
        "heads": None if heads is None else _heads(heads, taught),
        "warnings": warnings,
    }


def terms(info: Mapping[str, Any], heads: Mapping[str, Any] | None, licence: str) -> dict[str, Any]:
    """Under which terms the data were given, and whether they go together with the licence of the weights."""
    data, images, warnings = [*_entries(info), *_entries(heads)], Counter[str](), []
    for entry in _entries(info):
        images[_licence(entry)] += int(entry.get("images", 0))
    nobody = sorted({_name(one) for one in data if one.get("license_allows_training") is None})
    if nobody:
        warnings.append(f"nobody was asked whether models may learn from: {', '.join(nobody)}")
    known = {_licence(entry) for entry in data}
    verdicts = {} if licence == UNKNOWN else {name: may_pass_into(name, licence) for name in sorted(known)}
    for name, verdict in verdicts.items():
        allowed = all(one.get("license_allows_training") is True for one in data if _licence(one) == name)
        if not verdict and not allowed:
            warnings.append(f"weights under {licence}, learned from data under {name}: {verdict}")
    return {
        "licence_of_weights": licence,
        "images_by_licence": dict(images.most_common()),
        "non_commercial": _any(name != UNKNOWN and LICENCES[name].non_commercial for name in known)
        or (None if UNKNOWN in known else False),
        "goes_together": {name: {"ok": bool(verdict), "why": str(verdict)} for name, verdict in verdicts.items()},
        "allowed_training": sorted({_name(one) for one in data if one.get("license_allows_training") is True}),
        "not_asked": nobody,
        "warnings": warnings,
    }


def training(info: Mapping[str, Any]) -> dict[str, Any]:
    """How the model was trained, as the run noted it; None where it did not."""
    run = info.get("training", {})
    seconds, cpu = run.get("seconds"), run.get("cpu_seconds")
    return {
        "config": run.get("config", {}),
        "seed": run.get("seed"),
        "steps": run.get("steps"),
        "images_seen": run.get("images_seen"),
        "seconds": seconds,
        "hours": None if seconds is None else round(seconds / 3600, 4),
        "cpu_seconds": cpu,
        "hardware": run.get("hardware"),
        "software": {**(run.get("software") or {}), "aqqua": info.get("aqqua_version")},
    }


def carbon(trained: Mapping[str, Any], about: About) -> dict[str, Any]:
    """Energy and greenhouse gas of the training: measured seconds × stated power × stated electricity."""
    said, hardware = about.carbon, trained["hardware"] or {}
    device = str(hardware.get("device", "cpu"))
    told: dict[str, Any] = {
        "formula": "kWh = (CPU seconds × W per core + seconds on the device × W of the device) / 3.6e6 × overhead; "
        "g CO2e = kWh × g per kWh",
        "measured": {"cpu_seconds": trained["cpu_seconds"], "seconds": trained["seconds"], "device": device},
        "stated": {
            "watts_per_core": said.watts_per_core,
            "watts_device": said.watts_device,
            "grid_g_per_kwh": said.grid_g_per_kwh,
            "overhead": said.overhead,
            "source": said.source,
        },
        "left_out": "memory, disks, network, making the machines, earlier attempts, and the prediction",
        "kwh": None,
        "g_co2e": None,
    }
    if trained["cpu_seconds"] is None:
        return told | {"why_not": "the run did not note its CPU time"}
    joules = trained["cpu_seconds"] * said.watts_per_core
    if device != "cpu":
        if said.watts_device is None:
            return told | {"why_not": f"the power of the device ({device}) is not stated: carbon: {{watts_device: …}}"}
        joules += (trained["seconds"] or 0.0) * said.watts_device
    kwh = joules / 3.6e6 * said.overhead
    return told | {"kwh": float(f"{kwh:.3g}"), "g_co2e": float(f"{kwh * said.grid_g_per_kwh:.3g}")}


def benchmark(path: Path, info: Mapping[str, Any]) -> dict[str, Any]:
    """The table that `aqqua bench --json` wrote, if it is of this model.

    Raises:
        FormatError: it is no such file.
        ConfigError: another model was measured.
    """
    told = read_json(path)
    rows, about = told.get("rows"), told.get("about")
    if told.get("format") != "aqqua benchmark" or not isinstance(rows, list) or not isinstance(about, dict):
        do = "make it with: aqqua bench MODEL --data DATASET… --json FILE"
        raise FormatError("this is no result of a benchmark", where=path, do=do)
    if about.get("weights_sha256") != info["weights_sha256"]:
        what = f"this benchmark is of another model ({about.get('model_id')}), not of {info['model_id']}"
        raise ConfigError(what, where=path, do="measure this model: aqqua bench MODEL --data DATASET… --json FILE")
    columns = ("method", "top1", "macro_f1", "seconds")
    if not all(isinstance(row, dict) and set(columns) <= row.keys() for row in rows):
        raise FormatError("a row of the benchmark lacks a column", where=path, do="measure again")
    seen = {str(entry.get("uuid")) for entry in _entries(info)}
    data = [one for one in about.get("data", []) if isinstance(one, dict)]
    return {
        "rows": [{name: row[name] for name in columns} for row in rows],
        "images": told.get("images"),
        "classes": told.get("classes"),
        "split": _split(told),
        "facts": told.get("facts", {}),
        "data": [{**one, "seen_in_training": str(one.get("uuid")) in seen} for one in data],
    }


def _split(told: Mapping[str, Any]) -> str:
    """How images were parted into those learnt from and those judged, in words."""
    split = told.get("split")
    if isinstance(split, dict) and split.get("told"):
        return f"split {split['told']}"
    return f"{told.get('folds')} folds"


def _entries(info: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    data = (info or {}).get("data")
    return [entry for entry in data if isinstance(entry, dict)] if isinstance(data, list) else []


def _dataset(entry: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: entry.get(name) for name in _TOLD}
    return told | {"instruments": entry.get("instruments"), "shards": list(entry.get("shards", []))}


def _heads(heads: Mapping[str, Any], data: list[dict[str, Any]]) -> dict[str, Any]:
    told = {name: heads.get(name) for name in ("classes", "status", "examples", "hash")}
    return told | {"datasets": [_dataset(entry) for entry in data]}


def _name(entry: Mapping[str, Any]) -> str:
    return str(entry.get("title") or entry.get("path") or entry.get("uuid"))


def _licence(entry: Mapping[str, Any]) -> str:
    name = str(entry.get("licence"))
    return name if name in LICENCES else UNKNOWN


def _any(answers: Iterator[bool]) -> bool:
    return any(answers)
