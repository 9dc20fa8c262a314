"""Keeping submissions: each call is one transaction, so that whatever was confirmed stays."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from aqqua.collect.answers import read_answers
from aqqua.collect.form import questions
from aqqua.collect.registry.curators import check_password, hash_password, new_password, read_name
from aqqua.collect.registry.history import Event, add_event, events_of, utc_now
from aqqua.collect.registry.submission import (
    MIN_TOKEN,
    State,
    Submission,
    check_step,
    hash_of,
    new_id,
    new_token,
    read_id,
)
from aqqua.collect.registry.tables import CONSENTS, CURATORS, SUBMISSIONS, connect
from aqqua.errors import ConfigError, NotFoundError, StorageError

__all__ = ["Registry"]

_TERMS = ("licence", "publish", "publish_on", "publish_licence", "training", "global_interpolation", "licence_rights")


class Registry:
    """The submissions in one database; may be used from threads and from several processes.

    Args:
        engine: of the database, as `connect` gives it.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, url: str | Path | None = None) -> Registry:
        """Open a registry, made if it is not there.

        Args:
            url: path of an SQLite file, or `postgresql://…`; None: `$AQQUA_REGISTRY`, else a file in this folder.
        """
        return cls(connect(url))

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def draft(self, answers: Mapping[str, Any], *, token: str | None = None, fresh: bool = False) -> Submission:
        """Keep unfinished answers, to be resumed by their private token.

        Args:
            answers: as they were written; wrong ones are kept too, as far as they are no harm.
            token: of a draft to go on with; without it, a new one is begun.
            fresh: the token may be new: it becomes that of a new draft.
        """
        written = {name: value for name, value in answers.items() if name in questions()}
        with self._transaction() as connection:
            if token is None or (fresh and self._is_free(connection, token)):
                return self._insert(connection, written, State.DRAFT, "begun", "contributor", token)
            old = self._of_token(connection, token)
            if old.state is not State.DRAFT:
                raise ConfigError(f"{old.id} was handed in already", do="change it by its private link")
            self._update(connection, old.id, answers=written)
            return self._get(connection, old.id)

    def submit(
        self,
        answers: Mapping[str, Any],
        *,
        token: str | None = None,
        by: str = "contributor",
        fresh: bool = False,
    ) -> Submission:
        """Hand a submission in.

        Args:
            answers: to the form, as they were written.
            token: of the draft it was; without it, it is new.
            by: who hands it in: "contributor", or a curator's login.
            fresh: the token may be new; if a submission with it was handed in already – by the same form, whose answer
                got lost on the way – that one is returned, and there are not two.

        Raises:
            ConfigError: answers are missing or wrong; the message names them all.
        """
        read = read_answers(answers)
        if not read.whole:
            told = "\n".join(f"  {one.name}: {one.message}" for one in read.problems if one.grave)
            raise ConfigError(f"the form is not complete:\n{told}", do="mend these and hand it in again")
        with self._transaction() as connection:
            if token is None or (fresh and self._is_free(connection, token)):
                made = self._insert(connection, read.answers, State.SUBMITTED, "submitted", by, token)
            else:
                old = self._of_token(connection, token)
                if fresh and old.state is not State.DRAFT:
                    return old
                check_step(old.state, State.SUBMITTED)
                self._update(connection, old.id, answers=read.answers, state=State.SUBMITTED)
                add_event(connection, old.id, by, "submitted", details={})
                made = self._get(connection, old.id)
            self._note_consents(connection, made.id, {}, read.answers)
            return made

    def get(self, id: str) -> Submission:
        """A submission by its id.

        Raises:
            NotFoundError: there is none of this id.
        """
        with self._transaction() as connection:
            return self._get(connection, read_id(id))

    def by_token(self, token: str) -> Submission | None:
        """A submission by the token of its private link, or None."""
        with self._transaction() as connection:
            row = connection.execute(sa.select(SUBMISSIONS).where(SUBMISSIONS.c.token_hash == hash_of(token))).first()
            return _submission(row) if row else None

    def all(
        self, *, state: State | str | None = None, text: str | None = None, limit: int | None = None, offset: int = 0
    ) -> list[Submission]:
        """Submissions, the newest first; drafts only if asked for.

        Args:
            state: only those that have come so far.
            text: only those with this text in id, title, institution or instrument.
            limit: at most so many.
            offset: leave out so many.
        """
        where = SUBMISSIONS.c.state == State(state) if state else SUBMISSIONS.c.state != State.DRAFT
        chosen = sa.select(SUBMISSIONS).where(where).order_by(SUBMISSIONS.c.created_utc.desc(), SUBMISSIONS.c.id)
        with self._transaction() as connection:
            found = [_submission(row) for row in connection.execute(chosen)]
        if text:
            found = [one for one in found if text.casefold() in _searched(one)]
        return found[offset : None if limit is None else offset + limit]

    def change(self, id: str, to: State | str, *, by: str, note: str = "", **facts: Any) -> Submission:
        """Take a submission a step further.

        Args:
            id: of the submission.
            to: the state it shall have.
            by: who does it: a curator's login, or "aqqua".
            note: why.
            facts: what is known since (dataset, shards, images, checksums …); they are kept with the submission.

        Raises:
            ConfigError: this step cannot follow.
        """
        with self._transaction() as connection:
            old = self._get(connection, read_id(id), lock=True)
            check_step(old.state, State(to))
            if State(to) is State.AGREED and old.answers.get("decision_maker_agrees") is not True:
                do = "ask the decision maker; when they agree, change that answer"
                raise ConfigError(f"the decision maker of {old.id} has not agreed yet", do=do)
            plain = json.loads(json.dumps({**old.facts, **facts}, default=str))
            self._update(connection, old.id, state=State(to), facts=plain)
            add_event(connection, old.id, by, "state", note=note, details={"from": old.state, "to": State(to), **facts})
            return self._get(connection, old.id)

    def answers_changed(self, id: str, answers: Mapping[str, Any], *, by: str) -> Submission:
        """Replace the answers; if the terms change, it has to be agreed on anew.

        Raises:
            ConfigError: they are not complete, or the submission has gone too far for it.
        """
        read = read_answers(answers)
        if not read.whole:
            told = "; ".join(one.message for one in read.problems if one.grave)
            raise ConfigError(f"the form is not complete: {told}", do="mend these")
        with self._transaction() as connection:
            old = self._get(connection, read_id(id), lock=True)
            if old.state in {State.DRAFT, State.WITHDRAWN} or old.erased:
                raise ConfigError(f"{old.id} is {'erased' if old.erased else old.state}", do="hand in a new one")
            changed = sorted(name for name in questions() if old.answers.get(name) != read.answers.get(name))
            terms = [name for name in changed if name in _TERMS]
            back = bool(terms) and old.state is State.AGREED
            state = State.SUBMITTED if back else old.state
            self._update(connection, old.id, answers=read.answers, state=state)
            note = "the terms changed: to be agreed on anew" if back else ""
            add_event(connection, old.id, by, "answers", note=note, details={"changed": changed, "state": state})
            self._note_consents(connection, old.id, old.answers, read.answers)
            return self._get(connection, old.id)

    def revoked(self, id: str, answers: Mapping[str, Any], *, by: str, note: str = "") -> Submission:
        """Take back some consents of a submission, at any state; what was agreed to before stays in the history.

        Args:
            id: of the submission.
            answers: question → what it is now.
            by: who takes back.
            note: why.
        """
        with self._transaction() as connection:
            old = self._get(connection, read_id(id), lock=True)
            now = read_answers({**old.answers, **answers}).answers
            said = {**old.answers, **{name: now[name] for name in answers}}
            self._update(connection, old.id, answers=said)
            add_event(connection, old.id, by, "revoked", note=note, details={"questions": sorted(answers)})
            self._note_consents(connection, old.id, old.answers, said)
            return self._get(connection, old.id)

    def history(self, id: str) -> list[Event]:
        """What happened to a submission, from its beginning."""
        with self._transaction() as connection:
            return events_of(connection, read_id(id))

    def consents(self, id: str) -> list[dict[str, Any]]:
        """What was agreed to or refused, in which words, and when; the newest of a question counts."""
        chosen = sa.select(CONSENTS).where(CONSENTS.c.submission == read_id(id)).order_by(CONSENTS.c.number)
        with self._transaction() as connection:
            return [
                {name: row._mapping[name] for name in ("question", "wording", "answer", "time_utc")}
                for row in connection.execute(chosen)
            ]

    def personal(self, id: str) -> dict[str, Any]:
        """All that is kept about the people of a submission, for them to have."""
        one = self.get(id)
        answers = {name: value for name, value in one.answers.items() if questions()[name].personal}
        return {
            "submission": one.id,
            "purpose": "contact about this dataset, and credit for it",
            "answers": answers,
            "consents": self.consents(one.id),
            "history": [
                {"time_utc": event.time_utc, "by": event.by, "what": event.what} for event in self.history(one.id)
            ],
        }

    def erase(self, id: str, *, by: str, note: str = "") -> Submission:
        """Remove all answers about people; that it happened stays in the history, and nothing else of them."""
        with self._transaction() as connection:
            old = self._get(connection, read_id(id), lock=True)
            self._update(connection, old.id, answers=old.public(), erased=True)
            add_event(connection, old.id, by, "erased", note=note, details={})
            return self._get(connection, old.id)

    def renew_link(self, id: str, *, by: str) -> Submission:
        """Give a submission a new private link; the old one no longer works."""
        token = new_token()
        with self._transaction() as connection:
            old = self._get(connection, read_id(id), lock=True)
            self._update(connection, old.id, token_hash=hash_of(token))
            add_event(connection, old.id, by, "new link", details={})
            return _with_token(self._get(connection, old.id), token)

    def add_curator(self, name: str) -> str:
        """Make a login for a curator, or give it a new password; return the password, which is kept nowhere."""
        password = new_password()
        values = {"password": hash_password(password), "created_utc": utc_now()}
        with self._transaction() as connection:
            same = CURATORS.c.name == read_name(name)
            if not connection.execute(CURATORS.update().where(same).values(**values)).rowcount:
                connection.execute(CURATORS.insert().values(name=name, **values))
        return password

    def remove_curator(self, name: str) -> None:
        """Take a login away."""
        with self._transaction() as connection:
            if not connection.execute(CURATORS.delete().where(CURATORS.c.name == name)).rowcount:
                raise NotFoundError(f"there is no curator {name!r}")

    def curators(self) -> list[str]:
        """The logins there are."""
        with self._transaction() as connection:
            return list(connection.execute(sa.select(CURATORS.c.name).order_by(CURATORS.c.name)).scalars())

    def login(self, name: str, password: str) -> bool:
        """Whether this is the password of a curator."""
        with self._transaction() as connection:
            kept = connection.execute(sa.select(CURATORS.c.password).where(CURATORS.c.name == name)).scalar()
        return check_password(password, kept)

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except sa.exc.DBAPIError as error:
            where = self._engine.url.render_as_string(hide_password=True)
            what = f"the registry cannot be used ({str(error.orig).strip().splitlines()[0][:200]})"
            raise StorageError(what, where=where, do="check the database and its disk, then try again") from error

    def _insert(
        self,
        connection: sa.Connection,
        answers: Mapping[str, Any],
        state: State,
        what: str,
        by: str,
        token: str | None = None,
    ) -> Submission:
        id, token, now = self._free_id(connection), token or new_token(), utc_now()
        values = {"answers": dict(answers), "facts": {}, "erased": False, "created_utc": now, "changed_utc": now}
        connection.execute(SUBMISSIONS.insert().values(id=id, state=state.value, token_hash=hash_of(token), **values))
        add_event(connection, id, by, what, details={})
        return _with_token(self._get(connection, id), token)

    def _free_id(self, connection: sa.Connection) -> str:
        while connection.execute(sa.select(SUBMISSIONS.c.id).where(SUBMISSIONS.c.id == (id := new_id()))).first():
            pass
        return id

    def _is_free(self, connection: sa.Connection, token: str) -> bool:
        """Whether no submission has this token; one that somebody could guess is refused."""
        if len(token) < MIN_TOKEN:
            raise ConfigError("this is no private link", do="open the form anew")
        chosen = sa.select(SUBMISSIONS.c.id).where(SUBMISSIONS.c.token_hash == hash_of(token))
        return connection.execute(chosen).first() is None

    def _update(self, connection: sa.Connection, id: str, **values: Any) -> None:
        plain = {name: value.value if isinstance(value, State) else value for name, value in values.items()}
        changed = SUBMISSIONS.update().where(SUBMISSIONS.c.id == id).values(**plain, changed_utc=utc_now())
        connection.execute(changed)

    def _get(self, connection: sa.Connection, id: str, *, lock: bool = False) -> Submission:
        chosen = sa.select(SUBMISSIONS).where(SUBMISSIONS.c.id == id)
        row = connection.execute(chosen.with_for_update() if lock else chosen).first()
        if row is None:
            raise NotFoundError(f"there is no submission {id}", do="see them all: aqqua collect list")
        return _submission(row)

    def _of_token(self, connection: sa.Connection, token: str) -> Submission:
        chosen = sa.select(SUBMISSIONS).where(SUBMISSIONS.c.token_hash == hash_of(token)).with_for_update()
        row = connection.execute(chosen).first()
        if row is None:
            raise NotFoundError("this private link belongs to no submission", do="check that it was copied whole")
        return _submission(row)

    def _note_consents(
        self, connection: sa.Connection, id: str, before: Mapping[str, Any], now: Mapping[str, Any]
    ) -> None:
        for name, question in questions().items():
            if question.kind == "agree" and name in now and before.get(name) is not now[name]:
                wording = f"{question.label}. {question.help}".strip()
                values = {"question": name, "wording": wording, "answer": now[name], "time_utc": utc_now()}
                connection.execute(CONSENTS.insert().values(submission=id, **values))


def _submission(row: Any) -> Submission:
    return Submission(
        row.id,
        State(row.state),
        row.answers,
        datetime.fromisoformat(row.created_utc),
        datetime.fromisoformat(row.changed_utc),
        row.facts,
        row.erased,
    )


def _with_token(submission: Submission, token: str) -> Submission:
    return replace(submission, token=token)


def _searched(one: Submission) -> str:
    words = [one.id, *(str(one.answers.get(name, "")) for name in ("title", "institution", "instrument", "abstract"))]
    return " ".join(words).casefold()
