"""Jobs in all states, uploads at once and in pieces, downloads that break off."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest

from aqqua.errors import ConfigError, NotFoundError, RefusedError, RemoteError
from aqqua.sources.ecotaxa_api import jobs
from aqqua.sources.ecotaxa_api.upload import upload
from tests.ecotaxa_double import packages
from tests.sources.ecotaxa_api.conftest import Cast


def package(folder: Path, label: str = "import_pub") -> Path:
    path = folder / "mine.zip"
    path.write_bytes(packages.PACKAGES[label]())
    return path


def imported(cast: Cast, path: Path, **options: Any) -> int:
    return jobs.start_import(cast.client, 1, upload(cast.client, path, **options))


def test_an_import_from_upload_to_the_end(cast: Cast, tmp_path: Path) -> None:
    cast.project()
    cast.world.slow_jobs = 3
    job = jobs.wait_for(cast.client, imported(cast, package(tmp_path)))
    assert (job.state, job.result, job.over) == ("F", {"rowcount": 2}, True)
    assert [obj.orig_id for obj in cast.world.objects_of(1)] == ["obj_1", "obj_2"]
    assert "Creating job" in jobs.job_log(cast.client, job.id)
    assert len(cast.double.asked("GET", f"jobs/{job.id}/")) == 5


def test_every_upload_has_a_name_of_its_own(cast: Cast, tmp_path: Path) -> None:
    path = package(tmp_path, "y_first_bad")
    first, second = upload(cast.client, path), upload(cast.client, path)
    assert first != second
    assert set(cast.world.folders[cast.alice.id]) == {first[1:], second[1:]}


@pytest.mark.parametrize("fault", [None, "cut_before", "lost", "502"])
def test_a_large_upload_goes_on_after_a_cut(cast: Cast, tmp_path: Path, fault: str | None) -> None:
    cast.project()
    if fault:
        cast.double.faults.plan(fault, "upload/", method="PATCH")  # type: ignore[arg-type]
    job = jobs.wait_for(cast.client, imported(cast, package(tmp_path), resumable_above=100))
    assert job.result == {"rowcount": 2}
    assert len(cast.double.asked("POST", "user_files/upload")) == 1


def test_an_upload_that_gets_nowhere_ends(cast: Cast, tmp_path: Path) -> None:
    cast.double.faults.plan("cut_before", "upload/", method="PATCH", times=99)
    with pytest.raises(RemoteError, match="it stays at byte 0"):
        upload(cast.client, package(tmp_path), resumable_above=100)


def test_only_zips_are_uploaded(cast: Cast, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        upload(cast.client, tmp_path / "nowhere.zip")
    (tmp_path / "table.tsv").write_text("x")
    with pytest.raises(ConfigError, match="takes zips"):
        upload(cast.client, tmp_path / "table.tsv")


def test_a_question_is_answered(cast: Cast, tmp_path: Path) -> None:
    cast.project()
    asked: list[dict[str, Any]] = []

    def answer(question: dict[str, Any]) -> dict[str, dict[str, int]]:
        asked.append(question)
        return {"users": {"someone unknown": cast.alice.id}, "taxa": {"copepod unknown name": 78418}}

    job = jobs.wait_for(cast.client, imported(cast, package(tmp_path, "import_new_asks")), answer=answer)
    assert asked == [{"missing_users": ["someone unknown"], "missing_taxa": ["copepod unknown name"]}]
    assert job.result == {"rowcount": 7}


def test_a_question_nobody_answers_is_told(cast: Cast, tmp_path: Path) -> None:
    cast.project()
    number = imported(cast, package(tmp_path, "import_new_asks"))
    assert jobs.read_job(cast.client, number).state == "A"
    with pytest.raises(RemoteError, match=r"users it does not know: 'someone unknown'; taxa.*'copepod unknown name'"):
        jobs.wait_for(cast.client, number)


def test_a_failed_import_tells_the_importer_s_own_lines(cast: Cast, tmp_path: Path) -> None:
    cast.project()
    with pytest.raises(RemoteError, match=r"line 3: Missing Image 'nope.png'"):
        jobs.wait_for(cast.client, imported(cast, package(tmp_path, "err_missing_image")))


def test_a_crashed_import_tells_the_end_of_the_traceback(cast: Cast, tmp_path: Path) -> None:
    cast.project()
    with pytest.raises(RemoteError, match=r"StringDataRightTruncation.*too long") as error:
        jobs.wait_for(cast.client, imported(cast, package(tmp_path, "x_long_text")))
    assert "line" not in str(error.value)


def test_a_job_that_takes_too_long_goes_on_without_us(cast: Cast, tmp_path: Path) -> None:
    cast.project()
    cast.world.slow_jobs = 10**6
    with pytest.raises(RemoteError, match="is not finished after"):
        jobs.wait_for(cast.client, imported(cast, package(tmp_path)), limit_s=0)


def test_viewers_may_not_export_but_open_projects(cast: Cast) -> None:
    cast.filled().rights[cast.aqqua.id] = "View"
    viewer = cast.double.client(cast.aqqua)
    with pytest.raises(RefusedError, match="could not export project 1"):
        jobs.start_export(viewer, 1)
    cast.world.projects[1].access = "2"
    assert jobs.wait_for(viewer, jobs.start_export(viewer, 1, request={"with_images": "all"})).state == "F"


@pytest.mark.parametrize("fault", [None, "cut", "502"])
def test_a_download_is_whole_or_not_there(cast: Cast, tmp_path: Path, fault: str | None) -> None:
    cast.filled()
    number = jobs.start_export(cast.client, 1, request={"with_images": "all", "with_types_row": True})
    if fault:
        cast.double.faults.plan(fault, "/file")  # type: ignore[arg-type]
    path = jobs.download(cast.client, number, tmp_path / "export.zip")
    assert path.read_bytes() == cast.world.jobs[number].file
    assert zipfile.ZipFile(path).testzip() is None
    assert [file.name for file in tmp_path.iterdir()] == ["export.zip"]


def test_a_download_of_nothing_leaves_nothing(cast: Cast, tmp_path: Path) -> None:
    with pytest.raises(RemoteError, match="could not fetch the file of job 9"):
        jobs.download(cast.client, 9, tmp_path / "export.zip")
    assert list(tmp_path.iterdir()) == []


def test_a_job_can_be_removed(cast: Cast) -> None:
    cast.filled()
    number = jobs.start_export(cast.client, 1)
    jobs.delete_job(cast.client, number)
    with pytest.raises(RemoteError, match="knows nothing"):
        jobs.read_job(cast.client, number)
