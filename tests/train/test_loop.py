from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from aqqua.errors import AqquaError, FormatError
from aqqua.models import vit
from aqqua.models.checkpoint import weights_hash
from aqqua.store.dataset import Dataset
from aqqua.train import loop
from aqqua.train.config import TrainConfig
from aqqua.train.data import Catalogue
from aqqua.train.loop import fit, learning_rate
from aqqua.train.objective import Objective, Terms
from aqqua.train.state import Run

TINY = TrainConfig(size="pico", steps=6, batch=20, precision="float32", slices=16, embedding=8, hidden=16)


@pytest.fixture(scope="module")
def catalogue(shapes: Dataset) -> Catalogue:
    return Catalogue([shapes])


def result(run: Run) -> str:
    return weights_hash(run.network.state_dict())


def break_off(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Let the process die after so many steps."""
    step = loop.step

    def fatal(run: Run, *rest: object) -> Terms:
        if run.step == after:
            raise KeyboardInterrupt
        return step(run, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(loop, "step", fatal)


def test_same_seed_same_weights(catalogue: Catalogue, tmp_path: Path) -> None:
    one, again, other = (fit(TINY, catalogue, _new(tmp_path, n), seed) for n, seed in (("a", 1), ("b", 1), ("c", 2)))
    assert result(one) == result(again) != result(other)


def test_the_global_random_state_is_left_alone(catalogue: Catalogue, tmp_path: Path) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    fit(TINY, catalogue, tmp_path, 0)
    assert torch.equal(torch.rand(3), expected)


def test_a_broken_run_goes_on_exactly(catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = fit(TINY, catalogue, _new(tmp_path, "whole"), 1)
    broken = _new(tmp_path, "broken")
    config = replace(TINY, save_minutes=0.0)
    with monkeypatch.context() as patch:
        break_off(patch, after=4)
        with pytest.raises(KeyboardInterrupt):
            fit(config, catalogue, broken, 1)
    run = fit(config, catalogue, broken, 1)
    assert (run.step, run.images, run.position) == (whole.step, whole.images, whole.position)
    assert result(run) == result(whole)
    steps = [int(row["step"]) for row in csv.DictReader((broken / "log.csv").read_text().splitlines())]
    assert steps == sorted(set(steps))
    assert steps[-1] == 6


def test_a_state_of_another_configuration_is_not_taken_up(catalogue: Catalogue, tmp_path: Path) -> None:
    fit(TINY, catalogue, tmp_path, 1)
    changed = replace(TINY, learning_rate=1e-4)
    fresh = fit(changed, catalogue, _new(tmp_path, "fresh"), 1)
    assert result(fit(changed, catalogue, tmp_path, 1)) == result(fresh)


def test_a_finished_run_is_finished(catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = fit(TINY, catalogue, tmp_path, 1)
    break_off(monkeypatch, after=6)
    assert result(fit(TINY, catalogue, tmp_path, 1)) == result(first)


def test_a_damaged_state_is_told(catalogue: Catalogue, tmp_path: Path) -> None:
    fit(TINY, catalogue, tmp_path, 1)
    (tmp_path / "state.safetensors").write_bytes(b"nothing")
    with pytest.raises(FormatError, match="remove it to begin anew"):
        fit(TINY, catalogue, tmp_path, 1)


def test_a_budget_of_time_ends(catalogue: Catalogue, tmp_path: Path) -> None:
    run = fit(replace(TINY, steps=0, minutes=0.01), catalogue, tmp_path, 0)
    assert run.seconds >= 0.6
    assert run.step > 0


def test_the_loss_falls(catalogue: Catalogue, tmp_path: Path) -> None:
    """With nothing to invent: the regulariser alone can be learnt in a few steps."""
    losses: list[float] = []
    step = loop.step

    def spy(*args: object) -> Terms:
        terms = step(*args)  # type: ignore[arg-type]
        losses.append(terms.loss.item())
        return terms

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "step", spy)
        fit(replace(TINY, steps=40, learning_rate=5e-3), catalogue, tmp_path, 0)
    assert sum(losses[-5:]) < 0.85 * sum(losses[:5])


def test_an_infinite_loss_is_left_out_but_not_for_ever(
    catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forward, calls = Objective.forward, 0

    def broken(self: Objective, views: torch.Tensor, *rest: Any) -> Terms:
        nonlocal calls
        calls += 1
        terms = forward(self, views, *rest)
        return replace(terms, loss=terms.loss * torch.inf) if calls > 2 else terms

    monkeypatch.setattr(Objective, "forward", broken)
    run = fit(TINY, catalogue, _new(tmp_path, "short"), 0)
    assert run.bad_steps == 4
    assert all(torch.isfinite(w).all() for w in run.network.parameters())
    monkeypatch.setattr(loop, "_MAX_BAD_STEPS", 5)
    with pytest.raises(AqquaError, match="not been finite for 5 steps"):
        fit(replace(TINY, steps=9), catalogue, _new(tmp_path, "long"), 0)


def test_the_learning_rate_rises_then_falls() -> None:
    run = Run(*(None,) * 4)  # type: ignore[arg-type]
    rates = []
    config = replace(TINY, steps=100)
    for run.step in range(101):
        rates.append(learning_rate(run, config))
    assert max(rates) == rates[10] == config.learning_rate
    assert rates[:11] == sorted(rates[:11])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[100] == pytest.approx(0, abs=1e-9)


def _new(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name


def test_what_is_computed_again_is_the_same(catalogue: Catalogue, tmp_path: Path) -> None:
    calls = 0

    def counted(*rest: Any, **options: Any) -> object:
        nonlocal calls
        calls += 1
        return checkpoint(*rest, **options)

    kept = fit(TINY, catalogue, _new(tmp_path, "kept"), 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vit, "checkpoint", counted)
        again = fit(replace(TINY, recompute=True), catalogue, _new(tmp_path, "again"), 1)
    assert calls > 0
    assert result(again) == result(kept)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore")  # torch.compile warns of torch itself
def test_compiled_blocks_learn_the_same(catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Traced once for all sizes of images, forwards and backwards; machine code would take this test minutes."""
    compile_, calls = nn.Module.compile, 0

    def traced(self: nn.Module, **options: Any) -> None:
        nonlocal calls
        calls += 1
        compile_(self, backend="aot_eager", fullgraph=True, **options)

    monkeypatch.setattr(nn.Module, "compile", traced)
    plain, compiled = (
        fit(replace(TINY, compile=flag), catalogue, _new(tmp_path, str(flag)), 1) for flag in (False, True)
    )
    assert calls == len(plain.network.blocks)
    assert set(compiled.network.state_dict()) == set(plain.network.state_dict())
    for name, weight in plain.network.named_parameters():
        torch.testing.assert_close(compiled.network.get_parameter(name), weight, atol=1e-3, rtol=1e-2)


def test_batches_made_ahead_are_the_same_batches(catalogue: Catalogue, tmp_path: Path) -> None:
    one, other = (fit(replace(TINY, ahead=n), catalogue, _new(tmp_path, str(n)), 1) for n in (0, 3))
    assert result(one) == result(other)
    assert one.position == other.position
