from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from aqqua.errors import ConfigError
from aqqua.metadata.card import Card
from aqqua.metadata.safe_yaml import load_yaml

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join(['*' + old] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize("loader", [yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BOMB, "anchor"),
        ("[" * 5000, "deep"),
        ("{a: " * 40 + "}" * 40, "deep"),
        ("x: " + "1" * (1 << 20), "larger than 1 MiB"),
        ("a: [", "not valid YAML"),
        ("t: 2021-99-99", "not valid YAML"),
        ("? {a: b}\n: c", "not valid YAML"),
        ("!!python/object/apply:os.system [x]", "not valid YAML"),
        ("a: \x00", "not valid YAML"),
        ("n: !!int 'x'", "not valid YAML"),
    ],
)
def test_what_is_hostile_is_refused(loader: type, text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        load_yaml(text, what="the card", where="x", loader=loader)


def test_what_is_plain_is_read() -> None:
    assert load_yaml("a: [1, {b: null}]", what="it", where="x") == {"a": [1, {"b": None}]}
    assert load_yaml("", what="it", where="x") is None


def test_a_card_in_another_encoding_is_no_crash(tmp_path: Path) -> None:
    path = tmp_path / "card.yaml"
    path.write_bytes("title: Kärtchen".encode("utf-16"))
    with pytest.raises(ConfigError, match="UTF-8"):
        Card.load(path)
