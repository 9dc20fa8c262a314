"""The verbs: each parses, calls one public function of the same name, and prints its result."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Group, Parameter

from aqqua import __version__
from aqqua.errors import ConfigError

__all__ = ["app"]

Where = Literal["here", "pool", "slurm", "ray"]
Variants = Literal["keep-raw", "all"]
Engine = Literal["auto", "torch", "torch-bf16", "onnx", "onnx-int8"]

app = App(
    name="aqqua",
    version=__version__,
    help="Plankton images from every camera: one dataset, one model, one view.",
    help_epilogue="Start with `aqqua demo`. Every verb has a page in the documentation and `aqqua VERB --help`.",
    help_format="markdown",
    group_commands=Group("Verbs", sort_key=0),
)


@app.command(sort_key=0)
def demo(
    out: Path = Path("aqqua-demo"),
    *,
    data: Annotated[list[Path] | None, Parameter(consume_multiple=True)] = None,
    card: Path | None = None,
    images: int = 2400,
    minutes: float = 1.0,
    seed: int = 0,
    port: int = 0,
    explore: bool = True,
    fresh: bool = False,
) -> None:
    """Go the whole way once: raw files → dataset → model → explorer, on a small virtual ocean or your data.

    Args:
        out: folder for everything the demo makes.
        data: your own raw sources instead of the virtual ocean.
        card: card.yaml with what your sources do not say themselves (pixel size, place, time …).
        images: about how many images the virtual ocean shows to its cameras.
        minutes: how long the model may train.
        seed: another seed, another ocean.
        port: port of the explorer (0: a free one).
        explore: open the explorer at the end.
        fresh: begin anew, even where an earlier run left results.
    """
    from aqqua.demo import demo as run

    run(
        out,
        data=data or (),
        card=card,
        images=images,
        minutes=minutes,
        seed=seed,
        port=port,
        explore=explore,
        fresh=fresh,
    )


@app.command(sort_key=1)
def ocean(
    out: Path,
    *,
    seed: int = 0,
    samples: int = 6,
    images: int = 1200,
    reuse: int | None = None,
    where: Where = "here",
    workers: int | None = None,
) -> None:
    """Write raw source files from the virtual ocean, with sealed truth.

    Args:
        out: folder to write into.
        seed: same seed, same bytes.
        samples: number of stations sampled.
        images: about how many images all cameras take together.
        reuse: draw only so many organisms and show each of them to one camera (IFCB) again and again: for very many
            images, 1,000 a second.
        where: engine for --reuse: here, pool, slurm or ray.
        workers: for --reuse, how many processes.
    """
    from aqqua.ocean import write_ocean
    from aqqua.ocean.many import write_many

    if reuse is None:
        report = write_ocean(out, seed=seed, samples=samples, images=images)
    else:
        report = write_many(out, seed=seed, images=images, reuse=reuse, where=where, workers=workers)
    for source in report.sources:
        print(source)
    print(report.truth)


@app.command(sort_key=2)
def ingest(
    *paths: Path,
    source: str | None = None,
    card: Path | None = None,
    table: Path | None = None,
    fix: Path | None = None,
    labels: Path | None = None,
    taxa: Path | None = None,
    variants: Variants = "keep-raw",
    cut_footers: Annotated[bool, Parameter(negative=())] = False,
    where: Where = "here",
    workers: int | None = None,
) -> None:
    """Read raw sources into a dataset: `aqqua ingest SOURCE… DATASET`; exit status 1 if no image came in.

    Args:
        paths: one or more sources (folder, zip, bin), then the dataset to make or to add to.
        source: how to read them, if that cannot be recognised: ecotaxa_export, flowcam, ifcb, zooprocess, frames_coco
            (or _yolo, _squidle, _biigle, _masks), ifdo, stack, aqqua_dataset, folder; options stand behind a colon.
        card: card.yaml with title, licence, people, and metadata the source lacks.
        table: CSV, TSV or Excel table with metadata per image.
        fix: a table of what was missing (see `aqqua check --missing`); wins over everything in `table`.
        labels: your table of what labels mean (label, taxon, aphia_id …); wins over the built-in names.
        taxa: a snapshot of taxa, made by `aqqua taxa freeze`.
        variants: where there are several copies of one image take the raw one, or all of them.
        cut_footers: cut burnt-in scale bars and footers off; without it pixels come in bit for bit.
        where: run here, in a process pool, on SLURM or on Ray.
        workers: how many processes or nodes.
    """
    if len(paths) < 2:
        raise ConfigError("ingest needs a source and a dataset", do="aqqua ingest SOURCE… DATASET")
    from aqqua.sources.ingest import ingest as run

    options: dict[str, Any] = {"table": table, "fix": fix, "labels": labels, "taxa": taxa}
    options |= {"variants": variants, "cut_footers": cut_footers, "where": where, "workers": workers}
    report = run(paths[:-1], paths[-1], source=source, card=card, **options)
    print(report)
    if report.rejected and not report.images:
        sys.exit(1)  # nothing came in: what should follow must not


@app.command(sort_key=3)
def check(
    *datasets: Path,
    level: int = 1,
    all_: Annotated[bool, Parameter(name="--all", negative=())] = False,
    json: Path | None = None,
    missing: Path | None = None,
    limits: Path | None = None,
    bathymetry: Path | None = None,
    overrule: str | None = None,
    uphold: str | None = None,
    sample: str | None = None,
    because: str = "",
    by: str = "owner",
) -> None:
    """Say whatever is wrong or odd with datasets; exit status 1 if there are errors.

    Args:
        datasets: the datasets.
        level: how deep: 0 sizes, 1 structure, 2 every checksum, 3 decode every image.
        all_: print every finding with every sample, instead of a line per kind.
        json: write the findings to this file, too.
        missing: write a table of what rejected rows lack, to fill in and give to `aqqua ingest --fix`.
        limits: YAML file with thresholds, see the page on checks.
        bathymetry: grid of heights (ETOPO, GEBCO) to compare depths with.
        overrule: a finding that does not hold, by its code; the reason is recorded.
        uphold: a finding that shall hold again.
        sample: the finding is overruled or upheld for this sample only.
        because: the reason; no names, no addresses.
        by: role of who decides.
    """
    if not datasets:
        raise ConfigError("check needs a dataset", do="aqqua check DATASET…")
    from aqqua.cli_check import missing_rows, overruled, report

    if (code := overrule or uphold) is not None:
        overruled(datasets, code, sample, because, by, uphold=overrule is None)
    elif missing is not None:
        missing_rows(datasets, missing)
    elif report(datasets, level, limits, bathymetry, json, everything=all_):
        sys.exit(1)


@app.command(sort_key=4)
def train(
    config: Path | None = None,
    *,
    data: Annotated[list[Path], Parameter(consume_multiple=True)],
    out: Path,
    minutes: float | None = None,
    seed: int = 0,
) -> None:
    """Train a model without labels on the images of datasets.

    Args:
        config: YAML file with the training configuration; without it, one that suits a laptop.
        data: the datasets to learn from.
        out: folder for the model.
        minutes: stop after this time.
        seed: same seed, data and steps: same weights.
    """
    from aqqua.train.launch import find_place
    from aqqua.train.run import train as run

    model = run(config, data=data, out=out, minutes=minutes, seed=seed)
    if find_place().rank == 0:  # of several processes the first one speaks
        print(model)


@app.command(sort_key=5)
def predict(
    model: str,
    *datasets: Path,
    engine: Engine = "auto",
    where: Where = "here",
    workers: int | None = None,
) -> None:
    """Write vectors, taxa and outlier scores of a model into datasets.

    Args:
        model: a model folder, made by `aqqua train`, or a released model as `doi:10.5281/zenodo.N`; left out, the model
            that comes with aqqua (aqqua-nano).
        datasets: the datasets to predict on.
        engine: what computes; auto is torch, or ONNX where there is no torch; int8 and bf16 are quicker and nearly
            the same.
        where: run here, in a process pool, on SLURM or on Ray.
        workers: how many processes or nodes.
    """
    from aqqua.models.shipped import DEFAULT
    from aqqua.store.dataset import Dataset

    if Dataset.is_at(model):
        model, datasets = DEFAULT, (Path(model), *datasets)
    if not datasets:
        raise ConfigError("predict needs a dataset", do="aqqua predict [MODEL] DATASET…")
    from aqqua.tasks.predict import predict as run

    print(run(model, datasets, engine=engine, where=where, workers=workers))


@app.command(sort_key=6)
def bench(
    model: str,
    *,
    data: Annotated[list[Path], Parameter(consume_multiple=True)],
    out: Path | None = None,
    by: str = "auto",
    splits: Path | None = None,
    far: Annotated[list[Path] | None, Parameter(consume_multiple=True)] = None,
    peer: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    baselines: bool = True,
    seed: int = 0,
    json: Path | None = None,
) -> None:
    """Measure a model on labelled images, beside its baselines: taxa, novelty, instruments, size, samples, speed.

    Args:
        model: a model folder, or a released model as `doi:10.5281/zenodo.N`.
        data: labelled datasets.
        out: folder for the report and the split; baselines are kept there, for the next model.
        by: how to split: auto, id, sample, cruise, instrument, time or cluster.
        splits: a split that was made before (Parquet or CSV).
        far: datasets of other instruments, to be told from these.
        peer: other models beside: hf:FOLDER, aqqua:FOLDER or vectors:FILE.
        baselines: measure the baselines, too.
        seed: of the split and of all draws.
        json: write the report to this file, too; the card of a released model shows it.
    """
    from aqqua.bench import bench as run
    from aqqua.store.atomic import write_json

    report = run(
        model,
        data=data,
        seed=seed,
        by=by,
        splits=splits,
        far=far or (),
        peers=peer or (),
        baselines=baselines,
        out=out,
    )
    if json is not None:
        write_json(json, report.to_dict())
    print(report)


@app.command(sort_key=7)
def explore(
    *datasets: Path,
    host: str = "127.0.0.1",
    port: int = 0,
    model: str | None = None,
    public: bool = False,
    open_browser: Annotated[bool, Parameter(name="--open")] = True,
    maps: Annotated[list[Path] | None, Parameter(consume_multiple=True)] = None,
) -> None:
    """Open the explorer: see, search, select, export.

    Args:
        datasets: the datasets to look at.
        host: address to listen on.
        port: port to listen on (0: a free one).
        model: whose predictions make the map (the newest, if not said).
        public: read-only and with limits, for others to look at.
        open_browser: open the browser.
        maps: reports and maps to show, too; those in a folder `maps` beside a dataset are shown anyway.
    """
    if not datasets:
        raise ConfigError("explore needs a dataset", do="aqqua explore DATASET…  (or: aqqua demo)")
    from aqqua.app.serve import explore as run

    run(datasets, host=host, port=port, model=model, public=public, open_browser=open_browser, maps=maps or ())


app.command(
    "aqqua.cli_export:export",
    name="export",
    help="Hand datasets over: to EcoTaxa, as a release with an umbrella record, to others.",
    sort_key=8,
)

# Groups are imported when they are used; `aqqua --help` must say what they are for without that.
for _key, (_name, _help) in enumerate(
    {
        "ecotaxa": "Speak with an EcoTaxa server: projects, rights, images, predictions, decisions.",
        "fetch": "Fetch raw sources: web, Nextcloud, WebDAV, FTP, S3, Zenodo, other disks.",
        "curate": "Find duplicates, poor images and copies; split for training. Nothing is deleted unasked.",
        "dataset": "Keep a dataset whole: verify, withdraw, lineage, compact.",
        "taxa": "What labels mean: accepted names, AphiaIDs, stages and parts; look-ups and snapshots.",
        "collect": "The collection desk: sharing forms, consents, transfers, withdrawal.",
        "map": "From images to the globe: abundance, spectra, flux, grids, maps with honest uncertainty.",
    }.items(),
    start=9,
):
    app.command(f"aqqua.cli_{_name}:app", name=_name, help=_help, sort_key=_key)
