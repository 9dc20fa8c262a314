"""What the importer says about a package before it imports anything: line by line, in its own words."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from PIL import Image, UnidentifiedImageError

from tests.ecotaxa_double.state import World
from tests.ecotaxa_double.tables import Project
from tests.ecotaxa_double.tables_read import BadCell, Tsv, parse_cell

__all__ = ["TABLES", "Verdict", "examine"]

TABLES = {"object": "obj_field", "sample": "samples", "acq": "acquisitions", "process": "process"}
LIMITS = {("obj_field", "n"): 500, ("obj_field", "t"): 20, ("samples", "t"): 60}
_OBJECT = "lat lon date time depth_min depth_max link"
_ANNOTATION = "status category category_id date time hierarchy person_name person_email"
PREDEFINED = {
    *(f"object_{name}" for name in _OBJECT.split()),
    *(f"object_annotation_{name}" for name in _ANNOTATION.split()),
    *("object_id", "sample_id", "acq_id", "process_id", "img_file_name", "img_rank"),
    *("complement_info", "sample_dataportal_descriptor", "acq_instrument"),
}


@dataclass
class Verdict:
    """What came out of the examination.

    Args:
        columns: free columns with their database columns, new ones included.
    """

    columns: dict[str, dict[str, str]]
    errors: list[str] = field(default_factory=list)
    infos: list[str] = field(default_factory=list)
    rows: int = 0
    values: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)
    names_of_users: dict[str, dict[str, Any]] = field(default_factory=dict)
    names_of_taxa: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)


def examine(
    world: World, project: Project, tables: list[Tsv], files: dict[str, bytes], request: dict[str, Any]
) -> Verdict:
    """Check the tables of an import or an update."""
    verdict = Verdict({table: dict(known) for table, known in project.columns.items()})
    updating = bool(request["update_mode"])
    there = {
        (obj.orig_id, picture.orig_file_name) for obj in world.objects_of(project.projid) for picture in obj.pictures
    }
    no_place = 0
    for table in tables:
        said = list(_columns(project, table, verdict))
        if not said:
            for number, row in table.rows:
                said += [f" - line {number}: {what}" for what in _row(verdict, table, number, row)]
                if not updating:
                    said += [f" - line {number}: {what}" for what in _image(table, row, files)]
                    said += [f" - line {number}: {what}" for what in _twice(row, there, request)]
                values = verdict.values[table.path, number]
                no_place += values.get("object_lat") is None or values.get("object_lon") is None
            verdict.rows += len(table.rows)
        if said:
            verdict.errors += [f"In {table.shown}:", *said]
    if no_place and not updating:
        verdict.infos.append(f"{no_place} object(s) don't have GPS information.")
    if not verdict.errors:
        verdict.errors += _as_a_whole(world, project, tables, verdict)
    return verdict


def _columns(project: Project, table: Tsv, verdict: Verdict) -> Iterator[str]:
    """Names and types; new free columns get the next database column."""
    old = any(project.columns.values())
    late = []
    for name in table.names:
        if name in PREDEFINED:
            continue
        prefix, _, column = name.partition("_")
        if not column:
            late.append(f" - Invalid Header '{name}'. Format must be Table_Field.")
        elif prefix not in TABLES:
            yield f" - Invalid Header '{name}'. Unknown table prefix '{prefix}'."
        else:
            known = verdict.columns[TABLES[prefix]]
            if column not in known:
                kind = table.types.get(name, "").strip().lower()
                if prefix == "object" and kind not in {"[f]", "[t]"}:
                    yield f" - Invalid Type '{table.types.get(name, '')}' for field '{name}'."
                    continue
                letter = "n" if (prefix, kind) == ("object", "[f]") else "t"
                number = 1 + sum(code[0] == letter for code in known.values())
                code = known[column] = f"{letter}{number:02d}"
                if old:
                    verdict.infos.append(f"New field {name} found in file {table.shown} -> {code}")
                if number > LIMITS.get((TABLES[prefix], letter), 30):
                    yield f" - Field {name} cannot be mapped. Too many custom fields, or bad type."
    yield from late
    for prefix, word in (("sample", "sample"), ("acq", "acquisition"), ("process", "process"), ("object", "object")):
        columns = [name for name in table.names if name.startswith(f"{prefix}_") and name != f"{prefix}_id"]
        if columns and f"{prefix}_id" not in table.names:
            yield f" - Field {prefix}_id is mandatory as there are some {word} columns: {columns}."


def _row(verdict: Verdict, table: Tsv, number: int, row: dict[str, str]) -> Iterator[str]:
    """Values of a row, column by column, then what belongs together."""
    values = verdict.values[table.path, number] = {}
    kinds = verdict.columns["obj_field"]
    for name in table.names:
        verdict.used.add(name)
        kind = kinds.get(name[7:], "t")[0] if name.startswith("object_") else "t"
        try:
            values[name] = parse_cell(name, row.get(name, ""), kind)
        except BadCell as error:
            yield str(error)
    status = row.get("object_annotation_status", "")
    name, ident = row.get("object_annotation_category", ""), row.get("object_annotation_category_id", "")
    named = bool(name) if "object_annotation_category" in table.names else bool(ident)
    if status and status.lower() != "noid" and not named:
        yield f"When annotation status '{status}' is provided there has to be a category."
    if name and not ident:
        verdict.names_of_taxa.add(name.lower())
    if status.lower() in {"validated", "dubious", "discarded"} and row.get("object_annotation_person_name"):
        email = row.get("object_annotation_person_email")
        verdict.names_of_users[row["object_annotation_person_name"].lower()] = {"email": email} if email else {}


def _image(table: Tsv, row: dict[str, str], files: dict[str, bytes]) -> Iterator[str]:
    """The image of a row is there, and of a kind that is read."""
    name = row.get("img_file_name", "absent img_file_name")
    data = files.get(f"{table.folder}/{name}" if table.folder else name)
    if data is None:
        yield f"Missing Image '{name}'."
        return
    try:
        with Image.open(io.BytesIO(data)) as image:
            kind = image.format
    except UnidentifiedImageError:
        yield f"Error while reading image '{name}': cannot identify image file <class 'PIL.UnidentifiedImageError'>"
        return
    if kind not in {"PNG", "JPEG", "GIF"}:
        kinds = "{'JPEG', 'PNG', 'GIF'}"
        what = f"Unsupported image format: {kind}, please convert to one of {kinds} <class 'ImportError'>"
        yield f"Error while reading image '{name}': {what}"


def _twice(row: dict[str, str], there: set[tuple[str, str]], request: dict[str, Any]) -> Iterator[str]:
    """An object has an image only once."""
    pair = (row.get("object_id", ""), row.get("img_file_name", "absent img_file_name"))
    if pair in there and not request["skip_existing_objects"]:
        yield f"(Object '{pair[0]}', Image '{pair[1]}') is already in EcoTaxa or being imported."
    there.add(pair)


def _as_a_whole(world: World, project: Project, tables: list[Tsv], verdict: Verdict) -> Iterator[str]:
    """What all tables together must fulfil."""
    missing = [
        f"{prefix}_{name}"
        for prefix, table in TABLES.items()
        for name in project.columns[table]
        if f"{prefix}_{name}" not in verdict.used
    ]
    if missing:
        verdict.infos.append(f"Some fields configured in the project are not seen in this import {', '.join(missing)} ")
    if not tables:
        yield "No object to import.<br>* No .txt or .tsv file was found, of which name starts with 'ecotaxa'."
    elif not verdict.rows:
        yield "No object to import.<br>*  TSV file(s) might be empty."
    samples: dict[str, str] = {}
    for values in verdict.values.values():
        acquisition, sample = values.get("acq_id"), values.get("sample_id")
        if acquisition and sample and samples.setdefault(acquisition, sample) != sample:
            before = f"{{'{samples[acquisition]}'}}"
            yield (
                f"Acquisition '{acquisition}' is already associated with sample '{before}', "
                f"it cannot be associated as well with '{sample}"
            )
    ids = {
        int(row["object_annotation_category_id"])
        for row in verdict.values.values()
        if row.get("object_annotation_category_id")
    }
    if unknown := sorted(ids - set(world.taxa)):
        listed = ",".join(map(str, unknown))
        yield f"Some specified classif_id don't exist, correct them prior to reload: {listed}"
