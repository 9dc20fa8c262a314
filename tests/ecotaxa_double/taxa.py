"""A small taxonomy, as EcoTaxa answers it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["TAXA", "Taxon", "resolve", "taxon_json"]


@dataclass(frozen=True)
class Taxon:
    """A node of the tree; type P is a taxon, M a morphological category."""

    id: int
    name: str
    parent: int | None
    type: str = "P"
    rank: str | None = None
    aphia_id: int | None = None
    status: str = "A"
    renamed_to: int | None = None
    objects: int = 0


TAXA = {
    taxon.id: taxon
    for taxon in [
        Taxon(1, "Biota", None, aphia_id=1),
        Taxon(2367, "Animalia", 1, rank="Kingdom", aphia_id=2),
        Taxon(11517, "Arthropoda", 2367, rank="Phylum", aphia_id=1065),
        Taxon(12846, "Crustacea", 11517, rank="Subphylum", aphia_id=1066),
        Taxon(100016, "Multicrustacea", 12846, rank="Superclass", aphia_id=845959),
        Taxon(25828, "Copepoda", 100016, rank="Class", aphia_id=1080),
        Taxon(94879, "Neocopepoda", 25828, rank="Infraclass", aphia_id=155879, status="N"),
        Taxon(92249, "Podoplea", 94879, rank="Superorder", aphia_id=155878),
        Taxon(45072, "Cyclopoida", 92249, rank="Order", aphia_id=1101),
        Taxon(94885, "Ergasilida", 45072, rank="Suborder", aphia_id=1381349, status="N"),
        Taxon(78418, "Oncaeidae", 94885, rank="Family", aphia_id=128586),
        Taxon(45074, "Calanoida", 94879, rank="Order", aphia_id=1100),
        Taxon(84960, "not-living", None, type="M"),
        Taxon(84963, "detritus", 84960, type="M", renamed_to=1, objects=2),
        Taxon(85011, "other", 84960, type="M"),
    ]
}


def lineage(taxa: dict[int, Taxon], taxon: Taxon) -> list[Taxon]:
    """A taxon and its ancestors, nearest first."""
    found = [taxon]
    while (parent := found[-1].parent) is not None:
        found.append(taxa[parent])
    return found


def resolve(taxa: dict[int, Taxon], text: str) -> int | None:
    """The only taxon of this name, "Child<Parent" or "Child (Parent)"; None if there is none, or several."""
    child, _, parent = text.rstrip(")").replace(" (", "<").lower().partition("<")
    hits = [
        taxon.id
        for taxon in taxa.values()
        if taxon.name.lower() == child
        and (not parent or (taxon.parent is not None and taxa[taxon.parent].name.lower() == parent))
    ]
    return hits[0] if len(hits) == 1 else None


def taxon_json(taxa: dict[int, Taxon], taxon: Taxon) -> dict[str, Any]:
    """A taxon as the server says it."""
    above = lineage(taxa, taxon)
    return {
        "id": taxon.id,
        "name": taxon.name,
        "type": taxon.type,
        "status": taxon.status,
        "display_name": taxon.name,
        "lineage": [node.name for node in above],
        "id_lineage": [node.id for node in above],
        "lineage_status": "".join(node.status for node in above),
        "renm_id": taxon.renamed_to,
        "nb_objects": taxon.objects,
        "nb_children_objects": 0,
        "aphia_id": taxon.aphia_id,
        "rank": taxon.rank,
        "children": [node.id for node in taxa.values() if node.parent == taxon.id],
    }
