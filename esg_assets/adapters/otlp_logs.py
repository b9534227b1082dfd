"""Log lines to an OpenTelemetry collector: OTLP over HTTP (protobuf), in the background.

A run never waits for the collector and never fails by it. Lines wait in a queue of bounded length and
are sent as soon as FLUSH_SECONDS after they were logged, so that little is lost with a process that is
killed; while the collector is away they are kept and tried again, and when the queue is full the
oldest are dropped and counted.

The messages are those of `opentelemetry-proto`. The SDK's exporter is not used: it drops a batch once
the collector has been away for ten seconds, and takes certificates, headers and proxies from a dozen
environment variables.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import requests
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

PATH = "/v1/logs"
FLUSH_SECONDS = 0.5
"""A line is sent this long after it was logged at the latest, if the collector takes what it gets."""

AT_ONCE = 512
"""Lines in one request; at 2,000 characters a field that stays under a collector's usual 4 MiB."""

WAITING = 10_000
"""Lines that are kept while the collector is away: some 10 MB."""

SECONDS_FOR_A_REQUEST = 5.0
LONGEST_PAUSE = 30.0
_TAKEN = 2
"""The hundreds of a status that says so."""

_LATER = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses after which the same lines are sent again; any other refusal is for good."""

_NUMBERS = {"debug": 5, "info": 9, "warning": 13, "error": 17, "critical": 21}

Line = Mapping[str, object]


@dataclass
class Fate:
    """What became of lines: `sent`, `refused` for good, or `dropped` from the full queue."""

    sent: int = 0
    refused: int = 0
    dropped: int = 0


class OtlpLogs:
    """Sends lines to one collector.

    Args:
        endpoint: OTEL_EXPORTER_OTLP_ENDPOINT: the base URL, without `/v1/logs`.
        session: for the requests; closed with this.
        resource: attributes of whoever logs, such as service.name.
        headers: of every request, such as a token.
        say: told once, in our words, when lines cannot be delivered, and once more when they can again.
        flush_seconds: see FLUSH_SECONDS.
        waiting: see WAITING.
    """

    def __init__(
        self,
        endpoint: str,
        session: requests.Session,
        *,
        resource: Mapping[str, str],
        headers: Mapping[str, str],
        say: Callable[[str], None],
        flush_seconds: float = FLUSH_SECONDS,
        waiting: int = WAITING,
    ) -> None:
        self.fate = Fate()
        self._url = endpoint.rstrip("/") + PATH
        self._session = session
        self._headers = {"Content-Type": "application/x-protobuf", **headers}
        self._resource = Resource(attributes=_attributes(resource))
        self._say = say
        self._said = False
        self._flush_seconds = flush_seconds
        self._waiting = waiting
        self._lines: deque[Line] = deque()
        self._changed = threading.Condition()
        self._hurry_until = 0.0
        self._closed = False
        self._under_way = False
        self._thread = threading.Thread(target=self._work, name="otlp-logs", daemon=True)
        self._thread.start()

    def send(self, line: Line) -> None:
        """Take a line (`log_lines.LineMaker.line`); returns at once."""
        with self._changed:
            if len(self._lines) >= self._waiting:
                self._lines.popleft()
                self.fate.dropped += 1
            self._lines.append(line)
            self._changed.notify_all()

    def flush(self, seconds: float) -> bool:
        """Send what waits now; whether nothing waits any more after at most `seconds`."""
        deadline = time.monotonic() + seconds
        with self._changed:
            self._hurry_until = deadline
            self._changed.notify_all()
            return self._changed.wait_for(self._idle, timeout=max(0.0, seconds))

    def close(self, seconds: float) -> None:
        """Flush, and end; says how many lines never arrived."""
        everything = self.flush(seconds)
        with self._changed:
            self._closed = True
            left = len(self._lines)
            self._changed.notify_all()
        if everything:
            self._thread.join(timeout=1.0)
            self._session.close()
        lost = left + self.fate.dropped + self.fate.refused
        if lost:
            self._say(f"{lost:,} log lines did not reach OTEL_EXPORTER_OTLP_ENDPOINT; our output has them.")

    def _idle(self) -> bool:
        return not self._lines and not self._under_way

    def _work(self) -> None:
        pause = 1.0
        while True:
            batch = self._next_batch()
            if not batch:
                return
            wait = self._deliver(batch)
            with self._changed:
                self._under_way = False
                if wait is None:
                    pause = 1.0
                    self._changed.notify_all()
                    continue
                self._put_back(batch)
                self._pause(max(pause, wait))
            pause = min(pause * 2, LONGEST_PAUSE)

    def _next_batch(self) -> Sequence[Line]:
        """Wait for lines, and a moment more for those that follow; nothing when this is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._lines or self._closed)
            if not self._closed:
                self._changed.wait_for(
                    lambda: len(self._lines) >= AT_ONCE or self._closed or self._in_a_hurry(),
                    timeout=self._flush_seconds,
                )
            if self._closed:
                return []
            self._under_way = True
            return [self._lines.popleft() for _ in range(min(AT_ONCE, len(self._lines)))]

    def _in_a_hurry(self) -> bool:
        return time.monotonic() < self._hurry_until

    def _put_back(self, batch: Sequence[Line]) -> None:
        """In front again, as many as there is room for; the oldest go."""
        room = max(0, self._waiting - len(self._lines))
        self.fate.dropped += max(0, len(batch) - room)
        self._lines.extendleft(reversed(batch[len(batch) - min(room, len(batch)) :]))

    def _pause(self, seconds: float) -> None:
        """Until the collector may be back; not longer than somebody who flushes is ready to wait."""
        hurry = self._in_a_hurry()
        self._changed.wait_for(
            lambda: self._closed or self._in_a_hurry() != hurry, timeout=0.2 if hurry else seconds
        )

    def _deliver(self, batch: Sequence[Line]) -> float | None:
        """Send once; None if that is settled, otherwise the seconds to wait at least."""
        try:
            answer = self._session.post(
                self._url,
                data=self._message(batch).SerializeToString(),
                headers=self._headers,
                timeout=SECONDS_FOR_A_REQUEST,
            )
        except requests.RequestException as error:
            self._away(f"no answer ({type(error).__name__})")
            return 0.0
        if answer.status_code in _LATER:
            self._away(f"status {answer.status_code}")
            return _retry_after(answer)
        if answer.status_code // 100 != _TAKEN:  # a redirect is not followed
            self.fate.refused += len(batch)
            self._away(f"status {answer.status_code}, which no repeat mends")
            return None
        refused = _refused(answer)
        self.fate.refused += refused
        self.fate.sent += len(batch) - refused
        if self._said and not refused:
            self._said = False
            self._say("OTEL_EXPORTER_OTLP_ENDPOINT takes log lines again.")
        return None

    def _away(self, why: str) -> None:
        if not self._said:
            self._said = True
            self._say(
                f"Sending log lines to OTEL_EXPORTER_OTLP_ENDPOINT: {why}. The run goes on; up to "
                f"{self._waiting:,} lines wait for it, and our output has them all."
            )

    def _message(self, batch: Sequence[Line]) -> ExportLogsServiceRequest:
        scope = ScopeLogs(
            scope=InstrumentationScope(name="esg_assets"), log_records=[_record(line) for line in batch]
        )
        return ExportLogsServiceRequest(
            resource_logs=[ResourceLogs(resource=self._resource, scope_logs=[scope])]
        )


def _record(line: Line) -> LogRecord:
    at = int(datetime.fromisoformat(str(line["timestamp"])).timestamp() * 1_000) * 1_000_000
    level = str(line.get("level", "info"))
    return LogRecord(
        time_unix_nano=at,
        observed_time_unix_nano=at,
        severity_number=_NUMBERS.get(level, 9),  # type: ignore[arg-type]  # an enum of protobuf is an int
        severity_text=level.upper(),
        body=_value(str(line.get("event", ""))),
        attributes=_attributes({k: v for k, v in line.items() if k not in {"timestamp", "level", "event"}}),
    )


def _attributes(values: Mapping[str, object]) -> list[KeyValue]:
    return [KeyValue(key=name, value=_value(value)) for name, value in values.items()]


def _value(value: object) -> AnyValue:
    match value:
        case bool():
            return AnyValue(bool_value=value)
        case int() if -(2**63) <= value < 2**63:
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
    text = str(value)
    return AnyValue(string_value=text.encode(errors="backslashreplace").decode())  # no half characters


def _retry_after(answer: requests.Response) -> float:
    text = answer.headers.get("Retry-After", "")
    return min(float(text), LONGEST_PAUSE) if text.isdigit() else 0.0


def _refused(answer: requests.Response) -> int:
    """Lines that a collector took the request of, but not these."""
    told = ExportLogsServiceResponse()
    try:
        told.ParseFromString(answer.content)
    except DecodeError:  # a collector that answers with something else has taken them all
        return 0
    return int(told.partial_success.rejected_log_records)
