"""People, projects and rights, with the server's pitfalls: a PUT replaces all rights, also those it does not show."""

from __future__ import annotations

import itertools
import secrets
from typing import Any

from tests.ecotaxa_double.asking import Ask
from tests.ecotaxa_double.replies import Crash, Refusal, forbidden, missing
from tests.ecotaxa_double.tables import Project
from tests.ecotaxa_double.views import ROLES, SETTINGS, member_json, person_json, project_json

_BODC = ("total_water_volume", "individual_volume", "subsample_coef")


def login(ask: Ask) -> str:
    person = ask.world.person_by_email(ask.json["username"])
    if person is None or person.status != 1 or person.password != ask.json["password"]:
        raise forbidden()
    token = f"token-of-{person.id}-{secrets.token_hex(8)}"
    ask.world.tokens[token] = person.id
    return token


def me(ask: Ask) -> dict[str, Any]:
    return person_json(ask.who())


def create_user(ask: Ask) -> None:
    if 2 not in ask.who().can_do:
        raise forbidden()
    body = ask.json
    ask.world.add_person(body["name"], body["email"], password=body["password"], organisation=body["organisation"])


def change_user(ask: Ask) -> None:
    if 2 not in ask.who().can_do:
        raise forbidden()
    ask.world.people[int(ask.path["user_id"])].status = ask.json["status"]


def users(ask: Ask) -> list[dict[str, Any]]:
    if 2 not in ask.who().can_do:
        raise forbidden()
    people = ask.world.people
    return [{**person_json(people[who]), "can_do": []} for who in ask.ints("ids") if who in people]


def search_users(ask: Ask) -> list[dict[str, Any]]:
    """By name only (never by e-mail), among active ones; % stands for anything."""
    ask.who()
    pattern = ask.query.get("by_name", "").lower()
    hits = [person for person in ask.world.people.values() if person.status == 1 and _like(person.name, pattern)]
    return [member_json(person) for person in hits]


def _like(text: str, pattern: str) -> bool:
    """SQL's ILIKE with nothing but %."""
    import fnmatch

    return bool(pattern) and fnmatch.fnmatchcase(text.lower(), pattern.replace("%", "*"))


def create_project(ask: Ask) -> int:
    body = ask.json
    made = ask.world.add_project(body["title"], ask.who(), access=body.get("access", "1"))
    made.instrument = body["instrument"]
    return made.projid


def search_projects(ask: Ask) -> list[dict[str, Any]]:
    user, world = ask.user, ask.world
    title, instrument = ask.query.get("title_filter", "").lower(), ask.query.get("instrument_filter", "").lower()

    def wanted(project: Project) -> bool:
        right = project.rights.get(user.id, "") if user else ""
        if user is None or ask.flag("not_granted"):
            chosen = project.access != "0" and not right
        else:
            chosen = right == "Manage" if ask.flag("for_managing") else bool(right)
        named = title in project.title.lower() or title == str(project.projid)
        return chosen and named and instrument in project.instrument.lower()

    start, size = int(ask.query.get("window_start") or 0), ask.query.get("window_size")
    hits = itertools.islice(filter(wanted, world.projects.values()), start, start + int(size) if size else None)
    return [project_json(world, project, user, alone=False) for project in hits]


def get_project(ask: Ask) -> dict[str, Any]:
    project = ask.project()
    if ask.flag("for_managing"):
        ask.need(project, "Manage")
    ask.need_to_see(project)
    return project_json(ask.world, project, ask.user, alone=True)


def put_project(ask: Ask) -> None:
    """Replace everything, the whole list of rights included; all or nothing."""
    project, raw = ask.project(), ask.json
    _check_body(raw)
    ask.need(project, "Manage")
    contact = raw.get("contact")
    if not contact:
        raise Refusal(422, "A valid Contact is needed.")
    if contact["id"] not in [member["id"] for member in raw.get("managers", [])]:
        raise Refusal(422, "Could not set Contact, the designated user is not in Managers list.")
    rights = _rights(ask, project, raw)
    project.rights, project.contact = rights, contact["id"]
    project.title, project.access = raw["title"], str(raw["access"])
    project.instrument = raw.get("instrument") or project.instrument
    project.settings = {name: raw[name] for name in {**SETTINGS, **project.settings} if name in raw}
    given = raw.get("bodc_variables") or {}
    project.settings["bodc_variables"] = {name: given.get(name) for name in _BODC}


def _check_body(raw: dict[str, Any]) -> None:
    lacking: list[tuple[str | int, ...]] = [(name,) for name in ("projid", "title", "access") if name not in raw]
    for role in ROLES:
        for number, member in enumerate(raw.get(role, [])):
            lacking += [(role, number, key) for key in ("id", "email", "name", "organisation") if key not in member]
    if lacking:
        raise missing(*lacking)


def _rights(ask: Ask, project: Project, raw: dict[str, Any]) -> dict[int, str]:
    rights: dict[int, str] = {}
    for role, right in ROLES.items():
        for member in raw.get(role, []):
            if member["id"] not in ask.world.people:
                end = 'violates foreign key constraint "projectspriv_member_fkey"'
                raise Crash(
                    "sqlalchemy.exc.IntegrityError: (psycopg2.errors.ForeignKeyViolation) insert or update on table "
                    f'"projectspriv" {end}\nDETAIL:  Key (member)=({member["id"]}) is not present in table "users".\n'
                )
            if member["id"] in rights:
                raise Crash(
                    "sqlalchemy.exc.IntegrityError: (psycopg2.errors.UniqueViolation) duplicate key value violates "
                    'unique constraint "IS_ProjectsPriv"\n'
                    f"DETAIL:  Key (projid, member)=({project.projid}, {member['id']}) already exists.\n"
                )
            rights[member["id"]] = right
    return rights


def create_collection(ask: Ask) -> int:
    number = len(ask.world.collections) + 1
    ask.world.collections[number] = {"id": number, **ask.json}
    return number


def get_collection(ask: Ask) -> dict[str, Any]:
    ask.who()
    made = ask.row(ask.world.collections, "collection_id", "Collection")
    unset = ["short_title", "citation", "abstract", "description", "provider_user", "contact_user"]
    people = ["creator_users", "creator_organisations", "associate_users", "associate_organisations"]
    return {
        "external_id": "?",
        "external_id_system": "?",
        "license": "",
        **dict.fromkeys(unset),
        **{name: [] for name in people},
        "display_order": {"creators": [], "associates": []},
        "is_private": False,
        **made,
    }
