"""The importer's rules in words, as they were observed, each with a package that breaks it.

Every package is written to disk and validated from there, so that encoding, names of files and images count too.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PIL import Image

from aqqua.export import ecotaxa_rules
from aqqua.export.ecotaxa_package import read_package
from aqqua.export.ecotaxa_rules import validate
from aqqua.export.ecotaxa_update_rules import check_update
from aqqua.metadata.check import Finding

GOOD = {
    "img_file_name": "[t]a.png",
    "object_id": "[t]a",
    "object_lat": "[f]-24.5",
    "object_lon": "[f]145.5",
    "object_date": "[t]20210501",
    "object_time": "[t]093015",
    "object_depth_min": "[f]0",
    "object_depth_max": "[f]10",
    "object_annotation_status": "[t]predicted",
    "object_annotation_category_id": "[f]45074",
    "object_area": "[f]12.5",
    "sample_id": "[t]s",
    "acq_id": "[t]q",
    "process_id": "[t]p",
}
Row = Mapping[str, str]


def picture(form: str = "PNG", size: tuple[int, int] = (8, 6)) -> bytes:
    out = io.BytesIO()
    Image.new("L", size).save(out, form)
    return out.getvalue()


PNG = picture()


@dataclass(frozen=True)
class Made:
    """A package: the good table with columns changed or added ("[t]value"), dropped, rows added; or raw files."""

    change: Row = field(default_factory=dict)
    more: Sequence[Row] = ()
    drop: str = ""
    typed: bool = True
    encoding: str = "utf-8-sig"
    table: str = "ecotaxa_s.tsv"
    files: Mapping[str, bytes] = field(default_factory=lambda: {"a.png": PNG, "b.png": PNG})
    beyond: str = ""

    def text(self) -> bytes:
        """The table as a file."""
        cells = {name: cell for name, cell in {**GOOD, **self.change}.items() if name != self.drop}
        first = {name: cell[3:] for name, cell in cells.items()}
        lines = [list(cells), *([[cell[:3] for cell in cells.values()]] if self.typed else [])]
        lines += [[{**first, **row}[name] for name in cells] for row in [{}, *self.more]]
        return ("\n".join("\t".join(line) for line in lines) + self.beyond).encode(self.encoding)

    def write(self, path: Path) -> Path:
        """Write the zip."""
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in {self.table: self.text(), **self.files}.items():
                archive.writestr(name, data)
        return path


def inner(**more: object) -> bytes:
    """A zip of one UVP6 sample."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.png", PNG)
        for name, made in more.items():
            assert isinstance(made, Made)
            archive.writestr(f"{name}.tsv", made.text())
    return out.getvalue()


def uvp6(data: bytes) -> Made:
    return Made({}, table="readme.md", files={"s1_Images.zip": data})


def free(prefix: str, kind: str, count: int) -> dict[str, str]:
    return {f"{prefix}_free{number}": f"{kind}1" for number in range(count)}


OTHER = {"object_id": "b", "img_file_name": "b.png"}

# What the importer does, in words; the package that breaks it; error or warning and its code; part of what is told.
RULES: dict[str, tuple[Made, str, str]] = {
    # container
    "tables are called ecotaxa*.tsv or ecotaxa*.txt": (
        Made(table="data.tsv"),
        "error no_table",
        "starts with 'ecotaxa'",
    ),
    "case counts in their names": (Made(table="Ecotaxa_s.tsv"), "error no_table", "starts with 'ecotaxa'"),
    "a UVP6 zip within holds ecotaxa_<sample>.tsv": (
        uvp6(inner(other=Made())),
        "error sub_bundle",
        "no table ecotaxa_s1.tsv",
    ),
    "a UVP6 zip within can be unpacked": (uvp6(PNG), "error sub_bundle", "not a whole zip"),
    "the table of a UVP6 zip obeys the same rules": (
        uvp6(inner(ecotaxa_s1=Made({"object_lat": "[f]95"}))),
        "error position",
        "Invalid Lat. value '95'",
    ),
    "images of a UVP6 zip lie in it": (
        uvp6(inner(ecotaxa_s1=Made({"img_file_name": "[t]b.png"}))),
        "error image",
        "Missing Image 'b.png'",
    ),
    "line 2 is types": (Made(typed=False), "error types", "Invalid Type 'a.png' for field 'img_file_name'"),
    "without types the only row is eaten": (Made(typed=False), "error no_object", "TSV file(s) might be empty"),
    "a type is [t] or [f]": (
        Made({"object_area": "[n]1"}),
        "error types",
        "Invalid Type '[n]' for field 'object_area'",
    ),
    "without byte order mark it is Latin-1": (
        Made({"object_note": "[t]5 °C"}, encoding="utf-8"),
        "error encoding",
        "without byte order mark",
    ),
    # images
    "an image lies beside its table or below": (Made({"img_file_name": "[t]../a.png"}), "error image", "Missing Image"),
    "an image that is named is there": (Made({"img_file_name": "[t]c.png"}), "error image", "Missing Image 'c.png'"),
    "TIFF is refused": (Made(files={"a.png": picture("TIFF")}), "error image", "Unsupported image format: TIFF"),
    "BMP is deleted on upload": (
        Made({"img_file_name": "[t]a.bmp"}, files={"a.bmp": picture("BMP")}),
        "error image",
        "Missing Image 'a.bmp'",
    ),
    "WebP is deleted on upload": (
        Made({"img_file_name": "[t]a.webp"}, files={"a.webp": picture("WEBP")}),
        "error image",
        "Missing Image 'a.webp'",
    ),
    "an image can be decoded": (Made(files={"a.png": PNG[:50]}), "error image", "Error while reading image 'a.png'"),
    "20,000 pixels on a side": (Made(files={"a.png": picture(size=(20_001, 1))}), "error image", "more than 20,000"),
    # columns
    "img_file_name is required": (Made(drop="img_file_name"), "error required_column", "absent img_file_name"),
    "img_file_name ≤ 255": (
        Made({"img_file_name": f"[t]{'x' * 252}.png"}, files={f"{'x' * 252}.png": PNG}),
        "error too_long",
        "varying(255)",
    ),
    "ranks from 100 on are hidden": (Made({"img_rank": "[f]100"}), "warning rank", "from 100 on the image is hidden"),
    "object_id is required": (Made(drop="object_id"), "error required_column", "Missing object_id"),
    "object_id is filled": (Made({"object_id": "[t]"}), "error object_id", "Missing object_id"),
    "object_id ≤ 255": (Made({"object_id": "[t]" + "x" * 256}), "error too_long", "varying(255)"),
    "the same object_id in two samples is one object": (
        Made(more=[{"img_file_name": "b.png", "sample_id": "t", "acq_id": "r"}]),
        "warning object_id_twice",
        "one object",
    ),
    "latitude is −90…90": (Made({"object_lat": "[f]-90.5"}), "error position", "Invalid Lat. value '-90.5'"),
    "longitude is −180…180": (Made({"object_lon": "[f]181"}), "error position", "Invalid Long. value '181'"),
    "positions are decimal or ddd°MM SS": (Made({"object_lat": "[f]43 30"}), "error position", "Invalid Lat."),
    "dates are YYYYMMDD or YYYY-MM-DD": (Made({"object_date": "[t]1/5/2021"}), "error date", "Invalid Date value"),
    "times are HHMMSS, HHMM or HH:MM:SS": (Made({"object_time": "[t]9:30:15"}), "error time", "Invalid Time value"),
    "depths are numbers": (Made({"object_depth_max": "[f]deep"}), "error number", "Invalid float value 'deep'"),
    "object_link ≤ 255": (Made({"object_link": "[t]" + "x" * 256}), "error too_long", "varying(255)"),
    "four states": (Made({"object_annotation_status": "[t]sure"}), "error status", "Invalid Annotation Status 'sure'"),
    "a taxon id exists": (
        Made({"object_annotation_category_id": "[f]99999999"}),
        "error taxon_id",
        "Some specified classif_id don't exist",
    ),
    "an unknown name of a taxon stops the job to ask": (
        Made({"object_annotation_category": "[t]Xyzidae"}, drop="object_annotation_category_id"),
        "warning asks",
        "Xyzidae",
    ),
    "an unknown person stops the job to ask": (
        Made({"object_annotation_status": "[t]validated", "object_annotation_person_name": "[t]Ada L."}),
        "warning asks",
        "1 rows name who has judged",
    ),
    "annotation dates too": (Made({"object_annotation_date": "[t]20210231"}), "error date", "Invalid Date value"),
    "annotation times too": (Made({"object_annotation_time": "[t]2561"}), "error time", "Invalid Time value '2561'"),
    "no hierarchy": (Made({"object_annotation_hierarchy": "[t]Biota>a"}), "error hierarchy", "KeyError: ''"),
    "a status needs a category": (
        Made(drop="object_annotation_category_id"),
        "error no_category",
        "there has to be a category",
    ),
    "a category needs a status": (
        Made({"object_annotation_status": "[t]"}),
        "error no_status",
        "it has to be with a status",
    ),
    "id with an empty name is no category": (
        Made({"object_annotation_category": "[t]"}),
        "error no_category",
        "there has to be a category",
    ),
    "sample columns need sample_id": (
        Made({"sample_ship": "[t]M"}, drop="sample_id"),
        "error parent_id",
        "Field sample_id is mandatory",
    ),
    "acq columns need acq_id": (
        Made({"acq_mesh": "[t]1"}, drop="acq_id"),
        "error parent_id",
        "Field acq_id is mandatory",
    ),
    "process columns need process_id": (
        Made({"process_x": "[t]1"}, drop="process_id"),
        "error parent_id",
        "Field process_id is mandatory",
    ),
    "an empty parent id is invented": (Made({"sample_id": "[t]"}), "warning dummy_id", "__DUMMY_ID__"),
    "known prefixes only": (Made({"foo_bar": "[t]"}), "error header", "Unknown table prefix 'foo'"),
    "a prefix and a field": (Made({"bar": "[t]"}), "error header", "Format must be Table_Field"),
    "no values without column": (Made(beyond="\tx"), "error headerless", "must not be in a header-less column"),
    "500 numbers per object": (Made(free("object", "[f]", 500)), "error too_many_columns", "Too many custom fields"),
    "20 texts per object": (
        Made(free("object", "[t]", 21)),
        "error too_many_columns",
        "object_free20 cannot be mapped",
    ),
    "60 of a sample": (Made(free("sample", "[t]", 61)), "error too_many_columns", "sample_free60 cannot be mapped"),
    "30 of an acquisition": (Made(free("acq", "[t]", 31)), "error too_many_columns", "acq_free30 cannot be mapped"),
    "30 of a process": (Made(free("process", "[f]", 31)), "error too_many_columns", "process_free30 cannot be mapped"),
    "texts ≤ 250": (Made({"object_note": "[t]" + "x" * 251}), "error too_long", "varying(250)"),
    "parents are text ≤ 250 whatever their type": (
        Made({"acq_x": "[f]" + "9" * 251}),
        "error too_long",
        "varying(250)",
    ),
    "no decimal comma": (Made({"object_area": "[f]1,5"}), "error number", "Invalid float value '1,5'"),
    "infinity is stored and never shown": (Made({"object_area": "[f]inf"}), "warning infinite", "stored as infinity"),
    "an acquisition is of one sample": (
        Made(more=[{**OTHER, "sample_id": "t"}]),
        "error acquisition_in_two_samples",
        "is already associated with sample 's'",
    ),
    "an acquisition has one process": (
        Made(more=[{**OTHER, "process_id": "r"}]),
        "warning two_processes",
        "two processes",
    ),
    "an object has an image once": (Made(more=[{}]), "error duplicate", "is already in this TSV line 3."),
}


def lines(found: Sequence[Finding]) -> list[str]:
    return [f"{one.severity} {one.code}: {one.message}" for one in found]


def test_the_good_package_passes(tmp_path: Path) -> None:
    assert validate(Made().write(tmp_path / "x.zip")) == []
    assert validate(uvp6(inner(ecotaxa_s1=Made())).write(tmp_path / "y.zip")) == []


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_in_words_has_a_package_that_breaks_it(rule: str, tmp_path: Path) -> None:
    made, code, message = RULES[rule]
    found = validate(made.write(tmp_path / "x.zip"))
    told = [line for line in lines(found) if line.startswith(f"{code}: ") and message in line]
    assert told, lines(found)
    assert all(one.do and one.where for one in found)
    names = {one.code for one in found}
    assert len(names) == 1 or names == {"types", "no_object"}, "one fault, one kind of finding"


def test_two_thousand_tables(tmp_path: Path) -> None:
    empty = b"\n".join(Made().text().split(b"\n")[:2])
    files = {f"{number}/ecotaxa.tsv": empty for number in range(2000)}
    found = validate(Made(files={**files, "a.png": PNG}).write(tmp_path / "x.zip"))
    assert "error too_many_tables: You tried to import too many files, max. is 2000." in lines(found)


def test_a_zip_larger_than_one_upload(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Made().write(tmp_path / "x.zip")
    monkeypatch.setattr(ecotaxa_rules, "MAX_UPLOAD_BYTES", path.stat().st_size - 1)
    (found,) = validate(path)
    assert (found.severity, found.code) == ("error", "upload_size")
    assert "tus" in found.do


def test_a_column_keeps_its_first_type_and_an_object_its_images(tmp_path: Path) -> None:
    before = Made().write(tmp_path / "before.zip")
    later = Made({"object_area": "[t]large", "object_id": "[t]b", "img_file_name": "[t]b.png"})
    assert [one.code for one in validate(later.write(tmp_path / "x.zip"), before)] == ["type_conflict"]


def test_nobody_is_named_in_what_the_validator_says(tmp_path: Path) -> None:
    person = {"object_annotation_person_name": "[t]Ada L.", "object_annotation_person_email": "[t]ada@example.org"}
    found = validate(Made({**person, "object_annotation_status": "[t]dubious"}).write(tmp_path / "x.zip"))
    assert [one.code for one in found] == ["asks"]
    assert "Ada" not in str(found)
    assert "example.org" not in str(found)


# Updates: what the importer does without a word.
THREE = [name for name in GOOD if not name.startswith(("object_id", "object_annotation"))]
SILENT = {
    "an empty status un-classifies": ({"object_annotation_status": "[t]"}, "blank"),
    "an empty cell deletes a value": ({"object_score": "[f]"}, "blank"),
    "NaN deletes a value too": ({"object_score": "[f]NaN"}, "blank"),
    "a validation would stand for somebody's word": ({"object_annotation_status": "[t]validated"}, "update_status"),
    "any other column is overwritten": ({"object_lat": "[f]1"}, "update_column"),
    "both category columns": ({"object_annotation_category": "[t]Oncaeidae"}, "update_column"),
    "the last of two lines wins": ({}, "update_twice"),
}


@pytest.mark.parametrize("rule", SILENT)
def test_every_silent_harm_of_an_update_is_refused(rule: str, tmp_path: Path) -> None:
    change, code = SILENT[rule]
    cells = {name: cell for name, cell in GOOD.items() if name not in THREE} | change
    rows = [[cell[3:] for cell in cells.values()]] * (2 if code == "update_twice" else 1)
    text = "\n".join("\t".join(line) for line in [list(cells), [cell[:3] for cell in cells.values()], *rows])
    (tmp_path / "ecotaxa_update.tsv").write_text(text, encoding="utf-8-sig")
    found = check_update(read_package(tmp_path))
    assert code in {one.code for one in found if one.severity == "error"}, lines(found)
