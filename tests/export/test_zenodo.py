"""A release goes to a server of Zenodo's kind over real HTTP, whatever goes wrong; nobody publishes but a person."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from aqqua.errors import ConfigError, FormatError, NotFoundError, RefusedError, RemoteError, UnsafeInputError
from aqqua.export import export
from aqqua.export.release import release as release_of
from aqqua.export.zenodo import SERVER_ENV, deposit
from aqqua.export.zenodo_record import restore
from aqqua.export.zenodo_wire import TOKEN_ENV, Patience, Wire
from tests.make.published import published
from tests.make.zenodo_releases import DATACITE, contents, small_release
from tests.zenodo_double import Fault, ZenodoDouble
from tests.zenodo_double.world import TOKEN, md5


@pytest.fixture
def release(tmp_path: Path) -> Path:
    return small_release(tmp_path)


@pytest.fixture
def zenodo() -> Iterator[ZenodoDouble]:
    with ZenodoDouble() as double:
        yield double


class Clock:
    """Patience that does not wait, but remembers how long it would have."""

    def __init__(self) -> None:
        self.waited: list[float] = []

    def patience(self, **changes: Any) -> Patience:
        return Patience(**{"interval_s": 0.0, "sleep": self.waited.append, "now": lambda: 1000.0, **changes})


@pytest.fixture
def clock() -> Clock:
    return Clock()


def send(zenodo: ZenodoDouble, release: Path, clock: Clock, **options: Any) -> tuple[Any, int, int]:
    asked: dict[str, Any] = {"server": zenodo.url, "token": TOKEN, "patience": clock.patience(), **options}
    return deposit(release, asked.pop("out", release.parent / "record.json"), **asked)


def check_draft(zenodo: ZenodoDouble, release: Path, number: int) -> None:
    """All is there, and nobody published."""
    one = zenodo.world.get(number)
    assert one.files == contents(release)
    assert one.metadata["title"] == "Nets off Exampletown"
    assert not one.submitted
    assert zenodo.world.published_by_api == 0
    assert not any("publish" in line for line in zenodo.world.asked)


def test_a_release_becomes_a_draft_for_a_person_to_publish(zenodo: ZenodoDouble, release: Path, clock: Clock) -> None:
    draft, sent, kept = send(zenodo, release, clock)
    assert (sent, kept) == (5, 0)
    assert draft.doi == f"10.5072/zenodo.{draft.number}"
    assert draft.link == f"{zenodo.url}/deposit/{draft.number}"
    check_draft(zenodo, release, draft.number)


def test_the_journal_says_all_but_the_token(zenodo: ZenodoDouble, release: Path, clock: Clock) -> None:
    draft, _, _ = send(zenodo, release, clock)
    text = (release.parent / "record.json").read_text()
    journal = json.loads(text)
    assert (journal["number"], journal["doi"], journal["server"]) == (draft.number, draft.doi, zenodo.url)
    assert {one["key"]: one["md5"] for one in journal["files"]} == {k: md5(v) for k, v in contents(release).items()}
    assert TOKEN not in text
    assert not any(TOKEN in line for line in zenodo.world.asked)


def test_a_second_run_sends_nothing_again(zenodo: ZenodoDouble, release: Path, clock: Clock) -> None:
    first, _, _ = send(zenodo, release, clock)
    uploads = len(zenodo.world.uploads)
    again, sent, kept = send(zenodo, release, clock)
    assert (again, sent, kept) == (first, 0, 5)
    assert len(zenodo.world.uploads) == uploads
    assert len(zenodo.world.depositions) == 1


def test_a_run_that_broke_off_goes_on_with_the_same_draft(zenodo: ZenodoDouble, release: Path, clock: Clock) -> None:
    zenodo.world.faults = [Fault("PUT .*lmdb", status=500, times=99)]
    with pytest.raises(RemoteError, match="HTTP 500") as told:
        send(zenodo, release, clock)
    assert "what was sent stays" in str(told.value)
    zenodo.world.faults = []
    draft, sent, kept = send(zenodo, release, clock)
    assert (sent, kept) == (1, 4)
    assert len(zenodo.world.depositions) == 1
    check_draft(zenodo, release, draft.number)


def test_a_changed_file_is_sent_again_and_a_removed_one_taken_out(
    zenodo: ZenodoDouble, release: Path, clock: Clock
) -> None:
    send(zenodo, release, clock)
    (release / "data" / "card.yaml").write_text("title: other nets\n")
    (release / "data" / "empty.txt").unlink()
    draft, sent, kept = send(zenodo, release, clock)
    assert (sent, kept) == (1, 3)
    check_draft(zenodo, release, draft.number)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("PUT /api/files", status=500, times=2),
        Fault("PUT /api/files", status=503, times=2),
        Fault("PUT /api/files/.*lmdb", kind="cut", times=2),
        Fault("PUT /api/files/.*lmdb", kind="lost", times=2),
        Fault("PUT /api/files/.*lmdb", kind="corrupt", times=2),
        Fault("PUT /api/deposit", status=504, times=3),
        Fault("PUT /api/deposit", kind="lost"),
        Fault("GET /api/deposit", kind="cut", times=2),
        Fault(".", status=429, headers={"Retry-After": "7"}, times=4),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}-{fault.on}",
)
def test_faults_are_outlived(fault: Fault, zenodo: ZenodoDouble, release: Path, clock: Clock) -> None:
    zenodo.world.faults = [fault]
    draft, _, _ = send(zenodo, release, clock)
    assert fault.times == 0
    assert len(zenodo.world.depositions) == 1
    check_draft(zenodo, release, draft.number)


def test_it_waits_as_long_as_the_server_asks(zenodo: ZenodoDouble, release: Path, clock: Clock) -> None:
    zenodo.world.faults = [Fault("POST", status=429, headers={"Retry-After": "37"})]
    send(zenodo, release, clock)
    assert clock.waited == [37.0]
    clock.waited.clear()
    zenodo.world.faults = [Fault("GET", status=429, headers={"X-RateLimit-Reset": "1050"})]
    send(zenodo, release, clock)
    assert clock.waited == [50.0]
    clock.waited.clear()
    zenodo.world.faults = [Fault("GET", status=503, times=3)]
    send(zenodo, release, clock)
    assert clock.waited == [2.0, 4.0, 8.0]


def test_it_keeps_the_pace_between_requests(zenodo: ZenodoDouble, release: Path, clock: Clock) -> None:
    send(zenodo, release, clock, patience=clock.patience(interval_s=0.65))
    assert len(clock.waited) == len(zenodo.world.asked) - 1
    assert all(0 < pause <= 0.65 for pause in clock.waited)


def test_a_file_that_never_arrives_whole_is_told(zenodo: ZenodoDouble, release: Path, clock: Clock) -> None:
    zenodo.world.faults = [Fault("PUT .*lmdb", kind="corrupt", times=99)]
    with pytest.raises(RemoteError, match=r"data__images__000.lmdb arrives damaged"):
        send(zenodo, release, clock)


def test_making_a_draft_is_not_repeated_where_it_may_have_been_done(
    zenodo: ZenodoDouble, release: Path, clock: Clock
) -> None:
    zenodo.world.faults = [Fault("POST", kind="lost")]
    with pytest.raises(RemoteError, match="may have been done all the same"):
        send(zenodo, release, clock)
    assert len(zenodo.world.depositions) == 1


def test_an_expired_token_says_so_and_is_never_shown(zenodo: ZenodoDouble, release: Path, clock: Clock) -> None:
    zenodo.world.token = None
    with pytest.raises(RefusedError, match="not valid, or has expired") as told:
        send(zenodo, release, clock)
    assert TOKEN not in str(told.value)
    assert TOKEN not in repr(Wire(zenodo.url, TOKEN))
    zenodo.world.token = TOKEN
    zenodo.world.faults = [Fault("POST", status=403)]
    with pytest.raises(RefusedError, match="not the right"):
        send(zenodo, release, clock)


def test_no_room_is_told(zenodo: ZenodoDouble, release: Path, clock: Clock) -> None:
    zenodo.world.room = 1_000_000
    with pytest.raises(RemoteError, match=r"no room for it .*capacity") as told:
        send(zenodo, release, clock)
    assert "ask Zenodo for more room" in str(told.value)
    assert len(zenodo.world.uploads) == 4  # the small files came first, and stay


def test_a_new_version_keeps_what_did_not_change(zenodo: ZenodoDouble, release: Path, clock: Clock) -> None:
    first, _, _ = send(zenodo, release, clock)
    zenodo.world.publish(first.number)
    (release / "data" / "card.yaml").write_text("title: more nets\n")
    (release / "data" / "empty.txt").unlink()
    out = release.parent / "second.json"
    zenodo.world.faults = [Fault("newversion", kind="lost")]
    second, sent, kept = send(zenodo, release, clock, out=out, new_version_of=str(release.parent / "record.json"))
    assert second.number != first.number
    assert (sent, kept) == (1, 3)
    check_draft(zenodo, release, second.number)
    assert "data__empty.txt" in zenodo.world.get(first.number).files
    assert json.loads(out.read_text())["new_version_of"] == first.number


@pytest.mark.parametrize(
    "form", ["{}", "10.5072/zenodo.{}", "https://doi.org/10.5072/zenodo.{}", "https://zenodo.org/records/{}"]
)
def test_the_former_version_is_known_by_number_doi_or_address(
    form: str, zenodo: ZenodoDouble, release: Path, clock: Clock
) -> None:
    first, _, _ = send(zenodo, release, clock)
    zenodo.world.publish(first.number)
    second, _, _ = send(zenodo, release, clock, out=release.parent / "b.json", new_version_of=form.format(first.number))
    assert zenodo.world.get(first.number).draft_of_next == second.number


def test_a_published_record_is_left_alone(zenodo: ZenodoDouble, release: Path, clock: Clock) -> None:
    draft, _, _ = send(zenodo, release, clock)
    zenodo.world.publish(draft.number)
    with pytest.raises(ConfigError, match="is published") as told:
        send(zenodo, release, clock)
    assert f"--new-version-of {draft.number}" in str(told.value)


def test_files_that_a_person_added_to_the_draft_stay(zenodo: ZenodoDouble, release: Path, clock: Clock) -> None:
    draft, _, _ = send(zenodo, release, clock)
    zenodo.world.get(draft.number).files["poster.pdf"] = b"%PDF"
    send(zenodo, release, clock)
    assert "poster.pdf" in zenodo.world.get(draft.number).files


def test_the_token_goes_to_no_other_server(zenodo: ZenodoDouble, release: Path, clock: Clock) -> None:
    with ZenodoDouble() as other:
        told = zenodo.world.as_json

        def elsewhere(one: Any, server: str) -> dict[str, Any]:
            said = told(one, server)
            return said | {"links": said["links"] | {"bucket": f"{other.url}/api/files/b-1"}}

        zenodo.world.as_json = elsewhere  # type: ignore[method-assign]
        with pytest.raises(RemoteError, match="another server"):
            send(zenodo, release, clock)
        assert other.world.asked == []
    with pytest.raises(ConfigError, match="unprotected"):
        Wire("http://zenodo.org", TOKEN)
    with pytest.raises(ConfigError, match=r"no address|not the address"):
        Wire("https://user:word@zenodo.org", TOKEN)


def test_too_much_for_a_record_is_refused_before_anything_is_sent(
    zenodo: ZenodoDouble, release: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(96):
        (release / f"{number}.txt").touch()
    with pytest.raises(ConfigError, match="101 files"):
        send(zenodo, release, clock)
    (release / "0.txt").unlink()
    monkeypatch.setattr("aqqua.export.zenodo_record.MAX_BYTES", 1_000_000)
    with pytest.raises(ConfigError, match="a record holds 100 files"):
        send(zenodo, release, clock)
    assert zenodo.world.asked == []


def test_what_is_no_release_is_refused(zenodo: ZenodoDouble, release: Path, clock: Clock, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no record of a release") as told:
        send(zenodo, release.parent, clock, out=tmp_path.parent / "x.json")
    assert "nets-1.2" in str(told.value)
    (release / "datacite.json").write_text("{}")
    with pytest.raises(FormatError, match=r"datacite.json is damaged"):
        send(zenodo, release, clock)
    (release / "datacite.json").write_text(json.dumps(DATACITE | {"creators": []}))
    with pytest.raises(FormatError, match="says no creators"):
        send(zenodo, release, clock)
    (release / "datacite.json").write_text(json.dumps(DATACITE))
    (release / "a__b.txt").touch()
    with pytest.raises(ConfigError, match="cannot hold this name"):
        send(zenodo, release, clock)
    (release / "a__b.txt").unlink()
    (release / "link").symlink_to("/etc/hostname")
    with pytest.raises(ConfigError, match="no links"):
        send(zenodo, release, clock)
    (release / "link").unlink()
    with pytest.raises(ConfigError, match="in the release itself"):
        send(zenodo, release, clock, out=release / "record.json")
    assert zenodo.world.asked == []


def test_another_journal_is_not_overwritten(zenodo: ZenodoDouble, release: Path, clock: Clock) -> None:
    out = release.parent / "record.json"
    out.write_text('{"my": "notes"}')
    with pytest.raises(FormatError, match="no journal"):
        send(zenodo, release, clock)
    assert out.read_text() == '{"my": "notes"}'
    out.unlink()
    send(zenodo, release, clock)
    with ZenodoDouble() as other, pytest.raises(ConfigError, match="another server"):
        send(other, release, clock)
    moved = release.rename(release.with_name("other"))
    with pytest.raises(ConfigError, match="another release"):
        send(zenodo, moved, clock)


def test_the_command_takes_the_token_from_the_environment_only(
    zenodo: ZenodoDouble, release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SERVER_ENV, zenodo.url)
    monkeypatch.delenv(TOKEN_ENV, raising=False)
    monkeypatch.setattr(Patience, "interval_s", 0.0)
    out = release.parent / "record.json"
    with pytest.raises(RefusedError, match="no token"):
        export(release, to="zenodo", out=out)
    monkeypatch.setenv(TOKEN_ENV, "two words")
    with pytest.raises(RefusedError, match="no token holds"):
        export(release, to="zenodo", out=out)
    monkeypatch.setenv(TOKEN_ENV, TOKEN)
    monkeypatch.setattr("aqqua.export.zenodo_wire.Patience", lambda: Patience(interval_s=0.0))
    report = export(release, to="zenodo", out=out, community="aqqua")
    assert report.files == [out]
    assert "not published" in report.notes[0].message
    assert zenodo.url in report.notes[0].do
    with pytest.raises(ConfigError, match="has no option absences"):
        export(release, to="zenodo", out=out, absences=True)


def test_a_dataset_is_released_first(zenodo: ZenodoDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SERVER_ENV, zenodo.url)
    monkeypatch.setenv(TOKEN_ENV, TOKEN)
    monkeypatch.setattr("aqqua.export.zenodo_wire.Patience", lambda: Patience(interval_s=0.0))
    dataset = published(tmp_path / "nets")
    report = export(dataset.path, to="zenodo", out=tmp_path / "record.json")
    (one,) = zenodo.world.depositions.values()
    assert one.metadata["title"] == dataset.card.title
    assert "bagit.txt" in one.files
    assert report.files == [tmp_path / "record.json"]


def test_the_reserved_doi_goes_into_the_release_and_only_documents_are_sent_again(
    zenodo: ZenodoDouble, clock: Clock, tmp_path: Path
) -> None:
    dataset, out = published(tmp_path / "nets"), tmp_path / "record.json"
    first = release_of([dataset], tmp_path / "first", on="2026-01-02").records[0]
    draft, _, _ = send(zenodo, first, clock, out=out)
    second = release_of([dataset], tmp_path / "second", on="2026-01-02", doi=draft.doi).records[0]
    assert second.name == first.name
    uploads = len(zenodo.world.uploads)
    again, _, _ = send(zenodo, second, clock, out=out)
    assert again.number == draft.number
    changed = set(zenodo.world.uploads[uploads:])
    assert "datacite.json" in changed
    assert not any("images" in name or "parquet" in name for name in changed)
    one = zenodo.world.get(draft.number)
    assert json.loads(one.files["datacite.json"])["doi"] == draft.doi
    assert one.files == contents(second)


def test_a_fetched_record_gets_its_folders_back(zenodo: ZenodoDouble, release: Path, clock: Clock) -> None:
    draft, _, _ = send(zenodo, release, clock)
    fetched = release.parent / "fetched"
    fetched.mkdir()
    for name, data in zenodo.world.get(draft.number).files.items():
        (fetched / name).write_bytes(data)
    restore(fetched)
    assert contents(fetched) == contents(release)
    (fetched / "..__..__evil").touch()
    with pytest.raises(UnsafeInputError):
        restore(fetched)


def test_the_double_refuses_as_documented(zenodo: ZenodoDouble) -> None:
    deposits = f"{zenodo.url}/api/deposit/depositions"
    login = {"Authorization": f"Bearer {TOKEN}"}
    assert requests.get(f"{deposits}/1", timeout=5).status_code == 401
    assert requests.get(f"{deposits}/1", headers=login, timeout=5).status_code == 404
    assert requests.post(deposits, data="{}", headers=login, timeout=5).status_code == 415
    made = requests.post(deposits, json={}, headers=login, timeout=5).json()
    wrong = requests.put(made["links"]["self"], json={"metadata": {"title": "x"}}, headers=login, timeout=5)
    assert wrong.status_code == 400
    assert {one["field"] for one in wrong.json()["errors"]} == {"upload_type", "creators", "description"}
    assert requests.delete(f"{made['links']['files']}/f-a", headers=login, timeout=5).status_code == 404
