"""`esg-assets`: exit statuses, JSON and nothing else, errors without tracebacks, help on everything."""

import io
import json
import os
import sys
from pathlib import Path

import pytest

from esg_assets.cli import main as cli
from esg_assets.cli.answers import Answer, Output, Rows
from esg_assets.cli.commands import Commands
from esg_assets.cli.reference import commands
from esg_assets.core.errors import EsgError, ReportBlocked, SettingsWrong, StoreUnavailable

COMMANDS = sorted(name for name, _ in commands())
SECRET = "s3cr3t-w0rd"

EXPECTED = {
    "demo",
    "dev",
    "run",
    "backfill",
    "status",
    "report list",
    "report decrypt",
    "report verify",
    "report failures",
    "report reproduce",
    "report account",
    "report diff",
    "report archive",
    "report reseal",
    "report hold",
    "report release",
    "report expire",
    "report accept-restore",
    "report verifier",
    "keys generate",
    "keys public",
    "keys rotate",
    "simulate",
    "settings",
    "doctor",
    "alerts flush",
    "alerts test",
    "alerts drill",
    "history prune",
    "metrics serve",
    "metrics push",
    "site build",
    "site serve",
}
"""Of the contract's commands, those that exist so far; each is whole: one that comes is added here."""


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty working folder and no settings."""
    monkeypatch.chdir(tmp_path)
    for name in [*os.environ]:
        if name.startswith("ESG_") or name in {"DAGSTER_HOME", "OTEL_EXPORTER_OTLP_ENDPOINT"}:
            monkeypatch.delenv(name)


def test_the_contracts_commands_exist_and_none_that_does_nothing() -> None:
    assert set(COMMANDS) == EXPECTED


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_json_and_traceback(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([*name.split(), "--help"]) == 0

    shown = capsys.readouterr().out
    assert f"Usage: esg-assets {name}" in shown
    assert "--json" in shown
    assert "--traceback" in shown


@pytest.mark.parametrize(
    "arguments",
    [["nope"], ["settings", "--nope"], ["settings", "too", "many"], ["keys"], ["keys", "generate"], []],
)
def test_wrong_usage_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(arguments) == 2

    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Usage: esg-assets" in captured.err
    assert "Traceback" not in captured.err


def test_wrong_usage_is_told_in_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["settings", "--json", "--nope"]) == 2

    captured = capsys.readouterr()
    assert json.loads(captured.out) == {"error": "No such option: --nope", "kind": "Usage"}
    assert captured.err == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["report", "list", "--date", SECRET],
        ["report", "list", "--as-of", SECRET],
        ["report", "verify", SECRET],
        ["report", "decrypt", "--date", "2026-01-15", "--key", "k", "--out", "o", "--version", SECRET],
        ["run", "--refresh", SECRET],
        ["run", "--refresh", f"{SECRET} is not one of 'them'"],
    ],
)
def test_what_stood_in_the_place_of_a_value_is_not_repeated(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(arguments) == 2

    captured = capsys.readouterr()
    assert SECRET not in captured.out + captured.err
    if "--refresh" in arguments:
        assert "wanted is one of 'missing', 'failed', 'all'." in captured.err


class Room:
    """A module of commands that end in every way there is."""

    @staticmethod
    def register(commands: Commands) -> None:
        """Add them."""
        commands.add("good", Room.good)
        commands.add("noisy", Room.noisy)
        for error in (
            SettingsWrong("ESG_X holds y"),
            ReportBlocked("blocked"),
            StoreUnavailable("full"),
            KeyError(SECRET),
            KeyboardInterrupt(),
        ):
            commands.add(type(error).__name__, Room.raising(error))

    @staticmethod
    def good() -> Answer:
        """Be good."""
        return Answer(
            {"good": True, "text": "ä"}, ["fine", Rows(("a", "bb"), [("1", "2"), ("333", "4")])], status=1
        )

    @staticmethod
    def noisy() -> Answer:
        """Print where it should not."""
        print("noise")  # noqa: T201 - as a library might
        return Answer({"quiet": True})

    @staticmethod
    def raising(error: BaseException):  # type: ignore[no-untyped-def]  # noqa: ANN205 - a command of no use but here
        """A command that raises."""

        def command() -> Answer:
            """Raise."""
            raise error

        return command


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Room's commands instead of the real ones."""
    monkeypatch.setitem(sys.modules, "esg_assets_tests_room", Room)
    monkeypatch.setattr(cli, "ROOMS", ("esg_assets_tests_room",))


@pytest.mark.usefixtures("room")
class TestEndings:
    """How commands end."""

    def test_an_answer_is_plain_text_without_a_terminal(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.run(["good"]) == 1
        assert capsys.readouterr().out == "fine\na    bb\n1    2\n333  4\n"

    def test_an_answer_in_json_is_one_object(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.run(["good", "--json"]) == 1
        assert capsys.readouterr().out == '{"good": true, "text": "ä"}\n'

    def test_what_libraries_print_stays_out_of_the_json(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.run(["noisy", "--json"]) == 0
        captured = capsys.readouterr()
        assert json.loads(captured.out) == {"quiet": True}
        assert captured.err == "noise\n"

    @pytest.mark.parametrize(
        ("kind", "status", "text"),
        [
            ("SettingsWrong", 2, "ESG_X holds y"),
            ("ReportBlocked", 1, "blocked"),
            ("StoreUnavailable", 1, "full"),
            ("KeyboardInterrupt", 130, "Interrupted."),
        ],
    )
    def test_an_error_is_its_message_and_a_status(
        self, kind: str, status: int, text: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert cli.run([kind]) == status
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err == f"{text}\n"

        assert cli.run([kind, "--json"]) == status
        captured = capsys.readouterr()
        told = json.loads(captured.out)
        assert told["error"] == text
        assert told["kind"] == kind.replace("KeyboardInterrupt", "Interrupted")
        assert captured.err == ""

    def test_an_unexpected_error_is_one_line_without_its_text(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert cli.run(["KeyError"]) == 1
        told = capsys.readouterr().err
        assert told.startswith(
            "Stopped by an unexpected KeyError at esg_assets_tests/e2e/test_cli_framework.py:"
        )
        assert "--traceback" in told
        assert told.count("\n") == 1
        assert SECRET not in told

    def test_traceback_shows_the_way_to_an_error_and_not_its_text(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert cli.run(["KeyError", "--traceback"]) == 1
        told = capsys.readouterr().err
        assert "Traceback (most recent call last)" in told
        assert "  esg_assets_tests/e2e/test_cli_framework.py:" in told
        assert SECRET not in told

    def test_flags_behind_two_dashes_are_none(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.run(["good", "--", "--json"]) == 2
        assert capsys.readouterr().out == ""


def test_a_terminal_gets_tables() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()

    Output(terminal, io.StringIO(), as_json=False).answer(
        Answer({}, ["[bold]text", Rows(("a", "b"), [("[red]x", "y")])])
    )

    shown = terminal.getvalue()
    assert "[bold]text" in shown, "our texts are no markup"
    assert "[red]x" in shown
    assert "━" in shown


def test_every_error_of_ours_has_a_status() -> None:
    assert (
        cli._told(EsgError("x"), Output(io.StringIO(), io.StringIO(), as_json=False), show_traceback=False)
        == 1
    )
