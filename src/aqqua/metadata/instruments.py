"""What is known of each instrument: the page in the documentation, and how much of a table a mapping covers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from aqqua.metadata.columns import Columns, Meaning, meaning, plain_name
from aqqua.metadata.fields import FIELDS
from aqqua.metadata.mapping import GENERIC, InstrumentMapping, Rule, load_mapping, mapping_names
from aqqua.metadata.rules import STATUSES

__all__ = ["Coverage", "coverage", "reference"]

_TOPICS: dict[str, tuple[str, ...]] = {
    "pixel size": ("pixel_um",),
    "position": ("latitude", "longitude"),
    "time": ("time_utc", "date", "time_of_day"),
    "depth": ("depth_min_m", "depth_max_m", "depth", "pressure", "altitude_m"),
    "water volume": ("volume_l", "subsample_factor"),
}


@dataclass(frozen=True)
class Coverage:
    """What the columns of a table are to a mapping.

    Args:
        mapped: column → what it means: a field, or a role such as "label".
        known: measurements of the object, settings and notes, kept in Raw Metadata.
        unmapped: columns that nobody has described.
    """

    mapped: dict[str, str]
    known: tuple[str, ...]
    unmapped: tuple[str, ...]


def coverage(columns: Iterable[str], mapping: InstrumentMapping) -> Coverage:
    """Say what each column of a table is.

    Args:
        columns: names, as they stand in the table.
        mapping: of its instrument; EcoTaxa's generic columns count too.
    """
    columns = [column for column in columns if column]
    table = Columns(columns)
    generic = load_mapping(GENERIC)
    mapped = {name: said.role for name in columns if (said := _meant(name, table)) is not None}
    for rules in (generic.rules, mapping.rules):
        for name, own in rules.items():
            for wanted in (term for rule in own for term in rule.terms):
                found = [table.find(wanted.column), table.find(wanted.minus) if wanted.minus else None]
                mapped |= {column: name for column in found if column}
    rest = [column for column in columns if column not in mapped]
    patterns = [*generic.known, *mapping.known]
    known = [column for column in rest if any(fnmatchcase(plain_name(column), pattern) for pattern in patterns)]
    return Coverage(mapped, tuple(known), tuple(column for column in rest if column not in known))


def _meant(name: str, table: Columns) -> Meaning | None:
    """What a name means where a person gave it; EcoTaxa's own columns are the business of the mappings."""
    said = meaning(name)
    return said if said is not None and any(name == other for other, _ in table.called(said.role)) else None


def reference() -> str:
    """What is known of each instrument, in Markdown, for the documentation."""
    names = sorted(mapping_names(), key=lambda name: (name == GENERIC, name.lower()))
    mappings = [load_mapping(name) for name in names]
    return "\n".join([*_overview(mappings), *(_section(mapping) for mapping in mappings)])


def _overview(mappings: Iterable[InstrumentMapping]) -> Iterator[str]:
    yield "| instrument | light | usual pixel size, µm | " + " | ".join(_TOPICS) + " | known |"
    yield "|---|---|---|" + "---|" * (len(_TOPICS) + 1)
    for mapping in mappings:
        low, high = mapping.plausible.get("pixel_um", (None, None))
        name = "any other" if mapping.name == GENERIC else mapping.name
        cells = [name, mapping.modality or "", "" if low is None else f"{low:g}–{high:g}"]
        cells += [_knows(mapping, fields) for fields in _TOPICS.values()]
        yield _row([*cells, _statuses(mapping)])
    yield ""
    yield "“EcoTaxa” stands for the columns that EcoTaxa defines for every instrument (see “Any other instrument”),"
    yield "“name” for the names of the images, “ask” for what only the owner can say, in a table or in `card.yaml`."
    yield ""


def _knows(mapping: InstrumentMapping, fields: tuple[str, ...]) -> str:
    """Where the fields of a topic come from, in order of preference."""
    columns = [f"`{rule.terms[0].column}`" for name in fields for rule in mapping.rules.get(name, ())]
    told = list(dict.fromkeys(columns))
    if mapping.name != GENERIC and "volume_l" not in fields and "pixel_um" not in fields:
        told.append("EcoTaxa")
    groups = {group for pattern in mapping.filenames for group in (*pattern.groups, *pattern.says)}
    tells_time = "time_utc" in fields and any(pattern.tells_time for pattern in mapping.filenames)
    if groups & set(fields) or tells_time:
        told.append("name")
    told += [f"{mapping.constants[name].value:.4g}" for name in fields if name in mapping.constants]
    if any(name in mapping.ask for name in fields):
        told.append("ask")
    return ", ".join(told)


def _statuses(mapping: InstrumentMapping) -> str:
    counts = Counter(rule.status for rules in mapping.rules.values() for rule in rules)
    counts += Counter(pattern.status for pattern in mapping.filenames)
    counts += Counter(constant.status for constant in mapping.constants.values())
    return ", ".join(f"{counts[status]} {status}" for status in STATUSES if counts[status])


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _section(mapping: InstrumentMapping) -> str:
    title = "Any other instrument" if mapping.name == GENERIC else mapping.name
    lines = [f"## {title}", "", mapping.doc, ""]
    names = [alias.removeprefix("=") for alias in mapping.aliases]
    lines += [f"Also called: {', '.join(names)}.", ""] if names else []
    for name, (low, high) in mapping.plausible.items():
        lines.append(f"Usual {FIELDS[name].title}: {low:g} to {high:g} {FIELDS[name].unit}.")
    lines += [f"Source of the range: {mapping.source}."] if mapping.source else []
    lines += ["", *_rule_rows(mapping), *_name_rows(mapping)]
    for name, question in mapping.ask.items():
        lines += [f"If the {FIELDS[name].title} is missing: {question}.", ""]
    return "\n".join(lines)


def _rule_rows(mapping: InstrumentMapping) -> Iterator[str]:
    if not mapping.rules and not mapping.constants:
        return
    yield "| field | column | unit | status | evidence |"
    yield "|---|---|---|---|---|"
    for name, rules in mapping.rules.items():
        for rule in rules:
            yield _row([f"`{name}`", *_terms(rule), rule.status, rule.evidence])
    for name, one in mapping.constants.items():
        yield _row([f"`{name}`", f"nominal {one.value:.5g}", FIELDS[name].unit or "", one.status, one.evidence])
    yield ""


def _name_rows(mapping: InstrumentMapping) -> Iterator[str]:
    if not mapping.filenames:
        return
    yield "| name of the image | says | status | evidence |"
    yield "|---|---|---|---|"
    for pattern in mapping.filenames:
        says = [*pattern.groups, *(f"{name} = {value}" for name, value in pattern.says.items())]
        example = next(iter(pattern.examples), "")
        yield _row([f"`{example}`", ", ".join(says), pattern.status, pattern.evidence])
    yield ""


def _terms(rule: Rule) -> tuple[str, str]:
    """The columns of a rule as a product, and their units."""
    told = ""
    for term in rule.terms:
        column = f"(`{term.column}` − `{term.minus}`)" if term.minus else f"`{term.column}`"
        sign = " ÷ " if term.power < 0 else " × "
        told += f"{sign if told else ''}{column}"
    factor = "" if rule.factor == 1 else f" × {rule.factor:g}"
    return told + factor, ", ".join(" or ".join(term.units) for term in rule.terms if term.units)
