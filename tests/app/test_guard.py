"""Nobody but the user's own page gets through, and browsers are told to load nothing from elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from aqqua.app.guard import RateLimit, allowed_hosts
from tests.app.client import Client
from tests.app.conftest import Browse

QUERY = "/api/v1/sample-cruise/query"


@pytest.mark.parametrize(
    "path", ["/", "/api/v1/stores", "/nothing", "/api/v1/sample-cruise/thumb/0.jpg", "/api/v1/x/meta"]
)
def test_every_answer_has_the_security_headers(client: Client, path: str) -> None:
    headers = client.get(path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "script-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers
    assert headers["cache-control"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:1", "LOCALHOST", "[::1]:8000"])
def test_our_names_are_ours(client: Client, host: str) -> None:
    assert client.get("/api/v1/stores", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "", "192.168.1.5", "[", "user@127.0.0.1@x"],
)
def test_other_names_are_refused_with_advice(client: Client, host: str) -> None:
    """DNS rebinding: a foreign name that points to this machine."""
    answer = client.get("/api/v1/stores", headers={"host": host})
    assert answer.status_code == 421
    assert set(answer.json()) == {"error", "do"}
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_server_on_all_addresses_takes_numbers_but_no_names(browse: Browse) -> None:
    client = browse(host="0.0.0.0")
    assert client.get("/api/v1/stores", headers={"host": "192.168.1.5:80"}).status_code == 200
    assert client.get("/api/v1/stores", headers={"host": "evil.example"}).status_code == 421
    assert "ship.example" in allowed_hosts("Ship.example")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": "http://127.0.0.1:8000"}, 200),
        ({"content-type": "application/json; charset=utf-8"}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "http://127.0.0.1:9999"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"content-type": ""}, 415),
    ],
)
def test_only_json_from_our_own_page_is_taken(client: Client, headers: dict[str, str], status: int) -> None:
    answer = client.post(QUERY, {"limit": 1}, headers=headers)
    assert answer.status_code == status
    if status != 200:
        assert set(answer.json()) == {"error", "do"}


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(client: Client, method: str) -> None:
    assert client.request(method, QUERY).status_code == 405


def test_large_requests_are_refused(browse: Browse) -> None:
    client = browse(public=True)
    assert client.post(QUERY, {"filter": "x" * (1 << 20)}).status_code == 413
    assert client.get("/api/v1/stores?" + "x" * 40_000).status_code == 414
    assert client.post(QUERY, {}, headers={"content-length": "-5"}).status_code == 413


def test_a_body_in_pieces_ends_at_the_limit(browse: Browse) -> None:
    sent = 0

    async def pieces() -> Any:
        nonlocal sent
        yield b'{"filter": "'
        for _ in range(64):
            sent += 1 << 16
            yield b"x" * (1 << 16)
        yield b'"}'

    client = browse(public=True)
    answer = client.request("POST", QUERY, content=pieces(), headers={"content-type": "application/json"})
    assert answer.status_code in {413, 422}
    assert sent < 2 << 20, "the rest was read all the same"


def test_one_client_cannot_ask_too_often_but_others_can() -> None:
    rate = RateLimit(per_second=2, burst=3, clients=10)
    assert [rate.take("a", 0.0) for _ in range(5)] == [True, True, True, False, False]
    assert rate.take("b", 0.0)
    assert rate.take("a", 0.6)
    assert not rate.take("a", 0.7)
    assert [rate.take("a", 100.0) for _ in range(4)] == [True, True, True, False]


def test_a_public_explorer_slows_down_who_asks_too_often(browse: Browse) -> None:
    client = browse(public=True)
    assert client.app.rate.per_second > 0
    client.app.rate = RateLimit(per_second=0.001, burst=3)
    assert [client.get("/api/v1/stores").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert browse().app.rate is None


@pytest.mark.parametrize(
    "path",
    ["/../server.py", "/%2e%2e/server.py", "/..%2fserver.py", "/static/../../errors.py", "//etc/passwd", "/%00",
     "/api/v1/..%2f..%2fetc/meta", "/api/v1/sample-cruise/image/..%2f..%2fx.png", "/app.js%00.html"],
)  # fmt: skip
def test_no_path_leads_out(browse: Browse, tmp_path: Any, path: str) -> None:
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "index.html").write_text("page")
    (tmp_path / "server.py").write_text("secret")
    answer = browse(static=tmp_path / "static").get(path)
    assert answer.status_code in {400, 404, 422}
    assert "secret" not in answer.text
    assert set(answer.json()) == {"error", "do"}
