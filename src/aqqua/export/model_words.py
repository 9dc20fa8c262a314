"""A model's card for people: MODEL_CARD.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["as_text"]


def as_text(card: Mapping[str, Any], files: Mapping[str, Mapping[str, Any]]) -> str:
    """The card in Markdown.

    Args:
        card: as in model_card.json.
        files: name → bytes and sha256 of what is loaded.
    """
    sections = (
        ("Use", _use(card)),
        ("What it is for", _list(card["intended_use"])),
        ("What it cannot do", _list(card["limits"])),
        ("What it saw", _saw(card["saw"])),
        ("Terms", _terms(card)),
        ("Benchmark", _benchmark(card["benchmark"])),
        ("Training", _training(card["training"])),
        ("Carbon", _carbon(card["carbon"])),
        ("To be known", _list(card["warnings"]) if card["warnings"] else ""),
        ("Cite", card["citation"] or "See `CITATION.cff`."),
        (
            "Files",
            _table(("file", "bytes", "SHA-256"), ((n, f"{f['bytes']:,}", f["sha256"]) for n, f in files.items())),
        ),
    )
    authors = "; ".join(one["name"] for one in card["people"] if one.get("author", True)) or "authors not named"
    head = [
        f"# {_plain(card['title'])}",
        f"Model `{card['model_id']}`, version {card['version']}, {_plain(authors)}"
        + (f", https://doi.org/{card['doi']}" if card["doi"] else "")
        + f", licence of the weights: {_licence(card['licence'])}.",
        card["abstract"],
    ]
    return "\n\n".join([*filter(None, head), *(f"## {name}\n\n{text}" for name, text in sections if text)]) + "\n"


def _use(card: Mapping[str, Any]) -> str:
    address = f"doi:{card['doi']}" if card["doi"] else "THIS_FOLDER"
    return (
        f"```\npip install 'aqqua[train]'\naqqua predict {address} DATASET\n```\n\n"
        "aqqua compares every file with `model_card.json` before it is loaded. Weights are safetensors: no code is run."
    )


def _saw(seen: Mapping[str, Any]) -> str:
    rows = (
        (
            _plain(one["title"] or one["path"]),
            f"{one['images'] or 0:,}",
            one["snapshot"],
            len(one["shards"]),
            _licence(one["licence"]),
            _said(one["license_allows_training"]),
            one["doi"] or "",
        )
        for one in seen["datasets"]
    )
    columns = ("dataset", "images", "snapshot", "shards", "licence", "owners allow training", "DOI")
    parts = [f"{seen['images']:,} images, without any labels.", _table(columns, rows)]
    cameras = seen["images_by_instrument"].items()
    parts.append(_table(("instrument", "images"), ((_plain(name), f"{count:,}") for name, count in cameras)))
    if heads := seen["heads"]:
        names = ", ".join(_plain(one["title"] or one["path"]) for one in heads["datasets"]) or "not recorded"
        parts.append(
            f"Its heads for {len(heads['classes'] or []):,} taxa learned from {heads['examples'] or 0:,} "
            f"{heads['status']} labels of: {names}."
        )
    if seen["left_out"]:
        names = ", ".join(_plain(one.get("title") or one.get("path")) for one in seen["left_out"])
        parts.append(f"Left out, because their owners do not allow training: {names}.")
    return "\n\n".join(part for part in parts if part)


def _terms(card: Mapping[str, Any]) -> str:
    terms = card["terms"]
    told = {True: "yes", False: "no", None: "not known: some data have no stated licence"}[terms["non_commercial"]]
    lines = [f"licence of the weights: {_licence(card['licence'])}", f"non-commercial data seen: {told}"]
    lines += [f"{count:,} images under {_licence(name)}" for name, count in terms["images_by_licence"].items()]
    lines += [f"{name}: {one['why']}" for name, one in terms["goes_together"].items() if not one["ok"]]
    note = (
        "Whether weights are bound by the licence of the images is not settled by law; the owners' permission to train "
        "is asked separately and stands above."
    )
    return f"{_list(lines)}\n\n{note}"


def _benchmark(measured: Mapping[str, Any] | None) -> str:
    if measured is None:
        return "Not measured."
    rows = (
        (_plain(row["method"]), f"{row['top1']:.3f}", f"{row['macro_f1']:.3f}", f"{row['seconds']:.0f}")
        for row in measured["rows"]
    )
    data = (
        f"{_plain(one.get('title'))} (snapshot {one.get('snapshot')}; its images were "
        f"{'' if one['seen_in_training'] else 'not '}seen in training{', without labels' * one['seen_in_training']})"
        for one in measured["data"]
    )
    told = f"{measured['images']:,} labelled images, {measured['classes']} classes, {_plain(measured['split'])}: "
    facts = _list(f"{_plain(name)}: {_plain(value)}" for name, value in measured["facts"].items())
    table = _table(("method", "top-1", "macro-F1", "seconds"), rows)
    return "\n\n".join([told + "; ".join(data) + ".", table, facts])


def _training(run: Mapping[str, Any]) -> str:
    hardware = run["hardware"]
    machine = "not recorded" if not hardware else ", ".join(f"{k} {_plain(v)}" for k, v in hardware.items())
    lines = [
        f"{_number(run['hours'])} hours, {_number(run['cpu_seconds'])} CPU seconds, {_number(run['steps'])} steps, "
        f"{_number(run['images_seen'])} images shown, seed {run['seed']}",
        f"hardware: {machine}",
        "software: " + ", ".join(f"{k} {_plain(v)}" for k, v in run["software"].items()),
    ]
    config = "\n".join(f"{name}: {value}" for name, value in run["config"].items())
    return _list(lines) + (f"\n\n```\n{config}\n```" if config else "")


def _carbon(cost: Mapping[str, Any]) -> str:
    said = cost["stated"]
    result = f"{cost['kwh']:g} kWh, {cost['g_co2e']:g} g CO2e (an estimate)" if cost["kwh"] is not None else ""
    device = "not stated" if said["watts_device"] is None else f"{said['watts_device']:g} W"
    lines = [
        result or f"Not estimated: {cost['why_not']}",
        cost["formula"],
        f"measured: {_number(cost['measured']['cpu_seconds'])} CPU seconds, {_number(cost['measured']['seconds'])} "
        f"seconds on {cost['measured']['device']}",
        f"stated: {said['watts_per_core']:g} W per core, device {device}, {said['grid_g_per_kwh']:g} g/kWh, "
        f"overhead {said['overhead']:g}; {_plain(said['source'])}",
        f"left out: {cost['left_out']}",
    ]
    return _list(lines)


def _table(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    names = list(columns)
    lines = [f"| {' | '.join(map(str, row))} |" for row in rows]
    return "\n".join([f"| {' | '.join(names)} |", "|" + "---|" * len(names), *lines]) if lines else ""


def _list(entries: Iterable[str]) -> str:
    return "\n".join(f"- {entry}" for entry in entries)


def _plain(value: object) -> str:
    """Text from elsewhere that cannot break a table or become a heading."""
    return " ".join(str(value).split()).replace("|", "/")


def _licence(name: str | None) -> str:
    return "not stated" if name in {None, "", "unknown"} else str(name)


def _said(answer: bool | None) -> str:
    return {True: "yes", False: "no"}.get(answer, "not asked")  # type: ignore[arg-type]


def _number(value: float | None) -> str:
    return "not recorded" if value is None else f"{value:,}"
