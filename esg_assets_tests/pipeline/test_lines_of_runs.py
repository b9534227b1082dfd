"""What the log lines of a run say: JSON, complete, once each, the same by OTLP, and nothing of a client."""

import io
import json
import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TextIO

import pytest

from esg_assets import log_output
from esg_assets.core.errors import SourceUnavailable
from esg_assets.core.pseudonyms import Pseudonyms
from esg_assets.core.ratings import Reply
from esg_assets.core.telling import Account
from esg_assets.log_place import Place
from esg_assets_tests.fakes import FakeAccountSource, rating_reply
from esg_assets_tests.leak_search import find_leaks
from esg_assets_tests.otlp_server import Collector, collector
from esg_assets_tests.pipeline.house import ASSETS, DAY, House, Ran, accounts, house_on_disk

PSEUDONYM_KEY = "a-key-for-pseudonyms"
TOKEN = "t0ken-of-the-collector"
SCORE = 52.81930467
"""With fewer decimals, the seconds of some time stamp are taken for it."""

NEEDLES = [
    *(str(row[name]) for row in accounts(12) for name in ("account_id", "account_name", "market_value")),
    *(PSEUDONYM_KEY, TOKEN, str(SCORE)),
]


@dataclass(frozen=True)
class Kept(Place):
    """JSON lines, where a test can read them."""

    text: io.StringIO = field(default_factory=io.StringIO)

    @property
    def for_people(self) -> bool:
        return False

    @property
    def file(self) -> TextIO:
        return self.text


@dataclass
class Told:
    """A house, and what its runs said."""

    house: House
    place: Kept
    collector: Collector

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.place.text.getvalue().splitlines()]

    def of(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["event"] == event]

    def run(self, **settings: object) -> Ran:
        """A run, with everything that it said at the collector too."""
        ran = self.house.run(**settings)  # type: ignore[arg-type]  # as the house takes them
        log_output.OUTPUT.flush(10.0)
        return ran


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    with collector() as there, house_on_disk(tmp_path) as house:
        place = Kept()
        monkeypatch.setattr(log_output, "OUTPUT", log_output.Output())
        log_output.OUTPUT.place = place
        house.settings = type(house.settings)(
            **dict(house.settings)
            | {
                "pseudonym_key": PSEUDONYM_KEY,
                "otel_exporter_otlp_endpoint": there.url,
                "otel_exporter_otlp_headers": f"Authorization=Bearer%20{TOKEN}",
            }
        )
        log_output.begin(house.settings)
        yield Told(house, place, there)
        log_output.end()


def test_a_night_is_told_in_lines_that_a_program_can_read(told: Told) -> None:
    told.house.answers({"ACC-00003": [Reply(404)], "ACC-00005": [Reply(500)], "ACC-00007": [Reply(422)]})
    ran = told.run()
    assert ran.success

    lines = told.lines
    assert {(x["run_id"], x["job"], x["partition"]) for x in lines} == {
        (ran.run.run_id, "nightly_esg_report", DAY.isoformat())
    }
    assert all(x["timestamp"] and x["environment"] == "dev" and x["level"] for x in lines)
    assert (lines[0]["event"], lines[-1]["event"]) == ("run started", "run succeeded")
    assert lines[-1]["seconds"] > 0
    assert [x["asset"] for x in told.of("asset materialized")] == list(ASSETS)
    assert told.of("asset materialized")[0]["accounts"] == 12
    (asked,) = told.of("asked the provider")
    assert (asked["calls"], asked["retries"], asked["refusals"], asked["failed"]) == (13, 1, 0, 2)
    assert asked["latency_p50_seconds"] >= 0
    failed = {(x["account"], x["reason"], x.get("status")) for x in told.of("account failed")}
    name = Pseudonyms(PSEUDONYM_KEY).of
    assert failed == {
        (name(Account("ACC-00005")), "unavailable", 500),
        (name(Account("ACC-00007")), "rejected", 422),
    }
    assert {x["reason"]: x["failed"] for x in told.of("accounts failed")} == {"rejected": 1, "unavailable": 1}
    (check,) = told.of("check failed")
    assert (check["check"], check["level"], check["severity"]) == ("failure_rate", "error", "ERROR")


def test_each_line_is_said_once_and_the_collector_has_the_same(told: Told) -> None:
    told.run()
    said = [(x["timestamp"], x["event"], x.get("asset"), x.get("check")) for x in told.lines]
    assert [key for key, count in Counter(said).items() if count > 1] == []
    assert told.collector.events() == [x["event"] for x in told.lines]
    assert {x["run_id"] for x in told.collector.lines} == {told.lines[0]["run_id"]}
    assert told.collector.resource["deployment.environment.name"] == "dev"
    assert told.collector.headers["Authorization"] == f"Bearer {TOKEN}"


def test_a_run_that_fails_says_why_by_a_word_of_ours(told: Told) -> None:
    told.house.source.error = SourceUnavailable("Reading accounts: no answer. Run later.")
    assert not told.run().success
    (failed,) = told.of("step failed")
    assert (failed["level"], failed["error"]) == ("error", "SourceUnavailable")
    assert failed["message"] == "Reading accounts: no answer. Run later."
    assert failed["asset"] == "active_accounts"
    assert (told.lines[-1]["event"], told.lines[-1]["level"]) == ("run failed", "error")


def test_an_error_that_is_not_ours_is_only_its_type(told: Told) -> None:
    told.house.source.error = ValueError("ACC-00003, Müller & Søn 3")  # type: ignore[assignment]  # on purpose
    assert not told.run().success
    (failed,) = told.of("step failed")
    assert failed["error"] == "ValueError"
    assert "Its text is not shown" in failed["message"]
    assert leaks(told) == []


def test_nothing_of_a_client_and_no_secret_is_in_lines_and_payloads(told: Told) -> None:
    told.house.answers({f"ACC-{n:05d}": [Reply(422)] for n in range(12)})
    told.run()
    logging.getLogger("some.library").warning("row %s", accounts(1)[0])
    ids = [f"ACC-{n:05d}" for n in range(12)]
    told.house.answers(
        {each: [rating_reply(each, DAY - timedelta(days=1), overall_score=SCORE)] for each in ids}
    )
    told.run()
    log_output.OUTPUT.flush(10.0)
    assert len(told.lines) > 40
    assert len(told.collector.lines) == len(told.lines)
    assert leaks(told) == []
    told.place.text.write(accounts(1)[0]["account_id"] + "\n")  # type: ignore[operator]  # a text
    assert len(leaks(told)) == 1, "the search finds what is there"


def test_of_ten_thousand_that_fail_the_log_names_a_few_and_counts_all(told: Told) -> None:
    rows = accounts(200)
    told.house.source = FakeAccountSource(rows, past={DAY.replace(day=14): rows})
    told.house.answers(otherwise=lambda *_: Reply(422))
    told.run()
    assert len(told.of("account failed")) == 20
    (counted,) = told.of("accounts failed")
    assert (counted["failed"], counted["reason"]) == (200, "rejected")


def test_people_read_sentences_and_the_sum_of_what_failed(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = io.StringIO()
    monkeypatch.setattr("sys.stderr", shown)
    log_output.OUTPUT.place = Place("console")
    log_output.begin(told.house.settings)
    told.house.answers({"ACC-00007": [Reply(422)]})
    told.run()
    ours = [line for line in shown.getvalue().splitlines() if "Z " in line and " - dagster - " not in line]
    assert [line.partition("Z ")[2] for line in ours if "account" in line][-1:] == [
        "warning esg_ratings: 1 account failed: rejected"
    ]
    assert not any("last status" in line for line in ours)
    assert "account failed" in told.collector.events(), "machines are told of each"


def leaks(told: Told) -> list[object]:
    payloads = {f"payload {n}": body for n, body in enumerate(told.collector.payloads)}
    return [*find_leaks(NEEDLES, texts={"lines": told.place.text.getvalue(), **payloads})]
