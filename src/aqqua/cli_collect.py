"""`aqqua collect …`: the desk in front of ingest – who shares what, under which terms."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from aqqua.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from aqqua.collect.registry import Registry, Submission

__all__ = ["app"]

Flag = Annotated[bool, Parameter(negative=())]
Folders = Annotated[list[Path] | None, Parameter(consume_multiple=True, negative=())]
Where = Literal["here", "pool", "slurm", "ray"]

app = App(name="collect", help="The collection desk: sharing forms, consents, transfers, withdrawal.")


@app.command(sort_key=0)
def form(out: Path = Path("sharing-form.yaml")) -> None:
    """Write the data sharing form as a file to fill in without a network.

    Args:
        out: file to write.
    """
    from aqqua.collect.paper import write_paper

    print(write_paper(out))


@app.command(sort_key=1)
def submit(file: Path, *, check: Flag = False, registry: str | None = None) -> None:
    """Hand in a form that was filled in; prints the submission's id and private link token.

    Args:
        file: the form, as `aqqua collect form` wrote it.
        check: only say what is missing; store nothing.
        registry: file or postgresql:// address of the registry (AQQUA_REGISTRY, else a file here).
    """
    from aqqua.collect.answers import read_answers
    from aqqua.collect.paper import read_paper

    written = read_paper(file)
    read = read_answers(written)
    for problem in read.problems:
        print(f"{'needed' if problem.grave else 'note'}: {problem.message}")
    if check or not read.whole:
        if not read.whole:
            raise ConfigError("the form is not complete; nothing was stored", where=file, do="answer what is needed")
        print("The form is complete.")
        return
    with closing(_open(registry)) as desk:
        made = desk.submit(written)
    _print_advice(made)
    print(f"submission: {made.id}\nprivate link token: {made.token}")


@app.command(sort_key=12)
def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 8461,
    address: str | None = None,
    data: Folders = None,
    state: Path = Path("aqqua-desk"),
    proxy: Flag = False,
    registry: str | None = None,
) -> None:
    """Open the desk: sharing form, private pages, the curators' desk, the progress page.

    Args:
        host: address to listen on.
        port: port to listen on.
        address: under which contributors reach it; behind a proxy, the proxy's https:// address.
        data: further folders with datasets that count as gathered.
        state: folder for the desk's secret, and for letters that could not be sent.
        proxy: a proxy stands before it, whose X-Forwarded-For names the client.
        registry: file or postgresql:// address of the registry (AQQUA_REGISTRY, else a file here).
    """
    try:
        from aqqua.collect.web.serve import serve as run
    except ImportError as error:
        raise MissingExtraError("the collection desk", "fastapi", "collect") from error

    run(registry, host=host, port=port, address=address, data=data or (), state=state, proxy=proxy)


@app.command(name="list", sort_key=2)
def list_(
    *,
    state: str | None = None,
    text: str | None = None,
    as_json: Annotated[Flag, Parameter(name="--json")] = False,
    registry: str | None = None,
) -> None:
    """List submissions: id, state, instrument, images, institution, title.

    Args:
        state: only draft, submitted, agreed, transferring, ingested, published or withdrawn ones.
        text: only those with this text in id, title, institution, instrument or abstract.
        as_json: print JSON (without what is about people).
        registry: file or postgresql:// address of the registry (AQQUA_REGISTRY, else a file here).
    """
    with closing(_open(registry)) as desk:
        found = desk.all(state=_state(state), text=text)
    if as_json:
        print(json.dumps([_plain(one) for one in found], indent=2, ensure_ascii=False))
        return
    for one in found:
        said = one.answers
        size = f"{said.get('instrument', ''):16} {said.get('images', 0):>13,}"
        print(f"{one.id}  {one.state:12} {size}  {said.get('institution', '')}: {one.title}")
    print(f"{len(found)} submission{'s' * (len(found) != 1)}")


@app.command(sort_key=3)
def show(id: str, *, people: Flag = False, registry: str | None = None) -> None:
    """Show a submission: answers, advice for the transfer, consents, history.

    Args:
        id: of the submission.
        people: also what is about people.
        registry: file or postgresql:// address of the registry (AQQUA_REGISTRY, else a file here).
    """
    from aqqua.collect.form import questions

    with closing(_open(registry)) as desk:
        one, history, consents = desk.get(id), desk.history(id), desk.consents(id)
    print(f"{one.id}  {one.state}  {one.title}")
    for name, value in (one.answers if people else one.public()).items():
        print(f"  {questions()[name].label}: {_told(value)}")
    for name, value in one.facts.items():
        print(f"  {name}: {_told(value)}")
    _print_advice(one)
    print("Consents")
    for entry in consents:
        print(f"  {entry['time_utc'][:16]}  {'yes' if entry['answer'] else 'NO':3}  {entry['wording']}")
    print("History")
    for event in history:
        step = f" → {event.details['to']}" if event.what == "state" else ""
        print(f"  {event.time_utc[:16]}  {event.by}: {event.what}{step}{f' ({event.note})' if event.note else ''}")


@app.command(sort_key=4)
def agree(id: str, *, by: str, note: str = "", registry: str | None = None) -> None:
    """Note that the terms of a submission are agreed on.

    Args:
        id: of the submission.
        by: login of the curator who agrees.
        note: why, or what was talked about.
        registry: file or postgresql:// address of the registry (AQQUA_REGISTRY, else a file here).
    """
    with closing(_open(registry)) as desk:
        made = desk.change(id, "agreed", by=by, note=note)
    print(f"{made.id} is {made.state}")
    _print_advice(made)


@app.command(sort_key=5)
def receive(
    id: str,
    *,
    into: Path = Path("aqqua-data"),
    addresses: Annotated[list[str] | None, Parameter(name="--from", consume_multiple=True, negative=())] = None,
    checksum: str | None = None,
    table: Path | None = None,
    source: str | None = None,
    by: str = "curator",
    where: Where = "here",
    workers: int | None = None,
    registry: str | None = None,
) -> None:
    """Fetch the data of an agreed submission and make a dataset of them; run it again after an interruption.

    Args:
        id: of the submission.
        into: folder for raw data and datasets.
        addresses: where the data are, if not at the address in the submission: addresses, or paths on this machine.
        checksum: of the file, if it is one: sha256:… or md5:…
        table: the owner's table with metadata per image, object or sample.
        source: how to read it, if that cannot be recognised.
        by: login of the curator.
        where: ingest here, in a process pool, on SLURM or on Ray.
        workers: how many processes or nodes.
        registry: file or postgresql:// address of the registry (AQQUA_REGISTRY, else a file here).
    """
    with closing(_open(registry)) as desk:
        from aqqua.collect.receive import receive as run

        engine: dict[str, Any] = {"where": where, "workers": workers}
        options: dict[str, Any] = {"checksum": checksum, "table": table, "source": source, "by": by}
        print(run(desk, id, into=into, addresses=addresses or (), **options, **engine))


@app.command(sort_key=6)
def withdraw(
    id: str,
    *,
    reason: str,
    only: Literal["maps", "training", "publication"] | None = None,
    by: str = "curator",
    models: Folders = None,
    releases: Folders = None,
    registry: str | None = None,
) -> None:
    """Take a submission back, or one consent of it, and say what that undoes and what it cannot.

    Args:
        id: of the submission.
        reason: why; it is kept.
        only: take back this consent alone.
        by: login of the curator, or contributor.
        models: folders in which to look for models that learned from the images.
        releases: folders in which to look for releases and maps that contain them.
        registry: file or postgresql:// address of the registry (AQQUA_REGISTRY, else a file here).
    """
    with closing(_open(registry)) as desk:
        from aqqua.collect.withdraw import revoke
        from aqqua.collect.withdraw import withdraw as run

        if only is not None:
            print(revoke(desk, id, only, reason=reason, by=by))
        else:
            print(run(desk, id, reason=reason, by=by, models=models or (), releases=releases or ()))


@app.command(sort_key=7)
def progress(
    *datasets: Path,
    out: Path | None = None,
    embed: Flag = False,
    registry: str | None = None,
) -> None:
    """Say how many images are gathered and pledged; `--out page.html` writes the progress page.

    Args:
        datasets: further datasets, and folders with datasets in them.
        out: file to write: .html for the page, .json for the numbers.
        embed: the page without a frame of its own, to be shown within another.
        registry: file or postgresql:// address of the registry (AQQUA_REGISTRY, else a file here).
    """
    from aqqua.collect.progress import count, progress_html

    with closing(_open(registry)) as desk:
        counted = count(desk, datasets)
    for name, there, due in counted.instruments:
        print(f"{name:20} {there:>15,} here {due:>15,} pledged")
    print(f"{'all':20} {counted.images:>15,} here {sum(one.images for one in counted.pledged):>15,} pledged")
    if out is not None:
        numbers = json.dumps(counted.to_dict(), indent=2, ensure_ascii=False)
        out.write_text(numbers if out.suffix == ".json" else progress_html(counted, embed=embed), encoding="utf-8")
        print(out)


@app.command(sort_key=10)
def person(id: str, *, erase: Flag = False, by: str = "curator", registry: str | None = None) -> None:
    """Print all that is kept about the people of a submission (for them to have), or erase it.

    Args:
        id: of the submission.
        erase: remove it; only that this happened stays in the history.
        by: login of the curator who does it.
        registry: file or postgresql:// address of the registry (AQQUA_REGISTRY, else a file here).
    """
    with closing(_open(registry)) as desk:
        kept = desk.personal(id)
        print(json.dumps(kept, indent=2, ensure_ascii=False, default=str))
        if erase:
            desk.erase(id, by=by)
            print("erased; published releases, if there are any, still name their authors")


@app.command(sort_key=11)
def curator(name: str, *, remove: Flag = False, registry: str | None = None) -> None:
    """Make a login for a curator, or give it a new password, which is printed once and kept nowhere.

    Args:
        name: login.
        remove: take the login away.
        registry: file or postgresql:// address of the registry (AQQUA_REGISTRY, else a file here).
    """
    with closing(_open(registry)) as desk:
        if remove:
            desk.remove_curator(name)
            print(f"{name} can no longer log in")
        else:
            print(f"password of {name}: {desk.add_curator(name)}")


def _open(registry: str | None) -> Registry:
    try:
        from aqqua.collect.registry import Registry
    except ImportError as error:
        raise MissingExtraError("the collection desk", "sqlalchemy", "collect") from error
    return Registry.open(registry)


def _state(text: str | None) -> Any:
    from aqqua.collect.registry import State
    from aqqua.errors import UnknownNameError

    if text is not None and text not in set(State):
        raise UnknownNameError("state", text, list(State))
    return text


def _plain(one: Submission) -> dict[str, Any]:
    times = {"created_utc": one.created_utc.isoformat(), "changed_utc": one.changed_utc.isoformat()}
    return {"id": one.id, "state": one.state, **times, "answers": one.public(), "facts": dict(one.facts)}


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list):
        return "; ".join(_told(entry) for entry in value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {_told(entry)}" for key, entry in value.items() if entry not in ("", [], None))
    return str(value)


def _print_advice(one: Submission) -> None:
    from aqqua.collect.advice import advise

    advice = advise(one.answers)
    print(f"Transfer: {advice.title}")
    for number, step in enumerate(advice.steps, 1):
        print(f"  {number}. {step}")
    if advice.command:
        print(f"     {advice.command}")
