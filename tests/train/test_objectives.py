from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import torch

from aqqua.errors import ConfigError, NotFoundError, UnknownNameError
from aqqua.store.dataset import Dataset
from aqqua.train.config import TrainConfig
from aqqua.train.data import Catalogue, Loader, Position
from aqqua.train.distributed import World
from aqqua.train.loop import fit, make_loader
from aqqua.train.objective import Objective, camera_distance
from aqqua.train.objectives import OBJECTIVES, balanced, follow, in_order, koleo, loss
from aqqua.train.state import start
from aqqua.train.twins import pairs, read_organisms

TINY = TrainConfig(
    size="pico", steps=4, batch=20, precision="float32", slices=16, embedding=8, hidden=16, prototypes=12
)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def catalogue(shapes: Dataset) -> Catalogue:
    return Catalogue([shapes])


@pytest.fixture(scope="module")
def organisms(shapes: Dataset) -> dict[str, str]:
    """Every third object of each of the two instruments is the same organism as one of the other."""
    table = shapes.metadata(["instrument", "object_id"])
    found: dict[str, str] = {}
    for (_,), mine in table.group_by("instrument", maintain_order=True):
        found |= {name: f"organism-{n}" for n, name in enumerate(mine["object_id"].to_list()[::3])}
    return found


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_learns(objective: str, catalogue: Catalogue) -> None:
    """The same batch again and again: after twenty steps its loss is lower."""
    config = replace(TINY, objective=objective, learning_rate=3e-3)
    run = start(config, World(), 0)
    batch, _ = next(make_loader(config, catalogue, 0).batches())
    losses = []
    for _ in range(20):
        run.generator.manual_seed(1)
        terms = loss(run, batch, config, CPU, bfloat16=False)
        run.optimizer.zero_grad()
        terms.loss.backward()  # type: ignore[no-untyped-call]
        run.optimizer.step()
        follow(run, config, 0.5)
        losses.append(terms.loss.item())
    assert losses[-1] < 0.97 * losses[0]
    idle = [name for name, weight in run.projector.named_parameters() if weight.grad is None]
    assert not idle, "weights that no term of the loss trains"


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_goes_on_exactly(objective: str, catalogue: Catalogue, tmp_path: Path) -> None:
    whole = fit(replace(TINY, objective=objective), catalogue, _new(tmp_path, "whole"), 1)
    again = fit(replace(TINY, objective=objective, save_minutes=0.0), catalogue, _new(tmp_path, "again"), 1)
    for name, weight in whole.network.state_dict().items():
        assert torch.equal(weight, again.network.state_dict()[name]), name
    resumed = fit(replace(TINY, objective=objective), catalogue, tmp_path / "again", 1)
    assert (resumed.teacher is None) == (objective != "distillation")
    if resumed.teacher and again.teacher:
        ours, theirs = resumed.teacher.network.state_dict(), again.teacher.network.state_dict()
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_an_unknown_objective_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="invariance"):
        TrainConfig(objective="invarianse")


def test_the_copy_follows_slowly_and_is_not_trained(catalogue: Catalogue) -> None:
    config = replace(TINY, objective="distillation", teacher_momentum=0.9)
    run = start(config, World(), 0)
    assert run.teacher is not None
    with torch.no_grad():
        for weight in run.network.parameters():
            weight.add_(1.0)
    before = [w.clone() for w in run.teacher.network.parameters()]
    follow(run, config, 0.0)
    for old, new in zip(before, run.teacher.network.parameters(), strict=True):
        torch.testing.assert_close(new - old, torch.full_like(old, 0.1), atol=1e-5, rtol=1e-4)
        assert not new.requires_grad
    follow(run, config, 1.0)  # at the end it stands still
    held = [w.clone() for w in run.teacher.network.parameters()]
    follow(run, config, 1.0)
    assert all(torch.equal(a, b) for a, b in zip(held, run.teacher.network.parameters(), strict=True))


def test_prototypes_are_used_alike() -> None:
    scores = torch.randn(400, 8, generator=torch.Generator().manual_seed(0)) * 0.1
    scores[:, 0] += 0.5
    shares = balanced(scores)
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(400))
    assert (shares.mean(dim=0) - 1 / 8).abs().max() < 0.03


def test_vectors_that_lie_together_are_pushed_apart() -> None:
    near, far = torch.eye(4) + 0.99, torch.eye(4)
    assert koleo(near) > koleo(far)


def test_the_cloud_of_each_instrument_is_held() -> None:
    generator = torch.Generator().manual_seed(3)
    views = torch.randn(2, 4000, 8, generator=generator)
    instrument = torch.arange(4000) % 4
    assert camera_distance(views, instrument).abs() < 0.01
    apart = views + instrument[None, :, None].float()
    assert camera_distance(apart, instrument) > 1
    small = torch.arange(4000) % 1000  # four images each
    assert camera_distance(apart, small) == 0
    alone = Objective(per_instrument=0.0)(apart, torch.Generator().manual_seed(0), instrument)
    held = Objective(per_instrument=0.5)(apart, torch.Generator().manual_seed(0), instrument)
    assert held.loss.item() == pytest.approx(alone.loss.item() + 0.5 * held.camera.item(), rel=1e-5)


def test_twins_stand_in_for_each_other(shapes: Dataset, organisms: dict[str, str]) -> None:
    catalogue = Catalogue([shapes], organisms=organisms)
    names = shapes.metadata(["object_id"])["object_id"].to_list()
    assert len(catalogue.twins) > 10
    for row, others in catalogue.twins.items():
        for other in others:
            assert organisms[names[row]] == organisms[names[int(other)]]
            assert catalogue.instrument[row] != catalogue.instrument[other]
    assert len(pairs(catalogue.twins)) == len(catalogue.twins) // 2


def test_a_batch_with_twins_is_the_same_batch_with_other_second_views(
    shapes: Dataset, organisms: dict[str, str]
) -> None:
    loaders = [make_loader(TINY, Catalogue([shapes], organisms=known), 0) for known in (None, organisms)]
    (plain, _), (paired, _) = (next(loader.batches()) for loader in loaders)
    assert plain.twins is None
    assert paired.twins is not None
    for one, other in zip(plain, paired, strict=True):
        assert torch.equal(one.images, other.images)
    for groups in (paired, paired.twins):
        places = torch.cat([group.place for group in groups])
        assert torch.equal(places.sort().values, torch.arange(len(places)))
    took, stood_in = (
        in_order(groups, [group.instrument for group in groups], paired) for groups in (paired, paired.twins)
    )
    changed = took != stood_in
    assert 0 < changed.sum() < len(changed)
    same = in_order(paired.twins, [group.images.sum(dim=(1, 2, 3)) for group in paired.twins], paired)
    mine = in_order(paired, [group.images.sum(dim=(1, 2, 3)) for group in paired], paired)
    torch.testing.assert_close(same[~changed], mine[~changed])
    run = start(TINY, World(), 0)
    terms = loss(run, paired, TINY, CPU, bfloat16=False)
    assert torch.isfinite(terms.loss)


def test_twins_are_drawn_the_same_wherever_a_run_goes_on(shapes: Dataset, organisms: dict[str, str]) -> None:
    def second(start_at: Position) -> torch.Tensor:
        loader: Loader = make_loader(TINY, Catalogue([shapes], organisms=organisms), 0)
        batches = loader.batches(start_at)
        if start_at == Position():
            next(batches)
        batch, _ = next(batches)
        assert batch.twins is not None
        return torch.cat([group.images.sum(dim=(1, 2, 3)) for group in batch.twins])

    assert torch.equal(second(Position()), second(Position(batch=1)))


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet"])
def test_tables_of_organisms(ending: str, tmp_path: Path) -> None:
    table = pl.DataFrame({"object_id": ["a", "b", None], "organism_id": ["1", "1", "2"], "more": [1, 2, 3]})
    path = tmp_path / f"organisms.{ending}"
    if ending == "parquet":
        table.write_parquet(path)
    else:
        table.write_csv(path, separator="," if ending == "csv" else "\t")
    assert read_organisms(path) == {"a": "1", "b": "1"}


def test_a_table_that_is_none_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no table of organisms"):
        read_organisms(tmp_path / "none.csv")
    pl.DataFrame({"object_id": ["a"]}).write_csv(tmp_path / "short.csv")
    with pytest.raises(ConfigError, match="organism_id"):
        read_organisms(tmp_path / "short.csv")


def _new(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name


@pytest.mark.gpu
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_trains_on_a_gpu(objective: str, catalogue: Catalogue, tmp_path: Path) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    run = fit(replace(TINY, objective=objective, device="cuda", precision="auto"), catalogue, tmp_path, 1)
    assert run.step == TINY.steps
