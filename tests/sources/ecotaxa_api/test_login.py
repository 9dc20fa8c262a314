"""Logins: from the environment, the keyring, or a question; never written anywhere, never shown."""

from __future__ import annotations

import io
import logging
import sys
import types

import pytest

from aqqua.errors import RefusedError
from aqqua.sources.ecotaxa_api.login import TOKEN_ENV, connect, stored_token
from tests.sources.ecotaxa_api.conftest import Cast


@pytest.fixture(autouse=True)
def nothing_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TOKEN_ENV, raising=False)
    monkeypatch.setitem(sys.modules, "keyring", None)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_token_of_the_environment_comes_first(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN_ENV, f" {cast.double.token(cast.bob)}\n")
    assert connect(cast.double.url).me().name == "Bob Annotator"


def test_the_keyring_is_asked_by_the_address_of_the_server(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    keyring = types.ModuleType("keyring")
    secrets = {("aqqua ecotaxa", cast.double.url): cast.double.token(cast.alice)}
    keyring.get_password = lambda service, name: secrets.get((service, name))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    assert connect(cast.double.url).me().name == "Alice Owner"
    assert stored_token("https://other.example.org/api") is None


def test_a_keyring_that_does_not_work_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(service: str, name: str) -> str:
        raise RuntimeError("no backend")

    keyring = types.ModuleType("keyring")
    keyring.get_password = fails  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    assert stored_token("https://other.example.org/api") is None


def test_else_name_and_password_are_asked_for(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("alice@lab.test\n"))
    monkeypatch.setattr("getpass.getpass", lambda prompt: cast.alice.password)
    assert connect(cast.double.url).me().name == "Alice Owner"


def test_where_nobody_can_be_asked_it_says_what_to_set(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(RefusedError, match=TOKEN_ENV):
        connect(cast.double.url)
    assert cast.double.faults.seen == []


def test_neither_password_nor_token_is_in_any_log(cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client = cast.double.client()
    client.log_in("alice@lab.test", cast.alice.password)
    client.me()
    token = client.wire.token
    assert token
    assert caplog.text
    assert cast.alice.password not in caplog.text
    assert token not in caplog.text
