"""Releases: what is in them, what is not, and how they are made."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from aqqua.errors import ConfigError, StorageError, UnknownNameError
from aqqua.export import export
from aqqua.export.release import ReleaseReport, release, shards
from aqqua.metadata.card import Person
from aqqua.sources.aqqua_dataset import merge
from aqqua.sources.ingest import ingest
from aqqua.store.dataset import Dataset
from aqqua.store.images import ShardReader, write_shard
from aqqua.store.lineage import lineage
from aqqua.store.verify import verify
from tests.export.release.conftest import ON, Released
from tests.make.datasets import miniature
from tests.make.releases import SECRETS, card, releasable

FORMAT_PAGE = Path(__file__).parents[3] / "docs" / "reference" / "format.md"


def files(place: Path) -> dict[str, bytes]:
    return {str(path.relative_to(place)): path.read_bytes() for path in sorted(place.rglob("*")) if path.is_file()}


# ---- it is a dataset again


def test_a_release_opens_as_a_dataset_with_the_same_images(released: Released) -> None:
    again = Dataset.open(released.bag / "data")
    before, after = released.dataset.metadata(), again.metadata()
    assert len(again) == len(released.dataset) == 26
    mapping = dict(zip(after["uid"], before["uid"], strict=True))
    assert after.drop("uid", "shard", "key").equals(before.drop("uid", "shard", "key"))
    for uid, old in mapping.items():
        assert np.array_equal(again.image(uid), released.dataset.image(old))
    assert not [finding for finding in verify(again, 3) if finding.severity != "info"]


def test_labels_and_masks_come_along(released: Released) -> None:
    again = Dataset.open(released.bag / "data")
    old = dict(zip(again.metadata([])["uid"], released.dataset.metadata([])["uid"], strict=True))
    labels, before = again.labels(), released.dataset.labels()
    assert {(old[uid], label) for uid, label in labels.select("uid", "label").iter_rows()} == {
        *before.select("uid", "label").iter_rows()
    }
    masked = 0
    for uid, before_uid in old.items():
        mask, expected = again.mask(uid), released.dataset.mask(before_uid)
        assert (mask is None) is (expected is None)
        if mask is not None and expected is not None:
            masked += 1
            assert np.array_equal(mask, expected)
    assert masked > 3


def test_the_plain_reader_of_the_format_page_reads_it(
    released: Released, several: tuple[ReleaseReport, list[Dataset]], tmp_path: Path
) -> None:
    block = re.search(r"## A reader in thirty lines.*?```python\n(.*?)```", FORMAT_PAGE.read_text("utf-8"), re.DOTALL)
    assert block is not None
    for number, place in enumerate([released.bag, *several[0].records]):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "mydata").symlink_to(place / "data")
        program = block[1] + "\nprint(sum(shard['n_images'] for shard in shards))"
        done = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert int(done.stdout) == len(Dataset.open(place / "data"))


def test_raw_metadata_lead_back_and_lineage_finds_the_release(released: Released) -> None:
    raw = pl.read_parquet(released.bag / "data" / "raw.parquet")
    uuid, shard, key = raw["aqqua_origin"][0].split("/")
    assert uuid == released.dataset.uuid
    assert raw["object_id"][0] == released.dataset.row((int(shard) << 32) + int(key))["object_id"]
    found = lineage(released.dataset, source="source_1.zip", releases=[released.bag.parent])
    assert {Path(one["path"]).name for one in found.releases} >= {"data", "ro-crate-metadata.json"}


def test_a_release_is_a_source_of_other_datasets(released: Released, tmp_path: Path) -> None:
    again = Dataset.open(released.bag / "data")
    merged = merge(again, Dataset.create(tmp_path / "all"))
    assert sorted(merged.metadata(["xxh3"])["xxh3"]) == sorted(again.metadata(["xxh3"])["xxh3"])
    assert len(merged.labels()) == len(again.labels())


# ---- what is left out


def test_withdrawn_images_are_not_in_any_file(released: Released) -> None:
    names, hashes = set(released.withdrawn["object_id"]), set(released.withdrawn["xxh3"])
    stored = pl.read_parquet(released.bag / "data" / "metadata.parquet")
    assert not names & set(stored["object_id"])
    assert not hashes & set(stored["xxh3"])
    gone = set()
    for uid in released.withdrawn["uid"]:
        gone.add(ShardReader(released.dataset.shards[uid >> 32].images).get(uid & 0xFFFFFFFF))
    content = (released.bag / "data" / "images" / "000.lmdb").read_bytes()
    assert len(gone) == 6
    assert not [record for record in gone if record in content]
    text = b"".join(data for name, data in files(released.bag).items() if not name.endswith((".lmdb", ".mdb")))
    assert not [name for name in names if re.search(rf"{name}\b".encode(), text)]


def cells(place: Path) -> Iterator[tuple[str, str]]:
    """Every text in every file of a record, compressed ones included."""
    for name, content in files(place).items():
        yield name, content.decode("utf-8", "replace")
        if name.endswith(".parquet"):
            frame = pl.read_parquet(place / name)
            for column in frame.columns:
                yield f"{name}:{column}", "\n".join(map(str, [column, *frame[column].to_list()]))
        if name.endswith(".zip"):
            with zipfile.ZipFile(place / name) as archive:
                for member in archive.namelist():
                    yield f"{name}!{member}", archive.read(member).decode("utf-8")


def test_nobody_is_named_who_did_not_agree(released: Released, several: tuple[ReleaseReport, list[Dataset]]) -> None:
    report = several[0]
    assert report.umbrella is not None
    looked = 0
    for place in [released.bag, *report.records, report.umbrella]:
        for name, text in cells(place):
            looked += 1
            assert not [secret for secret in SECRETS if secret in text], name
            if not name.endswith((".lmdb", ".mdb", ".parquet", ".zip")):
                assert not re.search(r"[\w.+-]+@[\w-]+\.[\w.]+", text), name
    assert looked > 100
    assert "[removed]" in str(dict(cells(released.bag)))
    before = [str(one) for one in released.dataset.raw(released.dataset.metadata([])["uid"].to_list())]
    assert "Jane Doe" in "".join(before)  # so that the test can fail


def test_nobody_of_a_genuine_ecotaxa_package_is_named(shared_data: Path, tmp_path: Path) -> None:
    ingest([shared_data / "ecotaxa" / "qa_packages" / "import_test"], tmp_path / "genuine")
    card().save(tmp_path / "genuine" / "card.yaml")
    dataset = Dataset.open(tmp_path / "genuine")
    raw = dataset.raw(dataset.metadata([])["uid"].to_list())
    who = {text for row in raw for name, text in row.items() if "annotation_person" in name}
    assert len(who) > 1
    place = release([dataset], tmp_path / "out", on=ON).records[0]
    assert not [(name, one) for name, text in cells(place) for one in who if one in text]


def test_labels_are_signed_by_roles_only(released: Released) -> None:
    assert "Max Private" in released.dataset.labels()["by"].to_list()
    assert set(Dataset.open(released.bag / "data").labels()["by"].drop_nulls()) == {"source"}


def test_the_darwin_core_archive_is_that_of_the_release(released: Released) -> None:
    from dwca.read import DwCAReader

    with DwCAReader(str(released.bag / "dwca.zip")) as archive:
        assert archive.descriptor is not None
        rows = [extension for row in archive for extension in row.extensions]
        assert {row.rowtype.rsplit("/")[-1] for row in rows} >= {"Occurrence"}
        eml = (released.bag / "dwca.zip").read_bytes()
    assert eml
    with zipfile.ZipFile(released.bag / "dwca.zip") as zipped:
        text = zipped.read("eml.xml").decode("utf-8")
    assert "Larsen" in text
    assert "2027-07-15" in text


def test_without_names_there_is_no_darwin_core_archive(tmp_path: Path) -> None:
    dataset = releasable(tmp_path / "bay", (4,))
    for path in (dataset.path / "labels").iterdir():
        path.unlink()
    place = release([Dataset.open(dataset.path)], tmp_path / "out", on=ON).records[0]
    assert not (place / "dwca.zip").exists()
    assert not Dataset.open(place / "data").labels().height


def test_labels_that_name_no_organism(tmp_path: Path) -> None:
    dataset = releasable(tmp_path / "bay", (4,))
    uids = dataset.metadata([])["uid"]
    dataset.add_labels(pl.DataFrame({"uid": uids, "label": ["detritus"] * 4, "taxon": ["detritus"] * 4}))
    place = release([dataset], tmp_path / "out", on=ON).records[0]
    assert set(Dataset.open(place / "data").labels()["label"]) == {"detritus"}


# ---- who may be released


def test_all_reasons_against_a_release_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        release([miniature(tmp_path / "bare")], tmp_path / "out", on=ON)
    told = str(error.value)
    assert "nobody has stated a licence" in told
    assert "no title" in told
    assert "nobody can be asked" in told
    assert "no author" in told
    assert "gps_on_land" in told
    assert not (tmp_path / "out").exists()


def test_nothing_is_written_if_one_of_several_may_not(tmp_path: Path) -> None:
    good = releasable(tmp_path / "good", (4,))
    bad = releasable(tmp_path / "bad", (4,), publish="never")
    with pytest.raises(ConfigError, match=r"bad: the owners do not want these images published"):
        release([good, bad], tmp_path / "out", on=ON)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("said", "options", "why"),
    [
        ({"publish": "embargo", "publish_on": "2028-01-01"}, {}, "embargo until 2028-01-01"),
        ({"publish": "on", "publish_on": "2027-07-16"}, {}, "agreed to a publication from 2027-07-16"),
        ({"licence": "CC-BY-SA-4.0"}, {"licence": "CC-BY-NC-4.0"}, "share alike"),
        ({"licence": "CC-BY-NC-4.0"}, {"licence": "CC-BY-4.0"}, "non-commercial use"),
        ({"people": (Person("Kim Helper", author=False),)}, {}, "no author"),
        ({"people": (Person("ada.larsen@institute.example"),)}, {}, "e-mail address instead of a name"),
        ({"institution": "", "contact": ""}, {}, "nobody can be asked"),
    ],
)
def test_what_stands_against_a_release(
    tmp_path: Path, said: dict[str, object], options: dict[str, str], why: str
) -> None:
    dataset = releasable(tmp_path / "bay", (4,), **said)
    with pytest.raises(ConfigError, match=why):
        release([dataset], tmp_path / "out", on=ON, **options)  # type: ignore[arg-type]


def test_a_dataset_that_was_withdrawn_as_a_whole(tmp_path: Path) -> None:
    dataset = releasable(tmp_path / "bay", (4,))
    dataset = dataset.add_tombstones(dataset.metadata([])["uid"].to_list(), "all of it")
    with pytest.raises(ConfigError, match="all of them were withdrawn"):
        release([dataset], tmp_path / "out", on=ON)


def test_the_licence_of_the_publication_is_that_of_the_record(tmp_path: Path) -> None:
    dataset = releasable(tmp_path / "bay", (4,), publish="on", publish_on=ON, publish_licence="CC-BY-NC-4.0")
    place = release([dataset], tmp_path / "out", on=ON).records[0]
    text = (place / "data" / "LICENSE").read_text("utf-8")
    assert "CC-BY-NC-4.0" in text
    assert "The owners also offer these data under CC-BY-4.0" in text
    assert Dataset.open(place / "data").card.licence == "CC-BY-NC-4.0"


def test_wrong_options_are_answered(tmp_path: Path) -> None:
    dataset = releasable(tmp_path / "bay", (4,))
    with pytest.raises(ConfigError, match="is no date"):
        release([dataset], tmp_path / "out", on="15.7.2027")
    with pytest.raises(UnknownNameError, match=r"CC-BY-4\.0"):
        release([dataset], tmp_path / "out", on=ON, licence="CC-BY-4")
    with pytest.raises(ConfigError, match="needs a dataset"):
        release([], tmp_path / "out")
    with pytest.raises(ConfigError, match="for one dataset"):
        release([dataset, dataset], tmp_path / "out", doi="10.5281/zenodo.1")
    with pytest.raises(ConfigError, match="two datasets are called bay"):
        release([dataset, dataset], tmp_path / "out")


# ---- how it is made


def test_the_same_dataset_gives_the_same_bytes(released: Released, tmp_path: Path) -> None:
    again = release([released.dataset], tmp_path, on=date(2027, 7, 15)).records[0]
    assert files(again) == files(released.bag)


def test_a_release_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    dataset = releasable(tmp_path / "bay", (4,))
    place = release([dataset], tmp_path / "out", on=ON).records[0]
    before = {path: path.stat().st_mtime_ns for path in place.rglob("*")}
    assert release([dataset], tmp_path / "out", on=ON).records == [place]
    assert {path: path.stat().st_mtime_ns for path in place.rglob("*")} == before
    with pytest.raises(StorageError, match="another release of this name"):
        release([dataset], tmp_path / "out", on="2027-07-16")
    assert release([dataset], tmp_path / "out", on=ON, version="1.1").records[0].name == "bay-1.1"


def test_an_interrupted_release_goes_on(tmp_path: Path, released: Released, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("aqqua.export.release.bundle.close_bag", stop)
        with pytest.raises(KeyboardInterrupt):
            release([released.dataset], out, on=ON)
    assert [path.name for path in out.iterdir()] == ["bay-1.part"]
    monkeypatch.setattr("aqqua.export.release.shards.write_shard", stop)  # images must not be copied again
    place = release([released.dataset], out, on=ON).records[0]
    assert files(place) == files(released.bag)
    assert [path.name for path in out.iterdir()] == ["bay-1"]


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["map_shards", "fill_data", "write_yaml", "rocrate", "close_bag"])
def test_a_killed_release_goes_on(tmp_path: Path, released: Released, moment: str) -> None:
    out = tmp_path / "out"
    program = (
        "import os, sys\n"
        "from aqqua.export.release import bundle, release\n"
        "bundle.MOMENT = lambda *_, **__: os._exit(9)\n"
        "release([sys.argv[1]], sys.argv[2], on='2027-07-15')\n"
    ).replace("MOMENT", moment)
    command = [sys.executable, "-c", program, str(released.dataset.path), str(out)]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 9
    assert [path.name for path in out.iterdir()] == ["bay-1.part"]
    assert files(release([released.dataset], out, on=ON).records[0]) == files(released.bag)
    assert [path.name for path in out.iterdir()] == ["bay-1"]


def test_an_interrupted_release_of_something_else_begins_anew(tmp_path: Path, released: Released) -> None:
    out = tmp_path / "out"
    (out / "bay-1.part" / "cuts" / "000").mkdir(parents=True)
    (out / "bay-1.part" / "key").write_text("of another day")
    assert files(release([released.dataset], out, on=ON).records[0]) == files(released.bag)


def test_chosen_images_only(released: Released, tmp_path: Path) -> None:
    wanted = released.dataset.metadata(["object_id"])[::5]
    report = export(released.dataset.path, to="release", out=tmp_path, uids=wanted["uid"].to_list(), on=ON)
    again = Dataset.open(report.files[0] / "data")
    assert report.images == len(again) == len(wanted)
    assert again.metadata(["object_id"])["object_id"].to_list() == wanted["object_id"].to_list()


def test_images_are_cut_into_files_that_are_small_enough(several: tuple[ReleaseReport, list[Dataset]]) -> None:
    report, datasets = several
    for place, dataset in zip(report.records, datasets, strict=True):
        sizes = [path.stat().st_size for path in (place / "data" / "images").iterdir()]
        assert max(sizes) <= 40_000
        again = Dataset.open(place / "data")
        assert len(again.shards) == len(sizes)
        assert again.metadata(["object_id"])["object_id"].to_list() == dataset.metadata()["object_id"].to_list()
        assert not [finding for finding in verify(again, 3) if finding.severity != "info"]
    assert len(Dataset.open(report.records[0] / "data").shards) > 1
    columns = {tuple(pl.read_parquet_schema(path)) for path in (report.records[0] / "data" / "raw").iterdir()}
    assert len(columns) == 1


def test_the_estimate_of_sizes_is_never_too_small(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for largest in (60, 900, 1990, 2040, 5000, 50_000):
        lengths = rng.integers(48, largest, 400)
        path = tmp_path / f"{largest}.mdb"
        write_shard(path, (bytes(int(length)) for length in lengths))
        told = sum(shards.bytes_in_lmdb(lengths).tolist()) + shards.LMDB_HEAD
        assert path.stat().st_size <= told


def test_an_image_file_holds_at_most_so_many_images(released: Released) -> None:
    cuts = shards.plan_cuts(released.dataset, None, max_images=10)
    assert [len(cut) for cut in cuts] == [10, 10, 6]
    assert shards.uids_of(cuts)["old"].to_list() == released.dataset.metadata([])["uid"].to_list()


def test_too_large_for_one_record_is_told(released: Released, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("aqqua.export.release._MAX_BYTES", 1000)
    report = release([released.dataset], tmp_path, on=ON)
    assert "large_record" in {note.code for note in report.notes}


# ---- the umbrella


def test_the_umbrella_names_everything_and_holds_no_images(several: tuple[ReleaseReport, list[Dataset]]) -> None:
    import json

    umbrella = several[0].umbrella
    assert umbrella is not None
    assert umbrella.name == "umbrella-2"
    assert not list(umbrella.rglob("*.lmdb"))
    record = json.loads((umbrella / "datacite.json").read_text("utf-8"))
    parts = [one["relatedIdentifier"] for one in record["relatedIdentifiers"] if one["relationType"] == "HasPart"]
    uuids = [f"urn:uuid:{Dataset.open(place / 'data').uuid}" for place in several[0].records]
    assert parts == uuids
    table = pl.read_csv(umbrella / "data" / "datasets.csv")
    assert table["name"].to_list() == ["bay-2", "fjord-2"]
    assert table["licence"].to_list() == ["CC-BY-4.0", "CC-BY-SA-4.0"]
    assert table["images"].to_list() == [32, 9]


def test_the_author_list_of_the_data_paper(several: tuple[ReleaseReport, list[Dataset]]) -> None:
    umbrella = several[0].umbrella
    assert umbrella is not None
    lines = (umbrella / "data" / "authors.txt").read_text("utf-8").splitlines()
    assert [line.split(",")[0].split(" (")[0] for line in lines] == [
        "1. Lea Lead",
        "2. Ada Larsen",
        "3. Jo Adeyemi",
        "4. Zoe Zander",
    ]
    assert "https://orcid.org/0000-0002-1825-0097" in lines[1]
    assert "(Investigation, Data curation, Validation)" in lines[1]
    thanks = (umbrella / "data" / "acknowledgements.txt").read_text("utf-8")
    assert "We thank the crew of RV Example." in thanks
    assert "We thank Kim Helper." in thanks
    assert "Example Science Fund, grant 123" in thanks
