"""Log lines on their way to a collector: complete when it is there, and disturbing nobody when it is not."""

import contextlib
import signal
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from esg_assets.adapters.otlp_logs import AT_ONCE, FLUSH_SECONDS, OtlpLogs
from esg_assets.adapters.verified_tls import client_context, verified_session
from esg_assets.core.otlp_headers import headers_of
from esg_assets_tests.otlp_server import Collector, collector
from esg_assets_tests.processes import python_process
from esg_assets_tests.servers import free_ports
from esg_assets_tests.tls_servers import BAD_SERVERS, CA, pem_file, server_context

QUICK = 0.05


def line(number: int, **fields: object) -> Mapping[str, object]:
    at = f"2026-01-15T11:00:00.{number % 1000:03}+00:00"
    return {"timestamp": at, "level": "info", "event": f"event {number}", "number": number, **fields}


@contextlib.contextmanager
def sender(
    url: str, *, ca: Path | None = None, said: list[str] | None = None, waiting: int = 10_000
) -> Iterator[OtlpLogs]:
    session = verified_session(client_context("ESG_ALERT", ca))
    resource, headers = {"service.name": "esg_assets"}, {"Authorization": "Bearer t0ken"}
    told: list[str] = [] if said is None else said
    logs = OtlpLogs(
        url,
        session,
        resource=resource,
        headers=headers,
        say=told.append,
        flush_seconds=QUICK,
        waiting=waiting,
    )
    try:
        yield logs
    finally:
        logs.close(0.3)
        session.close()


@pytest.fixture
def there() -> Iterator[Collector]:
    with collector() as found:
        yield found


def test_a_line_arrives_with_its_fields_its_time_and_who_logged_it(there: Collector) -> None:
    with sender(there.url) as logs:
        logs.send(line(7, run_id="r1", rate=0.5, passed=True, level="warning", large=2**70, half="\ud800"))
        assert there.wait_for(1)
    (arrived,) = there.lines
    assert arrived["event"] == "event 7"
    assert (arrived["level"], arrived["severity"]) == ("warning", 13)
    assert (arrived["number"], arrived["run_id"], arrived["rate"], arrived["passed"]) == (7, "r1", 0.5, True)
    assert (arrived["large"], arrived["half"]) == (str(2**70), "\\ud800")
    assert arrived["nanoseconds"] == 1_768_474_800_007_000_000
    assert there.resource == {"service.name": "esg_assets"}
    assert there.headers["Authorization"] == "Bearer t0ken"
    assert there.headers["Content-Type"] == "application/x-protobuf"


def test_what_waits_arrives_in_order_when_it_is_flushed(there: Collector) -> None:
    with sender(there.url) as logs:
        for number in range(2 * AT_ONCE + 3):
            logs.send(line(number))
        assert logs.flush(10.0)
        assert [arrived["number"] for arrived in there.lines] == list(range(2 * AT_ONCE + 3))
    assert logs.fate.sent == 2 * AT_ONCE + 3


def test_a_collector_that_comes_later_gets_everything_and_its_absence_is_said_once() -> None:
    said: list[str] = []
    (port,) = free_ports(1)
    with sender(f"http://127.0.0.1:{port}", said=said) as logs:
        for number in range(20):
            logs.send(line(number))
        assert not logs.flush(0.5)
        with collector(port=port) as late:
            assert logs.flush(10.0)
            assert [arrived["number"] for arrived in late.lines] == list(range(20))
            assert late.wait_for(20)
    assert len(said) == 2, said
    assert "no answer (ConnectionError). The run goes on" in said[0]
    assert "takes log lines again" in said[1]


def test_a_full_queue_drops_the_oldest_and_counts_them() -> None:
    said: list[str] = []
    (port,) = free_ports(1)
    with sender(f"http://127.0.0.1:{port}", said=said, waiting=10) as logs:
        for number in range(25):
            logs.send(line(number))
        logs.flush(0.3)
        with collector(port=port) as late:
            assert logs.flush(10.0)
            assert [arrived["number"] for arrived in late.lines] == list(range(15, 25))
    assert logs.fate.dropped == 15
    assert said[-1] == "15 log lines did not reach OTEL_EXPORTER_OTLP_ENDPOINT; our output has them."


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_refusal_that_may_pass_is_tried_again_and_nothing_is_doubled(there: Collector, status: int) -> None:
    there.refuse = [(status, {"Retry-After": "0"})]
    with sender(there.url) as logs:
        for number in range(3):
            logs.send(line(number))
        assert logs.flush(10.0)
    assert [arrived["number"] for arrived in there.lines] == [0, 1, 2]


@pytest.mark.parametrize("status", [302, 400, 401, 404, 413])
def test_a_refusal_for_good_is_counted_said_and_not_repeated(there: Collector, status: int) -> None:
    there.refuse = [(status, {"Location": "/elsewhere"})]
    said: list[str] = []
    with sender(there.url, said=said) as logs:
        logs.send(line(1))
        assert logs.flush(10.0)
        logs.send(line(2))
        assert logs.flush(10.0)
    assert there.events() == ["event 2"]
    assert logs.fate.refused == 1
    assert f"status {status}, which no repeat mends" in said[0]


def test_records_that_a_collector_takes_out_are_counted(there: Collector) -> None:
    there.rejects = 2
    with sender(there.url) as logs:
        for number in range(5):
            logs.send(line(number))
        assert logs.flush(10.0)
    assert (logs.fate.sent, logs.fate.refused) == (3, 2)


def test_nobody_waits_for_a_collector_that_accepts_and_says_nothing() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as deaf,
        sender(f"http://127.0.0.1:{deaf.getsockname()[1]}") as logs,
    ):
        began = time.monotonic()
        for number in range(5_000):
            logs.send(line(number))
        assert time.monotonic() - began < 2.0
        assert not logs.flush(0.2)
        assert time.monotonic() - began < 4.0


def test_tls_is_verified_and_a_firm_s_own_authority_is_taken(tmp_path: Path) -> None:
    ca = pem_file(tmp_path / "ca.pem", CA.cert_pem)
    with collector(server_context()) as there, sender(there.url, ca=ca) as logs:
        logs.send(line(1))
        assert logs.flush(10.0)
        assert there.events() == ["event 1"]


@pytest.mark.parametrize("server", ["another authority", "another name", "expired", "TLS 1.1"])
def test_a_server_that_is_not_who_it_should_be_gets_nothing(server: str, tmp_path: Path) -> None:
    ca = pem_file(tmp_path / "ca.pem", CA.cert_pem)
    said: list[str] = []
    with collector(BAD_SERVERS[server]()) as there, sender(there.url, ca=ca, said=said) as logs:
        logs.send(line(1))
        assert not logs.flush(0.5)
        assert there.payloads == []
    assert "no answer (SSLError)" in said[0]


def test_no_variable_of_the_environment_leads_elsewhere(
    there: Collector, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "X-Other=1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", str(tmp_path / "none.pem"))
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with sender(there.url) as logs:
        logs.send(line(1))
        assert logs.flush(10.0)
    assert "X-Other" not in there.headers


PROGRAM = """
import os, signal, sys, time
from esg_assets.adapters.otlp_logs import FLUSH_SECONDS, OtlpLogs
from esg_assets.adapters.verified_tls import client_context, verified_session
from esg_assets_tests.adapters.test_otlp_logs import line

session = verified_session(client_context("ESG_ALERT"))
logs = OtlpLogs(sys.argv[1], session, resource={}, headers={}, say=print)
for number in range(700):
    logs.send(line(number))
    time.sleep(0.001)
print("logged", flush=True)
sys.stdin.readline()
"""


def test_lines_older_than_the_flush_interval_survive_a_sigkill(there: Collector) -> None:
    with python_process(PROGRAM, there.url) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "logged\n"
        time.sleep(FLUSH_SECONDS + 0.5)  # the bound, and half a second for the request on a busy machine
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert [arrived["number"] for arrived in there.lines] == list(range(700))


def test_headers_are_read_as_opentelemetry_writes_them() -> None:
    assert headers_of("Authorization=Bearer%20a%3Db, x-scope = 1,") == {
        "Authorization": "Bearer a=b",
        "x-scope": "1",
    }


@pytest.mark.parametrize("text", ["Authorization", "=x", "a b=c", "x=%0d%0aEvil:1", "x=%ff"])
def test_other_headers_are_refused_without_quoting_them(text: str) -> None:
    with pytest.raises(ValueError, match="name=value") as caught:
        headers_of(text)
    assert "Evil" not in str(caught.value)


def test_the_context_of_the_sender_checks_certificates_and_names() -> None:
    context = client_context("ESG_ALERT")
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
