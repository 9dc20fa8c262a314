"""Every page of the desk, as a contributor and a curator walk through them without scripts."""

from __future__ import annotations

import json
import re
from email import message_from_bytes, policy
from html import unescape
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from aqqua.collect.paper import write_paper
from aqqua.collect.registry import Registry, State
from tests.make.desks import form_data, hidden
from tests.make.submissions import whole_answers


def send(client: TestClient, answers: dict[str, Any], do: str = "submit", path: str = "/form") -> Any:
    """Open the form, fill it in, and press a button."""
    fields = hidden(client.get(path).text)
    return client.post(path, data={**fields, **form_data(answers), "do": do})


def curator(client: TestClient, registry: Registry) -> None:
    password = registry.add_curator("ada")
    key = hidden(client.get("/login").text)
    answer = client.post("/login", data={**key, "name": "ada", "password": password})
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk")


def test_pages_for_everybody(client: TestClient) -> None:
    everybody = ("/", "/form", "/progress", "/progress?embed=1", "/login", "/health", "/progress.json")
    for path in (*everybody, "/static/desk.js"):
        assert client.get(path).status_code == 200, path
    assert client.get("/nowhere").status_code == 404
    assert client.get("/static/../app.py").status_code == 404
    assert client.get("/desk").headers["location"] == "/login"
    assert client.get("/desk/AQ-000000").headers["location"] == "/login"


def test_form_to_receipt(client: TestClient, registry: Registry, tmp_path: Path) -> None:
    answer = send(client, whole_answers())
    assert answer.status_code == 303, re.findall(r'class="problem[^>]*>([^<]*)', answer.text)
    link = answer.headers["location"].partition("?")[0]
    page = client.get(answer.headers["location"]).text
    [made] = registry.all()
    assert made.id in page
    assert made.answers["people"][1]["author"] is False
    assert client.get(f"{link}/receipt.pdf").content.startswith(b"%PDF")
    assert made.id in client.get(f"{link}/receipt.txt").text
    assert made.id in client.get(f"{link}/receipt.html").text
    assert client.get(f"{link}/receipt.exe").status_code == 404
    assert client.get(f"{link}/personal.json").json()["answers"]["contact_name"] == "Ada Larsen"
    [letter] = (tmp_path / "outbox").iterdir()
    message = message_from_bytes(letter.read_bytes(), policy=policy.default)
    assert message["To"] == "Ada Larsen <ada.larsen@institute.example>"
    body = message.get_body()
    assert body is not None
    assert f"http://localhost:8461{link}" in body.get_content()


def test_what_is_missing_is_shown_and_nothing_is_lost(client: TestClient, registry: Registry) -> None:
    answer = send(client, whole_answers(contact_email="nobody", title=""))
    assert answer.status_code == 422
    assert "2 things to mend; nothing is lost" in answer.text
    assert "is no e-mail address" in answer.text
    assert 'value="Institute of Marine Research, Exampletown"' in answer.text
    assert 'value="Investigation, Data curation"' in answer.text
    assert registry.all() == []
    again = client.post("/form", data={**hidden(answer.text), **form_data(whole_answers()), "do": "submit"})
    assert again.status_code == 303


def test_save_and_resume(client: TestClient, registry: Registry) -> None:
    saved = send(client, {"contact_name": "Ada", "habitat": "culture", "formats": ["png", "ifcb"]}, "save")
    link = saved.headers["location"]
    page = client.get(link)
    assert "keep it to go on later" in page.text
    assert 'value="Ada"' in page.text
    assert '<option value="culture" selected>' in page.text
    assert page.text.count('name="formats" value="png" checked') == 1
    client.cookies.clear()  # another browser, another day
    page = client.get(link)
    done = client.post("/form", data={**hidden(page.text), **form_data(whole_answers()), "do": "submit"})
    assert done.headers["location"].startswith(link.partition("?")[0])
    [made] = registry.all()
    assert made.state is State.SUBMITTED
    assert registry.all(state="draft") == []


def test_more_rows_for_people(client: TestClient) -> None:
    people = [{"name": f"P{number}", "roles": "Software", "author": "yes"} for number in range(4)]
    page = send(client, {"people": people}, "more").text
    assert page.count('role="group"') == 4 + 1 + 3
    assert 'value="P3"' in page


def test_the_same_form_sent_twice_is_one_submission(client: TestClient, registry: Registry) -> None:
    fields = hidden(client.get("/form").text)
    data = {**fields, **form_data(whole_answers()), "do": "submit"}
    places = {client.post("/form", data=data).headers["location"] for _ in range(3)}
    assert len(places) == 1
    assert len(registry.all()) == 1


def test_correct_erase_and_take_back(client: TestClient, registry: Registry) -> None:
    link = send(client, whole_answers()).headers["location"].partition("?")[0]
    [made] = registry.all()
    registry.change(made.id, State.AGREED, by="ada")
    answer = send(client, whole_answers(training="no"), path=f"{link}/correct")
    assert answer.headers["location"] == link
    assert registry.get(made.id).state is State.SUBMITTED
    key = hidden(client.get(link).text)
    assert client.post(f"{link}/erase", data=key).status_code == 422  # the box is not ticked
    assert client.post(f"{link}/erase", data={**key, "sure": "yes"}).status_code == 303
    assert "Larsen" not in client.get(link).text
    page = client.post(f"{link}/withdraw", data={**key, "sure": "yes", "what": "all", "reason": "mistake"}).text
    assert "What cannot be undone" in page
    assert registry.get(made.id).state is State.WITHDRAWN


def test_one_consent_is_taken_back_from_the_page(client: TestClient, registry: Registry) -> None:
    link = send(client, whole_answers()).headers["location"].partition("?")[0]
    key = hidden(client.get(link).text)
    page = client.post(f"{link}/withdraw", data={**key, "sure": "yes", "what": "maps", "reason": "board"}).text
    assert "maps that were published stay in the world" in page
    [made] = registry.all()
    assert made.answers["global_interpolation"] is False
    assert made.state is State.SUBMITTED


def test_a_form_filled_in_as_a_file(client: TestClient, registry: Registry, tmp_path: Path) -> None:
    write_paper(tmp_path / "form.yaml", whole_answers())
    key = hidden(client.get("/").text)
    with (tmp_path / "form.yaml").open("rb") as file:
        page = client.post("/paper", data=key, files={"file": ("form.yaml", file)})
    assert page.status_code == 200
    assert 'value="IFCB time series, Example Bay, 2015–2024"' in page.text
    assert registry.all() == []


def test_the_curators_way(client: TestClient, registry: Registry) -> None:
    send(client, whole_answers())
    [made] = registry.all()
    curator(client, registry)
    assert made.id in client.get("/desk").text
    assert made.id not in client.get("/desk?state=agreed").text
    assert made.id in client.get("/desk?text=example+bay").text
    page = client.get(f"/desk/{made.id}")
    assert "Agree to the terms" in page.text
    key = hidden(page.text)
    assert client.post(f"/desk/{made.id}", data={**key, "do": "agree", "note": "by telephone"}).status_code == 303
    assert "aqqua collect receive" in client.get(f"/desk/{made.id}").text
    new = client.post(f"/desk/{made.id}", data={**key, "do": "link"}).text
    token = re.search(r"/mine/([\w-]+)", new)
    assert token
    assert client.get(f"/mine/{token[1]}").status_code == 200
    done = client.post(f"/desk/{made.id}", data={**key, "do": "withdraw", "note": "asked to"})
    assert "Taken back" in done.text
    assert client.post(f"/desk/{made.id}", data={**key, "do": "explode"}).status_code == 422
    events = [(event.by, event.what) for event in registry.history(made.id)]
    assert ("ada", "state") in events
    client.post("/logout", data=key)
    assert client.get("/desk").headers["location"] == "/login"


def test_a_curator_who_was_removed_is_out_at_once(client: TestClient, registry: Registry) -> None:
    curator(client, registry)
    assert client.get("/desk").status_code == 200
    registry.remove_curator("ada")
    assert client.get("/desk").status_code == 303


def test_advice_follows_the_answers(client: TestClient) -> None:
    told = client.get("/advice", params={"location": "server", "size_gb": "500"}).json()
    assert told["title"] == "Globus or FTP"
    assert client.get("/advice", params={"size_gb": "<script>"}).status_code == 200


def test_numbers_are_public_and_people_are_not(client: TestClient) -> None:
    send(client, whole_answers())
    text = client.get("/progress").text + json.dumps(client.get("/progress.json").json()) + client.get("/").text
    assert "1,200,000" in text
    assert "Larsen" not in text
    assert "institute.example" not in text


def test_a_consent_is_read_in_the_words_that_are_kept(client: TestClient, registry: Registry) -> None:
    shown = re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", client.get("/form").text)))
    made = registry.submit(whole_answers())
    for consent in registry.consents(made.id):
        for sentence in consent["wording"].split(". "):
            assert sentence.rstrip(".") in shown
    page = client.get("/form").text
    for consent in registry.consents(made.id):
        assert f'<p class="meaning" id="help-{consent["question"]}">' in page  # in sight, not in a tooltip
