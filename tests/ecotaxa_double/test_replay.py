"""Every request that was recorded on a real server is sent to the double again: status and answer must be the same.

`recorded.jsonl` has one line per request; what occurs often stands once, in the first line. Times, tokens and paths of
the server are left out, tracebacks are compared by their last line, files only by their kind.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.ecotaxa_double.packages import package
from tests.ecotaxa_double.server import EcotaxaDouble

RECORDED = Path(__file__).with_name("recorded.jsonl")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?")
_STAMP = re.compile(r"_2026\d{4}_\d{4}")
_EMAIL = {"administrator": "administrator@email.test", "aqqua": "aqqua@geomar.de"}


def recorded() -> Iterator[dict[str, Any]]:
    first, *lines = RECORDED.read_text("utf-8").splitlines()
    shared = json.loads(first)["shared"]

    def unfold(value: Any) -> Any:
        if isinstance(value, dict):
            if set(value) == {"$"}:
                return unfold(shared[value["$"]])
            return {name: unfold(inside) for name, inside in value.items()}
        return [unfold(inside) for inside in value] if isinstance(value, list) else value

    for line in lines:
        yield unfold(json.loads(line))


def plain(value: Any) -> Any:
    """Without what differs from run to run."""
    if isinstance(value, dict):
        return {name: "<any>" if name == "random_value" else plain(inside) for name, inside in value.items()}
    if isinstance(value, list):
        return [plain(inside) for inside in value]
    if isinstance(value, str):
        return _STAMP.sub("_<time>", _TIME.sub("<time>", value))
    return value


class Replay:
    """Sends the recorded requests, with the double's own logins and upload addresses."""

    def __init__(self, double: EcotaxaDouble) -> None:
        self.double = double
        self.session = requests.Session()
        self.tokens: dict[str, str] = {"garbage": "garbage"}
        self.place = ""

    def send(self, entry: dict[str, Any]) -> requests.Response:
        method, _, path = entry["ask"].partition(" ")
        headers = {"Authorization": f"Bearer {self.token(entry['as'])}"} if self.needs_login(entry) else {}
        headers |= entry.get("headers", {})
        address = self.double.url + path
        more: dict[str, Any] = {"json": entry["json"]} if "json" in entry else {}
        if path == "/user_files/":
            label = entry["label"].removesuffix("_upload")
            name = zip_names.get(label, "x.exe")
            more = {"files": {"file": (name, package(label, self.double.world))}}
        if path == "/user_files/upload/":
            self.data = package("tus_up", self.double.world)
            headers["Upload-Length"] = str(len(self.data))
        if method == "PATCH":
            address, more = self.place, {"data": self.data}
        answer = self.session.request(method, address, headers=headers, timeout=10, **more)
        self.place = answer.headers.get("location", self.place)
        return answer

    @staticmethod
    def needs_login(entry: dict[str, Any]) -> bool:
        return bool(entry["as"] != "anonymous" and entry["ask"] != "POST /login")

    def token(self, who: str) -> str:
        if who not in self.tokens:
            person = self.double.world.person_by_email(_EMAIL.get(who, f"{who}@lab.test"))
            assert person is not None
            self.tokens[who] = self.double.token(person)
        return self.tokens[who]


zip_names: dict[str, str] = {}
"""Name of the zip of each upload: that of the source path of the import after it."""


def said(entry: dict[str, Any], answer: requests.Response) -> dict[str, Any]:
    """What of the answer is compared, in the form of the recording."""
    kind = answer.headers.get("content-type", "").partition(";")[0]
    shown: dict[str, Any] = {"status": answer.status_code}
    if kind != "application/json":
        shown["type"] = kind
    body: Any = plain(answer.json()) if kind == "application/json" else answer.text if kind == "text/plain" else None
    if "last" in entry and "job" not in entry:
        shown["last"] = last_of(body.splitlines())
    if "keys" in entry:
        shown["keys"] = sorted(body[0] if isinstance(body, list) else body)
    if "names" in entry:
        shown["names"] = sorted(inside["name"] for inside in body["entries"])
    if "job" in entry:
        shown |= job_of(entry, body)
    if "body" in entry:
        shown["body"] = unlike(entry, body)
    return shown


def unlike(entry: dict[str, Any], body: Any) -> Any:
    """Answers whose content is somebody's business: a path of the server, a token."""
    if entry["body"] in ("<server path>", "<token>"):
        assert isinstance(body, str)
        return entry["body"]
    if isinstance(body, dict) and entry["body"].get("free_columns") == "<any>":
        return {**body, "free_columns": "<any>"}
    return body


def job_of(entry: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """The telling parts of a job."""
    wanted = entry["job"]
    job = {name: body[name] for name in wanted if name not in {"req", "inside"}}
    job["req"] = body["params"].get("req")
    if "inside" in wanted:
        job["inside"] = {name: body["inside"][name] for name in wanted["inside"]}
    shown: dict[str, Any] = {"job": job}
    if "filters" in entry:
        shown["filters"] = sorted(body["params"]["filters"])
    if wanted["errors"] == "<traceback>":
        shown["last"] = last_of(job["errors"])
        job |= {"errors": "<traceback>", "progress_msg": None}
    if infos := job["result"].get("infos"):
        job["result"] = {"infos": [words(info) for info in infos]}
    return shown


def last_of(lines: list[str]) -> str:
    """The exception of a traceback."""
    found = [line for line in lines if re.match(r"^[A-Za-z_][\w.]*(Error|Exception)", line)]
    return found[-1].splitlines()[0].strip()


def words(text: str) -> str:
    """Names in a list come in any order."""
    head, mark, names = text.partition(" import ")
    return head + mark + " ".join(sorted(names.replace(",", "").split())) if mark else text


def expected(entry: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {
        name: entry[name]
        for name in ("status", "type", "last", "keys", "names", "filters", "job", "body")
        if name in entry
    }
    if "last" in shown:
        shown["last"] = shown["last"].splitlines()[0].strip()
    if infos := shown.get("job", {}).get("result", {}).get("infos"):
        shown["job"] = {**shown["job"], "result": {"infos": [words(info) for info in infos]}}
    return shown


def test_the_double_answers_as_the_real_server_was_recorded_to() -> None:
    entries = list(recorded())
    for upload, start in itertools.pairwise(entries):
        if upload["ask"] == "POST /user_files/" and "source_path" in start.get("json", {}):
            zip_names[upload["label"].removesuffix("_upload")] = start["json"]["source_path"].strip("/") + ".zip"
    different = []
    with EcotaxaDouble() as double:
        replay = Replay(double)
        for entry in entries:
            answer = replay.send(entry)
            if (there := said(entry, answer)) != (wanted := expected(entry)):
                different.append(f"{entry['n']} {entry['label']}:\n  wanted {wanted}\n  got    {there}")
    if different:
        pytest.fail(f"{len(different)} of {len(entries)} differ\n" + "\n".join(different[:20]))
