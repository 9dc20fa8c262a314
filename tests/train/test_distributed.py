from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from aqqua.errors import ConfigError
from aqqua.models.preprocess import Preprocessing
from aqqua.store.dataset import Dataset
from aqqua.train.data import Catalogue, Loader
from aqqua.train.distributed import World, bind, choose_device, clip, joined, put_together, whole
from tests.conftest import ROOT
from tests.train.group import CONFIG, OTHERS, curve

pytestmark = pytest.mark.timeout(600)

WHOLE, RELAY = "whole", ("relay", "relay-copies")


@pytest.fixture(scope="module")
def group(
    shapes: Dataset, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any], list[dict[str, Any]]]:
    """What one process saw that trained alone, and what two processes saw; two runs were begun by one process."""
    folder = tmp_path_factory.mktemp("group")
    catalogue = Catalogue([shapes])
    alone = {WHOLE: curve(CONFIG, catalogue, folder / WHOLE, World())}
    for name, config in zip(RELAY, (replace(CONFIG, shard=True), CONFIG), strict=True):
        alone[name] = curve(config, catalogue, folder / name, World(), stop=2)
    script = [str(ROOT / "tests" / "train" / "group.py"), str(shapes.path), str(folder)]
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    subprocess.run([*launcher, *script], check=True, env=environment, timeout=500, capture_output=True)
    return folder, alone, [json.loads((folder / f"told-{rank}.json").read_text()) for rank in range(2)]


@pytest.mark.slow
def test_two_processes_learn_what_one_learns(group: Any) -> None:
    _, alone, (first, second) = group
    for way in ("copies", "shards"):
        assert first[way]["losses"] == pytest.approx(alone[WHOLE]["losses"], rel=1e-3), way
        assert first[way]["losses"] == second[way]["losses"], way
        assert first[way]["weights"] == second[way]["weights"], f"{way}: whitened alike, too"
        for mine, other in zip(first[way]["numbers"], alone[WHOLE]["numbers"], strict=True):
            assert mine == pytest.approx(other, abs=2e-3)
        assert first[way]["position"] == alone[WHOLE]["position"]
        assert first[way]["images"] == alone[WHOLE]["images"] == 120


@pytest.mark.slow
@pytest.mark.parametrize("objective", OTHERS)
def test_other_objectives_too(group: Any, shapes: Dataset, objective: str) -> None:
    folder, _, (first, second) = group
    config = replace(CONFIG, objective=objective, steps=3)
    alone = curve(config, Catalogue([shapes]), folder / objective / "alone", World())
    for shard in (False, True):
        told = first[f"{objective} {shard}"]
        assert told["losses"] == pytest.approx(alone["losses"], rel=1e-3)
        assert told["weights"] == second[f"{objective} {shard}"]["weights"]


@pytest.mark.slow
def test_one_then_two_then_one(group: Any, shapes: Dataset) -> None:
    """One process does two steps, two do two more (only one of them was asked to stop), one does the rest."""
    folder, alone, (first, second) = group
    for name, told, shard in zip(RELAY, ("relay", "relay in copies"), (True, False), strict=True):
        assert alone[name]["paused"].startswith("asked to stop at step 2")
        assert (
            first[told]["paused"]
            == second[told]["paused"]
            == ("asked to stop at step 4; the same command goes on from there")
        )
        assert (folder / name / "state").is_dir() == shard
        assert (folder / name / "state.safetensors").is_file() != shard
        rest = curve(replace(CONFIG, shard=shard), Catalogue([shapes]), folder / name, World())
        losses = alone[name]["losses"] + first[told]["losses"] + rest["losses"]
        assert len(losses) == 6
        assert losses == pytest.approx(alone[WHOLE]["losses"], rel=1e-3)
        assert not (folder / name / "state").exists(), "one process keeps its state in one file"
        assert rest["numbers"][0] == pytest.approx(alone[WHOLE]["numbers"][0], abs=2e-3)


@pytest.mark.slow
def test_an_infinite_loss_of_one_process_is_left_out_by_all(group: Any) -> None:
    _, _, (first, second) = group
    for way in ("spoiled", "spoiled shards"):
        assert math.isinf(first[way]["losses"][2])
        assert all(map(math.isfinite, first[way]["losses"][:2] + first[way]["losses"][3:]))
        assert first[way]["weights"] == second[way]["weights"]
        assert first[way]["bad"] == 0


@pytest.mark.slow
def test_processes_agree_on_the_time_that_is_spent(group: Any) -> None:
    _, _, (first, second) = group
    assert first["timed"]["seconds"] == second["timed"]["seconds"] >= 0.6
    assert first["timed"]["weights"] == second["timed"]["weights"]


def test_parts_of_a_batch_are_the_batch(shapes: Dataset) -> None:
    """Whoever computes them: the same images in the same parts, and the same position."""
    loader = Loader(Catalogue([shapes]), Preprocessing(), batch=20, seed=3)
    whole_, parts = (list(islice(loader.portions(parts=n, mine=range(n)), 5)) for n in (1, 4))
    shared = [list(islice(loader.portions(parts=4, mine=World(rank, 2).mine(4)), 5)) for rank in range(2)]
    for (batch, after), (four, same), (one, _), (two, _) in zip(whole_, parts, *shared, strict=True):
        assert after == same
        assert batch.images == four.images == one.images == two.images == 20
        assert [content(part) for part in four.parts] == [content(part) for part in one.parts + two.parts]
        assert sum(content(part) for part in four.parts) == pytest.approx(content(batch.parts[0]))
        assert sum(one.shares) + sum(two.shares) == 1


def content(batch: Any) -> float:
    return sum(float(group.images.double().sum()) for group in batch)


def test_only_its_own_images_are_read(shapes: Dataset) -> None:
    loader = Loader(Catalogue([shapes]), Preprocessing(), batch=60, seed=3)
    next(loader.portions(parts=3, mine=[1]))
    assert len(loader._cache) == 20


def test_parts_of_one_image_are_refused(shapes: Dataset) -> None:
    loader = Loader(Catalogue([shapes]), Preprocessing(), batch=20)
    with pytest.raises(ConfigError, match="less than two images"):
        next(loader.portions(parts=8, mine=range(8)))


@pytest.mark.parametrize(
    ("wanted", "size", "parts"), [(1, 1, 1), (1, 2, 2), (4, 2, 4), (3, 2, 4), (2, 8, 8), (6, 3, 6)]
)
def test_each_process_has_as_many_parts(wanted: int, size: int, parts: int) -> None:
    assert World(0, size).parts(wanted) == parts
    shared = [list(World(rank, size).mine(parts)) for rank in range(size)]
    assert [part for mine in shared for part in mine] == list(range(parts))
    assert {len(mine) for mine in shared} == {parts // size}


def test_alone_nothing_is_bound_and_nothing_asked() -> None:
    layer = nn.Linear(2, 2)
    assert bind([layer], World(), shard=True) is None
    assert put_together(layer, lambda: nn.Linear(9, 9)) is layer
    assert World().agree(3.5, stop=True, save=False) == (3.5, True, False)
    assert World().total(torch.tensor([2.0])).tolist() == [2.0]
    World().wait()
    with joined("cpu", {}) as world:
        assert (world.rank, world.size, world.first, world.device.type) == (0, 1, True, "cpu")


def test_a_gradient_is_shortened_and_measured() -> None:
    weight = torch.zeros(2, requires_grad=True)
    weight.grad = torch.tensor([3.0, 4.0])
    assert clip([weight], 1.0).item() == 5
    assert weight.grad.norm().item() == pytest.approx(1, abs=1e-5)
    assert whole(weight) is weight


def test_a_process_has_its_own_device() -> None:
    assert choose_device("cpu", 3) == torch.device("cpu")
    assert choose_device("cuda", 0) == torch.device("cuda", 0)


@pytest.mark.gpu
@pytest.mark.slow
def test_on_gpus_too(shapes: Dataset, tmp_path: Path) -> None:
    """NCCL, as many processes as there are GPUs, in copies and in shards."""
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    count = str(torch.cuda.device_count())
    for number, shard in enumerate(("false", "true")):
        (tmp_path / "run.yaml").write_text(
            f"size: pico\nsteps: 3\nbatch: 20\nhidden: 16\nshard: {shard}\ndevice: cuda\n"
        )
        launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", count]
        words = ["-m", "aqqua", "train", "run.yaml", "--data", str(shapes.path), "--out", f"model-{number}"]
        subprocess.run([*launcher, *words], check=True, cwd=tmp_path, timeout=300)
        assert (tmp_path / f"model-{number}" / "model.json").is_file()
