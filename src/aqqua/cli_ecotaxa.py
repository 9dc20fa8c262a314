"""`aqqua ecotaxa …`: speak with an EcoTaxa server.

Each command parses, calls one public function of the same name, and prints its result. The login comes from
AQQUA_ECOTAXA_TOKEN or the keyring, else it is asked for; it is never an argument, and never written down.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from aqqua.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from aqqua.sources.ecotaxa_api.client import EcotaxaClient

__all__ = ["app"]

Head = Literal["best", "linear", "knn"]

app = App(name="ecotaxa", help="Speak with an EcoTaxa server: projects, rights, images, predictions, decisions.")


@app.command(sort_key=10)
def pull(
    *targets: str,
    card: Path | None = None,
    retry: bool = False,
    server: str | None = None,
    user: str | None = None,
) -> None:
    """Bring projects into a dataset: `aqqua ecotaxa pull PROJECT… DATASET`. The right to view is enough.

    Run it again to go on after an interruption, and for what is new since.

    Args:
        targets: ids of one or more projects, then the dataset to make or to add to.
        card: card.yaml with licence, citation, and metadata that EcoTaxa lacks.
        retry: try objects again whose rows were rejected before.
        server: address of the API (AQQUA_ECOTAXA_URL, else the production server).
        user: e-mail address of the account, if it must be asked for a password.
    """
    if len(targets) < 2 or not all(target.isdigit() for target in targets[:-1]):
        raise ConfigError("pull needs ids of projects and a dataset", do="aqqua ecotaxa pull PROJECT… DATASET")
    with _client(server, user) as client:
        from aqqua.sources.ecotaxa_api.pull import pull as run

        report = run([int(target) for target in targets[:-1]], targets[-1], client=client, card=card, retry=retry)
    print(report)
    sys.exit(1 if report.failed else 0)


@app.command(sort_key=11)
def push(
    dataset: Path,
    *,
    model: str | None = None,
    head: Head = "best",
    taxa: Path | None = None,
    projects: Annotated[list[int] | None, Parameter(consume_multiple=True)] = None,
    apply: Annotated[bool, Parameter(negative=())] = False,
    server: str | None = None,
    user: str | None = None,
) -> None:
    """Send predictions with their scores to the objects they are of; what people have judged stays as it is.

    Args:
        dataset: with images pulled from EcoTaxa, and predictions.
        model: whose predictions (the newest, if not said).
        head: whose taxon counts: best, linear or knn.
        taxa: table with name and ecotaxa_id, for taxa whose EcoTaxa id is not known.
        projects: only these projects.
        apply: send; without it everything is only looked at.
        server: address of the API (AQQUA_ECOTAXA_URL, else the production server).
        user: e-mail address of the account, if it must be asked for a password.
    """
    with _client(server, user) as client:
        from aqqua.export.ecotaxa_push import push as run

        report = run(dataset, client=client, model=model, head=head, taxa=taxa, projects=projects, apply=apply)
    print(report)
    sys.exit(1 if report.failed else 0)


@app.command(sort_key=12)
def compare(
    dataset: Path,
    *,
    model: str | None = None,
    head: Head = "best",
    every: bool = False,
    csv: Path | None = None,
    server: str | None = None,
    user: str | None = None,
) -> None:
    """Read back what people made of the predictions: precision per class, confusions, and new labels to learn from.

    Args:
        dataset: with images pulled from EcoTaxa, and predictions.
        model: whose predictions (the newest, if not said).
        head: whose taxon counts: best, linear or knn.
        every: also count decisions from before the model predicted.
        csv: file for the confusion table; tables of classes and objects are written beside it.
        server: address of the API (AQQUA_ECOTAXA_URL, else the production server).
        user: e-mail address of the account, if it must be asked for a password.
    """
    with _client(server, user) as client:
        from aqqua.export.ecotaxa_compare import compare as run

        report = run(dataset, client=client, model=model, head=head, every=every)
    print(report)
    for file in report.write_csv(csv) if csv else ():
        print(file)


def _client(server: str | None, user: str | None) -> EcotaxaClient:
    try:
        import pydantic  # noqa: F401 (only to say which extra is missing)
        import requests  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("speaking with EcoTaxa", error.name or "requests", "ecotaxa") from error
    from aqqua.sources.ecotaxa_api.login import connect

    return connect(server, user=user)
