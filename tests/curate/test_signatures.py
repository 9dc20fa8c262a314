from __future__ import annotations

from pathlib import Path

from aqqua.curate.hashing import perceptual_hash
from aqqua.curate.signatures import read_signatures, signatures
from tests.make.captures import capture, dataset_of


def test_a_row_for_each_image_that_is_left(tmp_path: Path) -> None:
    dataset = dataset_of(tmp_path / "d", [capture(i, 24) for i in range(6)], shards=2)
    paths = signatures(dataset)
    assert [path.name for path in paths] == ["00000000.parquet", "00000001.parquet"]
    frame = read_signatures(dataset, paths)
    assert frame.columns == ["uid", "width", "height", "phash"]
    for uid, width, height, phash in frame.iter_rows():
        pixels = dataset.image(uid)
        assert (height, width) == pixels.shape
        assert phash == perceptual_hash(pixels)
    after = dataset.add_tombstones([0], "test")
    before = paths[0].stat().st_mtime_ns
    assert len(read_signatures(after, signatures(after))) == 5
    assert paths[0].stat().st_mtime_ns == before  # nothing was hashed again
