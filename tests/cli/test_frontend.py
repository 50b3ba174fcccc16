"""Building the pages: tried once more when the machine was too busy, not for other reasons."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from agent_console.cli import frontend
from agent_console.settings import Settings

TOO_SLOW = "Prerender: Request failed for /jobs: The operation was aborted due to\n timeout"
# Stands in for Reflex: fails as often as there are files, with what the next of them says.
BUILD = """
import sys
from pathlib import Path
for one in sorted(Path(sys.argv[1]).glob("*.fails")):
    print(one.read_text())
    one.unlink()
    sys.exit(1)
web = Path(sys.argv[2])
(web / "backend").mkdir()
(web / "build" / "client").mkdir(parents=True)
(web / "build" / "client" / "index.html").touch()
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Return settings whose pages a program of the test's own builds."""
    web, build = tmp_path / "web", tmp_path / "build.py"
    build.write_text(BUILD, encoding="utf-8")
    command = (sys.executable, str(build), str(tmp_path), str(web))
    monkeypatch.setattr(frontend, "COMMAND", command)
    monkeypatch.setattr(frontend, "WEB", web)
    monkeypatch.setattr(frontend, "STAMP", web / "stamp.json")
    monkeypatch.setattr(frontend, "PAGES", web / "build" / "client" / "index.html")
    monkeypatch.setattr(frontend, "BACKEND", web / "backend")
    return Settings(data_dir=tmp_path)


def test_a_page_that_took_too_long_is_built_once_more(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "1.fails").write_text(TOO_SLOW, encoding="utf-8")
    frontend.build(settings)
    assert frontend.is_fresh(settings)
    assert "too busy to prerender a page within 10 s; building once more" in capsys.readouterr().err


def test_a_page_that_is_too_slow_again_fails_with_the_reason(
    settings: Settings, tmp_path: Path
) -> None:
    for number in (1, 2, 3):
        (tmp_path / f"{number}.fails").write_text(TOO_SLOW, encoding="utf-8")
    with pytest.raises(frontend.BuildFailed, match="Request failed for /jobs"):
        frontend.build(settings)
    assert not frontend.is_fresh(settings)
    assert (tmp_path / "3.fails").exists()  # twice, no more


def test_another_failure_is_not_tried_again(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "1.fails").write_text("SyntaxError: Unexpected token", encoding="utf-8")
    with pytest.raises(frontend.BuildFailed, match="Unexpected token"):
        frontend.build(settings)
    assert not frontend.is_fresh(settings)
