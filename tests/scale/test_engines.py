from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from aqqua.errors import AqquaError, SourceError
from aqqua.scale import map_shards
from tests.scale import work

pytestmark = [
    pytest.mark.slow,
    # Ray leaves closing its log files and sockets to the garbage collector; that is its affair, not ours.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def _running_ray() -> set[int]:
    """Processes of Ray that run on this machine."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if any(b"raylet" in word or b"gcs_server" in word or b"ray::" in word for word in words[:2]):
            found.add(int(process.name))
    return found


def test_every_engine_writes_the_same_bytes(tmp_path: Path, slurm: Path) -> None:
    pytest.importorskip("ray")
    before = _running_ray()
    results = {}
    for where, options in {
        "here": {},
        "pool": {"workers": 2},
        "slurm": {"logs": tmp_path / "logs", "poll_s": 0.2},
        "ray": {"workers": 2},
    }.items():
        outs = [tmp_path / where / str(n) for n in range(3)]
        map_shards(work.write_folder, range(3), outs, where=where, **options)  # type: ignore[arg-type]
        files = sorted(path for path in (tmp_path / where).rglob("*") if path.is_file())
        results[where] = [(path.relative_to(tmp_path / where), path.read_bytes()) for path in files]
    assert len(results["here"]) == 6
    assert results["here"] == results["pool"] == results["slurm"] == results["ray"]
    assert _running_ray() <= before, "no process of Ray is left"


def test_ray_names_failures_and_dead_workers_and_uses_a_running_ray(tmp_path: Path) -> None:
    ray = pytest.importorskip("ray")
    temporary = set(Path(tempfile.gettempdir()).glob("aqqua-ray-*"))
    before = _running_ray()
    outs = [tmp_path / f"{n}.bin" for n in range(4)]
    from aqqua.scale.raycore import _end, _ray, _start

    own = _start(_ray(), None, 1)
    try:
        with pytest.raises(SourceError, match="shard 1 is odd"):
            map_shards(work.fail_odd, range(4), outs, where="ray", workers=1)
        assert ray.is_initialized(), "a Ray that was there before stays"
        assert sorted(tmp_path.iterdir()) == [outs[0]]
        with pytest.raises(AqquaError, match=r"Worker|died|crash"):
            map_shards(work.die, [1], [tmp_path / "dead"], where="ray")
        assert not (tmp_path / "dead.part").exists()
        map_shards(work.environment, ["OMP_NUM_THREADS"], [tmp_path / "env"], where="ray")
        assert '"value": "1"' in (tmp_path / "env").read_text()
        assert f'"pid": {os.getpid()}' not in (tmp_path / "env").read_text()
    finally:
        _end(ray, {}, own)
    assert _running_ray() <= before
    assert set(Path(tempfile.gettempdir()).glob("aqqua-ray-*")) == temporary
