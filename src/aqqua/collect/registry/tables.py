"""How the registry lies in the database, and how older ones are brought up to date."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from aqqua.errors import ConfigError, StorageError

__all__ = ["CONSENTS", "CURATORS", "EVENTS", "SUBMISSIONS", "connect"]

URL_ENV = "AQQUA_REGISTRY"
_DEFAULT = "aqqua-registry.sqlite"
_SCHEMA = sa.MetaData()
_SETTINGS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=60000", "secure_delete=ON")

SUBMISSIONS = sa.Table(
    "submissions",
    _SCHEMA,
    sa.Column("id", sa.String(9), primary_key=True),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
    sa.Column("answers", sa.JSON, nullable=False),
    sa.Column("facts", sa.JSON, nullable=False),
    sa.Column("erased", sa.Boolean, nullable=False),
    sa.Column("created_utc", sa.String(32), nullable=False),
    sa.Column("changed_utc", sa.String(32), nullable=False),
)
EVENTS = sa.Table(
    "events",
    _SCHEMA,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("submission", sa.String(9), sa.ForeignKey("submissions.id"), nullable=False, index=True),
    sa.Column("time_utc", sa.String(32), nullable=False),
    sa.Column("by", sa.String(100), nullable=False),
    sa.Column("what", sa.String(40), nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("details", sa.JSON, nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
)
CONSENTS = sa.Table(
    "consents",
    _SCHEMA,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("submission", sa.String(9), sa.ForeignKey("submissions.id"), nullable=False, index=True),
    sa.Column("question", sa.String(40), nullable=False),
    sa.Column("wording", sa.Text, nullable=False),
    sa.Column("answer", sa.Boolean, nullable=False),
    sa.Column("time_utc", sa.String(32), nullable=False),
)
CURATORS = sa.Table(
    "curators",
    _SCHEMA,
    sa.Column("name", sa.String(100), primary_key=True),
    sa.Column("password", sa.String(200), nullable=False),
    sa.Column("created_utc", sa.String(32), nullable=False),
)


def connect(url: str | Path | None) -> sa.Engine:
    """Open the database of a registry, made or brought up to date if need be.

    Args:
        url: path of an SQLite file, or `postgresql://user@host/database`; None: `$AQQUA_REGISTRY`, else a file here.

    Raises:
        ConfigError: it is a registry of a later version of aqqua.
        StorageError: the database cannot be reached.
    """
    text = str(url or os.environ.get(URL_ENV) or _DEFAULT)
    engine = _sqlite(text) if "://" not in text or text.startswith("sqlite:") else _postgres(text)
    try:
        _bring_up_to_date(engine)
    except BaseException as error:
        engine.dispose()
        if not isinstance(error, sa.exc.DBAPIError):
            raise
        where = engine.url.render_as_string(hide_password=True)
        what = f"the registry cannot be opened ({_first_line(error)})"
        raise StorageError(what, where=where, do="check the address") from error
    return engine


def _sqlite(text: str) -> sa.Engine:
    path = text.removeprefix("sqlite:///")
    engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": 60})

    @sa.event.listens_for(engine, "connect")
    def settle(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy begins; the driver must not
        for setting in _SETTINGS:
            connection.execute(f"PRAGMA {setting}").close()

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # one writer at a time, who waits for his turn at the beginning

    return engine


def _postgres(text: str) -> sa.Engine:
    url = sa.make_url(text)
    if url.get_backend_name() != "postgresql":
        raise ConfigError(f"a registry cannot be kept in {url.get_backend_name()}", do="use SQLite or PostgreSQL")
    return sa.create_engine(url.set(drivername="postgresql+psycopg"), pool_pre_ping=True)


def _bring_up_to_date(engine: sa.Engine) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    settings.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(settings)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":  # whoever comes second waits until the tables are there
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(7266772)"))
        now = MigrationContext.configure(connection).get_current_revision()
        if now == script.get_current_head():
            return
        if now is not None and now not in {one.revision for one in script.walk_revisions()}:
            do = "use a newer aqqua for it"
            raise ConfigError("this registry was made by a later version of aqqua", where=str(engine.url), do=do)
        settings.attributes["connection"] = connection
        command.upgrade(settings, "head")


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200]
