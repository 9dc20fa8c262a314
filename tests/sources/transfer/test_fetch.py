"""Fetching from real servers of this machine, with everything that goes wrong on the way."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from aqqua.errors import ConfigError, NotFoundError, RefusedError, RemoteError, StorageError, UnknownNameError
from aqqua.sources.transfer import fetch
from aqqua.sources.transfer.fetch import RECORD
from aqqua.sources.transfer.resume import Patience
from aqqua.sources.transfer.zenodo import Zenodo
from tests.make.servers import Web, ftp_server, s3_server, slow_line, some_bytes, web_server, webdav_server

KINDS = ("http", "ftp", "dav", "nextcloud", "nextcloud before 29", "s3", "file")
TOKEN = "abcdef123456"
BLOCK, SIZE = 65_536, 700_000
NOW = Patience(attempts=3, sleep=lambda seconds: None)


@pytest.fixture
def owner(tmp_path: Path) -> Path:
    """What the owner has: two samples, one of them in a folder, with names as people write them."""
    folder = tmp_path / "owner"
    (folder / "leg 2").mkdir(parents=True)
    (folder / "S1.zip").write_bytes(some_bytes(SIZE, 1))
    (folder / "leg 2" / "Größe 3#.zip").write_bytes(some_bytes(50_000, 2))
    (folder / "leg 2" / "empty.tsv").write_bytes(b"")
    return folder


@contextmanager
def place(kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a folder at a place of a kind."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    with ExitStack() as stack:
        if kind == "file":
            yield str(folder)
        elif kind == "http":
            yield stack.enter_context(web_server(folder)).address
        elif kind == "ftp":
            yield stack.enter_context(ftp_server(folder)).replace("//", "//owner:s%C3%B6cret@")
        elif kind == "dav":
            at = stack.enter_context(webdav_server(folder, "/data", {"owner": "secret"}))
            yield at.replace("http://", "dav://owner:secret@") + "/data"
        elif kind == "nextcloud":
            at = stack.enter_context(webdav_server(folder, f"/public.php/dav/files/{TOKEN}", {"anonymous": "pass"}))
            yield at.replace("//", "//:pass@") + f"/index.php/s/{TOKEN}"
        elif kind == "nextcloud before 29":
            at = stack.enter_context(webdav_server(folder, "/cloud/public.php/webdav", {TOKEN: "pass"}))
            yield at.replace("//", "//:pass@") + f"/cloud/s/{TOKEN}"
        else:
            yield f"s3://raw/?endpoint={stack.enter_context(s3_server(folder, 'raw'))}"


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != RECORD
    }


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "http"])
def test_a_folder_comes_whole_and_is_not_fetched_twice(
    kind: str, owner: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with place(kind, owner, monkeypatch) as address:
        first = fetch([address], tmp_path / "here", patience=NOW)
        again = fetch([address], tmp_path / "here", patience=NOW)
    assert contents(tmp_path / "here") == contents(owner)
    assert len(first.files) == 3
    assert first.came_bytes == SIZE + 50_000
    assert (again.came_bytes, again.there) == (0, 3)


@pytest.mark.parametrize("kind", KINDS)
def test_one_file(kind: str, owner: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only = ["S1.zip"] if kind.startswith("nextcloud") else []  # a link names the whole share
    with place(kind, owner, monkeypatch) as address:
        target = address if only else address.replace("raw/", "raw/S1.zip") if kind == "s3" else f"{address}/S1.zip"
        report = fetch([target], tmp_path / "here", only=only, checksum=_sha(owner / "S1.zip"), patience=NOW)
    assert [path.name for path in report.files] == ["S1.zip"]
    assert report.checked == 1
    assert contents(tmp_path / "here") == {"S1.zip": (owner / "S1.zip").read_bytes()}


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_has_changed_at_its_place_comes_anew(
    kind: str, owner: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with place(kind, owner, monkeypatch) as address:
        target = f"{address}/S1.zip" if kind == "http" else address
        fetch([target], tmp_path / "here", only=["S1.zip"], patience=NOW)
        new = some_bytes(SIZE, 9)
        (owner / "S1.zip").write_bytes(new)
        os.utime(owner / "S1.zip", (2_000_000_000, 2_000_000_000))
        if kind == "s3":
            import boto3

            endpoint = address.partition("endpoint=")[2]
            client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
            client.put_object(Bucket="raw", Key="S1.zip", Body=new)
            client.close()
        report = fetch([target], tmp_path / "here", only=["S1.zip"], patience=NOW)
    assert report.came_bytes == SIZE
    assert (tmp_path / "here" / "S1.zip").read_bytes() == new


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_killed_in_mid_transfer_only_the_rest_is_fetched(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`kill -9` of the real command, then the same command again."""
    size = 300_000_000 if kind == "file" else 3_000_000
    (tmp_path / "owner").mkdir()
    source = tmp_path / "owner" / "big.zip"
    if kind == "file":
        with source.open("wb") as file:
            file.truncate(size)
    else:
        source.write_bytes(some_bytes(size))
    with ExitStack() as stack:
        address = stack.enter_context(place(kind, tmp_path / "owner", monkeypatch))
        if kind == "ftp":
            stack.close()
            slow = stack.enter_context(ftp_server(tmp_path / "owner", bytes_per_s=1_500_000))
            address = slow.replace("//", "//owner:s%C3%B6cret@")
        elif kind != "file":
            server = address.partition("endpoint=")[2] if kind == "s3" else address
            line = stack.enter_context(slow_line(server, 4_000_000))
            port = str(line.port)
            address = address.replace(server.rpartition(":")[2].split("/")[0], port)
        target = f"{address}/big.zip" if kind == "http" else address
        have = _killed_at(target, tmp_path / "here", size // 5)
        assert 0 < have < size
        report = fetch([target], tmp_path / "here")
    assert report.kept_bytes >= have
    assert report.came_bytes == size - report.kept_bytes
    assert _sha(tmp_path / "here" / "big.zip") == _sha(source)
    assert [path.name for path in (tmp_path / "here").iterdir() if ".part" in path.name] == []


def _killed_at(address: str, folder: Path, count: int) -> int:
    """Run the command, kill it when so many bytes are there, and say how many there are."""
    command = [sys.executable, "-m", "aqqua", "fetch", address, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        part = folder / "big.zip.part"
        end = time.monotonic() + 60
        while not (part.is_file() and part.stat().st_size >= count):
            assert process.poll() is None, process.stderr.read().decode() if process.stderr else ""
            assert time.monotonic() < end
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
    return part.stat().st_size


@pytest.fixture
def web(owner: Path) -> Iterator[Web]:
    with web_server(owner) as server:
        yield server


def test_a_broken_line_is_tried_again_from_where_it_broke(web: Web, owner: Path, tmp_path: Path) -> None:
    pauses: list[float] = []
    web.broken_after = [SIZE, 4 * BLOCK, 2 * BLOCK, 0, BLOCK]  # the first answer is the listing
    report = fetch(
        [f"{web.address}/S1.zip"], tmp_path / "here", patience=Patience(attempts=3, pause_s=1, sleep=pauses.append)
    )
    assert (tmp_path / "here" / "S1.zip").read_bytes() == (owner / "S1.zip").read_bytes()
    assert report.came_bytes == SIZE
    assert [asked for _, asked in web.asked[2:]] == [f"bytes={n * BLOCK}-" for n in (4, 6, 6, 7)]
    assert pauses[2] > pauses[1] * 1.1  # twice without a byte more: a longer pause


def test_a_line_that_stays_broken_is_an_error_and_keeps_what_came(web: Web, tmp_path: Path) -> None:
    web.broken_after = [SIZE, 2 * BLOCK, 0, 0, 0, 0, 0]
    with pytest.raises(RemoteError) as error:
        fetch([f"{web.address}/S1.zip"], tmp_path / "here", patience=NOW)
    assert "broke off" in error.value.what
    assert (tmp_path / "here" / "S1.zip.part").stat().st_size == 2 * BLOCK
    assert not (tmp_path / "here" / "S1.zip").exists()


@pytest.mark.parametrize(("ranges", "stamps"), [(False, True), (True, False)])
def test_a_server_that_cannot_resume_sends_everything_again(
    web: Web, owner: Path, tmp_path: Path, ranges: bool, stamps: bool
) -> None:
    web.ranges, web.stamps = ranges, stamps
    web.broken_after = [SIZE, 2 * BLOCK]
    fetch([f"{web.address}/S1.zip"], tmp_path / "here", patience=NOW)
    assert (tmp_path / "here" / "S1.zip").read_bytes() == (owner / "S1.zip").read_bytes()
    assert web.sent == SIZE + 2 * BLOCK + SIZE


def test_a_file_that_changes_while_it_comes_is_not_mixed(web: Web, owner: Path, tmp_path: Path) -> None:
    web.broken_after = [SIZE, 2 * BLOCK, 0, 0]
    with pytest.raises(RemoteError):
        fetch([f"{web.address}/S1.zip"], tmp_path / "here", patience=Patience(2, sleep=lambda s: None))
    web.broken_after = []
    new = some_bytes(SIZE, 7)
    (owner / "S1.zip").write_bytes(new)
    report = fetch([f"{web.address}/S1.zip"], tmp_path / "here", patience=NOW)
    assert (tmp_path / "here" / "S1.zip").read_bytes() == new
    assert report.kept_bytes == 0


def test_an_answer_without_a_length(web: Web, owner: Path, tmp_path: Path) -> None:
    web.lengths = False
    web.broken_after = [SIZE, 3 * BLOCK]
    fetch([f"{web.address}/S1.zip"], tmp_path / "here", patience=NOW)
    assert (tmp_path / "here" / "S1.zip").read_bytes() == (owner / "S1.zip").read_bytes()


def test_a_busy_server_gets_the_pause_it_asks_for(web: Web, tmp_path: Path) -> None:
    pauses: list[float] = []
    folder = tmp_path / "here"
    web.headers["Retry-After"] = "17"
    web.refuse = [503]
    with pytest.raises(RemoteError) as error:
        fetch([f"{web.address}/S1.zip"], folder, patience=NOW)
    assert "asks to wait for 17 s" in error.value.what  # already the listing; nothing is begun

    def answers(seconds: float) -> None:
        pauses.append(seconds)

    from aqqua.sources.transfer.places import RemoteFile
    from aqqua.sources.transfer.resume import fetch_file
    from aqqua.sources.transfer.web import Web as Place

    web.refuse = [429, 500]
    file = RemoteFile("S1.zip", f"{web.address}/S1.zip")
    fetch_file(Place(web.address), file, folder / "S1.zip", patience=Patience(5, 1.0, answers))
    assert pauses[0] == 17
    assert pauses[1] < 5


@pytest.mark.parametrize(
    ("status", "error", "told"),
    [(401, RefusedError, "AQQUA_FETCH_PASSWORD"), (403, RefusedError, "ask the owner"), (404, RemoteError, "ended")],
)
def test_what_a_server_refuses_is_not_asked_again(
    web: Web, tmp_path: Path, status: int, error: type[RemoteError], told: str
) -> None:
    web.refuse = [status] * 9
    with pytest.raises(error) as raised:
        fetch([f"{web.address}/S1.zip"], tmp_path / "here", patience=NOW)
    assert told in str(raised.value)
    assert len(web.asked) == 1


def test_a_wrong_checksum_gives_the_file_up(web: Web, tmp_path: Path) -> None:
    with pytest.raises(RemoteError) as error:
        fetch([f"{web.address}/S1.zip"], tmp_path / "here", checksum="md5:" + "0" * 32, patience=NOW)
    assert "not what its MD5 checksum says" in error.value.what
    assert contents(tmp_path / "here") == {}


def test_damaged_kept_bytes_are_noticed_and_fetched_anew(web: Web, owner: Path, tmp_path: Path) -> None:
    here = tmp_path / "here"
    web.broken_after = [SIZE, 2 * BLOCK, 0, 0]
    with pytest.raises(RemoteError):
        fetch([f"{web.address}/S1.zip"], here, patience=Patience(2, sleep=lambda s: None))
    part = here / "S1.zip.part"
    part.write_bytes(bytes(2 * BLOCK))
    report = fetch([f"{web.address}/S1.zip"], here, checksum=_sha(owner / "S1.zip"), patience=NOW)
    assert report.checked == 1
    assert (here / "S1.zip").read_bytes() == (owner / "S1.zip").read_bytes()


@pytest.mark.parametrize("name", ["SHA256SUMS", "manifest-md5.txt", "S1.zip.sha256"])
def test_a_list_of_checksums_beside_the_files_is_used(
    name: str, owner: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = "md5" if "md5" in name else "sha256"
    digits = hashlib.new(kind, (owner / "S1.zip").read_bytes()).hexdigest()
    (owner / name).write_text(f"{digits}\n" if name.endswith(".sha256") else f"{digits} *./S1.zip\n")
    with place("ftp", owner, monkeypatch) as address:
        assert fetch([address], tmp_path / "right", patience=NOW).checked == 1
        (owner / "S1.zip").write_bytes(b"else")
        with pytest.raises(RemoteError, match="not what its"):
            fetch([address], tmp_path / "wrong", patience=NOW)


def test_an_ftp_server_of_old_without_mlsd(owner: Path, tmp_path: Path) -> None:
    with ftp_server(owner, mlsd=False) as address:
        fetch([address.replace("//", "//owner:s%C3%B6cret@")], tmp_path / "here", patience=NOW)
    assert contents(tmp_path / "here") == contents(owner)


def test_a_wrong_login(owner: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AQQUA_FETCH_USER", "owner")
    monkeypatch.setenv("AQQUA_FETCH_PASSWORD", "guessed-wrong")
    with ftp_server(owner) as address, pytest.raises(RefusedError) as error:
        fetch([address], tmp_path / "here")
    assert "guessed-wrong" not in str(error.value)


def test_the_record_says_where_from_and_never_the_login(
    owner: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with place("dav", owner, monkeypatch) as address:
        fetch([address], tmp_path / "here", patience=NOW)
    text = (tmp_path / "here" / RECORD).read_text()
    entry = {one["name"]: one for one in map(json.loads, text.splitlines())}["S1.zip"]
    assert entry["sha256"] == _sha(owner / "S1.zip").removeprefix("sha256:")
    assert entry["address"].endswith("/data/S1.zip")
    assert "secret" not in text


def test_a_hostile_folder_cannot_write_elsewhere(tmp_path: Path) -> None:
    from aqqua.errors import UnsafeInputError
    from aqqua.sources.transfer.places import inside

    for name in ("../evil", "/etc/evil", "a/../../evil", "C:evil", "a//b", "x.part", "new\nline", ""):
        with pytest.raises(UnsafeInputError):
            inside(tmp_path, name)
    assert inside(tmp_path, "a/b.zip") == tmp_path / "a" / "b.zip"


def test_a_server_that_lists_files_elsewhere_is_not_followed(tmp_path: Path) -> None:
    """Answers of a WebDAV server that was taken over: entities, other hosts, names outside."""
    from aqqua.sources.transfer.webdav import WebDav, _parsed

    with pytest.raises(RemoteError, match="trusted"):
        _parsed(b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "here")
    with pytest.raises(RemoteError, match="cannot be read"):
        _parsed(b"<html><p>login</html>", "here")
    dav = WebDav("davs://cloud.example.org/data")
    assert dav._below("https://evil.example.org/data/x.zip") is None
    assert dav._below("https://cloud.example.org/other/x.zip") is None
    assert dav._below("https://cloud.example.org/data/x%20y.zip") == "x y.zip"


def test_a_link_out_of_a_folder_on_disk_is_refused(owner: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("x")
    (owner / "link").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(ValueError, match="leads out"):
        fetch([str(owner)], tmp_path / "here")


def test_zenodo_records_come_with_their_checksums(web: Web, owner: Path, tmp_path: Path) -> None:
    content = (owner / "S1.zip").read_bytes()
    api = owner / "api" / "records"
    (api / "7" / "files" / "S1.zip").mkdir(parents=True)
    (api / "7" / "files" / "S1.zip" / "content").write_bytes(content)
    listing = {
        "files": [{"key": "S1.zip", "size": len(content), "checksum": f"md5:{hashlib.md5(content).hexdigest()}"}]
    }
    shutil.move(api / "7", api / "7_")
    (api / "7").write_text(json.dumps(listing))
    [file] = Zenodo(f"{web.address}/records/7").files()
    assert (file.name, file.size) == ("S1.zip", len(content))
    assert file.checksum == listing["files"][0]["checksum"]
    assert file.address == f"{web.address}/api/records/7/files/S1.zip/content"
    (api / "7").write_text('{"message": "restricted"}')
    with pytest.raises(RemoteError, match="does not list"):
        Zenodo(f"{web.address}/records/7").files()


def test_an_own_file_is_not_written_over(web: Web, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "S1.zip").write_text("mine")
    with pytest.raises(StorageError, match="did not come from this place"):
        fetch([f"{web.address}/S1.zip"], tmp_path / "here", patience=NOW)
    assert (tmp_path / "here" / "S1.zip").read_text() == "mine"


def test_no_room_is_said_before_the_first_byte(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 9, 1))
    with pytest.raises(StorageError) as error:
        fetch([f"{web.address}/S1.zip"], tmp_path / "here")
    assert "700 kB are to be fetched, but only 1 bytes are free" in error.value.what


def test_two_fetches_into_one_folder(web: Web, tmp_path: Path) -> None:
    from aqqua.sources.transfer.fetch import _alone

    (tmp_path / "here").mkdir()
    with _alone(tmp_path / "here"), pytest.raises(StorageError, match="another fetch"):
        fetch([f"{web.address}/S1.zip"], tmp_path / "here")


def test_addresses_that_mean_nothing(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError):
        fetch(["gopher://example.org/1"], tmp_path / "here")
    with pytest.raises(ConfigError):
        fetch(["https:///x"], tmp_path / "here")
    with pytest.raises(NotFoundError):
        fetch([str(tmp_path / "nowhere")], tmp_path / "here")
    with pytest.raises(RemoteError, match="connection failed"):
        fetch(["http://127.0.0.1:9/x"], tmp_path / "here")


def test_names_that_clash_or_are_not_there(web: Web, owner: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"two files would be called S1\.zip"):
        fetch([f"{web.address}/S1.zip", str(owner)], tmp_path / "here")
    with pytest.raises(ConfigError, match=r"no file is called like \*\.lmdb"):
        fetch([str(owner)], tmp_path / "here", only=["*.lmdb"])
    with pytest.raises(ConfigError, match="one checksum, but 3 files"):
        fetch([str(owner)], tmp_path / "here", checksum="0" * 64)


def _sha(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return f"sha256:{digest.hexdigest()}"
