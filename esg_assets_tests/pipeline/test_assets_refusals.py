"""What stops a night: nothing is published, the check shows why, and the mended cause goes through."""

import contextlib
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

import dagster as dg
import pytest

from esg_assets.composition import SealedStores
from esg_assets.core.central_time import central_date
from esg_assets.core.errors import AccessDenied, ApiUnavailable, EsgError, SourceUnavailable
from esg_assets.core.ports import ObjectStore, Sink
from esg_assets.core.ratings import Reply
from esg_assets.jobs import NIGHTLY
from esg_assets_tests.fakes import rating_reply
from esg_assets_tests.pipeline.house import DAY, NEXT, House, account, accounts

AS_OF = NEXT.replace(day=14)


def nothing_is_published(house: House) -> None:
    assert house.published() is None
    assert house.entries() == 0
    assert house.history.publications == []


def everyone_answers(reply: Reply) -> Callable[[str, date], Reply]:
    return lambda _account_id, _as_of: reply


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([*accounts(3), account(1)], "row 4: account_id is the same as in row 2"),
        ([*accounts(3), account(0, account_id="")], "row 4: account_id is empty"),
        ([*accounts(3), account(4, account_id=12)], "row 4: account_id is a whole number"),
        ([], "the source sent no rows"),
        ([account(0, status="closed")], "none of the 1 rows is active"),
    ],
    ids=["duplicate", "empty id", "wrong type", "no rows", "nobody active"],
)
def test_a_list_that_breaks_a_rule_is_shown_on_its_partition_and_never_stored(
    house: House, rows: list[dict[str, object]], reason: str
) -> None:
    house.source.past = {AS_OF: rows}
    ran = house.run()
    assert not ran.success
    assert reason in ran.failure
    assert ran.materialized == []
    assert ran.run.tags["esg/permanent"] == "true"
    check = house.checks()["accounts_complete_and_unique"]
    assert not check.passed
    assert check.blocking
    assert reason in (check.description or "")
    assert check.metadata["blocks_publication"].value is True
    assert house.snapshot() is None
    assert house.asked == []
    nothing_is_published(house)


def test_a_fall_beyond_the_limit_stores_nothing_and_can_be_let_through(house: House) -> None:
    house.run()
    house.source.past = {DAY: accounts(8)}
    fallen = house.run(NEXT)
    assert not fallen.success
    assert "8 active accounts against 12 in the report of 2026-01-15 (-33.3%)" in fallen.failure
    assert "ESG_ACCOUNTS_DROP_BLOCK" in fallen.failure
    assert house.snapshot(NEXT) is None
    check = house.checks(NEXT)["account_count_plausible"]
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert house.checks(DAY)["account_count_plausible"].passed
    house.overrides["settings"] = house.settings.model_copy(update={"accounts_drop_block": 0.5})
    assert house.run(NEXT).success
    check = house.checks(NEXT)["account_count_plausible"]
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert len(house.report(NEXT)) == 8


def test_too_many_failures_publish_nothing_and_the_report_alone_does_not_either(house: House) -> None:
    house.answers({f"ACC-{n:05d}": [Reply(500)] for n in range(7)})
    blocked = house.run()
    assert not blocked.success
    assert blocked.materialized == ["active_accounts", "esg_ratings"]
    assert "7 of 12 accounts failed (58.3%)" in blocked.failure
    assert "Nothing was published" in blocked.failure
    check = house.checks()["failure_rate"]
    assert (check.passed, check.blocking, check.severity) == (False, False, dg.AssetCheckSeverity.ERROR)
    nothing_is_published(house)
    alone = house.run(only=["encrypted_report_csv", "daily_summary"])
    assert not alone.success
    assert alone.materialized == []
    assert alone.failure == blocked.failure
    nothing_is_published(house)
    house.answers()
    assert house.run().success
    assert house.asked == [f"ACC-{n:05d}" for n in range(7)]


def test_failures_below_the_block_are_shown_and_published(house: House) -> None:
    house.answers({f"ACC-{n:05d}": [Reply(500)] for n in range(5)})
    assert house.run().success
    check = house.checks()["failure_rate"]
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert [row["processing_status"] for row in house.report().values()].count("FAILED") == 5


def test_a_404_for_everything_is_blocked_and_asked_again_when_it_is_mended(house: House) -> None:
    house.answers(otherwise=everyone_answers(Reply(404)))
    blocked = house.run()
    assert "12 of 12 accounts are not rated (100.0%)" in blocked.failure
    assert "ESG_NOT_RATED_RATE_BLOCK" in blocked.failure
    nothing_is_published(house)
    house.answers()
    assert house.run().success
    assert len(house.asked) == 12
    assert {row["processing_status"] for row in house.report().values()} == {"SUCCESS"}


def test_a_rise_of_the_unrated_against_the_report_before_is_blocked(house: House) -> None:
    house.run()
    house.answers({f"ACC-{n:05d}": [Reply(404)] for n in range(3)})
    blocked = house.run(NEXT)
    assert "+25.0 points against the report of 2026-01-15" in blocked.failure
    assert not house.checks(NEXT)["not_rated_rate"].passed
    assert house.published(NEXT) is None


class AlteringStore:
    """A records store whose reports come back with one byte changed."""

    def __init__(self, inner: ObjectStore) -> None:
        self._inner = inner
        self.create, self.read, self.open = inner.create, inner.read, inner.open
        self.keys, self.delete = inner.keys, inner.delete

    @contextlib.contextmanager
    def writer(self, key: str) -> Iterator[Sink]:
        with self._inner.writer(key) as sink:
            yield _Flipping(sink)


class _Flipping:
    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def write(self, data: bytes, /) -> int:
        self._sink.write(bytes([data[0] ^ 1]) + data[1:])
        return len(data)


class _AlteredStores(SealedStores):
    @cached_property
    def _records(self) -> ObjectStore:
        return AlteringStore(super()._records)


def test_a_store_that_alters_the_report_publishes_nothing_and_the_check_shows_it(house: House) -> None:
    house.overrides["stores"] = _AlteredStores(house.settings)
    ran = house.run()
    assert not ran.success
    assert "the report read back from the store differs from the ratings" in ran.failure
    assert ran.materialized == ["active_accounts", "esg_ratings"]
    check = house.checks()["report_equals_ratings"]
    assert (check.passed, check.blocking, check.partition) == (False, True, DAY.isoformat())
    nothing_is_published(house)
    del house.overrides["stores"]
    house.answers()
    assert house.run().success
    assert house.asked == []
    assert house.checks()["report_equals_ratings"].passed


@pytest.mark.parametrize(
    ("error", "permanent"),
    [
        (SourceUnavailable("The account system: 503."), False),
        (AccessDenied("The account system: 403."), True),
    ],
)
def test_an_account_system_that_does_not_answer_ends_the_run(
    house: House, error: EsgError, permanent: bool
) -> None:
    house.source.error = error
    ran = house.run()
    assert ran.failure == str(error)
    assert ran.run.tags["esg/error"] == type(error).__name__
    assert ("esg/permanent" in ran.run.tags) == permanent
    house.source.error = None
    assert house.run().success


def test_a_provider_without_a_token_ends_the_run_for_good(house: House) -> None:
    house.answers({row["account_id"]: [AccessDenied("No token.")] for row in accounts(12)})  # type: ignore[misc]  # ids are texts
    ran = house.run()
    assert ran.failure == "No token."
    assert ran.run.tags["esg/permanent"] == "true"


def test_a_provider_in_an_outage_ends_the_run_for_another_try(house: House) -> None:
    house.answers({"ACC-00000": [ApiUnavailable("The provider does not answer.")]})
    ran = house.run()
    assert ran.run.tags["esg/error"] == "ApiUnavailable"
    assert "esg/permanent" not in ran.run.tags
    house.answers({"ACC-00001": [rating_reply("ACC-00001", AS_OF)]})
    assert house.run().success


def test_a_tampered_part_is_named_and_nothing_is_published(house: House) -> None:
    house.run(only=["active_accounts", "esg_ratings"])
    snapshot = house.snapshot()
    assert snapshot is not None
    part = house.home / "work" / house.stores.parts.refs(snapshot)[0].key
    part.write_bytes(part.read_bytes()[:-1] + b"?")
    ran = house.run(only=["encrypted_report_csv"])
    assert ran.run.tags["esg/error"] == "Tampered"
    nothing_is_published(house)


def test_a_date_in_the_future_is_refused_whoever_asks_for_it(house: House) -> None:
    # Dagster takes any date from a run's tags; published, it would stand in the chain for ever.
    house.source.past, house.source.rows = None, accounts(12)
    day = central_date(datetime.now(UTC)) + timedelta(days=2)
    result = (
        house.defs()
        .resolve_job_def(NIGHTLY)
        .execute_in_process(
            instance=house.instance,
            tags={"dagster/partition": day.isoformat()},
            run_config={"ops": {"active_accounts": {"config": {"current_accounts": True}}}},
            raise_on_error=False,
        )
    )
    assert not result.success
    assert house.source.asked == []
    assert house.published(day) is None
    (failed,) = [e.step_failure_data.user_failure_data for e in result.all_events if e.is_step_failure]
    assert failed is not None
    assert f"Making the report of {day}: the date is in the future" in (failed.description or "")


def test_a_wrong_switch_is_refused_before_anything_happens(house: House) -> None:
    with pytest.raises(dg.DagsterInvalidConfigError):
        house.run(config={"esg_ratings": {"refresh": "everything"}})
    assert house.source.asked == []
