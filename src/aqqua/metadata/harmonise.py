"""From a table as it was delivered to Converted Metadata: typed, in one unit, and every value traceable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from aqqua.metadata.card import Card
from aqqua.metadata.check import Finding

if TYPE_CHECKING:
    from aqqua.metadata.mapping import InstrumentMapping

__all__ = ["Harmonised", "harmonise"]


@dataclass(frozen=True)
class Harmonised:
    """What harmonisation made of one table.

    Args:
        converted: what Converted Metadata has from the source, and `_row`, the row of the raw table from 0; rows
            without a required field are missing here and stand in `rejects`.
        labels: `_row`, label, taxon, aphia_id, ecotaxa_id, status, by, time_utc, note; one row per
            labelled image.
        rejects: source_path, source_row, object_id, field, reason, do, raw; one row per image and field.
        findings: what looks odd or was decided.
        provenance: per field the raw column, its unit and the factor.
    """

    converted: pl.DataFrame
    labels: pl.DataFrame
    rejects: pl.DataFrame
    findings: list[Finding]
    provenance: dict[str, str]


def harmonise(raw: pl.DataFrame, *, source: str, card: Card, mapping: InstrumentMapping | None = None) -> Harmonised:
    """Harmonise one table.

    Args:
        raw: all columns as text, with `source_path`, `source_row`, `image_path` and `object_id`.
        source: name of the kind of source, for example "ecotaxa_export".
        card: overrides win over the table; defaults fill what is missing.
        mapping: the instrument's mapping; None: by the instrument column, then the card's.
    """
    raise NotImplementedError
