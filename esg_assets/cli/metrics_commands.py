"""`esg-assets metrics serve|push`: the metrics for Prometheus (`esg_assets.exporter`)."""

import contextlib
import signal
import threading
from typing import TYPE_CHECKING, Annotated

import typer

from esg_assets.cli.answers import Answer, Output
from esg_assets.cli.commands import Commands
from esg_assets.core.errors import EsgError

if TYPE_CHECKING:
    from esg_assets.settings import Settings

PORT = 9108
"""Free among Prometheus' default port allocations."""

_PORT = typer.Option(min=0, max=65535, help="Where to listen; 0 for a free port.")
_BIND = typer.Option(help="Address to listen on. Whoever reaches it can read every metric.")


def register(commands: Commands) -> None:
    """Add the commands."""
    commands.add("metrics serve", serve)
    commands.add("metrics push", push)


def serve(out: Output, port: Annotated[int, _PORT] = PORT, bind: Annotated[str, _BIND] = "127.0.0.1") -> None:
    """Serve /metrics to Prometheus until it is interrupted; reads the history, alerts and Dagster."""
    from prometheus_client import start_http_server  # noqa: PLC0415 - slow to import

    from esg_assets.exporter import exporter, registry_of  # noqa: PLC0415

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: stop.set())
    with exporter(_settings("metrics serve")) as collector:
        try:
            server, _thread = start_http_server(port, bind, registry_of(collector))
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "not an address of this machine"
            raise EsgError(
                f"Serving metrics on {bind}:{port} failed ({why}). Give another --port or --bind."
            ) from None
        host, listening = server.server_address[:2]
        url = f"http://{_shown(str(host))}:{listening}/metrics"
        out.answer(Answer({"url": url}, [f"Metrics are at {url}. Ctrl-C ends it."]))
        with contextlib.suppress(KeyboardInterrupt):  # the way to end it
            stop.wait()
        server.shutdown()
        server.server_close()


def push() -> Answer:
    """Push every metric once to the gateway of ESG_METRICS_PUSH_URL, for cron; exit 1 if any is missing."""
    from esg_assets.adapters import metrics_gateway  # noqa: PLC0415 - slow to import
    from esg_assets.exporter import exporter, registry_of  # noqa: PLC0415

    settings = _settings("metrics push")
    assert settings.metrics_push_url is not None
    with exporter(settings) as collector:
        reading = collector.read()
    metrics_gateway.push(
        settings.metrics_push_url.get_secret_value(),
        registry_of(reading),
        settings.env,
        # Of a source that does not answer, the gateway keeps what it said last; `esg_source_up` tells.
        replace=not reading.silent,
        ca=settings.alert_ca_bundle,
    )
    silent = list(reading.silent)
    lines = [f"Pushed, without those of: {', '.join(silent)}." if silent else "Every metric was pushed."]
    return Answer({"pushed": True, "silent": silent}, lines, 1 if silent else 0)


def _settings(command: str) -> "Settings":
    from esg_assets.settings import dagster_home, load_settings  # noqa: PLC0415 - pydantic is slow to import

    dagster_home()
    return load_settings(command)


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
