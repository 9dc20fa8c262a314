"""Requests: patient where nothing is lost by it, never sent twice where that could do harm, clear when they fail."""

from __future__ import annotations

import threading

import pytest

from aqqua.errors import ConfigError, RefusedError, RemoteError
from aqqua.sources.ecotaxa_api.client import DEFAULT_SERVER, EcotaxaClient, server_address
from aqqua.sources.ecotaxa_api.polite import Manners
from aqqua.sources.ecotaxa_api.wire import checked_address
from tests.sources.ecotaxa_api.conftest import Cast


@pytest.mark.parametrize("fault", ["502", "500", "429", "cut", "cut_before", "lost"])
def test_what_only_reads_is_asked_again(cast: Cast, fault: str) -> None:
    cast.double.faults.plan(fault, "users/me")  # type: ignore[arg-type]
    assert cast.client.me().name == "Alice Owner"
    assert len(cast.double.asked("GET", "users/me")) == 2


def test_no_answer_is_asked_again(cast: Cast) -> None:
    cast.double.faults.plan("timeout", "users/me")
    assert cast.double.client(cast.alice, timeout_s=0.2).me().id == cast.alice.id


def test_a_server_that_stays_away_is_given_up(cast: Cast) -> None:
    cast.double.faults.plan("502", "users/me", times=99)
    with pytest.raises(RemoteError, match="the server failed \\(502\\): it does not say why") as error:
        cast.client.me()
    assert error.value.status == 502
    assert len(cast.double.asked("GET", "users/me")) == cast.client.wire.manners.attempts


def test_a_failure_of_the_server_itself_is_asked_again_only_once(cast: Cast) -> None:
    cast.double.faults.plan("500", "users/me", times=99)
    with pytest.raises(RemoteError, match="OperationalError: no connection"):
        cast.client.me()
    assert len(cast.double.asked("GET", "users/me")) == 2


@pytest.mark.parametrize("fault", ["502", "500", "cut_before", "lost"])
def test_what_changes_something_is_sent_once(cast: Cast, fault: str) -> None:
    project = cast.project()
    raw = cast.client.project_json(project.projid)
    cast.double.faults.plan(fault, "projects", method="PUT")  # type: ignore[arg-type]
    with pytest.raises(RemoteError):
        cast.client.put_project(project.projid, raw)
    assert len(cast.double.asked("PUT")) == 1


def test_a_lost_answer_leaves_a_doubt(cast: Cast) -> None:
    raw = cast.client.project_json(cast.project().projid)
    cast.double.faults.plan("lost", "projects", method="PUT")
    with pytest.raises(RemoteError, match="it may have been done all the same"):
        cast.client.put_project(1, raw)


def test_the_server_says_how_long_to_wait(cast: Cast) -> None:
    waited: list[float] = []
    cast.client.wire.manners.sleep = waited.append
    cast.double.faults.plan("429", "users/me")
    cast.client.me()
    assert max(waited) == 7


def test_pauses_double_and_end_at_a_minute() -> None:
    waited: list[float] = []
    manners = Manners(pause_s=1, sleep=waited.append)
    for attempt in range(9):
        manners.pause(attempt)
    assert all(0.75 * 2**n <= wait <= 1.25 * 2**n for n, wait in enumerate(waited[:6]))
    assert waited[-1] == 60


def test_requests_keep_a_distance() -> None:
    waited: list[float] = []
    manners = Manners(interval_s=10, sleep=waited.append)
    for _ in range(3):
        with manners.turn():
            pass
    assert [round(wait) for wait in waited] == [10, 20]


def test_nobody_gets_more_than_four_connections(cast: Cast) -> None:
    cast.client.wire.manners.sleep = lambda _: None
    assert Manners(connections=50).connections == 4
    threads = [threading.Thread(target=cast.client.me) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(cast.double.asked("GET", "users/me")) == 20
    assert cast.double.faults.most_at_once <= 4


def test_an_expired_login_is_told(cast: Cast) -> None:
    cast.double.world.tokens.clear()
    with pytest.raises(RefusedError, match="the login has expired or is not valid") as error:
        cast.client.me()
    assert error.value.status == 401
    assert isinstance(error.value, PermissionError)


def test_no_login_is_told(cast: Cast) -> None:
    with pytest.raises(RefusedError, match="there is no login"):
        cast.double.client().me()


def test_a_missing_right_is_told(cast: Cast) -> None:
    cast.project()
    with pytest.raises(RefusedError, match="could not read project 1: this account has not the right for it"):
        cast.double.client(cast.bob).project(1)


def test_what_is_not_there_is_told(cast: Cast) -> None:
    with pytest.raises(RemoteError, match="could not read sample 77: the server knows nothing of it") as error:
        cast.client.sample(77)
    assert error.value.status == 404


def test_what_the_server_does_not_accept_is_told_field_by_field(cast: Cast) -> None:
    cast.project()
    with pytest.raises(RemoteError, match=r"body\.access: field required") as error:
        cast.client.put_project(1, {"projid": 1, "title": "x"})
    assert error.value.status == 422


def test_a_traceback_is_told_by_its_last_line(cast: Cast) -> None:
    raw = cast.client.project_json(cast.project().projid)
    raw["viewers"] = raw["managers"]
    with pytest.raises(RemoteError, match=r"UniqueViolation.*already exists") as error:
        cast.client.put_project(1, raw)
    assert "File" not in str(error.value)
    assert "INSERT" not in str(error.value)


def test_a_page_instead_of_data_is_told(cast: Cast) -> None:
    cast.double.faults.plan("html", "users/me")
    with pytest.raises(RemoteError, match=r"not JSON[\s\S]*ends in /api"):
        cast.client.me()


def test_nobody_is_sent_elsewhere_with_a_login(cast: Cast) -> None:
    cast.double.faults.plan("redirect", "users/me")
    with pytest.raises(RemoteError, match=r"elsewhere\.example\.org"):
        cast.client.me()


def test_a_server_that_is_not_there_is_told() -> None:
    client = EcotaxaClient("http://127.0.0.1:9/api", manners=Manners(interval_s=0, sleep=lambda _: None))
    with pytest.raises(RemoteError, match="could not see who is logged in: the connection failed"):
        client.me()


def test_a_login_is_never_shown(cast: Cast) -> None:
    token = cast.client.wire.token
    assert token
    cast.double.faults.plan("502", "users/me", times=99)
    with pytest.raises(RemoteError) as error:
        cast.client.me()
    assert all(token not in text for text in (repr(cast.client), repr(cast.client.wire), str(error.value)))


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("ecotaxa", "not the address"),
        ("ftp://example.org/api", "not the address"),
        ("https://example.org/api?x=1", "not the address"),
        ("https://me:secret@example.org/api", "password does not belong"),
        ("http://example.org/api", "unprotected"),
    ],
)
def test_an_address_that_would_not_do_is_refused(address: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why) as error:
        checked_address(address)
    assert "secret" not in str(error.value)


def test_the_address_is_said_or_in_the_environment_or_production(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AQQUA_ECOTAXA_URL", raising=False)
    assert server_address() == DEFAULT_SERVER
    monkeypatch.setenv("AQQUA_ECOTAXA_URL", "https://other.example.org/api")
    assert server_address() == "https://other.example.org/api"
    assert server_address("https://third.example.org/api/") == "https://third.example.org/api/"
    assert checked_address("https://third.example.org/api/") == "https://third.example.org/api"
