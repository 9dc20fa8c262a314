"""Any flipped bit, in any region of any file, is noticed; `python -m benchmarks damage` flips many more."""

from __future__ import annotations

from pathlib import Path

from benchmarks.damage import measure, small_dataset

from aqqua.store.verify import verify

REGIONS = {
    "AQQUA.json",
    "CURRENT",
    "images (LMDB): chunks",
    "images (LMDB): meta pages",
    "images (LMDB): pages: headers, nodes, keys",
    "images (LMDB): pages: unused bytes",
    "images (LMDB): trailers",
    *(
        f"{kind} (Parquet): {part}"
        for kind in (
            "labels",
            "manifest",
            "meta/converted",
            "meta/raw",
            "predictions",
            "rejected.parquet",
            "tombstones",
        )
        for part in ("data", "footer")
    ),
    "predictions (model.json)",
    "masks (LMDB): chunks",
    "masks (LMDB): meta pages",
    "masks (mask.json)",
    "masks (shard.json)",
}


def test_every_flipped_bit_is_noticed(tmp_path: Path) -> None:
    dataset = small_dataset(tmp_path / "dataset")
    assert verify(dataset, 3) == []
    tallies = measure(dataset.path, 6)
    assert set(tallies) >= REGIONS
    assert {name: tally.missed for name, tally in tallies.items() if tally.missed} == {}
    assert all(sum(tally.found.values()) == tally.flips > 0 for tally in tallies.values())
    assert verify(dataset, 3) == [], "the measurement puts everything back"
