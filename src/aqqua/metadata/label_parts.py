"""A label taken apart: which taxon, which qualifiers, which parents – and the label itself, verbatim.

Understood are accepted and other names, EcoTaxa's "Child<Parent" and "Child (Parent)" with its hierarchies, labels in
snake_case that go from the general to the special ("copepod_calanoid_eggs"), and words of stage, sex and part beside a
name ("Calanus finmarchicus (CV female)").
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from aqqua.metadata.qualifiers import NEGATIONS, WORDS, Qualifiers, read_qualifiers
from aqqua.metadata.taxa import Taxon, Taxonomy, builtin, clean

__all__ = ["ParsedLabel", "parse"]

# Words that say nothing of which taxon it is; with a parent, that is the taxon ("other<Copepoda", "small<egg").
_EMPTY = frozenset({"other", "others", "unknown", "small", "large", "stage", "sp", "spp", "indet", "x", "xx", "temp"})
_DOUBT = "like"
_LEAST_HIERARCHY = 2


@dataclass(frozen=True)
class ParsedLabel:
    """What a label means.

    Args:
        label: verbatim.
        taxon: None where nothing is known by this name.
        qualifiers: what is said besides.
        parents: what the label or its hierarchy says it is in, verbatim, from the nearest to the root.
        by: "name", "parent" (a part or stage of it), "words" (names among other words), "hierarchy", or "" for none.
    """

    label: str
    taxon: Taxon | None
    qualifiers: Qualifiers
    parents: tuple[str, ...] = ()
    by: str = ""


def parse(label: str, names: Taxonomy | None = None, *, hierarchy: str | None = None) -> ParsedLabel:
    """Take a label apart.

    Args:
        label: as written.
        names: the names to know; None: the built-in ones.
        hierarchy: of the label in its source, from the root: "living>Metazoa>Copepoda>nauplii".

    >>> parsed = parse("Calanus finmarchicus (CV female)")
    >>> parsed.taxon.name, parsed.qualifiers.stage, parsed.qualifiers.sex
    ('Calanus finmarchicus', 'copepodite V', 'female')
    """
    names = names or builtin()
    child, parents = _child_and_parents(label)
    if parents and names.find(clean(parents[0])) is None and all(word in WORDS for word in _words(" ".join(parents))):
        child, parents = f"{child} {' '.join(parents)}", ()  # "Calanus finmarchicus (CV female)"
    above = tuple(part.strip() for part in reversed((hierarchy or "").split(">")[:-1]) if part.strip())
    for found in (_whole(label, names), _of_parts(child, parents, names), _of_words(label, child, parents, names)):
        if found is not None:
            taxon, words, after, by = found
            if _is_doubtful(words):
                break
            qualifiers = read_qualifiers(words, lineage=taxon.lineage, after=after)
            return ParsedLabel(label, taxon, qualifiers, parents or above, by)
    words = _words(f"{child} {' '.join(parents)}" if not above else child)
    nearest = None if _is_doubtful(words) else _of_hierarchy(above, names)
    return ParsedLabel(label, nearest, read_qualifiers(words), parents or above, "hierarchy" if nearest else "")


_Found = tuple[Taxon, list[str], bool, str]


def _whole(label: str, names: Taxonomy) -> _Found | None:
    """All of the label is a name. Other names may say a stage, too ("tornaria", "fish eggs")."""
    text = clean(label)
    taxon = names.find(text)
    if taxon is None:
        return None
    own = clean(taxon.name)
    said = [word for word in _words(text) if word in WORDS and word not in own.split(" ")]
    if taxon.rank == "category":
        said += [word for word in own.split(" ") if word in WORDS]
    return taxon, said, False, "name"


def _of_parts(child: str, parents: tuple[str, ...], names: Taxonomy) -> _Found | None:
    """A child by its own name; a part, stage or quality by what it is said of."""
    if not parents:
        return None
    words = _words(child)
    if all(word in WORDS or word in _EMPTY for word in words):
        above, own = names.find(clean(parents[0])), names.find(clean(child))
        if above is not None and (above.name in {"Biota", "other"} or (above.rank == "category" and own)):
            above = None
        said = [word for word in words if word in WORDS]
        if above is not None:
            return above, said, False, "parent"
        return (own, said, False, "name") if own else None
    own = names.find(clean(child))
    return (own, [], False, "name") if own else None


def _of_words(label: str, child: str, parents: tuple[str, ...], names: Taxonomy) -> _Found | None:
    """Names among other words: in snake_case the longest known beginning, and what is finer behind it."""
    if parents:
        return None
    text = clean(child)
    if "_" in label and (found := _beginning(text.split(" "), names)):
        return found
    stem, _, last = text.rpartition("-")
    if last in WORDS and (taxon := names.find(stem)):
        return taxon, [last], True, "words"
    words = text.split(" ")
    named = [word for word in words if word not in WORDS and not word.isdigit()]
    taxon = names.find(" ".join(named)) if len(named) < len(words) else None
    if taxon is None and len(named) == 2 and all(word.isalpha() for word in named):
        taxon, named = names.find(named[0]), named[:1]  # a species of a genus that is known
        taxon = taxon if taxon is not None and taxon.rank == "Genus" else None
    if taxon is None:
        return None
    return taxon, [word for word in words if word not in named], words[0] == named[0], "words"


def _beginning(words: list[str], names: Taxonomy) -> _Found | None:
    taxon, place = None, 0
    for count in range(len(words), 0, -1):
        if taxon := names.find(" ".join(words[:count])):
            place = count
            break
    if taxon is None:
        return None
    said = [word for word in words[:place] if word in WORDS and word not in clean(taxon.name)]
    for index in range(place, len(words)):
        finer = None if words[index - 1] in NEGATIONS else names.find(words[index])
        if finer is not None and finer.name != taxon.name and taxon.name in finer.lineage:
            taxon = finer
        else:
            said.append(words[index])
    return taxon, said, True, "words"


def _of_hierarchy(above: tuple[str, ...], names: Taxonomy) -> Taxon | None:
    """The nearest of the parents that is known, but nothing as wide as all that lives, and no temporary name."""
    if len(above) < _LEAST_HIERARCHY and not (above and names.find(clean(above[0]))):
        return None
    for parent in above:
        taxon = names.find(clean(parent))
        if taxon is not None and taxon.name != "other":
            return None if taxon.name == "Biota" else taxon
    return None


def _child_and_parents(label: str) -> tuple[str, tuple[str, ...]]:
    """Cut "part<Ciliophora" and "part (Ciliophora)" into "part" and its parents, the nearest first."""
    if hit := re.fullmatch(r"\s*(.+?)\s*\(\s*(.+?)\s*\)\s*", label):
        return hit[1], (hit[2],)
    child, *parents = (part.strip() for part in label.split("<"))
    return (child, tuple(parents)) if child and all(parents) else (label, ())


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[\s<>(),;]+", re.sub(r"-like\b", " like", clean(text))) if word]


def _is_doubtful(words: list[str]) -> bool:
    """Whether somebody only saw a likeness ("like<Copepoda", "Strombidium-like"): then it has no taxon."""
    return any(WORDS.get(word) == ("doubt", _DOUBT) for word in words)
