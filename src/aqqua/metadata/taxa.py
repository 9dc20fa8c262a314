"""Names of taxa: a small built-in snapshot, and how labels of people and tools match it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Taxon", "clean", "match"]


@dataclass(frozen=True)
class Taxon:
    """A taxon, or a morphological or non-living category.

    Args:
        name: accepted name.
        aphia_id: identifier in WoRMS, None for what is not a taxon or not certain.
        ecotaxa_id: identifier in EcoTaxa's taxonomy, None where not certain.
        rank: taxonomic rank, or "category".
        lineage: names from the root to the taxon itself.
    """

    name: str
    aphia_id: int | None
    ecotaxa_id: int | None
    rank: str
    lineage: tuple[str, ...]


def match(label: str) -> Taxon | None:
    """The taxon that a label means, or None."""
    raise NotImplementedError


def clean(label: str) -> str:
    """The label without decoration, for comparison."""
    raise NotImplementedError
