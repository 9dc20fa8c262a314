"""Maps in the explorer: a list, reports without any right, pictures."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from aqqua.app.atlas import find_maps
from tests.app.client import Client
from tests.app.conftest import Browse
from tests.make.mapped import write_mapped


@pytest.fixture(scope="module")
def maps(browse: Browse, tmp_path_factory: pytest.TempPathFactory) -> Client:
    out = write_mapped(tmp_path_factory.mktemp("atlas") / "North Sea")
    (out / "report.html").write_text("<style>p{}</style><script>alert(1)</script><p>hello")
    return browse(atlas=find_maps([out]))


def test_what_there_is_is_listed(maps: Client) -> None:
    expected = [{"name": "north-sea", "report": True, "maps": ["Copepoda, 0–200 m"]}]
    assert maps.get("/api/v1/maps").json() == expected
    page = maps.get("/maps").text
    assert 'href="/maps/north-sea/report"' in page
    assert 'href="/maps/north-sea/0"' in page


def test_pages_may_load_pictures_of_ours_and_their_style(maps: Client) -> None:
    for address in ("/maps", "/maps/north-sea/0"):
        answer = maps.get(address)
        policy = answer.headers["content-security-policy"]
        style = re.findall(r"<style>(.*?)</style>", answer.text)[0]
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert f"style-src 'sha256-{digest}'" in policy
        assert "default-src 'none'" in policy
        assert "script" not in policy
        assert answer.headers["x-frame-options"] == "DENY"


def test_a_report_is_shown_without_any_right(maps: Client) -> None:
    answer = maps.get("/maps/north-sea/report")
    policy = answer.headers["content-security-policy"]
    assert "hello" in answer.text
    assert "default-src 'none'" in policy
    assert policy.endswith("frame-ancestors 'none'; sandbox")
    assert "script-src" not in policy
    assert "img-src data:;" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_other_answers_keep_the_policy_of_the_explorer(maps: Client) -> None:
    assert "script-src 'self'" in maps.get("/api/v1/maps").headers["content-security-policy"]


def test_a_map_is_drawn_in_both_looks(maps: Client) -> None:
    light = maps.get("/maps/north-sea/0.png")
    assert light.headers["content-type"] == "image/png"
    assert light.content.startswith(b"\x89PNG")
    assert maps.get("/maps/north-sea/0.png", params={"dark": True}).content != light.content
    assert "0.png?dark=true" in maps.get("/maps/north-sea/0").text


@pytest.mark.parametrize(
    ("address", "status"),
    [("/maps/none/report", 404), ("/maps/north-sea/7", 422), ("/maps/north-sea/7.png", 422), ("/maps/../x/0", 404)],
)
def test_what_is_not_there_is_told(maps: Client, address: str, status: int) -> None:
    assert maps.get(address).status_code == status


def test_without_maps_the_page_says_how_to_name_some(client: Client) -> None:
    assert "--maps PATH" in client.get("/maps").text
    assert client.get("/api/v1/maps").json() == []
    assert client.get("/maps/none/report").status_code == 404
