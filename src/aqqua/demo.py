"""The whole way, once: raw files → dataset → model → explorer (verb `aqqua demo`).

Each step is the verb of the same name, with its result in the demo's folder; a step whose result is already
there is not done again, so an interrupted demo goes on where it stopped.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aqqua.callable import make_callable
from aqqua.errors import NotFoundError
from aqqua.progress import say

if TYPE_CHECKING:
    from aqqua.metadata.check import Finding

__all__ = ["demo"]

MARK = ".aqqua-demo"
"""A folder made by the demo carries this file, so that `--fresh` never removes anything else."""


@dataclass(frozen=True)
class Step:
    """One step: what it says, about how many seconds it takes, whether it is done, and how to do it."""

    title: str
    seconds: float
    done: Callable[[], bool]
    run: Callable[[], str]


def demo(
    out: Path | str = "aqqua-demo",
    *,
    data: Sequence[Path] = (),
    card: Path | None = None,
    images: int = 2400,
    minutes: float = 1.0,
    seed: int = 0,
    port: int = 0,
    explore: bool = True,
    fresh: bool = False,
) -> Path:
    """Go the whole way once, on a small virtual ocean or on given raw sources.

    Args:
        out: folder for everything the demo makes.
        data: raw sources to use instead of the virtual ocean.
        card: card with what these sources do not say themselves.
        images: about how many images the virtual ocean shows to its cameras.
        minutes: how long the model may train.
        seed: seed of ocean and training.
        port: port of the explorer (0: a free one).
        explore: serve the explorer at the end; returns only when it is stopped.
        fresh: begin anew, even where an earlier run left results.

    Returns:
        The dataset.

    Raises:
        NotFoundError: one of `data` is not there.
    """
    out = Path(out)
    for path in data:
        if not Path(path).exists():
            raise NotFoundError("there is nothing to ingest", where=path, do="give a folder, a zip or a raw bin")
    _prepare(out, fresh)
    dataset, model = out / "dataset", out / "model"
    steps = list(_steps(out, dataset, model, data, card, images, minutes, seed))
    start = time.monotonic()
    say(f"[bold]aqqua demo[/]: the whole way, once, in [cyan]{out}/[/] – {_about(sum(s.seconds for s in steps))}\n")
    for number, step in enumerate(steps, 1):
        _walk(step, number, steps)
    say(f"\n[bold green]Done[/] in {time.monotonic() - start:.0f} s. {_what_next(dataset)}")
    if explore:
        from aqqua.app.serve import explore as serve

        serve([dataset], port=port)
    return dataset


def _steps(
    out: Path,
    dataset: Path,
    model: Path,
    data: Sequence[Path],
    card: Path | None,
    images: int,
    minutes: float,
    seed: int,
) -> Iterator[Step]:
    raw = out / "raw"
    if not data:
        yield Step(
            f"A virtual ocean: about {images:,} organisms and particles before six cameras",
            images / 60,
            (raw / "truth" / "SEAL.json").exists,
            lambda: _ocean(raw, images, seed),
        )
    yield Step(
        "Ingest: raw files → one harmonised dataset",
        5 + images / 400,
        lambda: _is_dataset(dataset),
        lambda: _ingest(data, dataset, card) if data else _ingest_ocean(raw, dataset),
    )
    yield Step("Check: what is wrong or odd?", 2, lambda: False, lambda: _check(dataset))
    yield Step(
        "Train: a small model learns from the images alone, without labels",
        60 * minutes + 8,
        (model / "model.json").exists,
        lambda: _train(dataset, model, minutes, seed),
    )
    yield Step(
        "Predict: vectors, taxa and outlier scores",
        5 + images / 150,
        lambda: False,
        lambda: _predict(model, dataset),
    )
    yield Step("Prepare the explorer: map, clusters, neighbours", 15, lambda: False, lambda: _view(dataset))


def _ocean(raw: Path, images: int, seed: int) -> str:
    from aqqua.ocean import write_ocean

    report = write_ocean(raw, images=images, seed=seed)
    return f"{len(report.sources)} raw sources in {raw}/: " + ", ".join(path.name for path in report.sources)


def _ingest_ocean(raw: Path, dataset: Path) -> str:
    """One dataset with a title of its own; the sources bring their cards."""
    from aqqua.metadata.card import Card
    from aqqua.store.dataset import Dataset

    if not (dataset / "CURRENT").exists():
        Dataset.create(dataset, Card(title="A virtual ocean, seen by six cameras", licence="CC0-1.0"))
    return _ingest(_sources_in(raw), dataset, None)


def _sources_in(raw: Path) -> list[Path]:
    """The raw sources an ocean has written: everything but its truth and the cards beside."""
    return sorted(p for p in raw.iterdir() if p.name != "truth" and p.suffix not in {".yaml", ".json"})


def _ingest(sources: Sequence[Path], dataset: Path, card: Path | None) -> str:
    from aqqua.sources.ingest import ingest

    return str(ingest(sources, dataset, card=card))


def _check(dataset: Path) -> str:
    from aqqua.store.check import check

    findings = check([dataset])
    return f"{_tally(findings)} – all of them: aqqua check {dataset}"


def _tally(findings: Sequence[Finding]) -> str:
    levels = [(level, sum(f.severity == level for f in findings)) for level in ("error", "warning", "info")]
    return ", ".join(f"{n} {level}{'s' * (n != 1 and level != 'info')}" for level, n in levels if n) or "no findings"


def _train(dataset: Path, model: Path, minutes: float, seed: int) -> str:
    from aqqua.train.run import train

    return f"model in {train(None, data=[dataset], out=model, minutes=minutes, seed=seed)}/"


def _predict(model: Path, dataset: Path) -> str:
    from aqqua.tasks.predict import predict

    return str(predict(model, [dataset]))


def _view(dataset: Path) -> str:
    from aqqua.app.prepare import prepare
    from aqqua.store.dataset import Dataset

    view = prepare(Dataset.open(dataset))
    return f"{len(view):,} images on the map"


def _walk(step: Step, number: int, steps: Sequence[Step]) -> None:
    head = f"[bold]{number}/{len(steps)}[/] {step.title}"
    if step.done():
        say(f"{head}\n    [dim]already there[/]")
        return
    say(head)
    start = time.monotonic()
    result = step.run().strip().replace("\n", "\n    ")
    left = sum(s.seconds for s in steps[number:])
    then = f"; {_about(left)} to go" if left else ""
    say(f"    {result}\n    [dim]{time.monotonic() - start:.0f} s{then}[/]")


def _about(seconds: float) -> str:
    return f"about {seconds:.0f} s" if seconds < 90 else f"about {seconds / 60:.0f} min"


def _what_next(dataset: Path) -> str:
    aqqua = _command()
    return f"""What you can do now:
  look again          {aqqua} explore {dataset}
  hand to EcoTaxa     {aqqua} export {dataset} --to ecotaxa --out to_ecotaxa
  see what was odd    {aqqua} check {dataset}
With your own images (an EcoTaxa export, IFCB bins, or a folder or zip of images):
  {aqqua} demo --data PATH --card card.yaml mine      all of it at once
  {aqqua} ingest PATH mydata --card card.yaml         or step by step; then
  {aqqua} train --data mydata --out mymodel --minutes 10
  {aqqua} predict mymodel mydata
  {aqqua} explore mydata
"""


def _command() -> str:
    """How this aqqua is called: by its name, or by its path where the environment is not activated."""
    beside = Path(sys.executable).with_name("aqqua")
    if shutil.which("aqqua") or not beside.exists():
        return "aqqua"
    return str(beside.relative_to(Path.cwd())) if beside.is_relative_to(Path.cwd()) else str(beside)


def _prepare(out: Path, fresh: bool) -> None:
    if fresh and (out / MARK).exists():
        shutil.rmtree(out)
    out.mkdir(parents=True, exist_ok=True)
    (out / MARK).touch()


def _is_dataset(path: Path) -> bool:
    from aqqua.store.dataset import Dataset

    return (path / "CURRENT").exists() and len(Dataset.open(path)) > 0


make_callable(__name__, "aqqua.demo:demo")
