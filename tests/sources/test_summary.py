"""The report tells an owner what to do, in few lines."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from aqqua.metadata.check import Finding
from aqqua.sources.summary import IngestReport, merge_findings, reject_groups
from aqqua.store.dataset import Dataset
from aqqua.store.rejects import REJECT_SCHEMA


def rejects(*rows: tuple[str, int | None, str, str, str]) -> pl.DataFrame:
    told = [
        {"source_path": p, "source_row": r, "object_id": "o", "field": f, "reason": w, "do": d}
        for p, r, f, w, d in rows
    ]
    return pl.DataFrame(told, schema={name: kind for name, kind in REJECT_SCHEMA.items() if name != "raw"})


def test_reasons_that_differ_in_names_and_numbers_are_one_group() -> None:
    groups = reject_groups(
        rejects(
            ("t.tsv", 3, "depth_min_m", "the depth is missing", "give it"),
            ("t.tsv", 4, "img_file_name", "there is no image 'a.png' in the package", "add it"),
            ("t.tsv", 5, "img_file_name", "there is no image 'b.png' in the package", "add it"),
            ("t.tsv", 6, "Extra", "the line has 90 cells, its header 88", "mend it"),
            ("t.tsv", 7, "Extra", "the line has 91 cells, its header 88", "mend it"),
            ("z.zip!a.png", None, "image", "the image file is damaged", "export it"),
        )
    )
    assert [(group.count, group.message) for group in groups] == [
        (2, "there is no image 'a.png' in the package"),
        (2, "the line has 90 cells, its header 88"),
        (1, "the depth is missing"),
        (1, "the image file is damaged"),
    ]
    assert groups[0].where == "first: t.tsv, row 4, object o"
    assert groups[3].where == "first: z.zip!a.png, object o"


def test_findings_of_many_tables_are_said_once() -> None:
    merged = merge_findings(
        [
            Finding("info", "a", "odd", "one.tsv", 2),
            Finding("warning", "b", "odder", ""),
            Finding("info", "a", "odd", "two.tsv", 3),
            Finding("error", "c", "oddest", "three.tsv"),
        ]
    )
    assert [(finding.code, finding.count, finding.where) for finding in merged] == [
        ("c", 1, "three.tsv"),
        ("b", 1, ""),
        ("a", 5, "one.tsv and 1 more"),
    ]


def test_the_report_in_words(tmp_path: Path) -> None:
    dataset = Dataset.create(tmp_path / "mydata")
    group = Finding(
        "warning", "rejected_depth_min_m", "the depth is missing", "first: t.tsv, row 3", 412, "add depth_m"
    )
    odd = Finding("warning", "odd", "a position on land", "t.tsv", 3)
    told = str(
        IngestReport(1200, 412, [odd, Finding("info", "x", "not shown")], 1, dataset, [group], [Path("a/s.zip")])
    )
    assert told.splitlines() == [
        "1,200 images in 1 new shard: mydata/ now has 0 images",
        "s.zip was ingested before: nothing to do",
        "412 rows did not get in (all of them: rejected.parquet)",
        "  412 × the depth is missing",
        "      → add depth_m",
        "      first: t.tsv, row 3",
        "  a table to fill in what is missing: aqqua check mydata --missing fix.csv",
        "Please look at:",
        "  3 × a position on land",
        "      t.tsv",
    ]


def test_a_long_report_is_cut(tmp_path: Path) -> None:
    dataset = Dataset.create(tmp_path / "mydata")
    groups = [Finding("warning", "x", f"reason {chr(65 + n)}") for n in range(20)]
    told = str(IngestReport(0, 20, [], 0, dataset, groups))
    assert "no image came in: 20 rows" in told
    assert "and 8 more: aqqua check" in told
