from pathlib import Path

import pytest

from aqqua.errors import ConfigError, NotFoundError, UnknownNameError
from aqqua.maps.interpolate import Settings, read_recipe
from aqqua.maps.interpolate.recipe import to_yaml

SHORT = "observations: a.parquet\npredictors: b.nc\n"


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_two_lines_are_enough_and_paths_are_beside_the_recipe(tmp_path: Path) -> None:
    recipe = read_recipe(write(tmp_path, SHORT))
    assert recipe.observations == tmp_path / "a.parquet"
    assert recipe.out == tmp_path / "maps"
    assert recipe.settings == Settings()


def test_everything_can_be_said_and_read_again(tmp_path: Path) -> None:
    more = "taxa: [Copepoda]\nlayers: [[0, 200], [200, 500]]\nsettings: {trees: 40, block_deg: 5, learners: [rf_log]}\n"
    recipe = read_recipe(write(tmp_path, SHORT + more))
    assert recipe.layers == ((0.0, 200.0), (200.0, 500.0))
    assert recipe.settings == Settings(trees=40, block_deg=5.0, learners=("rf_log",))
    assert read_recipe(write(tmp_path, to_yaml(recipe))) == recipe


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        (SHORT + "layer: [[0, 200]]", ConfigError, "did you mean 'layers'"),
        (SHORT + "settings: {tree: 3}", ConfigError, "did you mean 'trees'"),
        (SHORT + "settings: {trees: many}", ConfigError, "'many' is not what is expected here"),
        (SHORT + "settings: {trees: true}", ConfigError, "True is not what is expected"),
        (SHORT + "settings: {trees: 1}", ConfigError, "at least 10"),
        (SHORT + "settings: {block_deg: 0}", ConfigError, "blocks of 0°"),
        (SHORT + "settings: {learners: [rf_lg]}", UnknownNameError, "rf_log"),
        (SHORT + "settings: {learners: []}", ConfigError, "one or more"),
        (SHORT + "settings: {schemes: [block10]}", UnknownNameError, "blocks10"),
        (SHORT + "settings: {calibration: smear}", UnknownNameError, "smearing"),
        (SHORT + "taxa: Copepoda", ConfigError, r"a list, \[a, b\]"),
        (SHORT + "layers: [[0, 200, 500]]", ConfigError, "a list of 2"),
        (SHORT + "layers: [[-200, 0]]", ConfigError, "positive downwards"),
        (SHORT + "layers: [[500, 200]]", ConfigError, "positive downwards"),
        ("observations: a.csv", ConfigError, "does not name its predictors"),
        ("- a", ConfigError, "list of `key: value`"),
        ("a: [", ConfigError, "not valid YAML"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, text: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        read_recipe(write(tmp_path, text))


def test_no_recipe_and_no_text(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no recipe"):
        read_recipe(tmp_path / "recipe.yaml")
    (tmp_path / "recipe.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="UTF-8"):
        read_recipe(tmp_path / "recipe.yaml")
