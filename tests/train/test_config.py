from __future__ import annotations

from pathlib import Path

import pytest

from aqqua.errors import ConfigError, NotFoundError, UnknownNameError
from aqqua.train.config import Augmentation, TrainConfig, resolve, to_yaml


def write(folder: Path, text: str) -> Path:
    path = folder / "train.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults_then_file_then_flags(tmp_path: Path) -> None:
    path = write(tmp_path, "size: tiny\nminutes: 3\nlearning_rate: 1e-3\naugmentation: {zoom: [0.5, 2]}\n")
    config = resolve(path, minutes=7.0, batch=None)
    assert config == TrainConfig(
        size="tiny", minutes=7.0, learning_rate=1e-3, augmentation=Augmentation(zoom=(0.5, 2.0))
    )


def test_no_file_is_the_defaults() -> None:
    assert resolve(None) == TrainConfig()


def test_what_is_written_is_read(tmp_path: Path) -> None:
    config = TrainConfig(size="tiny", augmentation=Augmentation(noise=0.1))
    assert resolve(write(tmp_path, to_yaml(config))) == config


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    assert resolve(write(tmp_path, "# nothing\n")) == TrainConfig()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("learning_rat: 1", "did you mean 'learning_rate'"),
        ("augmentation: {zom: [1, 2]}", "did you mean 'zoom'"),
        ("batch: many", "'many' is not what is expected here"),
        ("batch: true", "True is not what is expected here"),
        ("augmentation: {zoom: [1]}", "field augmentation, field zoom"),
        ("augmentation: 3", "Augmentation"),
        ("- size", "key: value"),
        ("size: [", "not YAML"),
        ("keep: 0", "share between 0 and 1"),
        ("batch: 1", "at least 2"),
        ("minutes: 0", "no time and there are no steps"),
        ("name: ../evil", "cannot be the name of a model"),
        ("!!python/object/apply:os.system ['true']", "not YAML"),
    ],
)
def test_mistakes_are_told_with_what_to_do(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        resolve(write(tmp_path, text))


def test_an_unknown_precision(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="bfloat16"):
        resolve(write(tmp_path, "precision: bfloat"))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        resolve(tmp_path / "none.yaml")


def test_an_unknown_flag() -> None:
    with pytest.raises(ConfigError, match="did you mean 'minutes'"):
        resolve(None, minuts=3)
