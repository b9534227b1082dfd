"""The three nights, made once, and a copy of them for each test."""

import io
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from esg_assets.cli import main as cli
from esg_assets_tests.past_reports import nights as made
from esg_assets_tests.past_reports.nights import Nights


@pytest.fixture(scope="session")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Nights:
    """What the pipeline left; tests take `home`."""
    return made.build(tmp_path_factory.mktemp("nights"))


@pytest.fixture
def home(nights: Nights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it that the environment leads to; the working folder is empty."""
    for name in [*os.environ]:
        if name.startswith("ESG_"):
            monkeypatch.delenv(name)
    for name, value in made.environment(nights, tmp_path / "home").items():
        monkeypatch.setenv(name, value)
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    return tmp_path / "home"


@pytest.fixture
def key(nights: Nights) -> list[str]:
    """The recipient's key, as an option."""
    return ["--key", f"{nights.home}/keys/demo-recipient.pem"]


Told = Callable[..., dict[str, Any]]


@pytest.fixture
def told(
    home: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> Told:
    """What `report …` answers with --json and this exit status; it must log nothing and write no file."""

    def ask(*arguments: str, status: int = 0, stdin: str = "") -> dict[str, Any]:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        capsys.readouterr()
        caplog.clear()
        assert cli.run(["report", *arguments, "--json"]) == status
        captured = capsys.readouterr()
        assert (captured.err, caplog.text) == ("", "")
        assert list(Path.cwd().iterdir()) == []
        found: dict[str, Any] = json.loads(captured.out)
        return found

    return ask


Shown = Callable[..., Sequence[str]]


@pytest.fixture
def shown(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shown:
    """The lines that people see of `report …`: of standard output, or of its error."""

    def ask(*arguments: str, status: int = 0, stdin: str = "") -> Sequence[str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        capsys.readouterr()
        assert cli.run(["report", *arguments]) == status
        captured = capsys.readouterr()
        assert not (captured.out and captured.err)
        return (captured.out or captured.err).splitlines()

    return ask
