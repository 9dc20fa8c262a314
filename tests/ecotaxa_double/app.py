"""The application: addresses, logins, and what the server says of itself."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route

from tests.ecotaxa_double import exports, files, imports, jobs, objects, projects
from tests.ecotaxa_double.asking import Ask, Handler
from tests.ecotaxa_double.replies import Crash, Refusal, as_response
from tests.ecotaxa_double.state import World
from tests.ecotaxa_double.tables import Person

__all__ = ["make_app"]

INSTRUMENTS = """?|AMNIS|CPICS|CytoSense|FastCam|FlowCam|FlowCam macro|IFCB|ISIIS|LISST-Holo|Loki|Other camera
Other flowcytometer|Other microscope|Other scanner|PlanktoScope
Plankton Imager|UVP5HD|UVP5SD|UVP5Z|UVP6|VPR|ZooCam|Zooscan|eHFCM"""
CONSTANTS: dict[str, Any] = {
    "license_texts": {"CC BY 4.0": "…", "": "Not chosen"},
    "access": {"PUBLIC": "1", "OPEN": "2", "PRIVATE": "0"},
    "app_manager": ["Test Manager", "manager@email.test"],
    "countries": ["France", "Germany"],
    "people_organization_directories": {"orcid": "https://orcid.org/", "edmo": "https://edmo.seadatanet.org/"},
    "user_status": {"blocked": -1, "inactive": 0, "active": 1, "pending": 2},
    "user_type": {"guest": "guest", "user": "user"},
    "password_regexp": "^.{8,20}$",
    "email_verification": False,
    "account_validation": False,
    "short_token_age": 1,
    "profile_token_age": 24,
    "recaptchaid": False,
    "formulae": "subsample_coef: 1/ssm.sub_part\ntotal_water_volume: sam.tot_vol/1000",
    "default_project_access": "1",
    "max_upload_size": 681574400,
    "time_to_live": "60",
    "accepted_mime_types": ["application/zip", "image/png"],
    "archive_extensions": ["zip", "tar"],
    "all_in_one": False,
    "taxoserver_url": "http://127.0.0.1:9/",
    "openid_configured": False,
    "recast_operation": {"project_import": "project_import"},
}


def status(_: Ask) -> Response:
    return PlainTextResponse("UP!")


def constants(_: Ask) -> dict[str, Any]:
    return CONSTANTS


def instruments(_: Ask) -> list[str]:
    return INSTRUMENTS.replace("\n", "|").split("|")


def migrated_ids(_: Ask) -> None:
    raise Crash(
        'sqlalchemy.exc.ProgrammingError: (psycopg2.errors.UndefinedTable) relation "objid_old_2_new" does not exist'
    )


ROUTES: list[tuple[str, str, Handler]] = [
    ("GET", "/status", status),
    ("GET", "/constants", constants),
    ("GET", "/instruments/", instruments),
    ("GET", "/migrated_ids", migrated_ids),
    ("POST", "/login", projects.login),
    ("GET", "/users/me", projects.me),
    ("GET", "/users/search", projects.search_users),
    ("POST", "/users/create", projects.create_user),
    ("PUT", "/users/{user_id:int}", projects.change_user),
    ("GET", "/users", projects.users),
    ("POST", "/projects/create", projects.create_project),
    ("GET", "/projects/search", projects.search_projects),
    ("GET", "/projects", projects.search_projects),
    ("GET", "/projects/{project_id:int}", projects.get_project),
    ("PUT", "/projects/{project_id:int}", projects.put_project),
    ("POST", "/collections/create", projects.create_collection),
    ("GET", "/collections/{collection_id:int}", projects.get_collection),
    ("POST", "/collections/export/darwin_core", exports.darwin_core),
    ("GET", "/samples/search", objects.search_samples),
    ("GET", "/acquisitions/search", objects.search_acquisitions),
    ("GET", "/sample/{sample_id:int}", objects.get_sample),
    ("GET", "/acquisition/{acquisition_id:int}", objects.get_acquisition),
    ("GET", "/process/{process_id:int}", objects.get_process),
    ("GET", "/object/{object_id:int}", objects.get_object),
    ("GET", "/object/{object_id:int}/history", objects.get_history),
    ("POST", "/object_set/{project_id:int}/query", objects.query),
    ("POST", "/object_set/{project_id:int}/summary", objects.summary),
    ("GET", "/project_set/taxo_stats", objects.taxo_stats),
    ("POST", "/object_set/classify", objects.classify),
    ("POST", "/object_set/classify_auto", objects.classify_auto),
    ("POST", "/object_set/classify_auto_multiple", objects.classify_auto_multiple),
    ("POST", "/object_set/predictions", objects.predictions),
    ("POST", "/object_set/export/general", exports.general),
    ("POST", "/object_set/export/backup", exports.backup),
    ("POST", "/object_set/export/summary", exports.summary),
    ("POST", "/object_set/export", exports.legacy),
    ("GET", "/taxon/{taxon_id:int}", objects.get_taxon),
    ("GET", "/taxon_set/query", objects.query_taxa),
    ("GET", "/taxon_set/search", objects.search_taxa),
    ("POST", "/file_import/{project_id:int}", imports.file_import),
    ("GET", "/jobs/", jobs.list_jobs),
    ("GET", "/jobs/{job_id:int}/", jobs.get_job),
    ("POST", "/jobs/{job_id:int}/answer", jobs.answer_job),
    ("GET", "/jobs/{job_id:int}/log", jobs.job_log),
    ("GET", "/jobs/{job_id:int}/file", jobs.job_file),
    ("DELETE", "/jobs/{job_id:int}", jobs.delete_job),
    ("POST", "/user_files/upload/", files.create),
    ("PATCH", "/user_files/upload/{uuid}", files.append),
    ("HEAD", "/user_files/upload/{uuid}", files.head),
    ("POST", "/user_files/", files.upload),
    ("GET", "/user_files//", files.list_files),
    ("GET", "/vault/{folder}/{name}", files.image),
]


def make_app(world: World) -> Starlette:
    """An EcoTaxa of this world, its API below /api."""
    routes = [Route(path, _endpoint(world, handler), methods=[method]) for method, path, handler in ROUTES]
    handlers: dict[Any, Any] = {Refusal: as_response, Crash: as_response}
    return Starlette(routes=[Mount("/api", routes=routes)], exception_handlers=handlers)


def _endpoint(world: World, handler: Handler) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    async def endpoint(request: Request) -> Response:
        answer = handler(await _ask(world, request))
        return answer if isinstance(answer, Response) else JSONResponse(answer)

    return endpoint


async def _ask(world: World, request: Request) -> Ask:
    ask = Ask(world, _user(world, request), request.path_params, request.query_params, headers=request.headers)
    ask.base = str(request.base_url).rstrip("/")
    kind = request.headers.get("content-type", "")
    if kind.startswith("multipart/form-data"):
        async with request.form() as form:
            for name, part in form.items():
                if isinstance(part, UploadFile):
                    ask.files[name] = (part.filename or "", await part.read())
    else:
        ask.body = await request.body()
        if kind.startswith("application/json") and ask.body:
            ask.json = await request.json()
    return ask


def _user(world: World, request: Request) -> Person | None:
    """Who asks: no login is allowed in places, a wrong one never."""
    words = request.headers.get("authorization", "").split()
    if len(words) != 2:
        return None
    person = world.people.get(world.tokens.get(words[1], -1))
    if person is None and "/vault/" not in request.url.path:
        raise Refusal(401, "Could not validate credentials")
    return person


assert all(inspect.isfunction(handler) for _, _, handler in ROUTES)
