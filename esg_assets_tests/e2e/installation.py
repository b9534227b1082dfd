"""One installation seen from outside: its folder, its settings, and its command line in processes of its own.

Nothing of the project is called here but what makes the demo keys: what tests see is what a person at a
terminal sees.
"""

import contextlib
import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from esg_assets.adapters.keys import DEMO_PREFIX, generate
from esg_assets_tests.e2e.warm_start import warm

PROJECT = Path(__file__).resolve().parents[2]
DAY = "2026-01-15"
AS_OF = "2026-01-14"
TIMEOUT = 180.0
"""Seconds after which a command hangs; generous, since two cores are shared by everything that runs."""


def program(name: str) -> str:
    """A console script of the environment that runs the tests."""
    return str(Path(sys.executable).with_name(name))


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    arguments: Sequence[str]
    status: int
    out: str
    err: str


class Started:
    """A process with its output in files, so that no pipe fills up; killed on exit if it still runs."""

    def __init__(self, command: Sequence[str], cwd: Path, environment: dict[str, str]) -> None:
        self.arguments = command[1:]
        self._out: IO[str] = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115  # lives as long as we do
        self._err: IO[str] = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115  # likewise
        # Runners in the background ignore SIGINT, and a child inherits that.
        before = signal.signal(signal.SIGINT, signal.SIG_DFL)
        try:
            self.process = subprocess.Popen(
                command,
                cwd=cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=self._out,
                stderr=self._err,
                start_new_session=True,
            )
        finally:
            signal.signal(signal.SIGINT, before)

    @property
    def pid(self) -> int:
        return self.process.pid

    def said(self) -> tuple[str, str]:
        """Standard output and standard error so far."""
        found = []
        for stream in (self._out, self._err):
            stream.seek(0)
            found.append(stream.read())
        return found[0], found[1]

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self, timeout: float = TIMEOUT) -> Done:
        """Wait for its end."""
        status = self.process.wait(timeout)
        out, err = self.said()
        return Done(self.arguments, status, out, err)

    def close(self) -> None:
        """Kill what still runs of its session."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._out.close()
        self._err.close()


@dataclass
class Installation:
    """Everything of one installation below one folder.

    Attributes:
        home: DAGSTER_HOME, with the project's dagster.yaml, and demo keys in `keys`.
        settings: the ESG_* settings in force.
        ended: every command that was run, in order.
    """

    home: Path
    settings: dict[str, str]
    ended: list[Done] = field(default_factory=list)

    @classmethod
    def new(cls, home: Path, url: str, **settings: str) -> "Installation":
        """Make one for the simulators at `url`, which want no authentication.

        Args:
            home: a folder that is not there yet.
            url: of both APIs.
            settings: further settings, or others.
        """
        home.mkdir(mode=0o700)
        shutil.copy(PROJECT / "dagster.yaml", home)
        generate(home / "keys", prefix=DEMO_PREFIX)
        chosen = {
            "ESG_ACCOUNTS_URL": url,
            "ESG_API_URL": url,
            "ESG_SITE_FOLDER": "none",  # each run would draw pages, for seconds
            "ESG_API_AUTH": "none",
            "ESG_API_RATE_LIMIT": "2000",
            "ESG_API_BURST": "20",
            "ESG_WORKING_KEY": str(home / "keys" / "demo-working.key"),
            "ESG_SIGNING_KEY": str(home / "keys" / "demo-signing.pem"),
            "ESG_REPORT_RECIPIENTS": str(home / "keys" / "demo-recipient.pub.pem"),
        }
        return cls(home, chosen | settings)

    @property
    def environment(self) -> dict[str, str]:
        """What its processes see: nothing of ours but these settings."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        return {**kept, "DAGSTER_HOME": str(self.home), **self.settings}

    def start(self, *arguments: str, **settings: str) -> Started:
        """`esg-assets` with these arguments and further settings; the caller ends it."""
        return Started([program("esg-assets"), *arguments], self.home, {**self.environment, **settings})

    @contextlib.contextmanager
    def started(self, *arguments: str, **settings: str) -> Iterator[Started]:
        """The same, killed on exit if it still runs."""
        process = self.start(*arguments, **settings)
        try:
            yield process
        finally:
            process.close()

    def run(self, *arguments: str, **settings: str) -> Done:
        """Run a command to its end, whatever that is, in a process that began with the libraries loaded."""
        with tempfile.TemporaryDirectory() as folder:
            streams = Path(folder, "out"), Path(folder, "err")
            command, environment = [program("esg-assets"), *arguments], {**self.environment, **settings}
            status = warm().run(command, self.home, environment, streams, TIMEOUT)
            out, err = (path.read_text(encoding="utf-8") for path in streams)
        done = Done(arguments, status, out, err)
        self.ended.append(done)
        assert "Traceback" not in done.out + done.err, done
        return done

    def ask(self, *arguments: str, status: int = 0, **settings: str) -> dict[str, Any]:
        """What a command answers with --json: one object on standard output and nothing else there."""
        done = self.run(*arguments, "--json", **settings)
        assert done.status == status, done
        told = json.loads(done.out)
        assert isinstance(told, dict)
        return told

    def report(self, day: str = DAY, version: int | None = None) -> bytes:
        """The date's decrypted report, by `report decrypt`."""
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder, "report.csv")
            key = str(self.home / "keys" / "demo-recipient.pem")
            wanted = ["--version", str(version)] if version else []
            done = self.run("report", "decrypt", "--date", day, "--key", key, "--out", str(out), *wanted)
            assert done.status == 0, done
            return out.read_bytes()

    def rows(self, day: str = DAY) -> dict[str, dict[str, str]]:
        """Its rows by account id, the formula guard taken off again."""
        return rows_of(self.report(day))


def rows_of(report: bytes) -> dict[str, dict[str, str]]:
    """A report's rows by account id; text cells without the quote in front of formulas."""
    texts = ("account_id", "account_name", "account_type", "base_currency")
    rows = [
        {name: cell.removeprefix("'") if name in texts else cell for name, cell in row.items()}
        for row in csv.DictReader(io.StringIO(report.decode(), newline=""))
    ]
    by_id = {row["account_id"]: row for row in rows}
    assert len(by_id) == len(rows), "an account stands twice"
    return by_id
