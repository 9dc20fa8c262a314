"""Names rolled up the tree of taxa: each object counts once, for the nearest of the taxa that were asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aqqua.errors import ConfigError, UnknownNameError
from aqqua.metadata.label_parts import parse
from aqqua.metadata.taxa import Taxon, Taxonomy, clean

__all__ = ["OTHER", "UNKNOWN", "Rolled", "roll_up"]

OTHER, UNKNOWN = "other", "unknown"
"""What is none of the taxa that were asked for; what nobody has named."""
_ROOT = "Biota"


@dataclass(frozen=True)
class Rolled:
    """Where names go.

    Args:
        target: name → taxon it counts for.
        aphia_id: taxon → AphiaID, where it is certain.
        excludes: taxon → taxa below it that are counted for themselves, and so not in it.
    """

    target: Mapping[str, str]
    aphia_id: Mapping[str, int]
    excludes: Mapping[str, tuple[str, ...]]


def roll_up(
    labels: Iterable[str], names: Taxonomy, *, taxa: Sequence[str] = (), rank: str | None = None, living: bool = False
) -> Rolled:
    """Say for each name which taxon it counts for.

    With a list of taxa, a name counts for the nearest of them above it (or itself), what is below none is `OTHER`.
    "Copepoda" and "Calanoida" together therefore mean copepods that are no calanoids, and calanoids: nothing counts
    twice, and sums over rows are right. With a rank, for its ancestor of this rank; what is named more coarsely keeps
    its name. With neither, names stay as they are.

    Args:
        labels: names as labels or models say them.
        names: the tree.
        taxa: taxa to roll up to.
        rank: rank to roll up to, for example "class".
        living: leave out what does not live (it becomes `OTHER`).

    Raises:
        UnknownNameError: one of `taxa` is no name of the tree.
        ConfigError: both a list and a rank.
    """
    if taxa and rank:
        raise ConfigError("taxa and rank together", do="give either a list of taxa or a rank")
    wanted = {_wanted(name, names).name for name in taxa}
    ranks = {taxon.rank.lower() for taxon in names.taxa.values()}
    if rank is not None and rank.lower() not in ranks:
        raise UnknownNameError("rank", rank, ranks)
    target = {}
    for label in set(labels):
        taxon = names.find(clean(label)) or parse(label, names).taxon
        target[label] = _target(label, taxon, names, wanted, rank, living)
    used = set(target.values()) | wanted
    aphia = {name: names.taxa[name].aphia_id for name in used if name in names.taxa and names.taxa[name].checked}
    lines = {name: names.taxa[name].lineage for name in used if name in names.taxa}
    excludes = {
        name: tuple(sorted(other for other, line in lines.items() if other != name and name in line)) for name in lines
    }
    return Rolled(target, {name: number for name, number in aphia.items() if number}, excludes)


def _wanted(name: str, names: Taxonomy) -> Taxon:
    taxon = names.find(clean(name))
    if taxon is None:
        raise UnknownNameError("taxon", name, names.taxa, where="taxa")
    return taxon


def _target(label: str, taxon: Taxon | None, names: Taxonomy, wanted: set[str], rank: str | None, living: bool) -> str:
    if label == UNKNOWN:
        return UNKNOWN
    if taxon is None:
        return OTHER if wanted else label
    if living and taxon.lineage[0] != _ROOT:
        return OTHER
    if wanted:
        lines = [taxon.lineage, *(names.taxa[parent].lineage for parent in taxon.also_in)]
        return next((name for line in lines for name in reversed(line) if name in wanted), OTHER)
    if rank is None:
        return taxon.name
    of_rank = (name for name in reversed(taxon.lineage) if names.taxa[name].rank.lower() == rank.lower())
    return next(of_rank, taxon.name)
