"""The real server under a crowd, killed in the middle: nothing confirmed is lost, and nothing is there twice."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from aqqua.collect.registry import Registry, Submission
from aqqua.collect.registry.history import first_break
from tests.conftest import missing_system_part
from tests.make.desks import as_browser, form_data, free_port, hidden, running_desk
from tests.make.postgres import postgres_programs, postgres_server
from tests.make.submissions import whole_answers

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

CLIENTS, BEFORE_THE_KILL = 100, 25


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where the registry is."""
    if request.param == "sqlite":
        yield str(tmp_path / "registry.sqlite")
        return
    programs = postgres_programs()
    if programs is None:
        missing_system_part("PostgreSQL is not installed: scripts/system-packages installs it")
    assert programs is not None
    with postgres_server(programs) as made:
        yield made


class Crowd:
    """Contributors who all hand in at the same time, each its own form, until the desk has confirmed it.

    Args:
        port: of the desk.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.confirmed: dict[str, str] = {}
        self.repeated = 0
        self.begin = threading.Barrier(CLIENTS)

    def contribute(self, number: int) -> None:
        """Open a form once, and send that same form again and again until there is an answer."""
        title = f"Cruise {number:03}"
        with as_browser(self.port) as client:
            client.headers["X-Forwarded-For"] = f"10.0.0.{number}"
            fields = hidden(self._patiently(client, "GET", {}, 200).text)
            data = {**fields, **form_data(whole_answers(title=title)), "do": "submit"}
            self.begin.wait(60)
            answer = self._patiently(client, "POST", data, 303)
            assert fields["token"] in answer.headers["location"]
            self.confirmed[title] = fields["token"]

    def _patiently(self, client: httpx.Client, method: str, data: dict[str, str], wanted: int) -> httpx.Response:
        for _ in range(400):
            try:
                answer = client.request(method, "/form", data=data or None)
            except httpx.TransportError:
                self.repeated += 1
            else:
                if answer.status_code == wanted:
                    return answer
                assert answer.status_code == 503, answer.text  # full just now
            time.sleep(0.1)
        raise AssertionError("the desk did not come back")


def found_by(registry: Registry, confirmed: dict[str, str]) -> dict[str, Submission | None]:
    """What is behind each private link."""
    return {title: registry.by_token(token) for title, token in confirmed.items()}


def test_a_crowd_and_a_killed_server(url: str, tmp_path: Path) -> None:
    port = free_port()
    crowd = Crowd(port)
    with ThreadPoolExecutor(CLIENTS) as pool:
        with running_desk(tmp_path, port, "--proxy", AQQUA_REGISTRY=url) as desk:
            contributors = [pool.submit(crowd.contribute, number) for number in range(CLIENTS)]
            while len(crowd.confirmed) < BEFORE_THE_KILL:
                assert not any(one.done() and one.exception() for one in contributors)
                time.sleep(0.005)
            desk.send_signal(signal.SIGKILL)
            desk.wait(20)
            before = dict(crowd.confirmed)
        registry = Registry.open(url)
        assert BEFORE_THE_KILL <= len(before) < CLIENTS
        assert {title: one and one.title for title, one in found_by(registry, before).items()} == {t: t for t in before}
        with running_desk(tmp_path, port, "--proxy", AQQUA_REGISTRY=url):
            for one in contributors:
                one.result(120)
    assert crowd.repeated > 0
    assert_each_is_there_once(registry, crowd.confirmed)
    registry.close()


def assert_each_is_there_once(registry: Registry, confirmed: dict[str, str]) -> None:
    kept = registry.all()
    assert Counter(one.title for one in kept) == Counter(f"Cruise {number:03}" for number in range(CLIENTS))
    assert {title: one and one.title for title, one in found_by(registry, confirmed).items()} == {
        one.title: one.title for one in kept
    }
    assert registry.all(state="draft") == []
    for one in kept:
        history = registry.history(one.id)
        assert [event.what for event in history] == ["submitted"]
        assert first_break(one.id, history) is None
        asked = [consent["question"] for consent in registry.consents(one.id)]
        assert len(asked) == len(set(asked)) == 5
