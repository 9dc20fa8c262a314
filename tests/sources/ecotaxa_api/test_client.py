"""The addresses of the API, over HTTP: 64-bit ids, paging, whatever a newer server adds."""

from __future__ import annotations

import pytest

from aqqua.errors import RefusedError, RemoteError, UnknownNameError, UnsafeInputError
from aqqua.sources.ecotaxa_api.models import Project, Right
from aqqua.sources.ecotaxa_api.objects import iter_objects, known_fields
from aqqua.sources.ecotaxa_api.vault import fetch_image, vault_path
from tests.sources.ecotaxa_api.conftest import Cast


def test_a_password_gets_a_token(cast: Cast) -> None:
    client = cast.double.client()
    client.log_in("alice@lab.test", cast.alice.password)
    assert client.me().email == "alice@lab.test"


def test_a_wrong_password_gets_none(cast: Cast) -> None:
    client = cast.double.client()
    with pytest.raises(RefusedError, match="could not log in"):
        client.log_in("alice@lab.test", "wrong")
    assert client.wire.token is None


def test_projects_come_page_by_page(cast: Cast) -> None:
    for number in range(7):
        cast.project(f"Net {number}")
    found = list(cast.client.projects(managing=True, page=3))
    assert [project.projid for project in found] == [1, 2, 3, 4, 5, 6, 7]
    assert len(cast.double.asked("GET", "projects/search")) == 3


def test_projects_are_filtered(cast: Cast) -> None:
    cast.project("Net spring", bob="View")
    cast.project("UVP autumn").instrument = "UVP6"
    bob = cast.double.client(cast.bob)
    assert [project.title for project in cast.client.projects(title="autumn")] == ["UVP autumn"]
    assert [project.title for project in cast.client.projects(instrument="UVP6")] == ["UVP autumn"]
    assert [project.projid for project in bob.projects()] == [1]
    assert list(bob.projects(managing=True)) == []


def test_what_a_newer_server_adds_is_kept(cast: Cast) -> None:
    cast.project().settings["doi"] = "10.0000/x"
    assert cast.client.project_json(1)["doi"] == "10.0000/x"
    assert cast.client.project(1).model_extra is not None
    assert cast.client.project(1).model_extra["doi"] == "10.0000/x"  # type: ignore[index]


def test_who_has_which_right(cast: Cast) -> None:
    cast.project(bob="Annotate", aqqua="View")
    project = cast.client.project(1)
    rights = [project.right_of(person.id) for person in (cast.alice, cast.bob, cast.aqqua)]
    assert rights == [Right.MANAGE, Right.ANNOTATE, Right.VIEW]
    assert project.right_of(999) is None
    assert [right.rank for right in Right] == [0, 1, 2]


def test_ids_beyond_32_bits(cast: Cast) -> None:
    for number in range(99):
        cast.project(f"Empty {number}")
    project = cast.filled(2)
    objids = [row["object_id"] for row in iter_objects(cast.client, cast.client.project(100), ["obj.orig_id"])]
    assert objids == [10_000_000_001, 10_000_000_002]
    assert cast.client.object(objids[0]).acquisid == project.projid * 10**7 + 1


def test_free_columns_come_with_the_thing_itself_only(cast: Cast) -> None:
    cast.filled()
    (first, _), (acquisition, _) = cast.client.samples(1), cast.client.acquisitions(1)
    assert (first.free_columns, acquisition.free_columns) == ({}, {})
    assert cast.client.sample(first.sampleid).free_columns == {"tot_vol": "12.5"}
    assert cast.client.acquisition(acquisition.acquisid).free_columns == {"sub_part": "4"}
    assert cast.client.process(acquisition.acquisid).free_columns == {"pixel": "0.0106"}


def test_objects_come_by_name_of_the_field(cast: Cast) -> None:
    cast.filled(7)
    fields = ["img.file_name", "fre.area", "obj.orig_id"]
    rows = list(iter_objects(cast.client, cast.client.project(1), fields, page=3))
    assert [row["obj.orig_id"] for row in rows] == [f"obj_{n}" for n in range(1, 8)]
    assert rows[1]["fre.area"] == 101.5
    assert rows[0]["sample_id"] == 1_000_001


def test_objects_of_one_state_or_sample(cast: Cast) -> None:
    cast.filled(4)
    project = cast.client.project(1)
    in_sample = iter_objects(cast.client, project, ["obj.orig_id"], {"samples": "1000002"})
    assert [row["obj.orig_id"] for row in in_sample] == ["obj_2", "obj_4"]
    assert list(iter_objects(cast.client, project, ["obj.orig_id"], {"statusfilter": "V"})) == []


def test_a_field_that_would_be_dropped_is_not_asked_for(cast: Cast) -> None:
    cast.filled()
    with pytest.raises(UnknownNameError, match=r"sam\.tot_vol"):
        list(iter_objects(cast.client, cast.client.project(1), ["obj.orig_id", "sam.tot_vol"]))
    assert cast.double.asked("POST", "query") == []


def test_a_field_the_server_drops_all_the_same_is_an_error_and_no_shift(cast: Cast) -> None:
    cast.filled()
    told = cast.client.project(1).model_copy(update={"obj_free_cols": {"area": "n01", "gone": "n02"}})
    with pytest.raises(RemoteError, match="the server left out 1 of 2 fields"):
        list(iter_objects(cast.client, told, ["fre.gone", "fre.area"]))


def test_objects_that_come_while_they_are_listed_are_noticed(cast: Cast) -> None:
    project = cast.filled(6)
    rows = iter_objects(cast.client, cast.client.project(1), ["obj.orig_id"], page=3)
    for _ in range(3):
        next(rows)
    early = cast.world.add_object(project, next(iter(cast.world.acquisitions.values())), "early")
    cast.world.objects[100_000_000] = cast.world.objects.pop(early.id)
    cast.world.objects[100_000_000].id = 100_000_000
    with pytest.raises(RemoteError, match="came or went"):
        list(rows)


def test_every_field_we_know_the_server_knows_too(cast: Cast) -> None:
    cast.filled(1)
    project = cast.client.project(1)
    fields = sorted(known_fields(project))
    assert len(cast.client.query(1, fields).details[0]) == len(fields)


def test_predictions_protect_what_people_judged(cast: Cast) -> None:
    project = cast.filled(2)
    validated = cast.world.add_object(
        project, next(iter(cast.world.acquisitions.values())), "judged", taxon=84963, qual="V", who=cast.alice.id
    )
    ids = [obj.id for obj in cast.world.objects_of(1)]
    changed = cast.client.classify_auto(ids, [[45072, 78418], [85011], [45072]], [[0.9, 0.05], [0.6], [0.7]])
    assert changed == 2
    assert cast.client.predictions(ids) == [(ids[0], 45072, 0.9), (ids[0], 78418, 0.05), (ids[1], 85011, 0.6)]
    assert cast.world.objects[validated.id].now.taxon == 84963


@pytest.mark.parametrize(
    ("taxon", "score", "said"), [(45072, 1.5, "Scores should be floats between 0 and 1"), (987654321, 0.5, "987654321")]
)
def test_predictions_that_the_server_cannot_take(cast: Cast, taxon: int, score: float, said: str) -> None:
    cast.filled(1)
    with pytest.raises(RemoteError, match=said):
        cast.client.classify_auto([100_000_001], [[taxon]], [[score]])


def test_taxa(cast: Cast) -> None:
    oncaeidae, cyclopoida = sorted(cast.client.taxa([45072, 78418, 5]), key=lambda taxon: -taxon.id)
    assert (oncaeidae.name, oncaeidae.rank, oncaeidae.aphia_id) == ("Oncaeidae", "Family", 128586)
    assert cyclopoida.lineage[-1] == "Biota"
    assert cast.client.search_taxa("Oncae")[0]["id"] == 78418


def test_images_come_as_they_are_also_after_a_cut(cast: Cast) -> None:
    cast.filled(1)
    name = cast.client.query(1, ["img.file_name"]).details[0][0]
    cast.double.faults.plan("cut", "api/vault")
    assert fetch_image(cast.client, name) == cast.world.pictures[name].data
    before = len(cast.double.faults.seen)
    fetch_image(cast.client, name)
    assert len(cast.double.faults.seen) == before + 1


def test_images_need_no_login_and_only_what_is_there_comes(cast: Cast) -> None:
    cast.filled(1)
    assert fetch_image(cast.double.client(), vault_path(1000, ".png")).startswith(b"\x89PNG")
    with pytest.raises(RemoteError, match="knows nothing"):
        fetch_image(cast.client, "9999/9999.png")


@pytest.mark.parametrize(
    "name", ["../users/me", "0000/1000.png?x", "http://example.org/0000/1000.png", "0000//1000.png", ""]
)
def test_an_image_name_that_leads_elsewhere_is_refused(cast: Cast, name: str) -> None:
    with pytest.raises(UnsafeInputError):
        fetch_image(cast.client, name)
    assert cast.double.faults.seen == []


def test_history_is_newest_first(cast: Cast) -> None:
    cast.filled(1)
    cast.client.classify_auto([100_000_001], [[45072]], [[0.9]])
    cast.client.classify_auto([100_000_001], [[78418]], [[0.8]])
    cast.client.classify_auto([100_000_001], [[85011]], [[0.7]])
    assert [entry.classif_id for entry in cast.client.history(100_000_001)] == [78418, 45072]
    assert cast.client.summary(1).predicted_objects == 1


def test_a_project_that_is_open_can_be_seen_without_a_login(cast: Cast) -> None:
    cast.project().access = "2"
    assert isinstance(cast.double.client().project(1), Project)
    assert cast.client.project(1).access_name == "open"
    assert cast.client.constants()["max_upload_size"] == 681574400
