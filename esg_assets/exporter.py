"""The metrics for Prometheus: read from the history, the alerts and Dagster's instance at each scrape.

Metrics that a run pushes are lost with the run that crashes. These are read from what is kept anyway,
so they outlive runs, daemon and exporter, and nothing is written. What each metric means is
`esg_assets.core.metrics.catalogue`.

Each source is read in a thread of its own and has a few seconds: a locked database costs its metrics,
never the scrape. How metrics are pushed is `esg_assets.adapters.metrics_gateway`.
"""

import logging
import platform
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

import esg_assets
from esg_assets import composition
from esg_assets.core import exception_words
from esg_assets.core.errors import EsgError
from esg_assets.core.metrics import alerts, reports, runs
from esg_assets.core.metrics.catalogue import METRICS, Sample
from esg_assets.core.ports import History
from esg_assets.instances import opened_instance
from esg_assets.settings import Settings

SECONDS = 5.0
"""What one source may take in a scrape; Prometheus gives a scrape ten by default."""

BUSY_SECONDS = 2.0
LAST_RUN_DAYS = 40
"""Runs that started longer ago are no last run any more."""

Read = Callable[[], Iterable[Sample]]

_log = logging.getLogger(__name__)


class Source:
    """One thing to read, within its time; a reading that hangs is not begun again until it has ended.

    Args:
        name: for the label `source`.
        read: gives its samples.
        seconds: how long one reading may take.
    """

    def __init__(self, name: str, read: Read, seconds: float = SECONDS) -> None:
        self.name = name
        self.errors = 0
        self._read = read
        self._seconds = seconds
        self._thread: threading.Thread | None = None
        self._found: list[Sequence[Sample]] = []
        self._until = 0.0
        self._told = ""

    def begin(self) -> None:
        """Start a reading, unless one is still under way."""
        self._found = []
        self._until = time.monotonic() + self._seconds
        if self._thread is None or not self._thread.is_alive():
            arguments = (self._found,)
            self._thread = threading.Thread(target=self._take, args=arguments, name=self.name, daemon=True)
            self._thread.start()

    def samples(self) -> Sequence[Sample] | None:
        """What the reading that was begun says; None if there is no answer, which counts as an error."""
        if self._thread is not None:
            self._thread.join(max(0.0, self._until - time.monotonic()))
        if not self._found:
            self.errors += 1
            return None
        return self._found[0]

    def _take(self, found: list[Sequence[Sample]]) -> None:
        try:
            found.append(list(self._read()))
        except Exception as error:  # noqa: BLE001 - whatever it is, the scrape goes on without this source
            self._tell(error)
        else:
            self._told = ""

    def _tell(self, error: Exception) -> None:
        """Once for each new fault: a scrape comes every few seconds."""
        own = str(error) if isinstance(error, EsgError) else exception_words.places(error.__traceback__)[-1]
        text = f"{type(error).__name__}: {own}"
        if text != self._told:
            _log.warning("reading metrics of %s: %s", self.name, text)
        self._told = text


@dataclass(frozen=True, eq=False)  # a registry keeps collectors by their identity
class Reading(Collector):
    """What one scrape read.

    Attributes:
        families: every metric that has a value, in the order of the catalogue.
        silent: names of the sources that did not answer.
    """

    families: Sequence[Family]
    silent: tuple[str, ...] = ()

    def collect(self) -> Iterable[Family]:
        """The same again."""
        return self.families


class Exporter(Collector):
    """All metrics, read anew whenever prometheus_client collects them.

    Args:
        environment: ESG_ENV, a label of every metric.
        sources: where samples come from.
    """

    def __init__(self, environment: str, sources: Sequence[Source]) -> None:
        self._environment = environment
        self._sources = sources
        self._alone = threading.Lock()

    def collect(self) -> Iterable[Family]:
        """Every metric that has a value now."""
        return self.read().families

    def read(self) -> Reading:
        """Read every source, at the same time."""
        with self._alone:
            for source in self._sources:
                source.begin()
            answers = [(source, source.samples()) for source in self._sources]
        silent = tuple(source.name for source, samples in answers if samples is None)
        found = [*_of_itself(answers), *(sample for _, samples in answers for sample in samples or ())]
        return Reading(self._families(found), silent)

    def _families(self, found: Sequence[Sample]) -> Sequence[Family]:
        families: dict[str, Family] = {}
        order = list(METRICS)
        for sample in sorted(found, key=lambda sample: order.index(sample.name)):
            metric = METRICS[sample.name]
            make = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
            labels = ("env", *metric.labels)
            family = families.setdefault(metric.name, make(metric.name, metric.meaning, labels=labels))
            values = [self._environment, *(sample.labels[name] for name in metric.labels)]
            family.add_metric(values, float(sample.value))  # type: ignore[attr-defined]  # the base has none
        return list(families.values())


def _of_itself(answers: Sequence[tuple[Source, Sequence[Sample] | None]]) -> Iterator[Sample]:
    python = platform.python_version()
    versions = {"version": esg_assets.__version__, "dagster": dg.__version__, "python": python}
    yield Sample("esg_build_info", 1, versions)
    yield Sample("esg_up", all(samples is not None for _, samples in answers))
    for source, samples in answers:
        of = {"source": source.name}
        yield Sample("esg_source_up", samples is not None, of)
        yield Sample("esg_scrape_errors_total", source.errors, of)


@contextmanager
def exporter(settings: Settings) -> Iterator[Exporter]:
    """The metrics of this installation; Dagster's instance is opened when it is first read."""
    from esg_assets.dagster_metrics import dagster_samples  # noqa: PLC0415 - slow to import, and only here

    def of_history() -> Iterator[Sample]:
        return history_samples(composition.history_to_read(settings, BUSY_SECONDS), settings, utc_now())

    def of_alerts() -> Iterator[Sample]:
        outbox, now = composition.outbox_to_read(settings, BUSY_SECONDS), utc_now()
        return alerts.alerts(outbox.waiting(now), outbox.open_incidents(), now)

    with ExitStack() as stack:
        opened: list[dg.DagsterInstance] = []

        def of_dagster() -> Iterator[Sample]:
            if not opened:
                opened.append(stack.enter_context(opened_instance(composition.leases(settings))))
            return dagster_samples(opened[0])

        sources = [Source("history", of_history), Source("alerts", of_alerts), Source("dagster", of_dagster)]
        yield Exporter(settings.env, sources)


def registry_of(collector: Collector) -> CollectorRegistry:
    """A registry with these metrics and nothing else, such as of the exporter's own process."""
    made = CollectorRegistry(auto_describe=False)
    made.register(collector)
    return made


def history_samples(history: History, settings: Settings, now: datetime) -> Iterator[Sample]:
    """What the history and the settings say at that time."""
    totals = history.run_totals()
    first = history.first_publication_date()
    timetable = reports.Timetable(settings.report_deadline, settings.first_date, settings.catchup_days)
    due = timetable.due(now, first, tried=bool(totals.runs))
    published = history.published_dates(due[0]) if due else []
    newest = history.latest_before(now.date() + timedelta(days=2))
    yield from reports.punctuality(due, published, newest, settings.report_deadline, now)
    yield from reports.kept(first, settings.retention_years)
    limits = {"warn": settings.failure_rate_warn, "error": settings.failure_rate_error}
    for level, limit in {**limits, "block": settings.failure_rate_block}.items():
        yield Sample("esg_failure_ratio_limit", limit, {"level": level})
    if newest is not None:
        yield from reports.newest(newest)
    yield from runs.totals(totals)
    if (last := runs.last_of(history.runs_since(now - timedelta(days=LAST_RUN_DAYS)))) is not None:
        yield from runs.last(last)


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)
