"""Work of the server: start an import or an export, wait for it, answer what it asks, fetch its file."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import requests

from aqqua.errors import RemoteError
from aqqua.sources.ecotaxa_api.client import EcotaxaClient
from aqqua.sources.ecotaxa_api.models import Job
from aqqua.sources.ecotaxa_api.trouble import last_line_of_traceback

__all__ = ["answer_job", "delete_job", "download", "job_log", "read_job", "start_export", "start_import", "wait_for"]

_POLL_S = 2.0
_LONGEST_POLL_S = 30.0

Answerer = Callable[[dict[str, Any]], Mapping[str, Mapping[str, int]] | None]
"""Gets a job's question, {missing_users: [...], missing_taxa: [...]}; says {users: {name: id}, taxa: {name: id}}."""


def start_import(
    client: EcotaxaClient,
    projid: int,
    source_path: str,
    *,
    update_mode: Literal["", "Yes", "Cla"] = "",
    skip_existing_objects: bool = False,
) -> int:
    """Start the import of an uploaded package, and return the id of the job.

    Args:
        client: where to ask.
        projid: the project to import into.
        source_path: as `upload` returned it.
        update_mode: "" new objects, "Yes" metadata of existing ones, "Cla" metadata and classification.
        skip_existing_objects: pass over objects that are there already.
    """
    body = {
        "source_path": source_path,
        "update_mode": update_mode,
        "skip_existing_objects": skip_existing_objects,
    }
    started = client.wire.json("POST", f"file_import/{projid}", f"import into project {projid}", json=body)
    return _started(started, f"import into project {projid}")


def start_export(
    client: EcotaxaClient,
    projid: int,
    kind: Literal["general", "backup", "summary"] = "general",
    request: Mapping[str, Any] | None = None,
    filters: Mapping[str, Any] | None = None,
) -> int:
    """Start an export, and return the id of the job; viewers may not.

    Args:
        client: where to ask.
        projid: the project.
        kind: general (annotators; managers for images), backup (managers), summary.
        request: with_images ("none", "first", "all"), split_by, with_internal_ids, with_types_row …
        filters: which objects.

    Raises:
        RefusedError: the right is missing.
    """
    body = {"filters": dict(filters or {}), "request": {"project_id": int(projid), **(request or {})}}
    started = client.wire.json("POST", f"object_set/export/{kind}", f"export project {projid}", json=body)
    return _started(started, f"export project {projid}")


def read_job(client: EcotaxaClient, job_id: int) -> Job:
    """The state of a job."""
    return Job.model_validate(client.wire.json("GET", f"jobs/{job_id}/", f"see job {job_id}"))


def wait_for(
    client: EcotaxaClient,
    job_id: int,
    *,
    answer: Answerer | None = None,
    limit_s: float | None = None,
    poll_s: float = _POLL_S,
) -> Job:
    """Wait until a job has finished.

    Args:
        client: where to ask.
        job_id: the job.
        answer: answers the job's question; without one, or if it returns None, a question is an error.
        limit_s: give up after this time; the job goes on.
        poll_s: how long to wait between two looks, at first.

    Raises:
        RemoteError: the job failed, asks, or takes too long.
    """
    start, answered = time.monotonic(), False
    while True:
        job = read_job(client, job_id)
        if job.state == "F":
            return job
        if job.state == "E":
            raise RemoteError(failure_of(job), where=f"{client.server}, job {job_id}")
        if job.state == "A":
            reply = answer(job.question) if answer and not answered else None
            if reply is None:
                raise RemoteError(question_of(job), where=f"{client.server}, job {job_id}", do="answer it in EcoTaxa")
            answer_job(client, job_id, reply)
            answered = True
        if limit_s is not None and time.monotonic() - start > limit_s:
            do = f"look at it later in EcoTaxa, or wait for job {job_id} again"
            raise RemoteError(f"job {job_id} is not finished after {limit_s:.0f} s", where=client.server, do=do)
        client.wire.manners.sleep(poll_s)
        poll_s = min(poll_s * 1.3, _LONGEST_POLL_S)


def answer_job(client: EcotaxaClient, job_id: int, reply: Mapping[str, Mapping[str, int]]) -> None:
    """Answer the question of a job: ids of users and taxa by the names it does not know."""
    body = {"users": dict(reply.get("users", {})), "taxa": dict(reply.get("taxa", {}))}
    client.wire.ask("POST", f"jobs/{job_id}/answer", f"answer job {job_id}", json=body)


def job_log(client: EcotaxaClient, job_id: int) -> str:
    """The log of a job."""
    return client.wire.ask("GET", f"jobs/{job_id}/log", f"read the log of job {job_id}").text


def delete_job(client: EcotaxaClient, job_id: int) -> None:
    """Remove a job and its file from the server."""
    client.wire.ask("DELETE", f"jobs/{job_id}", f"remove job {job_id}", again=True)


def download(client: EcotaxaClient, job_id: int, path: Path) -> Path:
    """Fetch the file of a finished job; what came before an interruption is not fetched twice.

    Args:
        client: where to ask.
        job_id: a finished export.
        path: file to write; it has this name only when whole.
    """
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)

    def headers() -> dict[str, str]:
        have = part.stat().st_size if part.exists() else 0
        return {"Range": f"bytes={have}-"} if have else {}

    def keep(answer: requests.Response) -> None:
        with part.open("ab" if answer.status_code == 206 else "wb") as file:
            for piece in answer.iter_content(2**18):
                file.write(piece)

    client.wire.ask("GET", f"jobs/{job_id}/file", f"fetch the file of job {job_id}", headers=headers, keep=keep)
    return part.rename(path)


def failure_of(job: Job) -> str:
    """Why a job failed: the importer's own lines, or the end of a traceback."""
    lines = job.errors or [job.progress_msg or "it does not say why"]
    text = "".join(lines) if lines[0].startswith('  File "') else "\n".join(line.rstrip() for line in lines)
    told = last_line_of_traceback(text) if lines[0].startswith('  File "') else text.replace("<br>*", " ")
    return f"job {job.id} ({job.type}) failed: {told}"


def question_of(job: Job) -> str:
    """What a job wants to know."""
    users = ", ".join(map(repr, job.question.get("missing_users", [])))
    taxa = ", ".join(map(repr, job.question.get("missing_taxa", [])))
    parts = [f"users it does not know: {users}"] * bool(users) + [f"taxa it does not know: {taxa}"] * bool(taxa)
    return f"job {job.id} ({job.type}) asks: {'; '.join(parts) or job.progress_msg or 'something'}"


def _started(reply: dict[str, Any], doing: str) -> int:
    if errors := reply.get("errors"):
        raise RemoteError(f"could not {doing}: {'; '.join(map(str, errors))}")
    return int(reply["job_id"])
