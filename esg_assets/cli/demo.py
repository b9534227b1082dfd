"""`esg-assets demo` and `dev`: everything embedded, so that a newcomer sees a report within a minute."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from esg_assets.cli.answers import Answer
from esg_assets.cli.commands import Commands
from esg_assets.cli.demo_home import DemoHome, simulators
from esg_assets.cli.options import OptionalDay, day_of
from esg_assets.core.central_time import central_date
from esg_assets.core.errors import EsgError

if TYPE_CHECKING:
    from esg_assets.run_results import RunResult

_ACCOUNTS = typer.Option("--accounts", metavar="N", min=1, help="How many accounts to make up.")
_PORT = typer.Option("--port", metavar="P", help="Port of the Dagster UI, on loopback.")
DEFAULT_ACCOUNTS = 1_000


def register(commands: Commands) -> None:
    """Add the commands."""
    commands.add("demo", demo)
    commands.add("dev", dev)


def demo(accounts: Annotated[int | None, _ACCOUNTS] = None, day: OptionalDay = None) -> Answer:
    """Simulators, demo keys and one report, all in ./.demo; says where the report is and how to open it."""
    from esg_assets.cli.runs import run_dates, shown  # noqa: PLC0415 - slow to import
    from esg_assets.cli.site_commands import after_run  # noqa: PLC0415 - as above
    from esg_assets.settings import load_settings  # noqa: PLC0415
    from esg_assets.simulators.server import SimulatorServer  # noqa: PLC0415

    home = DemoHome()
    home.prepare()
    chosen = day_of(day) or central_date(datetime.now(UTC))
    with SimulatorServer(simulators(accounts or DEFAULT_ACCOUNTS)) as server:
        home.take_over(server.url)
        settings = load_settings("run", dotenv=None)
        # Another number of accounts is another book, so the kept snapshot would not do.
        switches: dict[str, dict[str, object]] = {
            "active_accounts": {"refresh_snapshot": accounts is not None, "current_accounts": False},
            "esg_ratings": {"refresh": "failed"},
        }
        result = run_dates(settings, [chosen], switches, "")[0]
    lines = [*shown(result), *([*after_run(settings), *_where(home, result)] if result.ok else [])]
    return Answer({**result.as_json(), "home": str(home.path)}, lines, 0 if result.ok else 1)


def dev(accounts: Annotated[int | None, _ACCOUNTS] = None, port: Annotated[int, _PORT] = 3000) -> None:
    """Simulators and the Dagster UI on the demo's settings, until it is interrupted; history is kept."""
    from esg_assets.simulators.server import SimulatorServer  # noqa: PLC0415 - slow to import

    home = DemoHome()
    home.prepare()
    with SimulatorServer(simulators(accounts or DEFAULT_ACCOUNTS)) as server:
        home.take_over(server.url)
        sys.stderr.write(
            f"Simulators on {server.url}; Dagster UI on http://127.0.0.1:{port} in some seconds. Materialize "
            "today's partition of all assets there. Ctrl-C ends both.\n"
        )
        # A shell that starts us in the background ignores SIGINT, and dagster would inherit that for good.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        child = subprocess.Popen(  # noqa: S603  # our own interpreter's dagster
            [_program("dagster"), "dev", "-w", str(_workspace()), "-h", "127.0.0.1", "-p", str(port)]
        )
        signal.signal(signal.SIGTERM, lambda *_: child.send_signal(signal.SIGINT))
        try:
            status = child.wait()
        except KeyboardInterrupt:  # the child got it too
            status = child.wait()
        if status not in {0, -signal.SIGINT, 130}:
            raise EsgError(f"dagster dev ended with status {status}; its messages are above.")


def _where(home: DemoHome, result: "RunResult") -> list[str]:
    """Where the report is and the command that opens it, ready to be pasted."""
    out = f"esg_report_{result.day}.csv"
    command = [
        _shown_program(),
        "report",
        "decrypt",
        "--date",
        str(result.day),
        "--key",
        _near(home.key("recipient.pem")),
        "--keyring",
        _near(home.key("signing.pub.pem")),
        "--out",
        out,
    ]
    return [
        "",
        f"The sealed report and its chain are in {_near(home.dagster_home / 'store')}. This opens it:",
        f"  DAGSTER_HOME=$PWD/{_near(home.dagster_home)} {shlex.join(command)}",
        f"To look around with other commands, such as `report list`: set -a; . {_near(home.file)}; set +a",
    ]


def _near(path: Path) -> str:
    """As seen from the working folder."""
    return os.path.relpath(path)


def _program(name: str) -> str:
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.is_file() else name


def _shown_program() -> str:
    """What a reader can type: the plain name if it is on his PATH."""
    return "esg-assets" if shutil.which("esg-assets") else _near(Path(_program("esg-assets")))


def _workspace() -> Path:
    found = Path("workspace.yaml")
    return found if found.is_file() else Path(__file__).resolve().parents[2] / "workspace.yaml"
