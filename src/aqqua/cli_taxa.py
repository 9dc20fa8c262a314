"""`aqqua taxa …`: what labels mean – match them, look them up, freeze what was found, apply it to a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from aqqua.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from aqqua.metadata.taxa import Taxonomy
    from aqqua.sources.taxa_online import Found

__all__ = ["app"]

Service = Literal["worms", "ecotaxa"]
Flag = Annotated[bool, Parameter(negative=())]

app = App(name="taxa", help="What labels mean: accepted names, AphiaIDs, stages and parts; look-ups and snapshots.")


@app.command(sort_key=0)
def match(
    source: Path,
    *,
    online: Service | None = None,
    out: Path | None = None,
    taxa: Path | None = None,
    labels: Path | None = None,
    cache: Path | None = None,
    server: str | None = None,
    fresh: Flag = False,
) -> None:
    """Say what each label means, and which ones are not known; none is left out.

    Args:
        source: a dataset, a table of labels (CSV, TSV, Parquet, EcoTaxa's), text with a label per line, class folders.
        online: look up in WoRMS or EcoTaxa what the built-in names do not know.
        out: write the table there (CSV or Parquet); corrected by hand it can be given to `--labels`.
        taxa: a snapshot of taxa, known besides the built-in names.
        labels: your table of what labels mean; wins.
        cache: file for answers of the services (else in your cache folder).
        server: address of the service, if it is not the usual one.
        fresh: ask again for what is in the cache.
    """
    from aqqua.metadata.label_table import describe, load_labels
    from aqqua.metadata.taxa import load_taxonomy

    said = _labels(source)
    names = load_taxonomy(taxa)
    found = _look_up(said, names, online, cache, server, fresh=fresh) if online else {}
    table = describe(said, _with(names, found, taxa), load_labels(labels) if labels else None)
    _summary(table, names, found)
    if out is not None:
        _write(table, out)


@app.command(sort_key=1)
def freeze(
    source: Path,
    *,
    out: Path,
    online: Service = "worms",
    taxa: Path | None = None,
    cache: Path | None = None,
    server: str | None = None,
    fresh: Flag = False,
) -> None:
    """Look up the labels of a dataset or table, and write what is found as a snapshot for `--taxa` and cards.

    Args:
        source: a dataset, a table of labels, text with a label per line, or class folders (also zipped).
        out: YAML file; what is in it already is kept.
        online: WoRMS or EcoTaxa.
        taxa: another snapshot to build on.
        cache: file for answers of the services (else in your cache folder).
        server: address of the service, if it is not the usual one.
        fresh: ask again for what is in the cache.
    """
    from aqqua.metadata.taxa import load_taxonomy
    from aqqua.sources.taxa_online import freeze as write

    names = load_taxonomy(taxa)
    found = _look_up(_labels(source), names, online, cache, server, fresh=fresh)
    write(found, out, old=names)
    sure = sum(one.name is not None for one in found.values())
    print(f"{out}: {sure} of {len(found)} names found in {online}")
    _unsure(found)


@app.command(sort_key=2)
def apply(dataset: Path, *, taxa: Path | None = None, labels: Path | None = None) -> None:
    """Give the labels of a dataset the taxa of a snapshot or table; the labels before stay in the history.

    Args:
        dataset: the dataset.
        taxa: a snapshot of taxa.
        labels: your table of what labels mean; wins.
    """
    if taxa is None and labels is None:
        raise ConfigError("nothing to apply", do="give  --labels table.csv  or  --taxa snapshot.yaml")
    from aqqua.sources.relabel import relabel

    changed = relabel(dataset, taxa=taxa, labels=labels)
    print(f"{dataset.name}: {changed:,} labels have another taxon or qualifier now")


@app.command(sort_key=3)
def known() -> None:
    """Say how many names are built in, and where their AphiaIDs were seen."""
    from collections import Counter

    from aqqua.metadata.taxa import builtin

    taxa = builtin().taxa.values()
    real = [taxon for taxon in taxa if taxon.rank != "category"]
    seen = Counter(taxon.checked or "not compared with anything yet" for taxon in real if taxon.aphia_id)
    print(f"{len(builtin().index)} names and labels for {len(real)} taxa and {len(taxa) - len(real)} categories")
    print(f"{sum(seen.values())} taxa have an AphiaID:")
    for where, count in seen.most_common():
        print(f"  {count:4} {where}")


def _labels(source: Path) -> list[tuple[str, str | None]]:
    """Labels with their hierarchies, in order of appearance."""
    from aqqua.sources.relabel import labels_in

    return labels_in(source)


def _look_up(
    said: list[tuple[str, str | None]],
    names: Taxonomy,
    online: Service,
    cache: Path | None,
    server: str | None,
    *,
    fresh: bool,
) -> dict[str, Found]:
    from aqqua.sources.taxa_online import Cache, look_up, names_to_ask

    asked = names_to_ask(said, names)
    return look_up(list(asked), online, cache=Cache(cache), server=server, fresh=fresh)


def _with(names: Taxonomy, found: dict[str, Found], taxa: Path | None) -> Taxonomy:
    """The names with what was found, without writing it down."""
    if not any(one.entries for one in found.values()):
        return names
    import shutil
    import tempfile

    from aqqua.sources.taxa_online import freeze as write

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "found.yaml"
        if taxa is not None:
            shutil.copyfile(taxa, path)
        return write(found, path, old=names)


def _summary(table: pl.DataFrame, names: Taxonomy, found: dict[str, Found]) -> None:
    """How many are known, and those that are not, with names that look like them."""
    import polars as pl

    from aqqua.metadata.label_table import nearest_names
    from aqqua.sources.taxa_online import candidate

    lost = table.filter(pl.col("taxon").is_null())["label"].unique(maintain_order=True).to_list()
    with_id = table["aphia_id"].count()
    print(f"{len(table)} labels: {len(table) - table['taxon'].null_count()} have a taxon, {with_id} an AphiaID")
    for label in lost:
        near = list(found[candidate(label)].near) if candidate(label) in found else nearest_names(label, names)
        print(f"  not known: {label}{_near(near)}")


def _unsure(found: dict[str, Found]) -> None:
    for name, one in found.items():
        if one.name is None:
            print(f"  not certain: {name}{_near(one.near)}")


def _near(names: Sequence[str]) -> str:
    return f"   (near: {', '.join(names)})" if names else ""


def _write(table: pl.DataFrame, out: Path) -> None:
    from aqqua.store.atomic import whole

    with whole(out) as part:
        if out.suffix == ".parquet":
            table.write_parquet(part)
        else:
            table.write_csv(part, separator="\t" if out.suffix == ".tsv" else ",")
    print(out)
