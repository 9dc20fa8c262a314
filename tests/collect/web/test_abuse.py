"""What people try with a public form."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from aqqua.collect.form import questions
from aqqua.collect.registry import Registry
from aqqua.collect.web.settings import Settings, secret_at
from aqqua.errors import ConfigError
from tests.make.desks import client_of, form_data, hidden
from tests.make.submissions import whole_answers


def whole(client: TestClient, **other: Any) -> dict[str, Any]:
    return {**hidden(client.get("/form").text), **form_data(whole_answers(**other)), "do": "submit"}


def test_a_form_of_another_site_is_refused(client: TestClient, registry: Registry) -> None:
    data = whole(client)
    assert client.post("/form", data=data, headers={"Origin": "https://evil.example"}).status_code == 403
    assert client.post("/form", data=data, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.post("/form", data=data, headers={"Origin": "null"}).status_code == 403
    assert registry.all() == []


@pytest.mark.parametrize("key", ["", "0" * 64, "é"])
def test_a_form_without_our_key_is_shown_again_with_what_was_written(
    client: TestClient, registry: Registry, key: str
) -> None:
    answer = client.post("/form", data={**whole(client), "key": key})
    assert answer.status_code == 403
    assert "Nothing is lost" in answer.text
    assert "Example Bay" in answer.text
    assert registry.all() == []


def test_a_key_of_another_browser_does_not_fit(client: TestClient, registry: Registry) -> None:
    data = whole(client)
    client.cookies.clear()
    assert client.post("/form", data=data).status_code == 403
    client.cookies.set("desk-browser", "x" * 32)
    assert client.post("/form", data=data).status_code == 403


def test_every_text_is_shown_as_text(client: TestClient, registry: Registry, tmp_path: Path) -> None:
    evil = "<img src=x onerror=alert(1)>{{191*191}}{% raw %}'\"`;--"
    texts = {name: evil for name, one in questions().items() if one.kind in {"line", "text"}}
    people = [{"name": evil, "affiliation": evil, "roles": "Software", "author": "yes"}]
    answer = client.post("/form", data=whole(client, **texts, people=people))
    assert answer.status_code == 303, re.findall(r'class="problem[^>]*>([^<]*)', answer.text)
    link = answer.headers["location"].partition("?")[0]
    [made] = registry.all()
    assert made.answers["title"] == evil
    password = registry.add_curator("ada")
    client.post("/login", data={**hidden(client.get("/login").text), "name": "ada", "password": password})
    for path in (link, f"{link}/correct", f"{link}/receipt.html", "/desk", f"/desk/{made.id}", "/progress", "/"):
        page = client.get(path).text
        assert "<img src=x" not in page, path
        assert "36481" not in page, path
    for path in (f"/desk?text={evil}", f"/desk?state={evil}", f"/desk?first=-5&text={evil}"):
        assert "<img src=x" not in client.get(path).text
    page = client.post(f"{link}/withdraw", data={**hidden(client.get(link).text), "sure": "yes", "reason": evil}).text
    assert "<img src=x" not in page


def test_headers_of_every_answer(client: TestClient) -> None:
    for path in ("/", "/form", "/mine/" + "x" * 32, "/login", "/nowhere", "/progress", "/static/desk.css"):
        headers = client.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["Referrer-Policy"] == "same-origin"  # no private link leaves, and our forms name their origin
        assert headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors *" in client.get("/progress?embed=1").headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in client.get("/form?embed=1").headers["Content-Security-Policy"]
    assert client.get("/form").headers["Cache-Control"] == "no-store"


def test_cookies_are_closed_to_scripts_and_to_other_sites(client: TestClient, registry: Registry) -> None:
    cookie = client.get("/").headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    password = registry.add_curator("ada")
    answer = client.post("/login", data={**hidden(client.get("/login").text), "name": "ada", "password": password})
    assert "SameSite=strict" in answer.headers["set-cookie"]
    with client_of(registry, Path("nowhere")) as plain:
        assert "Secure" not in plain.get("/").headers["set-cookie"]


def test_sessions_cannot_be_forged_or_prolonged(client: TestClient, registry: Registry) -> None:
    registry.add_curator("ada")
    for body in (f"ada|{int(time.time()) + 999}|x|{'0' * 64}", "ada", "", "|||", f"ada|9999999999|x|{'é' * 64}"):
        client.cookies.set("desk-session", base64.urlsafe_b64encode(body.encode()).decode())
        assert client.get("/desk").headers.get("location") == "/login", body
    client.cookies.set("desk-session", "not base64!")
    assert client.get("/desk").headers.get("location") == "/login"


def test_guessing_passwords_ends_soon(client: TestClient, registry: Registry) -> None:
    password = registry.add_curator("guessed")
    key = hidden(client.get("/login").text)
    for number in range(10):
        answer = client.post("/login", data={**key, "name": "guessed", "password": f"wrong{number}"})
        assert answer.status_code == 403
    assert client.post("/login", data={**key, "name": "guessed", "password": password}).status_code == 403


def test_links_tell_nothing_when_they_are_wrong(client: TestClient, registry: Registry) -> None:
    link = client.post("/form", data=whole(client)).headers["location"].partition("?")[0]
    [made] = registry.all()
    wrong = [link[:-1], link + "x", f"/mine/{made.id}", "/mine/" + "0" * 32, "/mine/' OR 1=1 --"]
    texts = {client.get(path).text for path in wrong}
    assert len({client.get(path).status_code for path in wrong}) == 1
    assert len({re.sub(r'value="\w+"', "", text) for text in texts}) == 1
    renewed = registry.renew_link(made.id, by="ada")
    assert client.get(link).status_code == 404
    assert client.get(f"/mine/{renewed.token}").status_code == 200


def test_a_weak_token_cannot_be_smuggled_in(client: TestClient, registry: Registry) -> None:
    answer = client.post("/form", data={**whole(client), "token": "short"})
    assert answer.status_code == 422
    assert registry.all() == []


@pytest.mark.parametrize(
    "content",
    [
        b"title: &a [x, x]\nabstract: *a\n",
        b"!!python/object/apply:os.system ['touch /tmp/evil']",
        b"PK\x03\x04" + bytes(500),
        b"[" * 20_000,
        b"\xff\xfe" * 100,
        b"title: " + b"x" * (1 << 20),
        b"",
    ],
)
def test_files_that_are_no_forms(client: TestClient, content: bytes) -> None:
    key = hidden(client.get("/").text)
    answer = client.post("/paper", data=key, files={"file": ("../../evil.yaml", content)})
    assert answer.status_code == 422, answer.text
    assert "root:" not in answer.text
    assert not Path("/tmp/evil").exists()


def test_what_is_too_large_or_too_much_is_refused(client: TestClient, registry: Registry) -> None:
    assert client.post("/form", content=b"x" * (3 << 20)).status_code == 413
    many = {**hidden(client.get("/form").text), **{f"people[{n}][name]": "x" for n in range(200)}, "do": "submit"}
    assert client.post("/form", data=many).status_code == 422
    fields = {f"f{n}": "x" for n in range(4000)}
    assert client.post("/form", data=fields).status_code in {400, 413, 422}
    assert client.request("DELETE", "/form").status_code == 405

    def pieces() -> Iterator[bytes]:
        for _ in range(400):
            yield b"a=" + b"x" * 10_000 + b"&"

    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert client.post("/form", content=pieces(), headers=kind).status_code >= 400
    assert registry.all() == []


def test_too_many_forms_from_one_address(registry: Registry, tmp_path: Path) -> None:
    with client_of(registry, tmp_path / "outbox", per_minute=3) as client:
        data = whole(client)
        codes = [client.post("/form", data=data).status_code for _ in range(6)]
        assert codes[:3] == [303] * 3
        assert codes[3:] == [429] * 3
    with client_of(registry, tmp_path / "outbox", per_minute=2, proxy=True) as client:
        data = whole(client)
        for number in range(6):
            answer = client.post("/form", data=data, headers={"X-Forwarded-For": f"1.1.1.1, 10.0.0.{number}"})
            assert answer.status_code == 303


def test_another_host_name_is_not_ours(client: TestClient) -> None:
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 421


def test_a_letter_goes_to_the_contact_only(client: TestClient, registry: Registry, tmp_path: Path) -> None:
    for address in ("a@b.example\r\nBcc: all@c.example", "a@b.example,c@d.example", "<a@b.example>"):
        assert client.post("/form", data=whole(client, contact_email=address)).status_code == 422
    client.post("/form", data=whole(client, title="x\u2028Bcc: q@r.example", contact_name="Bcc: q@r.example"))
    [letter] = (tmp_path / "outbox").iterdir()
    headers = letter.read_bytes().partition(b"\n\n")[0]
    assert b"\nBcc:" not in headers


def test_the_secret_stays_and_is_nobody_elses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = secret_at(tmp_path / "desk" / "secret")
    assert secret_at(tmp_path / "desk" / "secret") == first
    assert (tmp_path / "desk" / "secret").stat().st_mode & 0o077 == 0
    monkeypatch.setenv("AQQUA_DESK_SECRET", "short")
    with pytest.raises(ConfigError):
        secret_at(tmp_path / "x")
    with pytest.raises(ConfigError):
        Settings("desk.example.org", b"x" * 32)
    assert "xxxx" not in repr(Settings("https://desk.example.org", b"x" * 32))
