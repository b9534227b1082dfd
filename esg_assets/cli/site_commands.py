"""`esg-assets site build|serve`: the readers' pages."""

import contextlib
import signal
import threading
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from esg_assets.cli.answers import Answer, Output
from esg_assets.cli.commands import Commands
from esg_assets.core.errors import EsgError, SettingsWrong
from esg_assets.core.page_places import INDEX, report_file

if TYPE_CHECKING:
    from esg_assets.settings import Settings

PORT = 8087
_PORT = typer.Option(min=0, max=65535, help="Where to listen on this machine alone; 0 for a free port.")


def register(commands: Commands) -> None:
    """Add the commands."""
    commands.add("site build", build)
    commands.add("site serve", serve)


def build() -> Answer:
    """Write every page that is out of date, and the lists and trends, to ESG_SITE_FOLDER."""
    settings = _settings("site build")
    from esg_assets.site_process import build as build_site  # noqa: PLC0415 - slow to import

    built = build_site(settings, None)
    if built["latest"] is None:
        lines = ["Nothing is published yet: there is no page to make."]
    else:
        lines = [
            f"{_counted(built['pages'], 'page')} written; {_counted(built['reports'], 'report')}.",
            f"{_index(settings).as_uri()}",
        ]
    return Answer({"path": built["path"], "pages": built["pages"]}, lines)


def serve(out: Output, port: Annotated[int, _PORT] = PORT) -> None:
    """Show the pages on this machine's loopback until it is interrupted; makes none."""
    from esg_assets.site.serving import server as server_of  # noqa: PLC0415 - only here

    settings = _settings("site serve")
    index = _index(settings)
    if not index.is_file():
        raise EsgError(f"Showing the pages: {index} is not there. `esg-assets site build` makes it.")

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: stop.set())
    try:
        server = server_of(index.parent, port)
    except OSError as error:
        raise EsgError(
            f"Showing the pages on port {port} failed ({error.strerror}). Give another --port."
        ) from None
    url = f"http://127.0.0.1:{server.server_address[1]}/"
    out.answer(Answer({"url": url}, [f"The pages are at {url}. Ctrl-C ends it."]))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt):  # the way to end it
        stop.wait()
    server.shutdown()
    server.server_close()


def after_run(settings: "Settings") -> list[str]:
    """Bring the pages up to date after a run; one line for people. No fault of pages is one of the run."""
    from esg_assets.site_upkeep import bring_up_to_date, is_kept  # noqa: PLC0415 - slow to import

    if not is_kept(settings):
        return []
    try:
        built = bring_up_to_date()
    except EsgError as error:
        return [str(error)]
    latest = built["latest"]
    return (
        [] if latest is None else [f"Page: {Path(built['path']) / report_file(date.fromisoformat(latest))}"]
    )


def _counted(number: object, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _index(settings: "Settings") -> Path:
    return Path(settings.site_folder) / INDEX


def _settings(command: str) -> "Settings":
    from esg_assets.settings import dagster_home, load_settings  # noqa: PLC0415 - pydantic is slow to import
    from esg_assets.site_upkeep import is_kept  # noqa: PLC0415 - as above

    dagster_home()
    settings = load_settings(command)
    if not is_kept(settings):
        raise SettingsWrong("ESG_SITE_FOLDER holds none: no pages are kept. Give a folder for them.")
    return settings
