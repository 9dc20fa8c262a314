"""Jobs: their state, log, file, and the answer to what they ask."""

from __future__ import annotations

import re
from typing import Any

from starlette.responses import PlainTextResponse, Response

from tests.ecotaxa_double.asking import Ask
from tests.ecotaxa_double.replies import Refusal, forbidden
from tests.ecotaxa_double.state import World
from tests.ecotaxa_double.tables import Job
from tests.ecotaxa_double.views import iso, job_json

__all__ = ["new_job"]


def new_job(world: World, owner: int, kind: str, params: dict[str, Any]) -> Job:
    """A job that is done when it is made; it says that it runs as often as `world.slow_jobs`."""
    now = world.now()
    job = Job(len(world.jobs) + 1, owner, kind, params, created=now, updated=now, looks=world.slow_jobs)
    job.log = f"{iso(now)}:API_operations.helpers.JobService:INFO Creating job {job.id}\n"
    world.jobs[job.id] = job
    return job


def list_jobs(ask: Ask) -> list[dict[str, Any]]:
    user = ask.who()
    return [job_json(job) for job in ask.world.jobs.values() if job.owner == user.id]


def get_job(ask: Ask) -> dict[str, Any]:
    job = _job(ask)
    shown = job_json(job)
    job.looks = max(0, job.looks - 1)
    return shown


def answer_job(ask: Ask) -> None:
    from tests.ecotaxa_double.imports import resume

    job = _job(ask)
    if job.state != "A":
        raise Refusal(422, "Job is not asking anything")
    job.reply = ask.json
    resume(ask.world, job)


def job_log(ask: Ask) -> Response:
    return PlainTextResponse(_job(ask).log)


def job_file(ask: Ask) -> Response:
    """The file of an export, or a range of it."""
    job = _job(ask)
    if not job.file:
        raise Refusal(404, "File not found")
    name = job.result.get("out_file", "file.zip")
    headers = {"content-disposition": f'attachment; filename="{name}"', "accept-ranges": "bytes"}
    asked = re.fullmatch(r"bytes=(\d+)-", ask.headers.get("range", ""))
    if asked is None:
        return Response(job.file, 200, headers, "application/zip")
    start, size = int(asked[1]), len(job.file)
    headers["content-range"] = f"bytes {start}-{size - 1}/{size}"
    return Response(job.file[start:], 206, headers, "application/zip")


def delete_job(ask: Ask) -> None:
    del ask.world.jobs[_job(ask).id]


def _job(ask: Ask) -> Job:
    user = ask.who()
    job: Job = ask.row(ask.world.jobs, "job_id", "Job")
    if job.owner != user.id and 2 not in user.can_do:
        raise forbidden()
    return job
