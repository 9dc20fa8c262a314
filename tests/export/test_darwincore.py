"""The archive as its readers see it: read back with python-dwca-reader, count for count, reference for reference."""

from __future__ import annotations

import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from dwca.read import DwCAReader
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aqqua.errors import ConfigError
from aqqua.export import export
from aqqua.export.darwincore_terms import ROW_TYPES
from aqqua.store.dataset import Dataset
from tests.make.published import CARD, LABELS, MODEL, images, later, published, uid_of

TABLES = ("event", "occurrence", "emof")
NET = "exampletown-2021:EX-21:station%201"
D1, D2 = f"{NET}:acquisition_id=d1:instrument=ZooScan", f"{NET}:acquisition_id=d2:instrument=ZooScan"
BIN = "exampletown-2021:EX-21:D2021"


def read(path: Path) -> dict[str, list[dict[str, str]]]:
    """All rows, by the short names of their terms, as the reader gives them."""
    rows: dict[str, list[dict[str, str]]] = {name: [] for name in TABLES}
    with DwCAReader(str(path)) as archive:
        assert archive.descriptor.core.type == ROW_TYPES["event"]
        assert {one.type for one in archive.descriptor.extensions} == {ROW_TYPES["occurrence"], ROW_TYPES["emof"]}
        for event in archive:
            rows["event"].append(_short(event.data))
            for row in event.extensions:
                table = "occurrence" if row.rowtype == ROW_TYPES["occurrence"] else "emof"
                assert row.core_id == event.id
                rows[table].append(_short(row.data))
    return rows


def _short(data: dict[str, str]) -> dict[str, str]:
    return {name.rpartition("/")[2]: value for name, value in data.items()}


def check_references(rows: dict[str, list[dict[str, str]]]) -> None:
    events = {row["eventID"]: row["parentEventID"] for row in rows["event"]}
    occurrences = {row["occurrenceID"]: row["eventID"] for row in rows["occurrence"]}
    measurements = {row["measurementID"] for row in rows["emof"]}
    assert [len(events), len(occurrences), len(measurements)] == [len(rows[name]) for name in TABLES]
    assert all(parent == "" or parent in events for parent in events.values())
    assert all(event in events for event in occurrences.values())
    for row in rows["emof"]:
        assert row["eventID"] in events
        assert row["occurrenceID"] == "" or occurrences[row["occurrenceID"]] == row["eventID"]


def found(rows: list[dict[str, str]], **wanted: str) -> list[dict[str, str]]:
    return [row for row in rows if all(row[name] == value for name, value in wanted.items())]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return published(tmp_path_factory.mktemp("published") / "nets")


@pytest.fixture(scope="module")
def rows(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, str]]]:
    report = export(dataset.path, to="darwincore", out=tmp_path_factory.mktemp("out") / "nets.zip", absences=True)
    assert report.images == 15
    return read(report.files[0])


def test_every_reference_leads_somewhere(rows: dict[str, list[dict[str, str]]]) -> None:
    check_references(rows)


def test_events_are_a_tree_of_cruise_sample_and_subsample(rows: dict[str, list[dict[str, str]]]) -> None:
    tree = {row["eventID"]: (row["eventType"], row["parentEventID"]) for row in rows["event"]}
    cruise = "exampletown-2021:EX-21"
    assert tree == {
        cruise: ("cruise", ""),
        NET: ("sample", cruise),
        BIN: ("sample", cruise),
        D1: ("subsample", NET),
        D2: ("subsample", NET),
    }


def test_an_event_says_when_where_how_deep_and_how_much(rows: dict[str, list[dict[str, str]]]) -> None:
    (part,) = found(rows["event"], eventID=D1)
    assert part["eventDate"] == "2021-05-01T09:00:00Z/2021-05-01T09:04:00Z"
    assert (part["decimalLatitude"], part["decimalLongitude"], part["geodeticDatum"]) == ("43", "5.2", "EPSG:4326")
    assert part["coordinateUncertaintyInMeters"] == "100"  # what the card says
    assert (part["minimumDepthInMeters"], part["maximumDepthInMeters"]) == ("0", "100")
    assert (part["sampleSizeValue"], part["sampleSizeUnit"]) == ("250000", "litre")
    assert part["samplingProtocol"] == "ZooScan"
    assert part["license"] == "https://creativecommons.org/licenses/by/4.0/"
    (drift,) = found(rows["event"], eventID=BIN)
    assert drift["decimalLatitude"] == "43.1025"
    assert drift["coordinateUncertaintyInMeters"] == "278"  # half of 0.005 degrees of latitude: 277.99 m


def test_one_row_per_taxon_and_sample_not_per_image(rows: dict[str, list[dict[str, str]]]) -> None:
    told = {
        (
            row["eventID"],
            row["scientificName"],
            row["lifeStage"],
            row["sex"],
            row["identificationVerificationStatus"],
        ): (
            row["individualCount"],
            row["organismQuantity"],
        )
        for row in found(rows["occurrence"], occurrenceStatus="present")
    }
    human, machine = "ValidatedByHuman", "PredictedByMachine"
    assert told == {
        (D1, "Calanoida", "", "", human): ("2", "8"),
        (D1, "Calanus finmarchicus", "copepodite V", "female", human): ("1", "4"),
        (D2, "Calanoida", "", "", human): ("1", "16"),
        (D2, "Calanoida", "", "", machine): ("3", "48"),
        (BIN, "Ciliophora", "", "", machine): ("5", "5"),
    }
    assert {row["basisOfRecord"] for row in rows["occurrence"]} == {"MachineObservation"}
    assert {row["identifiedBy"] for row in rows["occurrence"]} == {""}


def test_aphia_ids_go_along_only_where_they_were_checked(rows: dict[str, list[dict[str, str]]]) -> None:
    ids = {row["scientificName"]: row["scientificNameID"] for row in rows["occurrence"]}
    assert ids["Calanoida"] == "urn:lsid:marinespecies.org:taxname:1100"
    assert ids["Calanus finmarchicus"] == ""  # in the list of taxa from memory only


def test_predictions_name_their_model_and_its_confidence(rows: dict[str, list[dict[str, str]]]) -> None:
    (row,) = found(rows["occurrence"], scientificName="Ciliophora")
    assert row["identificationReferences"].split(" | ") == [
        f"aqqua model {MODEL}",
        f"weights sha256 {'ab' * 32}",
        "https://doi.org/10.5281/zenodo.1",
    ]
    (confidence,) = found(
        rows["emof"], occurrenceID=row["occurrenceID"], measurementType="Confidence of the classifier (mean)"
    )
    assert confidence["measurementValue"] == "0.75"
    assert not found(
        rows["emof"], occurrenceID=f"{D1}:validated:Calanoida", measurementType=confidence["measurementType"]
    )


def test_measurements_have_units_and_addresses_where_there_is_evidence(rows: dict[str, list[dict[str, str]]]) -> None:
    p01, p06 = (f"http://vocab.nerc.ac.uk/collection/{name}/current" for name in ("P01", "P06"))
    (abundance,) = found(rows["emof"], occurrenceID=f"{D2}:validated:Calanoida", measurementTypeID=f"{p01}/SDBIOL01/")
    assert (abundance["measurementValue"], abundance["measurementUnitID"]) == ("0.064", f"{p06}/UPMM/")  # 16 in 250 m3
    (volume,) = found(rows["emof"], eventID=BIN, measurementTypeID=f"{p01}/VOLWBSMP/")
    assert (volume["measurementValue"], volume["measurementUnitID"]) == ("5e-06", f"{p06}/MCUB/")
    (factor,) = found(rows["emof"], eventID=D2, measurementType="Subsample factor")
    assert (factor["measurementValue"], factor["measurementTypeID"]) == ("16", "")
    assert not found(rows["emof"], eventID=NET, measurementType="Subsample factor")  # its fractions differ
    (tool,) = found(rows["emof"], eventID=D1, measurementValue="ZooScan")
    assert tool["measurementValueID"] == "http://vocab.nerc.ac.uk/collection/L22/current/TOOL1581/"
    (unnamed,) = found(
        rows["emof"], eventID=D1, measurementType="Number of individuals imaged without a name in this archive"
    )
    assert unnamed["measurementValue"] == "2"  # detritus, t001


def test_what_is_left_out_is_told(dataset: Dataset, tmp_path: Path) -> None:
    report = export(dataset.path, to="darwincore", out=tmp_path)
    assert report.files == [tmp_path / "darwincore_nets.zip"]
    told = {note.code: note for note in report.notes}
    assert told["not_an_organism"].count == 1
    assert "t001" in told["unknown_name"].message
    assert told["discarded"].count == 1
    assert "Calanus finmarchicus" in told["unchecked_aphia_id"].message


def test_removed_images_are_not_counted(tmp_path: Path) -> None:
    dataset = published(tmp_path / "nets")
    dataset.add_tombstones([uid_of(dataset, "o0"), uid_of(dataset, "o12")], "withdrawn")
    rows = read(export(dataset.path, to="darwincore", out=tmp_path / "a.zip").files[0])
    (calanoida,) = found(rows["occurrence"], occurrenceID=f"{D1}:validated:Calanoida")
    assert calanoida["individualCount"] == "1"
    assert found(rows["occurrence"], scientificName="Ciliophora")[0]["individualCount"] == "4"


def test_several_images_of_one_individual_count_once(tmp_path: Path) -> None:
    table = images(object_id=[f"o{k // 2}" for k in range(15)], image_rank=[k % 2 for k in range(15)])
    dataset = published(tmp_path / "nets", rows=table, labels={0: ("Calanoida", "validated")}, predicted=False)
    rows = read(export(dataset.path, to="darwincore", out=tmp_path / "a.zip").files[0])
    (calanoida,) = rows["occurrence"]
    assert (calanoida["individualCount"], calanoida["organismQuantity"]) == ("1", "4")


def test_without_predictions_only_people_count(dataset: Dataset, tmp_path: Path) -> None:
    rows = read(export(dataset.path, to="darwincore", out=tmp_path / "a.zip", predicted=False).files[0])
    assert {row["identificationVerificationStatus"] for row in rows["occurrence"]} == {"ValidatedByHuman"}
    unsure = read(export(dataset.path, to="darwincore", out=tmp_path / "b.zip", least_confidence=0.9).files[0])
    (source,) = found(unsure["occurrence"], identificationVerificationStatus="PredictedByMachine")
    assert source["identificationReferences"] == "classifier of the source (source)"


def test_absences_only_where_a_person_named_everything(tmp_path: Path) -> None:
    labels = {k: ("Calanoida" if k < 3 else "Chaetognatha", "validated") for k in range(9)}
    labels |= dict.fromkeys(range(5, 9), ("Calanoida", "validated"))
    dataset = published(tmp_path / "nets", labels=labels)
    rows = read(export(dataset.path, to="darwincore", out=tmp_path / "a.zip", absences=True).files[0])
    (absent,) = found(rows["occurrence"], occurrenceStatus="absent")
    assert (absent["eventID"], absent["scientificName"], absent["individualCount"]) == (D2, "Chaetognatha", "0")
    assert not found(rows["emof"], occurrenceID=absent["occurrenceID"], measurementType="Longest side")
    without = read(export(dataset.path, to="darwincore", out=tmp_path / "b.zip").files[0])
    assert not found(without["occurrence"], occurrenceStatus="absent")


def test_layers_of_water_are_events_of_their_own(tmp_path: Path) -> None:
    low = [0.0] * 5 + [50.0] * 4 + [5.0] * 6
    high = [50.0] * 5 + [100.0] * 4 + [5.0] * 6
    table = images(depth_min_m=low, depth_max_m=high, acquisition_id=[None] * 15)
    rows = read(export(published(tmp_path / "nets", rows=table).path, to="darwincore", out=tmp_path / "a.zip").files[0])
    layers = found(rows["event"], parentEventID=NET)
    assert [(row["minimumDepthInMeters"], row["maximumDepthInMeters"]) for row in layers] == [
        ("0", "50"),
        ("50", "100"),
    ]


def test_a_sample_across_the_date_line_is_there_and_not_in_africa(tmp_path: Path) -> None:
    table = images(longitude=[5.2] * 9 + [179.9, -179.9] * 3, latitude=[0.0] * 15)
    rows = read(export(published(tmp_path / "nets", rows=table).path, to="darwincore", out=tmp_path / "a.zip").files[0])
    (event,) = found(rows["event"], eventID=BIN)
    assert abs(float(event["decimalLongitude"])) == 180
    assert 11_000 < float(event["coordinateUncertaintyInMeters"]) < 11_200


def test_media_are_linked_where_somebody_says_how(dataset: Dataset, tmp_path: Path) -> None:
    where = "https://images.example.org/{uid}.png"
    rows = read(export(dataset.path, to="darwincore", out=tmp_path / "a.zip", media=where).files[0])
    (row,) = found(rows["occurrence"], scientificName="Calanus finmarchicus")
    assert row["associatedMedia"] == where.replace("{uid}", str(uid_of(dataset, "o3")))
    with pytest.raises(ConfigError, match=r"no \{uid\}"):
        export(dataset.path, to="darwincore", out=tmp_path / "b.zip", media="https://images.example.org/")


def test_only_authors_can_be_named_as_those_who_validated(dataset: Dataset, tmp_path: Path) -> None:
    rows = read(export(dataset.path, to="darwincore", out=tmp_path / "a.zip", identified_by="Ada Larsen").files[0])
    told = {(row["identificationVerificationStatus"], row["identifiedBy"]) for row in rows["occurrence"]}
    assert told == {("ValidatedByHuman", "Ada Larsen"), ("PredictedByMachine", "")}
    for nobody in ("Kim Nobody", "Ada Larsen | Somebody Else"):
        with pytest.raises(ConfigError, match="no author"):
            export(dataset.path, to="darwincore", out=tmp_path / "b.zip", identified_by=nobody)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"licence": "unknown"}, "nobody has stated a licence"),
        ({"people": ()}, "no author"),
        ({"contact": ""}, "nobody can be asked"),
        ({"title": ""}, "no title"),
        ({"publish": "never"}, "do not want"),
        ({"publish": "embargo", "publish_on": later(30)}, "embargo"),
        ({"publish": "on", "publish_on": later(30)}, "agreed to a publication from"),
    ],
)
def test_what_may_not_be_published_is_refused(tmp_path: Path, changes: dict[str, Any], why: str) -> None:
    dataset = published(tmp_path / "nets", **changes)
    with pytest.raises(ConfigError, match=why):
        export(dataset.path, to="darwincore", out=tmp_path / "a.zip")
    assert not (tmp_path / "a.zip").exists()


def test_nobody_is_named_but_authors(dataset: Dataset, tmp_path: Path) -> None:
    (path,) = export(dataset.path, to="darwincore", out=tmp_path / "a.zip").files
    with zipfile.ZipFile(path) as archive:
        text = "".join(archive.read(name).decode() for name in archive.namelist())
    assert "Larsen" in text
    assert "Nobody" not in text
    assert "@" not in text


def test_addresses_in_names_of_samples_are_hidden_and_samples_stay_apart(tmp_path: Path) -> None:
    names = ["haul of ada@institute.example.org"] * 9 + ["haul of jo@institute.example.org"] * 6
    dataset = published(tmp_path / "nets", rows=images(sample_id=names, acquisition_id=[None] * 15))
    (path,) = export(dataset.path, to="darwincore", out=tmp_path / "a.zip").files
    with zipfile.ZipFile(path) as archive:
        text = "".join(archive.read(name).decode() for name in archive.namelist())
    assert "institute.example" not in text
    assert len(found(read(path)["event"], eventType="sample")) == 2


def test_annotators_of_the_source_are_not_told(tmp_path: Path) -> None:
    names = ["haul of Jo Doe 1"] * 9 + ["haul of Jo Doe 2"] * 6
    said = LABELS | {7: ("Calanoida (says Jo Doe)", "validated")}
    dataset = published(tmp_path / "nets", rows=images(sample_id=names), labels=said, annotator="Jo Doe")
    (path,) = export(dataset.path, to="darwincore", out=tmp_path / "a.zip").files
    with zipfile.ZipFile(path) as archive:
        text = "".join(archive.read(name).decode() for name in archive.namelist())
    assert "Doe" not in text
    assert len(found(read(path)["event"], eventType="sample")) == 2


def test_the_day_counts_where_an_embargo_ends(tmp_path: Path) -> None:
    dataset = published(tmp_path / "nets", publish="embargo", publish_on=later(30))
    report = export(dataset.path, to="darwincore", out=tmp_path / "a.zip", on=later(30))
    with DwCAReader(str(report.files[0])) as archive:
        assert archive.metadata is not None
        assert archive.metadata.findtext("dataset/pubDate") == later(30)
    with pytest.raises(ConfigError, match="no date"):
        export(dataset.path, to="darwincore", out=tmp_path / "b.zip", on="soon")


def test_the_same_dataset_gives_the_same_bytes(dataset: Dataset, tmp_path: Path) -> None:
    first, second = (
        export(dataset.path, to="darwincore", out=tmp_path / name).files[0].read_bytes() for name in ("a.zip", "b.zip")
    )
    assert first == second


def test_chosen_images_only_and_none_that_are_not_there(dataset: Dataset, tmp_path: Path) -> None:
    chosen = [uid_of(dataset, "o0")]
    rows = read(export(dataset.path, to="darwincore", out=tmp_path / "a.zip", uids=chosen).files[0])
    assert [row["individualCount"] for row in rows["occurrence"]] == ["1"]
    with pytest.raises(ConfigError, match="not there"):
        export(dataset.path, to="darwincore", out=tmp_path / "b.zip", uids=[1 << 40])
    with pytest.raises(ConfigError, match="nothing to export"):
        export(dataset.path, to="darwincore", out=tmp_path / "b.zip", uids=[])


texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_names_keep_rows_whole_and_apart(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    names = data.draw(st.lists(texts, min_size=4, max_size=4, unique=True))
    pick = st.sampled_from([*names, None])
    columns = {name: data.draw(st.lists(pick, min_size=15, max_size=15)) for name in ("sample_id", "acquisition_id")}
    columns["project"] = data.draw(st.lists(pick, min_size=15, max_size=15))
    folder = tmp_path_factory.mktemp("any")
    said = LABELS | {7: (names[0], "validated"), 8: (names[1], "validated")}
    dataset = published(folder / "nets", rows=images(**columns), labels=said, title=f"{names[2]}a", project=names[3])
    rows = read(export(dataset.path, to="darwincore", out=folder / "a.zip", absences=True).files[0])
    check_references(rows)
    samples = {row["eventID"] for row in rows["event"] if row["eventType"] == "sample"}
    frame = pl.DataFrame({"sample": columns["sample_id"], "project": columns["project"], "idx": images()["sample_idx"]})
    project = pl.col("project").fill_null(names[3])
    unnamed = pl.when(pl.col("sample").is_null()).then("idx")
    assert len(samples) == frame.select(project, "sample", unnamed.alias("idx")).n_unique()
    counted = [int(row["individualCount"]) for row in rows["occurrence"]]
    left = [int(r["measurementValue"]) for r in rows["emof"] if r["measurementType"].endswith("name in this archive")]
    assert sum(counted) + sum(left) == 15


def test_eml_says_what_the_card_says(dataset: Dataset, tmp_path: Path) -> None:
    (path,) = export(dataset.path, to="darwincore", out=tmp_path / "a.zip").files
    with DwCAReader(str(path)) as archive:
        eml = archive.metadata
        assert eml is not None
    assert eml.findtext("dataset/title") == CARD.title
    assert [one.findtext("individualName/surName") for one in eml.findall("dataset/creator")] == ["Larsen", "Adeyemi"]
    assert eml.find("dataset/creator/userId").text == "0000-0002-1825-0097"
    assert [para.text for para in eml.findall("dataset/abstract/para")] == CARD.abstract.split("\n\n")
    assert eml.findtext("dataset/licensed/identifier") == "CC-BY-4.0"
    assert date.fromisoformat(eml.findtext("dataset/pubDate"))
    box = {one.tag: float(one.text) for one in eml.find("dataset/coverage/geographicCoverage/boundingCoordinates")}
    assert box["southBoundingCoordinate"] == 43
    assert box["northBoundingCoordinate"] == 43.105
    dates = eml.find("dataset/coverage/temporalCoverage/rangeOfDates")
    assert [one.text for one in dates.iter("calendarDate")] == ["2021-05-01", "2021-05-02"]
    taxa = [one.text for one in eml.iter("taxonRankValue")]
    assert taxa == ["Calanoida", "Calanus finmarchicus", "Ciliophora"]
