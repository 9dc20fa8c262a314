"""The registry: steps, history, consents, erasure – on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from aqqua.collect.registry import Registry, State
from aqqua.collect.registry.history import first_break
from aqqua.errors import AqquaError, ConfigError, NotFoundError, StorageError
from tests.make.postgres import postgres_programs, postgres_server
from tests.make.submissions import whole_answers


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    programs = postgres_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (scripts/system-packages)")
    with postgres_server(programs) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty registry's address."""
    if request.param == "sqlite":
        return str(tmp_path / "registry.sqlite")
    address: str = request.getfixturevalue("postgres")
    engine = sa.create_engine(address.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(sa.text("DROP SCHEMA public CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA public"))
    engine.dispose()
    return address


@pytest.fixture
def registry(url: str) -> Iterator[Registry]:
    registry = Registry.open(url)
    yield registry
    registry.close()


def test_the_whole_way_of_a_submission(registry: Registry) -> None:
    made = registry.submit(whole_answers())
    assert made.state is State.SUBMITTED
    assert made.token is not None
    found = registry.by_token(made.token)
    assert found is not None
    assert (found.id, found.token) == (made.id, None)
    registry.change(made.id, State.AGREED, by="curator", note="checked by telephone")
    registry.change(made.id, State.TRANSFERRING, by="aqqua")
    registry.change(made.id, State.INGESTED, by="aqqua", dataset="bay", images=1_199_000, shards=[0, 1])
    assert registry.get(made.id.lower()).facts == {"dataset": "bay", "images": 1_199_000, "shards": [0, 1]}
    registry.change(made.id, State.PUBLISHED, by="curator", doi="10.5281/zenodo.1")
    registry.change(made.id, State.WITHDRAWN, by="contributor", note="rights")
    told = [(event.by, event.what, event.details.get("to")) for event in registry.history(made.id)]
    assert told[0] == ("contributor", "submitted", None)
    assert [to for _, _, to in told[1:]] == ["agreed", "transferring", "ingested", "published", "withdrawn"]
    assert first_break(made.id, registry.history(made.id)) is None


def test_a_draft_is_saved_resumed_and_handed_in(registry: Registry) -> None:
    draft = registry.draft({"title": "Bay", "contact_email": "not yet", "nonsense": 1})
    assert draft.token
    assert registry.all() == []
    assert [one.id for one in registry.all(state="draft")] == [draft.id]
    again = registry.draft({"title": "Example Bay"}, token=draft.token)
    assert (again.id, again.answers) == (draft.id, {"title": "Example Bay"})
    handed_in = registry.submit(whole_answers(), token=draft.token)
    assert (handed_in.id, handed_in.state) == (draft.id, State.SUBMITTED)
    with pytest.raises(ConfigError, match="handed in already"):
        registry.draft({"title": "x"}, token=draft.token)
    with pytest.raises(ConfigError, match="cannot become submitted"):
        registry.submit(whole_answers(), token=draft.token)


def test_an_incomplete_form_is_not_stored(registry: Registry) -> None:
    with pytest.raises(ConfigError) as error:
        registry.submit({"title": "Bay"})
    assert "contact_email: E-mail of the contact: please answer this" in error.value.what
    assert registry.all() == []


@pytest.mark.parametrize("to", ["published", "ingested", "draft"])
def test_steps_that_cannot_follow(registry: Registry, to: str) -> None:
    made = registry.submit(whole_answers())
    with pytest.raises(ConfigError, match=f"submitted cannot become {to}"):
        registry.change(made.id, to, by="curator")
    assert registry.get(made.id).state is State.SUBMITTED


def test_nothing_begins_before_the_decision_maker_agrees(registry: Registry) -> None:
    made = registry.submit(whole_answers(decision_maker_agrees="no"))
    with pytest.raises(ConfigError, match="has not agreed yet"):
        registry.change(made.id, State.AGREED, by="curator")
    registry.answers_changed(made.id, whole_answers(), by="contributor")
    assert registry.change(made.id, State.AGREED, by="curator").state is State.AGREED


def test_changed_terms_have_to_be_agreed_on_anew(registry: Registry) -> None:
    made = registry.submit(whole_answers())
    registry.change(made.id, State.AGREED, by="curator")
    assert registry.answers_changed(made.id, whole_answers(comments="hello"), by="contributor").state is State.AGREED
    changed = registry.answers_changed(made.id, whole_answers(global_interpolation="no"), by="contributor")
    assert changed.state is State.SUBMITTED
    assert registry.history(made.id)[-1].details["changed"] == ["comments", "global_interpolation"]
    of_maps = [one for one in registry.consents(made.id) if one["question"] == "global_interpolation"]
    assert [one["answer"] for one in of_maps] == [True, False]
    assert "global maps of abundance" in of_maps[0]["wording"]


def test_people_get_a_copy_and_are_erased(registry: Registry, url: str) -> None:
    made = registry.submit(whole_answers())
    copy = registry.personal(made.id)
    assert copy["answers"]["contact_email"] == "ada.larsen@institute.example"
    assert "Ada Larsen" not in json.dumps([vars(event) for event in registry.history(made.id)], default=str)
    erased = registry.erase(made.id, by="contributor")
    assert erased.erased
    assert registry.personal(made.id)["answers"] == {}
    assert erased.answers["title"] == made.answers["title"]
    if not url.startswith("postgresql"):
        registry.close()
        with sqlite3.connect(url) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        assert b"Larsen" not in Path(url).read_bytes()


def test_a_history_that_was_tampered_with_shows(registry: Registry) -> None:
    made = registry.submit(whole_answers())
    registry.change(made.id, State.AGREED, by="curator")
    registry.change(made.id, State.WITHDRAWN, by="contributor")
    events = registry.history(made.id)
    assert first_break(made.id, events) is None
    assert first_break(made.id, events[:1] + events[2:]) == 1
    assert first_break(made.id, events[1:]) == 0
    with registry._engine.begin() as connection:
        connection.execute(sa.text("UPDATE events SET note = 'nothing' WHERE what = 'state'"))
    assert first_break(made.id, registry.history(made.id)) == 1


def test_links_and_ids_cannot_be_guessed_and_are_not_kept(registry: Registry) -> None:
    made = [registry.submit(whole_answers()) for _ in range(5)]
    tokens = {one.token for one in made}
    assert len(tokens) == len({one.id for one in made}) == 5
    assert all(token and len(token) >= 32 for token in tokens)
    with registry._engine.begin() as connection:
        dump = str([tuple(row) for row in connection.execute(sa.text("SELECT * FROM submissions"))])
    assert not any(token in dump for token in tokens if token)
    assert registry.by_token("x" * 32) is None
    assert str(made[0].token) not in repr(made[0])
    renewed = registry.renew_link(made[0].id, by="curator")
    assert registry.by_token(made[0].token or "") is None
    assert registry.by_token(renewed.token or "") is not None


def test_curators_log_in(registry: Registry) -> None:
    password = registry.add_curator("ada")
    assert registry.login("ada", password)
    assert not registry.login("ada", password + "x")
    assert not registry.login("nobody", password)
    new = registry.add_curator("ada")
    assert not registry.login("ada", password)
    assert registry.login("ada", new)
    registry.remove_curator("ada")
    assert not registry.login("ada", new)
    with pytest.raises(NotFoundError):
        registry.remove_curator("ada")
    with pytest.raises(ConfigError):
        registry.add_curator("ada\n")


def test_what_is_not_there(registry: Registry) -> None:
    with pytest.raises(NotFoundError, match="no submission AQ-000000"):
        registry.get("aq-oooooo")
    with pytest.raises(ConfigError, match="no submission id"):
        registry.get("'; DROP TABLE submissions; --")


def test_text_is_data_whatever_it_says(registry: Registry) -> None:
    title = "Robert'); DROP TABLE submissions;-- <script>alert(1)</script> {{7*7}} 海"
    made = registry.submit(whole_answers(title=title))
    assert registry.get(made.id).title == title
    assert [one.id for one in registry.all(text="drop table")] == [made.id]


def test_a_registry_of_a_later_version_is_left_alone(registry: Registry, url: str) -> None:
    with registry._engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigError, match="later version of aqqua"):
        Registry.open(url)


def test_tables_are_what_the_migrations_make(registry: Registry) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from aqqua.collect.registry.tables import SUBMISSIONS

    with registry._engine.begin() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SUBMISSIONS.metadata) == []


def test_a_database_that_cannot_be_reached(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be opened"):
        Registry.open(tmp_path / "no" / "folder" / "r.sqlite")
    with pytest.raises(ConfigError, match="SQLite or PostgreSQL"):
        Registry.open("mysql://somewhere/db")


def test_many_at_once_lose_none(registry: Registry, url: str) -> None:
    made: list[str] = []
    failures: list[Exception] = []

    def hand_in() -> None:
        try:
            made.extend(registry.submit(whole_answers()).id for _ in range(5))
        except AqquaError as error:
            failures.append(error)

    threads = [threading.Thread(target=hand_in) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert {one.id for one in registry.all()} == set(made)
    assert len(made) == 100


_HAND_IN = """
import sys
from aqqua.collect.registry import Registry
from tests.make.submissions import whole_answers
registry = Registry.open(sys.argv[1])
while True:
    print(registry.submit(whole_answers()).id, flush=True)
"""


@pytest.mark.slow
def test_killed_at_any_moment_what_was_confirmed_is_there(url: str) -> None:
    """`kill -9` of processes that hand in submissions: every id that was told is in the registry afterwards."""
    Registry.open(url).close()
    told: list[str] = []
    root = Path(__file__).parents[3]
    for round_ in range(3):
        processes = [
            subprocess.Popen([sys.executable, "-c", _HAND_IN, url], stdout=subprocess.PIPE, cwd=root, text=True)
            for _ in range(3)
        ]
        for process in processes:
            assert process.stdout
            told.append(process.stdout.readline().strip())
        time.sleep(0.2 + 0.13 * round_)
        for process in processes:
            os.kill(process.pid, signal.SIGKILL)
        for process in processes:
            told += (process.communicate()[0] or "").split()
    registry = Registry.open(url)
    kept = {one.id: one for one in registry.all()}
    whole = [id for id in told if len(id) == 9]
    assert len(whole) > 9
    assert set(whole) <= set(kept)
    for id in kept:
        assert first_break(id, registry.history(id)) is None
        assert len(registry.consents(id)) == 5
    registry.close()
