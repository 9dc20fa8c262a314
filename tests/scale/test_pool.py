from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aqqua.errors import AqquaError, ConfigError
from aqqua.scale import map_shards
from tests.scale import work


def test_workers_are_other_processes_with_one_thread_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    outs = [tmp_path / "a", tmp_path / "b"]
    map_shards(work.environment, ["OMP_NUM_THREADS", "AQQUA_QUIET"], outs, where="pool", workers=2)
    results = [json.loads(out.read_text()) for out in outs]
    assert [result["value"] for result in results] == ["1", "1"]
    assert os.getpid() not in {result["pid"] for result in results}
    assert os.environ["OMP_NUM_THREADS"] == "7"


@pytest.mark.parametrize(("function", "words"), [(work.die, "signal 9"), (work.leave, "status 3")])
def test_a_worker_that_dies_is_a_failure_not_a_hang(tmp_path: Path, function: object, words: str) -> None:
    with pytest.raises(AqquaError, match=words) as error:
        map_shards(function, [1], [tmp_path / "out"], where="pool", workers=1)  # type: ignore[arg-type]
    assert str(tmp_path / "out") in str(error.value)
    assert not list(tmp_path.iterdir())


def test_a_shard_that_cannot_travel_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be sent to another process"):
        map_shards(work.write, [lambda: 1], [tmp_path / "out"], where="pool")  # type: ignore[arg-type]
    assert not multiprocessing.active_children()


def test_no_process_is_left(tmp_path: Path) -> None:
    map_shards(work.write, [1, 2, 3], [tmp_path / str(n) for n in range(3)], where="pool", workers=2)
    assert not multiprocessing.active_children()


SCRIPT = """
from pathlib import Path
from aqqua.scale import map_shards
from tests.scale.work import slow
if __name__ == "__main__":
    map_shards(slow, [60.0, 60.0], [Path("a"), Path("b")], where="pool", workers=2)
"""


def test_ctrl_c_stops_the_workers_and_leaves_nothing_half(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    root = str(Path(__file__).parents[2])
    command = [sys.executable, str(script)]
    run = subprocess.Popen(
        command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": root}, stderr=subprocess.PIPE, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while len(list(tmp_path.glob("*.part"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(list(tmp_path.glob("*.part"))) == 2
    os.killpg(run.pid, signal.SIGINT)  # as a terminal does: to the parent and all workers
    _, stderr = run.communicate(timeout=30)
    assert stderr.rstrip().endswith(b"KeyboardInterrupt")
    assert list(tmp_path.iterdir()) == [script]
    assert gone(run.pid), "nobody of the group is left"


def gone(group: int, patience_s: float = 20) -> bool:
    """Whether all processes of a group end within some seconds (Python's resource tracker goes last)."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_a_script_without_main_guard_gets_a_hint(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT.replace('if __name__ == "__main__":', "if True:"))
    root = str(Path(__file__).parents[2])
    run = subprocess.run(
        [sys.executable, "script.py"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": root},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert 'under `if __name__ == "__main__":`' in run.stderr
