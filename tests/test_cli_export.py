"""`aqqua export`: options go to the receiver they are for, and several datasets only into a release."""

from __future__ import annotations

from pathlib import Path

import pytest

from aqqua.__main__ import main
from tests.make.releases import releasable


def run(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stop:
        main(list(arguments))
    out, err = capsys.readouterr()
    return int(stop.value.code or 0), out, err


def test_several_datasets_become_a_release_with_an_umbrella(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sets = [str(releasable(tmp_path / name, (4,)).path) for name in ("bay", "fjord")]
    (tmp_path / "umbrella.yaml").write_text("title: Both\nid: both\n")
    options = ["--date", "2027-07-15", "--as-version", "1.2", "--umbrella", str(tmp_path / "umbrella.yaml")]
    code, out, _ = run("export", *sets, "--to", "release", "--out", str(tmp_path / "out"), *options, capsys=capsys)
    assert code == 0
    assert [Path(line).name for line in out.splitlines()[:3]] == ["bay-1.2", "fjord-1.2", "both-1.2"]
    assert "people_left_out" in out


def test_a_refusal_says_everything_and_ends_with_a_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bay = str(releasable(tmp_path / "bay", (4,), licence="CC-BY-SA-4.0", publish="never").path)
    options = ["--to", "release", "--out", str(tmp_path / "out"), "--licence", "CC-BY-NC-4.0"]
    code, _, err = run("export", bay, *options, capsys=capsys)
    assert code != 0
    assert "share alike" in err
    assert "do not want these images published" in err
    assert not (tmp_path / "out").exists()


def test_other_receivers_take_one_dataset_and_their_own_options(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bay = str(releasable(tmp_path / "bay", (4,)).path)
    to = ["--to", "ecotaxa", "--out", str(tmp_path / "out")]
    code, _, err = run("export", bay, bay, *to, capsys=capsys)
    assert code != 0
    assert "one dataset at a time" in err
    code, _, err = run("export", bay, *to, "--licence", "CC-BY-4.0", capsys=capsys)
    assert code != 0
    assert "no option licence" in err
    code, _, err = run("export", "--to", "release", "--out", "x", capsys=capsys)
    assert code != 0
    assert "needs a dataset" in err
