"""`ifdo.yaml`: the image set as an iFDO v2.1 (https://www.ifdo-schema.org).

Every image is an item as long as there are not too many: at a billion images the items alone would be a terabyte of
text. Then the header stands for all, and the columns of the tables bear the same terms (`fields.json`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl

from aqqua.export.release.facts import Facts, uuid4_of
from aqqua.metadata.card import Person
from aqqua.store.dataset import Dataset
from aqqua.store.images import ShardReader

__all__ = ["MAX_ITEMS", "ifdo"]

MAX_ITEMS = 10_000
"""Of a release with more images only the header is written."""
_VERSION = "v2.1.0"
_TIME = "%Y-%m-%d %H:%M:%S.%f"
_COLUMNS = ("time_utc", "latitude", "longitude", "depth_min_m", "depth_max_m", "altitude_m", "instrument", "sample_id",
            "project")  # fmt: skip
_NOT_STATED = "not stated"


def ifdo(facts: Facts, data: Path, *, max_items: int = MAX_ITEMS) -> dict[str, Any]:
    """Header and items of the image set.

    Args:
        facts: of the release.
        data: its folder of data, an AqQua dataset.
        max_items: write items only for so many images.
    """
    items = dict(_items(facts, Dataset.open(data))) if facts.images <= max_items else {}
    return {"image-set-header": _header(facts), "image-set-items": items}


def _header(facts: Facts) -> dict[str, Any]:
    card, extent = facts.card, facts.extent
    licence = facts.terms.licence
    leader = next((one for one in facts.authors if {"Supervision", "Project administration"} & set(one.roles)), None)
    owner = card.institution or ", ".join(person.name for person in facts.authors)
    told: dict[str, Any] = {
        "image-set-name": card.title,
        "image-set-uuid": facts.uuid,
        "image-set-handle": facts.address,
        "image-set-ifdo-version": _VERSION,
        "image-datetime": _time(extent.time_utc[0]),
        "image-datetime-format": _TIME,
        "image-latitude": extent.centre[0],
        "image-longitude": extent.centre[1],
        "image-altitude-meters": _altitude(extent.depth_m, extent.altitude_m),
        "image-coordinate-reference-system": "EPSG:4326",
        "image-coordinate-uncertainty-meters": _metres(card.coordinates_precision),
        "image-context": {"name": "Plankton imaging"},
        "image-project": {"name": card.project or ", ".join(extent.projects) or card.title},
        "image-event": {"name": card.title},
        "image-platform": {"name": card.platform or _NOT_STATED},
        "image-sensor": {"name": ", ".join(extent.instruments) or _NOT_STATED},
        "image-pi": _person(leader or facts.authors[0]),
        "image-creators": [_person(person) for person in facts.authors],
        "image-license": {"name": licence.spdx, "uri": licence.url},
        "image-copyright": f"{facts.year} {owner}" if licence.attribution else "none (public domain)",
        "image-abstract": card.abstract or card.title,
        "image-set-min-latitude-degrees": extent.latitude[0],
        "image-set-max-latitude-degrees": extent.latitude[1],
        "image-set-min-longitude-degrees": extent.longitude[0],
        "image-set-max-longitude-degrees": extent.longitude[1],
        "image-set-local-path": "data/images",
    }
    return {name: value for name, value in told.items() if value is not None}


def _items(facts: Facts, dataset: Dataset) -> Iterator[tuple[str, dict[str, Any]]]:
    """File and key → what is known of the image, where it is not as in the header."""
    for shard in dataset.shards:
        reader = ShardReader(shard.images, size=shard.images_bytes)
        rows = pl.read_parquet(shard.converted, columns=list(_COLUMNS)).iter_rows(named=True)
        for (key, value), row in zip(reader.visit(), rows, strict=True):
            name = f"{shard.images.name}/{key}"
            digest = sha256(value).hexdigest()
            told = {
                "image-uuid": uuid4_of(facts.uuid, name, digest),
                "image-hash-sha256": digest,
                "image-handle": f"{facts.address}#data/images/{name}",
            }
            yield name, told | _of_row(row)


def _of_row(row: Mapping[str, Any]) -> dict[str, Any]:
    depth = (row["depth_min_m"], row["depth_max_m"])
    altitude = None if row["altitude_m"] is None else (row["altitude_m"], row["altitude_m"])
    told: dict[str, Any] = {
        "image-datetime": _time(row["time_utc"]),
        "image-latitude": row["latitude"],
        "image-longitude": row["longitude"],
        "image-altitude-meters": _altitude(None if None in depth else depth, altitude),
        "image-sensor": row["instrument"] and {"name": row["instrument"]},
        "image-event": row["sample_id"] and {"name": row["sample_id"]},
        "image-project": row["project"] and {"name": row["project"]},
    }
    return {name: value for name, value in told.items() if value is not None}


def _time(time: datetime) -> str:
    return time.astimezone(UTC).strftime(_TIME)


def _altitude(depth_m: tuple[float, float] | None, altitude_m: tuple[float, float] | None) -> float | None:
    """Height above the sea surface, m: below zero in water (the middle of a range)."""
    pair = altitude_m if depth_m is None else (-depth_m[0], -depth_m[1])
    return None if pair is None else round(sum(pair) / 2, 3) + 0.0


def _metres(precision: str) -> float | None:
    """Uncertainty of positions, if the card says it in metres."""
    number, _, unit = precision.strip().partition(" ")
    try:
        return float(number) if unit in {"m", "metres", "meters"} else None
    except ValueError:
        return None


def _person(person: Person) -> dict[str, str]:
    made = {"name": person.name}
    return {**made, "uri": f"https://orcid.org/{person.orcid}"} if person.orcid else made
