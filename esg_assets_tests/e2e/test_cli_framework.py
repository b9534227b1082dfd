"""`esg-assets`: exit statuses, JSON and nothing else, errors without tracebacks, help on everything."""

import io
import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from esg_assets.cli import main as cli
from esg_assets.cli.answers import Answer, Output, Rows
from esg_assets.cli.commands import Commands
from esg_assets.cli.reference import commands
from esg_assets.core.errors import EsgError, ReportBlocked, SettingsWrong, StoreUnavailable

SCRIPT = str(Path(sys.executable).with_name("esg-assets"))
COMMANDS = sorted(name for name, _ in commands())
SECRET = "s3cr3t-w0rd"

EXPECTED = {
    "report list",
    "report decrypt",
    "report verify",
    "report failures",
    "keys generate",
    "simulate",
    "settings",
    "doctor",
}
"""Of the contract's commands, those that exist so far; each is whole."""


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
        assert told.startswith("Stopped by an unexpected KeyError in test_cli_framework.py:")
        assert "--traceback" in told
        assert told.count("\n") == 1
        assert SECRET not in told

    def test_traceback_shows_all_of_it(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.run(["KeyError", "--traceback"]) == 1
        assert "Traceback (most recent call last)" in capsys.readouterr().err

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


class TestScript:
    """The installed console script."""

    def _run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [SCRIPT, *arguments],
            env={"PATH": os.environ["PATH"], **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def test_help_is_quick_because_nothing_slow_is_imported(self) -> None:
        program = (
            "import sys; from esg_assets.cli.main import run; run(['--help']);"
            "slow = {'dagster', 'pyarrow', 'cryptography', 'sqlalchemy', 'requests', 'boto3', 'pydantic'};"
            "print('SLOW', sorted(slow & set(sys.modules)))"
        )

        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

        assert done.stdout.splitlines()[-1] == "SLOW []"

    def test_settings_in_json_from_the_environment(self) -> None:
        done = self._run("settings", "--json", ESG_API_KEY=SECRET, ESG_API_RATE_LIMIT="9")

        assert done.returncode == 0
        assert done.stderr == ""
        told = json.loads(done.stdout)
        values = {item["name"]: (item["value"], item["source"]) for item in told["settings"]}
        assert values["ESG_API_KEY"] == ("********", "environment")
        assert values["ESG_API_RATE_LIMIT"] == ("9", "environment")
        assert values["ESG_API_BURST"] == ("1", "default")
        assert SECRET not in done.stdout

    def test_a_wrong_setting_ends_with_2(self) -> None:
        done = self._run("settings", ESG_API_RATE_LIMIT="0")

        assert done.returncode == 2
        assert "ESG_API_RATE_LIMIT holds '0'" in done.stdout

    def test_the_version_is_told(self) -> None:
        assert self._run("--version").stdout.startswith("esg-assets 0.")

    def test_a_reader_who_leaves_early_causes_no_traceback(self) -> None:
        done = subprocess.run(
            ["bash", "-c", f"'{SCRIPT}' settings | head -1"],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )

        assert "Traceback" not in done.stderr

    def test_keys_are_generated_and_never_overwritten(self, tmp_path: Path) -> None:
        done = self._run("keys", "generate", str(tmp_path / "keys"), "--json")

        names = ["working.key", "signing.pem", "signing.pub.pem", "recipient.pem", "recipient.pub.pem"]
        assert done.returncode == 0
        assert json.loads(done.stdout) == {"files": [f"{tmp_path}/keys/{name}" for name in names]}
        before = {file.name: file.read_bytes() for file in (tmp_path / "keys").iterdir()}

        again = self._run("keys", "generate", str(tmp_path / "keys"), "--only", "host")

        assert again.returncode == 1
        assert "never overwritten" in again.stderr
        assert {file.name: file.read_bytes() for file in (tmp_path / "keys").iterdir()} == before

    @pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
    def test_simulate_says_where_it_is_and_ends_well(self, end: signal.Signals) -> None:
        process = subprocess.Popen(
            [SCRIPT, "simulate", "--accounts", "3", "--auth", "none", "--json"],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        with process:
            told = json.loads(process.stdout.readline())
            with urllib.request.urlopen(f"{told['url']}/v1/accounts", timeout=10) as answer:
                assert answer.status == 200
            process.send_signal(end)
            assert process.stdout.read() == ""
            assert process.wait(10) == 0

    def test_simulate_refuses_what_it_cannot_do(self) -> None:
        wrong = self._run("simulate", "--rate", "-1")
        assert wrong.returncode == 2
        assert "--rate: -1.0 is below 0" in wrong.stderr

        missing = self._run("simulate", "--accounts-file", "/not/there.csv", "--json")
        assert missing.returncode == 2
        assert json.loads(missing.stdout)["kind"] == "Usage"
