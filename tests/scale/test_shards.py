from __future__ import annotations

import functools
from pathlib import Path

import pytest

from aqqua.errors import AqquaError, ConfigError, SourceError, StorageError, UnknownNameError
from aqqua.scale import map_shards
from aqqua.scale.shards import Where
from tests.scale import work

ENGINES = ["here", "pool"]


def outs_in(folder: Path, n: int) -> list[Path]:
    return [folder / f"{i:04d}.bin" for i in range(n)]


@pytest.mark.parametrize("where", ENGINES)
def test_files_have_their_final_names_and_no_part_is_left(tmp_path: Path, where: Where) -> None:
    outs = outs_in(tmp_path / "new", 3)
    assert map_shards(work.write, range(3), outs, where=where, workers=2) == outs
    assert [out.read_bytes() for out in outs] == [bytes([n]) * 1000 for n in range(3)]
    assert sorted((tmp_path / "new").iterdir()) == outs


@pytest.mark.parametrize("where", ENGINES)
def test_an_output_can_be_a_folder(tmp_path: Path, where: Where) -> None:
    outs = [tmp_path / "a", tmp_path / "b"]
    map_shards(work.write_folder, [7, 8], outs, where=where, workers=2)
    assert (tmp_path / "b/inner/data.bin").read_bytes() == b"\x08"
    assert sorted(tmp_path.iterdir()) == outs


@pytest.mark.parametrize("where", ENGINES)
def test_a_rerun_does_only_what_is_missing(tmp_path: Path, where: Where) -> None:
    calls = tmp_path / "calls"
    calls.mkdir()
    outs, shards = outs_in(tmp_path, 4), [(n, calls) for n in range(4)]
    map_shards(work.log_and_write, shards, outs, where=where, workers=2)
    assert len(list(calls.iterdir())) == 4
    outs[2].unlink()
    map_shards(work.log_and_write, shards, outs, where=where, workers=1)
    assert sorted(path.name.split("-")[0] for path in calls.iterdir()) == ["0", "1", "2", "2", "3"]
    assert outs[2].read_bytes() == b"\x02" * 1000


@pytest.mark.parametrize("where", ENGINES)
def test_a_stale_part_is_removed_first(tmp_path: Path, where: Where) -> None:
    (tmp_path / "a.part" / "old").mkdir(parents=True)
    (tmp_path / "b.part").write_text("old")
    map_shards(work.write_folder, [1, 2], [tmp_path / "a", tmp_path / "b"], where=where, workers=1)
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["inner", "n.txt"]


@pytest.mark.parametrize("where", ENGINES)
def test_the_first_failure_stops_and_is_named(tmp_path: Path, where: Where) -> None:
    outs = outs_in(tmp_path, 6)
    with pytest.raises(SourceError) as error:
        map_shards(work.fail_odd, range(6), outs, where=where, workers=1)
    text = str(error.value)
    assert "1 of 6 shards failed" in text
    assert f"{outs[1]}: shard 1 is odd (row 1)" in text
    assert "give even numbers" in text
    assert "run again" in text
    assert sorted(tmp_path.iterdir()) == [outs[0]], "what is done stays; nothing half is left; the rest never began"
    assert "raise SourceError" in error.value.__notes__[0]


def test_all_failures_of_running_shards_are_told_at_once(tmp_path: Path) -> None:
    outs = outs_in(tmp_path, 3)
    with pytest.raises(SourceError, match="shards failed"):
        map_shards(work.fail_odd, [1, 3, 5], outs, where="pool", workers=3)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("where", ENGINES)
@pytest.mark.parametrize(
    ("shard", "cls", "words"),
    [
        (1, AqquaError, "no source is called 'isis'.*did you mean isiis"),
        (2, AqquaError, "ZeroDivisionError: 2/0"),
        (3, StorageError, "the disk is full.*free some space"),
        (4, AqquaError, "fail_somehow wrote no output"),
    ],
)
def test_whatever_is_raised_comes_back_as_an_error_of_aqqua(
    tmp_path: Path, where: Where, shard: int, cls: type[AqquaError], words: str
) -> None:
    with pytest.raises(AqquaError, match=f"(?s){words}") as error:
        map_shards(work.fail_somehow, [shard], [tmp_path / "out"], where=where)
    assert type(error.value) is cls


def test_more_than_a_few_failures_are_listed_shortly() -> None:
    from aqqua.scale.shards import _error
    from aqqua.scale.tasks import Failure, Outcome

    error = _error([Outcome(Path(f"s{n}"), Failure("SourceError", "bad")) for n in range(7)], 9)
    assert str(error).splitlines()[:7][-1] == "  and 2 more: s5, s6"


def test_ctrl_c_passes_and_leaves_nothing_half(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        map_shards(work.interrupted, [1], [tmp_path / "out"])
    assert not list(tmp_path.iterdir())


def test_nothing_to_do_starts_no_engine(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.touch()
    assert map_shards(work.die, [1], [out], where="pool") == [out]
    assert map_shards(work.die, [], [], where="pool") == []


def test_only_importable_functions(tmp_path: Path) -> None:
    def inner(shard: int, part: Path) -> None: ...

    for function in (lambda s, p: None, inner, tmp_path.exists, functools.partial(inner, 1)):
        with pytest.raises(ConfigError, match="cannot be imported by other processes"):
            map_shards(function, [1], [tmp_path / "out"])  # type: ignore[arg-type]


def test_a_partial_of_an_importable_function_is_fine(tmp_path: Path) -> None:
    map_shards(functools.partial(work.write), [1], [tmp_path / "out"], where="pool")
    assert (tmp_path / "out").exists()


def test_wrong_calls_say_what_is_wrong(tmp_path: Path) -> None:
    a = tmp_path / "a"
    with pytest.raises(ConfigError, match="2 shards but 1 outputs"):
        map_shards(work.write, [1, 2], [a])
    with pytest.raises(ConfigError, match="same output"):
        map_shards(work.write, [1, 2], [a, a])
    with pytest.raises(ConfigError, match="0 workers"):
        map_shards(work.write, [1], [a], workers=0)
    with pytest.raises(UnknownNameError, match="did you mean slurm"):
        map_shards(work.write, [1], [a], where="slrm")  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError, match="option of the engine 'here'"):
        map_shards(work.write, [1], [a], partition="x")
