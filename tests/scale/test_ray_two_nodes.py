"""Ray on a cluster of two nodes (two sets of daemons on this machine): the same bytes, and both of them worked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from aqqua.errors import SourceError
from aqqua.scale import map_shards
from tests.scale import work

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a running cluster: a head with one processor, and a second node with another."""
    pytest.importorskip("ray")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    import ray
    from ray.cluster_utils import Cluster

    memory = 80 << 20
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "object_store_memory": memory})
    try:
        made.add_node(num_cpus=1, object_store_memory=memory)
        made.wait_for_nodes()
        yield made.address
    finally:
        ray.shutdown()
        made.shutdown()


def test_two_nodes_write_what_one_process_writes(tmp_path: Path, cluster: str) -> None:
    import ray

    results = {}
    for where, options in {"here": {}, "ray": {"address": cluster, "workers": 2}}.items():
        outs = [tmp_path / where / str(n) for n in range(6)]
        map_shards(work.write_folder, range(6), outs, where=where, **options)  # type: ignore[arg-type]
        files = sorted(path for path in (tmp_path / where).rglob("*") if path.is_file())
        results[where] = [(path.relative_to(tmp_path / where), path.read_bytes()) for path in files]
    assert len(results["here"]) == 12
    assert results["here"] == results["ray"]
    assert not ray.is_initialized(), "who connected lets go again"

    outs = [tmp_path / f"node{n}" for n in range(4)]
    map_shards(work.node, [0.5] * 4, outs, where="ray", address=cluster, workers=2)
    assert len({json.loads(out.read_text())["node"] for out in outs}) == 2, "both nodes worked"
    (tmp_path / "node2").unlink()
    map_shards(work.node, [0.0] * 4, outs, where="ray", address=cluster, workers=2)
    assert all(out.exists() for out in outs)
    with pytest.raises(SourceError, match="shard 1 is odd"):
        map_shards(work.fail_odd, [0, 1], [tmp_path / "a", tmp_path / "b"], where="ray", address=cluster)
    assert not list(tmp_path.glob("*.part"))
