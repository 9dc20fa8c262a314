"""Letters: to exactly one person, whatever is in them."""

from __future__ import annotations

from email import message_from_bytes
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqqua.collect.mail import Mail, letter, send
from aqqua.errors import ConfigError
from tests.make.mailbox import mail_server

TO = "ada@institute.example"


def test_a_letter_arrives_with_its_attachment(tmp_path: Path) -> None:
    message = letter(TO, "Receipt", "Gruß\n", sender="desk@aqqua.example", name="Ada", attachments={"r.pdf": b"%PDF-"})
    with mail_server() as box:
        assert send(Mail(box.address, "desk@aqqua.example", outbox=tmp_path), message) is None
    [came] = box.letters
    assert box.recipients == [[TO]]
    assert came["Subject"] == "Receipt"
    body = came.get_body()
    assert body is not None
    assert body.get_content().splitlines() == ["Gruß"]
    assert [part.get_filename() for part in came.iter_attachments()] == ["r.pdf"]


@pytest.mark.parametrize(
    "text",
    [
        "Hello\r\nBcc: all@world.example",
        "Hello\nTo: b@world.example\n\nbody",
        "a\u2028Bcc: x@y.example",
        "a\x00b\x0bBcc: q@r.example",
    ],
)
def test_no_text_becomes_a_header(text: str) -> None:
    with mail_server() as box:
        message = letter(TO, text, text, sender="desk@aqqua.example", name=text, attachments={text: b"x"})
        send(Mail(box.address, "desk@aqqua.example"), message)
    assert box.recipients == [[TO]]
    assert box.letters[0]["Bcc"] is None
    assert len(box.letters[0].get_all("To", [])) == 1


@pytest.mark.parametrize(
    "to", ["", "ada", "a@b.example, c@d.example", "a@b.example\r\nBcc: x@y.example", "<a@b.example>"]
)
def test_only_one_address_is_taken(to: str) -> None:
    with pytest.raises(ConfigError, match="no e-mail address"):
        letter(to, "x", "x", sender="desk@aqqua.example")


@given(subject=st.text(max_size=300), name=st.text(max_size=300))
def test_headers_stay_what_they_are(subject: str, name: str) -> None:
    raw = letter(TO, subject, "text", sender="desk@aqqua.example", name=name).as_bytes()
    headers = message_from_bytes(raw)
    assert sorted(set(headers.keys())) == sorted(
        {
            "From",
            "To",
            "Subject",
            "Date",
            "Message-ID",
            "Auto-Submitted",
            "Content-Type",
            "Content-Transfer-Encoding",
            "MIME-Version",
        }
    )


def test_without_a_server_or_with_a_dead_one_the_letter_is_in_the_outbox(tmp_path: Path) -> None:
    message = letter(TO, "Receipt", "text", sender="desk@aqqua.example")
    for server in ("", "smtp://127.0.0.1:9"):
        path = send(Mail(server, "desk@aqqua.example", outbox=tmp_path / "out"), message)
        assert path is not None
        assert b"Subject: Receipt" in path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AQQUA_SMTP", "smtp://desk@mail.example:587")
    monkeypatch.setenv("AQQUA_SMTP_PASSWORD", "word")
    monkeypatch.setenv("AQQUA_SMTP_FROM", "desk@aqqua.example")
    mail = Mail.from_environment()
    assert (mail.server, mail.sender, mail.password) == ("smtp://desk@mail.example:587", "desk@aqqua.example", "word")
    assert "word" not in repr(mail)
    with pytest.raises(ConfigError, match="AQQUA_SMTP is"):
        send(Mail("mail.example"), letter(TO, "x", "x", sender="desk@aqqua.example"))
