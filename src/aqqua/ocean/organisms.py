"""The taxa of the virtual ocean and how each is drawn: from a name and a size to a body.

Names are those EcoTaxa shows, so that labels can be matched like those of real data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from aqqua.errors import UnknownNameError
from aqqua.ocean.chance import bend, named_rng
from aqqua.ocean.organisms_crustacea import calanoid, cyclopoid, nauplius
from aqqua.ocean.organisms_dinoflagellates import dinoflagellate
from aqqua.ocean.organisms_jelly import appendicularian, chaetognath, medusa, wing_snail
from aqqua.ocean.organisms_particles import bubble, fecal_pellet, fiber, marine_snow
from aqqua.ocean.organisms_phyto import diatom_chain, trichodesmium
from aqqua.ocean.organisms_protists import ciliate, radiolarian, tintinnid
from aqqua.ocean.shapes import Body

__all__ = ["TAXA", "Taxon", "build"]


@dataclass(frozen=True)
class Taxon:
    """One taxon, or kind of particle.

    Args:
        name: as EcoTaxa displays it.
        draw: from chance and length in µm to a body.
        hierarchy: the path above and with it, as EcoTaxa exports it.
        living: whether it is an organism.
        typical_um: shortest and longest.
    """

    name: str
    draw: Callable[[np.random.Generator, float], Body]
    hierarchy: str
    living: bool
    typical_um: tuple[float, float]

    @property
    def folder(self) -> str:
        """Name for a class folder: "nauplii<Copepoda" → "Copepoda_nauplii"."""
        return "_".join(reversed(self.name.split("<"))).replace(" ", "_")


_CRUSTACEA = "living>Eukaryota>Opisthokonta>Holozoa>Metazoa>Arthropoda>Crustacea>Maxillopoda>Copepoda"
_METAZOA = "living>Eukaryota>Opisthokonta>Holozoa>Metazoa"
_HAROSA = "living>Eukaryota>Harosa"
_CHAIN = f"{_HAROSA}>Stramenopiles>Ochrophyta>Bacillariophyceae>chain"

TAXA = {
    one.name: one
    for one in (
        Taxon("Calanoida", calanoid, f"{_CRUSTACEA}>Calanoida", True, (500, 4500)),
        Taxon("Cyclopoida", cyclopoid, f"{_CRUSTACEA}>Cyclopoida", True, (350, 1100)),
        Taxon("nauplii<Copepoda", nauplius, f"{_CRUSTACEA}>nauplii", True, (90, 400)),
        Taxon("Chaetognatha", chaetognath, f"{_METAZOA}>Chaetognatha", True, (1500, 18000)),
        Taxon("Hydrozoa", medusa, f"{_METAZOA}>Cnidaria>Hydrozoa", True, (400, 12000)),
        Taxon("Appendicularia", appendicularian, f"{_METAZOA}>Chordata>Tunicata>Appendicularia", True, (800, 6000)),
        Taxon("Limacinidae", wing_snail, f"{_METAZOA}>Mollusca>Gastropoda>Limacinidae", True, (200, 2500)),
        Taxon("Radiolaria", radiolarian, f"{_HAROSA}>Rhizaria>Radiolaria", True, (60, 4000)),
        Taxon("Ciliophora", ciliate, f"{_HAROSA}>Alveolata>Ciliophora", True, (15, 90)),
        Taxon("Tintinnida", tintinnid, f"{_HAROSA}>Alveolata>Ciliophora>Tintinnida", True, (35, 260)),
        Taxon("Dinophyceae", dinoflagellate, f"{_HAROSA}>Alveolata>Dinophyceae", True, (18, 260)),
        Taxon("chain<Bacillariophyceae", diatom_chain, _CHAIN, True, (25, 400)),
        Taxon("Trichodesmium", trichodesmium, "living>Bacteria>Cyanobacteria>Trichodesmium", True, (60, 4000)),
        Taxon("fecal pellets", fecal_pellet, "not-living>detritus>fecal pellets", False, (60, 3000)),
        Taxon("detritus", marine_snow, "not-living>detritus", False, (18, 8000)),
        Taxon("fiber<detritus", fiber, "not-living>detritus>fiber", False, (300, 6000)),
        Taxon("bubble", bubble, "not-living>artefact>bubble", False, (40, 2500)),
    )
}  # fmt: skip


def build(taxon: str, length_um: float, seed: int, *names: str | int) -> Body:
    """Draw one organism.

    Args:
        taxon: name in `TAXA`.
        length_um: its length.
        seed: seed of the ocean.
        names: which organism this is.

    Returns:
        Its body, with volume; the same for the same arguments.
    """
    if taxon not in TAXA:
        raise UnknownNameError("taxon of the virtual ocean", taxon, TAXA)
    rng = named_rng(seed, "body", taxon, *names)
    body = TAXA[taxon].draw(rng, length_um)
    vigour = float(np.exp(bend(rng, 0.22, 0.5)))
    return replace(body, density=body.density * vigour, texture_seed=int(rng.integers(1 << 31))).with_volume()
