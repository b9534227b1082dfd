"""Where this process's log lines go: JSON on standard output, words and a bar on a terminal, OTLP besides.

One output for the process, whoever logs: Dagster's runs (`python_logs` in dagster.yaml names
`LineHandler`), the command line, the code server. How a line is made is `adapters.log_lines`, how it is
shown to people `run_logger`, which is the right stream `log_place`.
"""

import atexit
import contextlib
import logging
import socket
import sys
import threading
import warnings
from typing import TYPE_CHECKING

import dagster as dg

from esg_assets import __version__, log_place, run_events
from esg_assets.adapters.log_lines import Line, LineMaker
from esg_assets.adapters.logs import LineFormatter
from esg_assets.core.otlp_headers import headers_of
from esg_assets.core.pseudonyms import Pseudonyms
from esg_assets.log_place import Place
from esg_assets.run_logger import ForPeople
from esg_assets.settings.known_secrets import known, remember

if TYPE_CHECKING:
    from esg_assets.adapters.otlp_logs import OtlpLogs
    from esg_assets.settings import Settings

FLUSH_AT_THE_END_SECONDS = 3.0
"""The end of a process waits so long for the collector; SIGTERM allows five seconds for everything."""

_OTLP_THREAD = "otlp-logs"


class Output:
    """The lines of one process."""

    def __init__(self) -> None:
        self.place = log_place.chosen()
        """Unless settings say otherwise."""
        self._maker = LineMaker(known)
        self._otlp: OtlpLogs | None = None
        self._endpoint = ""
        self._people: ForPeople | None = None
        self._writing = threading.RLock()
        self._last = threading.local()
        self._began: dict[str, float] = {}

    def begin(self, settings: "Settings") -> None:
        """Take what settings say: environment, pseudonyms, style, collector. Again, if they change."""
        key = settings.pseudonym_key
        self._maker = LineMaker(
            known, settings.env, Pseudonyms("" if key is None else key.get_secret_value())
        )
        if settings.log_format != "auto":
            self.place = Place(settings.log_format, self.place.stream)
        # Decided once, and now: within a step Dagster leads both streams into files.
        self._people = (self._people or ForPeople()) if self.place.for_people else None
        self._begin_otlp(settings)

    def write(self, record: logging.LogRecord) -> None:
        """Write a record, unless it is one that nobody is told, or was written already."""
        if record.threadName == _OTLP_THREAD or self._written(record):
            return
        event = run_events.event_of(record)
        if event is None:
            if record.levelno < logging.INFO or _is_dagsters_own(record):
                return
            told = run_events.where(record)
            if message := getattr(record, "dagster_meta", {}).get("orig_message"):
                told["message"] = message
        else:
            fields = run_events.fields_of(event)
            if fields is None:
                return
            told = run_events.where(record) | fields | self._lasted(record, fields)
        line = self._maker.line(record, told)
        if self._people is None:
            self._write(line)
        elif event is None:
            self._people.show(record, line)
        if self._otlp is not None:
            self._otlp.send(line)

    def flush(self, seconds: float) -> None:
        """Send what the collector has not got yet; at most so long."""
        if self._otlp is not None:
            self._otlp.flush(seconds)

    def end(self) -> None:
        """Flush, and let the collector go."""
        otlp, self._otlp, self._endpoint = self._otlp, None, ""
        if otlp is not None:
            otlp.close(FLUSH_AT_THE_END_SECONDS)

    def _lasted(self, record: logging.LogRecord, fields: run_events.Fields) -> run_events.Fields:
        """Seconds from a run's start to its end, where both were seen here."""
        run_id = str(run_events.where(record).get("run_id"))
        if fields["event"] == "run started":
            self._began[run_id] = record.created
        elif fields["event"] in run_events.ENDS and run_id in self._began:
            return {"seconds": round(record.created - self._began.pop(run_id), 3)}
        return {}

    def _written(self, record: logging.LogRecord) -> bool:
        """Dagster hands one message to each handler and each logger, one after the other, in one thread."""
        message_id = getattr(record, "dagster_meta", {}).get("log_message_id")
        if message_id is None:
            return False
        before = getattr(self._last, "id", None)
        self._last.id = message_id
        return bool(before == message_id)

    def _write(self, line: Line) -> None:
        file = self.place.file
        if file is None:  # a daemon may have none
            return
        text = self._maker.json(line)
        # A reader that has left, or a full disk, must not end a run; the collector still gets the line.
        with self._writing, contextlib.suppress(OSError, ValueError):
            file.write(f"{text}\n")
            file.flush()

    def _begin_otlp(self, settings: "Settings") -> None:
        endpoint = settings.otel_exporter_otlp_endpoint or ""
        if endpoint == self._endpoint:
            return
        self.end()
        if not endpoint:
            return
        from esg_assets.adapters.otlp_logs import OtlpLogs  # noqa: PLC0415 - slow to import
        from esg_assets.adapters.verified_tls import client_context, verified_session  # noqa: PLC0415

        given = settings.otel_exporter_otlp_headers
        headers = {} if given is None else headers_of(given.get_secret_value())
        remember(headers.values())
        self._endpoint = endpoint
        self._otlp = OtlpLogs(
            endpoint,
            verified_session(client_context("ESG_ALERT", settings.alert_ca_bundle)),
            headers=headers,
            resource={
                "service.name": "esg_assets",
                "service.version": __version__,
                "deployment.environment.name": settings.env,
                "host.name": socket.gethostname(),
            },
            say=self._say_of_otlp,
        )
        atexit.register(self.end)

    def _say_of_otlp(self, text: str) -> None:
        """A line about the collector, for everybody but the collector."""
        record = logging.makeLogRecord(
            {"name": "esg_assets.log_output", "msg": text, "levelname": "WARNING", "levelno": logging.WARNING}
        )
        line = self._maker.line(record)
        if self._people is None:
            self._write(line)
        else:
            self._people.show(record, line)


OUTPUT = Output()
"""Of this process."""


class LineHandler(logging.Handler):
    """Gives records to OUTPUT. Dagster makes one for each run, and closes all handlers it finds."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record."""
        try:
            OUTPUT.write(record)
        except Exception as error:  # noqa: BLE001 - logging must not end what it tells of
            sys.stderr.write(f"A log line could not be written ({type(error).__name__}).\n")


@dg.logger(
    config_schema={"log_level": dg.Field(str, default_value="DEBUG")},
    description="The lines of this process: JSON for machines, words and a bar for people.",
)
def console_lines(context: dg.InitLoggerContext) -> logging.Logger:
    """The logger of every run from the command line; DEBUG, as most events of Dagster have that level."""
    level = str(context.logger_config["log_level"])
    logger = logging.Logger("esg_assets", level=level)  # noqa: LOG001  # a global one would keep its handlers
    logger.addHandler(LineHandler())
    return logger


class _OfThisProcess(logging.Filter):
    """Ours from INFO on, libraries' from WARNING on; Dagster has its own handlers in its processes."""

    def filter(self, record: logging.LogRecord) -> bool:
        family = record.name.partition(".")[0]
        if family == "esg_assets":
            return True
        return family != "dagster" and record.levelno >= logging.WARNING


def begin(settings: "Settings") -> None:
    """Write the lines of this process as settings say, whoever logs; once is enough, again is harmless."""
    OUTPUT.begin(settings)
    # Of `python_logs` in dagster.yaml, at each run; the family is pinned to the patch for it.
    warnings.filterwarnings("ignore", category=dg.BetaWarning, message=".*yaml-defined logging.*")
    root = logging.getLogger()
    for handler in root.handlers[:]:
        if isinstance(handler.formatter, LineFormatter):  # the command line's, until lines were written here
            root.removeHandler(handler)
    if not any(isinstance(handler, LineHandler) for handler in root.handlers):
        lines = LineHandler()
        lines.addFilter(_OfThisProcess())
        root.addHandler(lines)
    ours = logging.getLogger("esg_assets")
    if ours.level == logging.NOTSET:
        ours.setLevel(logging.INFO)


def end() -> None:
    """Write no lines of this process any more, but those of runs."""
    OUTPUT.end()
    root = logging.getLogger()
    for handler in root.handlers[:]:
        if isinstance(handler, LineHandler):
            root.removeHandler(handler)


def _is_dagsters_own(record: logging.LogRecord) -> bool:
    told = getattr(record, "dagster_meta", {})
    return str(told.get("orig_message", "")).startswith("Dependencies for step ")
