"""What a label says besides the taxon: stage, sex, part, view, condition, grouping, eggs, doubt.

EcoTaxa, ISIIS and class folders mix these with names of taxa ("nauplii<Copepoda", "copepod_calanoid_eggs",
"Calanus finmarchicus (CV female)"). Here they are told apart, word by word; words that are neither stay as a remark.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from types import MappingProxyType

__all__ = ["NEGATIONS", "QUALIFIERS", "WORDS", "Qualifiers", "read_qualifiers"]


@dataclass(frozen=True)
class Qualifiers:
    """What is said of an organism, each None where nothing is said.

    Args:
        stage: of life: "egg", "larva", "nauplius", "copepodite V", "juvenile", "adult" …
        sex: "female" or "male".
        part: that is all one sees: "part", "head", "tail", "nectophore", "egg sac" …
        view: from which side: "side", "dorsal", "ventral", "top".
        condition: "dead", "empty", "damaged" or "out of focus".
        grouping: "multiple", "chain", "colony", "pair", "solitary" or "aggregate".
        eggs: True where it carries eggs.
        doubt: "like": it resembles the taxon.
        remark: all other words, as they were.
    """

    stage: str | None = None
    sex: str | None = None
    part: str | None = None
    view: str | None = None
    condition: str | None = None
    grouping: str | None = None
    eggs: bool | None = None
    doubt: str | None = None
    remark: str | None = None

    def __bool__(self) -> bool:
        """Whether anything is said."""
        return any(getattr(self, entry.name) is not None for entry in fields(self))


QUALIFIERS = tuple(entry.name for entry in fields(Qualifiers) if entry.name not in {"doubt", "remark"})
"""The columns that the labels of a dataset have for them."""

_ROMAN = ("i", "ii", "iii", "iv", "v", "vi")
_GROUPS: dict[str, dict[str, str]] = {
    "stage": {
        "egg": "egg eggs ovum ova",
        "cyst": "cyst cysts",
        "spore": "spore spores",
        "larva": "larva larvae larval",
        "nauplius": "nauplius nauplii naupl naup",
        "metanauplius": "metanauplius metanauplii",
        "copepodite": "copepodite copepodites copepodid copepodids",
        **{f"copepodite {roman.upper()}": f"c{roman} c{number}" for number, roman in enumerate(_ROMAN, 1)},
        "zoea": "zoea zoeae",
        "protozoea": "protozoea protozoeae",
        "megalopa": "megalopa megalopae",
        "phyllosoma": "phyllosoma",
        "cypris": "cypris cyprid cyprids",
        "calyptopis": "calyptopis calyptopsis",
        "furcilia": "furcilia furcilias",
        "pluteus": "pluteus plutei echinopluteus ophiopluteus",
        "bipinnaria": "bipinnaria",
        "brachiolaria": "brachiolaria",
        "auricularia": "auricularia",
        "tornaria": "tornaria",
        "trochophore": "trochophore trochophores trocophora",
        "veliger": "veliger veligers",
        "cyphonautes": "cyphonaute cyphonautes",
        "actinotroch": "actinotroch actinotrocha",
        "ephyra": "ephyra ephyrae",
        "planula": "planula planulae",
        "actinula": "actinula",
        "leptocephalus": "leptocephalus leptocephali",
        "nurse": "nurse",
        "eudoxid": "eudoxid eudoxie eudoxia",
        "gonophore": "gonophore gonophores",
        "juvenile": "juvenile juveniles juv young immature",
        "adult": "adult adults mature",
    },
    "sex": {"female": "female females fem ♀", "male": "male males ♂"},
    "part": {
        "part": "part parts partial piece pieces fragment fragments cut",
        "head": "head heads",
        "tail": "tail tails",
        "body": "body",
        "trunk": "trunk",
        "antenna": "antenna antennae",
        "leg": "leg legs",
        "tentacle": "tentacle tentacles",
        "carapace": "carapace",
        "nectophore": "nectophore nectophores",
        "bract": "bract bracts",
        "stem": "stem",
        "house": "house houses",
        "scale": "scale scales",
        "wing": "wing wings",
        "exuvia": "exuvia exuviae molt molts moult skin skins",
        "egg sac": "sac sacs",
    },
    "view": {
        "side": "side sideview lateral",
        "dorsal": "dorsal",
        "ventral": "ventral",
        "top": "top topview",
    },
    "condition": {
        "dead": "dead carcass",
        "empty": "empty",
        "damaged": "damaged broken",
        "out of focus": "badfocus unfocussed unfocused blurred blurry",
    },
    "grouping": {
        "multiple": "multiple multiples several",
        "chain": "chain chains",
        "colony": "colony colonies colonial",
        "pair": "pair pairs",
        "solitary": "solitary single",
        "aggregate": "aggregate aggregates",
    },
    "eggs": {"yes": "ovigerous egg-carrying eggcarrying with-eggs"},
    "doubt": {"like": "like cf aff"},
}

WORDS = MappingProxyType(
    {
        word: (kind, meaning)
        for kind, meanings in _GROUPS.items()
        for meaning, words in meanings.items()
        for word in words.split(" ")
    }
)
"""Word of a cleaned label → which qualifier it is, and its usual form."""

NEGATIONS = frozenset({"no", "non", "not", "without"})
"""What follows them is not there: "chaetognath_non_sagitta", "ctenophore_cydippid_no_tentacles"."""

_PHRASES: tuple[tuple[str, str, str | bool], ...] = (
    ("with eggs", "eggs", True),
    ("egg carrying", "eggs", True),
    ("egg sacs", "part", "egg sac"),
    ("egg sac", "part", "egg sac"),
    ("top-bottom", "view", "top"),
)
_DESCRIBING = {"body", "tentacle", "antenna", "leg"}
_LARVAE = set(_GROUPS["stage"]) - {
    "egg",
    "cyst",
    "spore",
    "larva",
    "juvenile",
    "adult",
    "nurse",
    "eudoxid",
    "gonophore",
}
_CARRIERS = {"Copepoda", "Cladocera", "Malacostraca"}
"""Where "eggs" after the name of a taxon means that she carries them ("copepod_calanoid_eggs")."""


def read_qualifiers(words: Sequence[str], *, lineage: Iterable[str] = (), after: bool = False) -> Qualifiers:
    """Read the words of a label that are not the taxon's name.

    Args:
        words: cleaned words, in order.
        lineage: of the taxon that they are said of.
        after: whether they stood after the name ("Oithona eggs"), not before it ("eggs<Oithona").

    Returns:
        The qualifiers; where two words say the same kind of thing the first counts and the other is a remark.
    """
    values: dict[str, str | bool] = {}
    remark: list[str] = []
    text = " ".join(words)
    for phrase, said, told in _PHRASES:
        if phrase in text:
            values[said], text = told, text.replace(phrase, "")
    denied = False
    for word in text.split():
        kind, meaning = ("remark", word) if denied else _meaning(word, lineage, after=after)
        denied = word in NEGATIONS
        value: str | bool = True if kind == "eggs" else meaning
        if kind == "stage" and {values.get(kind), value} & {"larva"} and {values.get(kind), value} & _LARVAE:
            values[kind] = next(stage for stage in (values[kind], value) if stage != "larva")
        elif kind == "remark" or values.get(kind, value) != value:
            remark.append(word)
        else:
            values[kind] = value
    if remark:
        values["remark"] = " ".join(remark)
    return Qualifiers(**values)  # type: ignore[arg-type]


def _meaning(word: str, lineage: Iterable[str], *, after: bool) -> tuple[str, str]:
    """What a word says; behind a name some parts describe the whole animal ("thin_body", "tentacles")."""
    kind, meaning = WORDS.get(word, ("remark", word))
    if after and word == "eggs" and _CARRIERS & set(lineage):
        return "eggs", meaning
    return ("remark", word) if after and meaning in _DESCRIBING else (kind, meaning)
