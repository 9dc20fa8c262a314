"""The verb `export`: each receiver has options of its own, which are passed on as far as they were given."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from aqqua.errors import ConfigError

__all__ = ["export"]


def export(
    *datasets: Path,
    to: str,
    out: Path,
    model: str | None = None,
    update: Annotated[bool, Parameter(negative=())] = False,
    taxa: Path | None = None,
    date: str | None = None,
    licence: str | None = None,
    as_version: str | None = None,
    doi: str | None = None,
    umbrella: Path | None = None,
    about: Path | None = None,
    bench: Path | None = None,
    data: Annotated[list[Path] | None, Parameter(consume_multiple=True)] = None,
    predicted: bool | None = None,
    least_confidence: float | None = None,
    absences: Annotated[bool | None, Parameter(negative=())] = None,
    identified_by: str | None = None,
    media: str | None = None,
    real: Annotated[bool | None, Parameter(negative=())] = None,
    new_version_of: str | None = None,
    community: str | None = None,
) -> None:
    """Hand datasets over: `--to ecotaxa` writes zips ready for import, `--to release` bundles ready for an archive.

    `--to darwincore` writes what OBIS and GBIF take, `--to zenodo` makes a draft there that a person publishes,
    `--to onnx` makes of a model what runs without torch.

    Args:
        datasets: the dataset (model, onnx: a model folder; Zenodo: a release); a release may be of several.
        to: ecotaxa, release, darwincore, zenodo, model, onnx, or another one: see the page on sources and exports.
        out: folder or file to write.
        model: whose predictions to export (the newest, if not said).
        update: EcoTaxa: predictions for objects that are there already, instead of new objects.
        taxa: EcoTaxa, with --update: table with name and ecotaxa_id, for taxa whose EcoTaxa id is not known.
        date: release, darwincore: its day, as 2027-07-15 (today, if not said); embargoes are compared with it.
        licence: release: SPDX name of the record's licence (the one the owners chose, if not said).
        as_version: release: its version (that of card.yaml, if not said).
        doi: release: the DOI of the record, if one was reserved.
        about: model: YAML with title, people, licence, intended use, limits, electricity.
        bench: model: what `aqqua bench MODEL --data DATASET --json FILE` wrote.
        data: model: the datasets it learned from, as they are now: has anything been taken back since? onnx: datasets
            on whose images the engines are compared.
        predicted: darwincore: also what models predicted (yes, if not said); people's word comes first.
        least_confidence: darwincore: leave out predictions below it.
        absences: darwincore: also taxa that were looked for and not found, where people have named everything.
        identified_by: darwincore: who validated; an author of the card.
        media: darwincore: address of the images, with {uid} in it.
        real: zenodo: zenodo.org instead of its sandbox.
        new_version_of: zenodo: number, DOI or journal of the published record before.
        community: zenodo: community whose curators are asked to take the record in.
        umbrella: release: card of the umbrella record, with the authors of the data paper in their order.
    """
    from aqqua.cli_check import print_findings

    if not datasets:
        raise ConfigError("export needs a dataset", do="aqqua export DATASET --to ecotaxa --out DIR")
    given: dict[str, Any] = {
        "taxa": taxa,
        "on": date,
        "licence": licence,
        "version": as_version,
        "doi": doi,
        "umbrella": umbrella,
    }
    given |= {"about": about, "bench": bench, "predicted": predicted, "least_confidence": least_confidence}
    given |= {"absences": absences, "identified_by": identified_by, "media": media}
    given |= {"real": real, "new_version_of": new_version_of, "community": community}
    options: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    options |= {"data": data} if data else {}
    files, notes = _run(datasets, f"{to}_update" if update else to, out, model, options)
    for file in files:
        print(file)
    print_findings(notes)


def _run(
    datasets: tuple[Path, ...], to: str, out: Path, model: str | None, options: dict[str, Any]
) -> tuple[list[Path], list[Any]]:
    from aqqua.export import export as run

    if len(datasets) == 1:
        report = run(datasets[0], to=to, out=out, model=model, **options)
        return report.files, report.notes
    if to != "release":
        raise ConfigError(f"--to {to} takes one dataset at a time", do="run it once for each")
    from aqqua.export.release import release

    several = release(datasets, out, model=model, **options)
    return [*several.records, *([several.umbrella] if several.umbrella else [])], several.notes
