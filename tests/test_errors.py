"""Errors say what happened, where, and what to do, and are the builtins a user would catch."""

from __future__ import annotations

import builtins

import pytest

from aqqua import errors
from aqqua.errors import AqquaError, MissingExtraError, RefusedError, RemoteError, SourceError, UnknownNameError


def test_all_is_sorted_and_complete() -> None:
    public = [n for n, v in vars(errors).items() if isinstance(v, type) and issubclass(v, AqquaError)]
    assert errors.__all__ == sorted(public)


@pytest.mark.parametrize(
    ("name", "builtin"),
    [
        ("SourceError", ValueError),
        ("FormatError", ValueError),
        ("UnsafeInputError", ValueError),
        ("ConfigError", ValueError),
        ("UnknownNameError", KeyError),
        ("MissingExtraError", ImportError),
        ("NotFoundError", FileNotFoundError),
        ("PausedError", RuntimeError),
        ("RemoteError", ConnectionError),
        ("RefusedError", PermissionError),
        ("StorageError", OSError),
    ],
)
def test_each_is_the_builtin_a_user_would_catch(name: str, builtin: type[Exception]) -> None:
    kind = getattr(errors, name)
    assert issubclass(kind, builtin)
    assert issubclass(kind, AqquaError)
    assert getattr(builtins, builtin.__name__) is builtin


def test_the_message_has_what_where_and_do() -> None:
    error = SourceError("no latitude", where="a.tsv, row 12", do="add it")
    assert str(error) == "no latitude\n  where: a.tsv, row 12\n  do:    add it"


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    assert "did you mean ecotaxa_export?" in str(
        UnknownNameError("source", "ecotaxa_exprt", ["ifcb", "ecotaxa_export"])
    )


def test_a_name_like_nothing_lists_what_there_is() -> None:
    assert "there is: folder, ifcb" in str(UnknownNameError("source", "zzz", ["ifcb", "folder"]))


def test_an_error_of_a_server_keeps_its_status() -> None:
    error = RefusedError("no right to see project 7", where="https://ecotaxa.example.org", status=403)
    assert error.status == 403
    assert RemoteError("no answer").status is None
    assert str(error) == "no right to see project 7\n  where: https://ecotaxa.example.org"


def test_a_missing_extra_is_one_clear_line() -> None:
    assert str(MissingExtraError("training", "torch", "train")) == "training needs torch: pip install 'aqqua[train]'"
