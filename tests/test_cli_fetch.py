"""`aqqua fetch` from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from aqqua.__main__ import main


def test_a_folder_is_fetched_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "a.zip").write_bytes(bytes(2_500_000))
    with pytest.raises(SystemExit) as ended:
        main(["fetch", str(tmp_path / "disk"), str(tmp_path / "here")])
    assert ended.value.code == 0
    assert f"1 file in {tmp_path / 'here'}: 2.5 MB fetched\n" in capsys.readouterr().out


def test_without_a_folder_it_says_how(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["fetch", "https://example.org/a.zip"])
    assert ended.value.code == 2
    assert "aqqua fetch ADDRESS… FOLDER" in capsys.readouterr().err
