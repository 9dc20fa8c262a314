"""A look at a real server, where one is named: AQQUA_ECOTAXA_URL and AQQUA_ECOTAXA_TOKEN. Nothing is changed there."""

from __future__ import annotations

import os

import pytest

from aqqua.sources.ecotaxa_api.client import EcotaxaClient
from aqqua.sources.ecotaxa_api.login import TOKEN_ENV, connect
from aqqua.sources.ecotaxa_api.objects import FIELDS, iter_objects
from aqqua.sources.ecotaxa_api.projects import list_projects
from aqqua.sources.ecotaxa_api.rights import grant
from aqqua.sources.ecotaxa_api.vault import fetch_image

pytestmark = pytest.mark.live


@pytest.fixture
def client() -> EcotaxaClient:
    if not (os.environ.get("AQQUA_ECOTAXA_URL") and os.environ.get(TOKEN_ENV)):
        pytest.skip(f"no server named: set AQQUA_ECOTAXA_URL and {TOKEN_ENV}")
    return connect(ask=False)


def test_who_and_what(client: EcotaxaClient) -> None:
    assert client.me().email
    assert client.constants()["max_upload_size"] > 0
    for row in list_projects(client):
        assert row.id > 0
        assert row.access in {"private", "public", "open"}


def test_every_field_we_know_the_server_knows(client: EcotaxaClient) -> None:
    full = (project for project in client.projects() if project.objcount)
    project = next(full, None)
    if project is None:
        pytest.skip("this account sees no project with objects")
    fields = sorted(FIELDS)
    (row,) = client.query(project.projid, fields, size=1).details
    assert len(row) == len(fields)
    first = next(iter_objects(client, project, ["img.file_name"], page=1))
    assert fetch_image(client, first["img.file_name"])


def test_a_look_at_rights_changes_nothing(client: EcotaxaClient) -> None:
    managed = [project.projid for project in client.projects(managing=True)][:3]
    before = [client.project_json(projid) for projid in managed]
    report = grant(client, managed, user=client.me().email, name=client.me().name)
    assert [outcome.state for outcome in report.outcomes] == ["as is"] * len(managed)
    assert [client.project_json(projid) for projid in managed] == before
