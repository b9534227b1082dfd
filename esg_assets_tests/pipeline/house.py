"""A whole pipeline to test with: real Dagster, real sealed stores and keys, fakes for what is outside.

The outside is FakeAccountSource, FakeRatingsApi, MemoryHistory and MemoryLeases; a test alters them, runs
partitions and asks what was stored, shown and published.
"""

import contextlib
import csv
import functools
import io
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster import DagsterEvent
from dagster._core.execution.plan.objects import StepFailureData

from esg_assets.adapters.envelope import PrivateKeyEnvelope
from esg_assets.adapters.keys import DEMO_PREFIX, generate, load_private_key
from esg_assets.composition import SealedStores
from esg_assets.core.accounts import Snapshot
from esg_assets.core.ports import CallPolicy
from esg_assets.core.publication import Publication
from esg_assets.core.ratings import Reply
from esg_assets.definitions import build_defs
from esg_assets.jobs import NIGHTLY
from esg_assets.settings import Settings, load_settings
from esg_assets_tests.fake_history import MemoryHistory
from esg_assets_tests.fakes import FakeAccountSource, FakeRatingsApi, MemoryLeases

PROJECT = Path(__file__).resolve().parents[2]
DAY = date(2026, 1, 15)
NEXT = DAY + timedelta(days=1)
QUICK = CallPolicy(rate=5_000, burst=10, max_attempts=2, backoff_seconds=0.01, backoff_cap_seconds=0.02)

ASSETS = ("active_accounts", "esg_ratings", "encrypted_report_csv", "daily_summary")

Config = Mapping[str, Mapping[str, object]]


def account(number: int, **fields: object) -> dict[str, object]:
    """One row of the account system."""
    row = {
        "account_id": f"ACC-{number:05d}",
        "account_name": f"Müller & Søn {number}",
        "account_type": "pension",
        "base_currency": "EUR",
        "market_value": f"{1_000 + number}.50",
        "status": "active",
    }
    return row | fields


def accounts(count: int) -> list[dict[str, object]]:
    """Rows of the account system, by ascending id."""
    return [account(number) for number in range(count)]


@functools.cache
def _demo_keys() -> Mapping[str, tuple[bytes, int]]:
    """Content and mode of demo key files, made once: an RSA key takes its time."""
    with tempfile.TemporaryDirectory() as folder:
        made = generate(Path(folder), prefix=DEMO_PREFIX)
        return {path.name: (path.read_bytes(), path.stat().st_mode & 0o777) for path in made}


def environment(home: Path) -> dict[str, str]:
    """Settings of an installation in `home`, with demo keys that this makes."""
    keys = home / "keys"
    keys.mkdir(mode=0o700)
    for name, (content, mode) in _demo_keys().items():
        (keys / name).write_bytes(content)
        (keys / name).chmod(mode)
    return {
        "DAGSTER_HOME": str(home),
        "ESG_ACCOUNTS_URL": str(home / "accounts.csv"),
        "ESG_API_URL": "http://127.0.0.1:9",
        "ESG_API_AUTH": "none",
        "ESG_SITE_FOLDER": "none",  # each run of a command would draw pages, for seconds
        "ESG_WORKING_KEY": str(keys / "demo-working.key"),
        "ESG_SIGNING_KEY": str(keys / "demo-signing.pem"),
        "ESG_REPORT_RECIPIENTS": str(keys / "demo-recipient.pub.pem"),
    }


@contextlib.contextmanager
def home_in_force(folder: Path) -> Iterator[Path]:
    """A home for what reads the environment itself; the working folder is an empty one beside it."""
    home, work = folder / "home", folder / "cwd"
    home.mkdir(mode=0o700)
    work.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment(home).items():
            patch.setenv(name, value)
        patch.chdir(work)
        yield home


@contextlib.contextmanager
def instance_of(home: Path) -> Iterator[dg.DagsterInstance]:
    """The instance in `home`, as the project's dagster.yaml makes it."""
    shutil.copy(PROJECT / "dagster.yaml", home)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        yield instance


@dataclass
class Ran:
    """One run, as it stands in the instance's event log."""

    run: dg.DagsterRun
    events: Sequence[DagsterEvent]

    @property
    def success(self) -> bool:
        return self.run.status is dg.DagsterRunStatus.SUCCESS

    @property
    def materialized(self) -> list[str]:
        """Asset names in the order of their materialization."""
        return [
            e.asset_key.to_user_string() for e in self.events if e.is_step_materialization and e.asset_key
        ]

    @property
    def failure(self) -> str:
        """What the failed step says."""
        (failed,) = [e for e in self.events if e.is_step_failure] or [
            pytest.fail(f"no step failed: {[e.message for e in self.events if e.is_failure]}")
        ]
        data = failed.event_specific_data
        assert isinstance(data, StepFailureData)
        assert data.user_failure_data is not None, data.error
        return data.user_failure_data.description or ""

    def metadata(self, asset: str) -> dict[str, Any]:
        """Of the asset's materialization, as plain values."""
        (made,) = [
            e.step_materialization_data.materialization
            for e in self.events
            if e.is_step_materialization and e.asset_key == dg.AssetKey(asset)
        ]
        return {name: value.value for name, value in made.metadata.items()}


@dataclass
class House:
    """The pipeline with its outside world.

    Attributes:
        home: DAGSTER_HOME, where keys and stores are.
        overrides: further ports instead of those of the settings, by resource key; None for the real one.
    """

    home: Path
    settings: Settings
    instance: dg.DagsterInstance
    source: FakeAccountSource
    api: FakeRatingsApi = field(default_factory=lambda: FakeRatingsApi(policy=QUICK))
    history: MemoryHistory = field(default_factory=MemoryHistory)
    leases: MemoryLeases = field(default_factory=MemoryLeases)
    overrides: dict[str, object] = field(default_factory=dict)

    def defs(self) -> dg.Definitions:
        ports: dict[str, object] = {
            "settings": self.settings,
            "account_source": self.source,
            "esg_api": self.api,
            "history": self.history,
            "leases": self.leases,
        }
        chosen = ports | self.overrides
        return build_defs(self.settings, {key: port for key, port in chosen.items() if port is not None})

    def run(
        self,
        day: date = DAY,
        *,
        only: Sequence[str] | None = None,
        config: Config | None = None,
        tags: Mapping[str, str] | None = None,
        **settings: object,
    ) -> Ran:
        """Run the job, or some assets of it, for one date.

        Args:
            only: names of assets; None for the whole job.
            config: switches by asset.
            settings: other values of settings than the house's, by field.
        """
        if settings:
            self.overrides["settings"] = self.settings.model_copy(update=settings)
        result = (
            self.defs()
            .resolve_job_def(NIGHTLY)
            .execute_in_process(
                instance=self.instance,
                partition_key=day.isoformat(),
                run_config={"ops": {asset: {"config": dict(c)} for asset, c in (config or {}).items()}},
                asset_selection=None if only is None else [dg.AssetKey(name) for name in only],
                tags=dict(tags or {}),
                raise_on_error=False,
            )
        )
        run = self.instance.get_run_by_id(result.run_id)
        assert run is not None
        return Ran(run, result.all_events)

    def answers(self, script: Mapping[str, Sequence[Reply | Exception]] | None = None, **more: Any) -> None:
        """From now on the provider answers by this script."""
        self.api = FakeRatingsApi(script, policy=QUICK, **more)

    @property
    def asked(self) -> list[str]:
        """Accounts the provider was asked for since `answers`, a name for each call, sorted."""
        return sorted(account_id for account_id, _ in self.api.calls)

    @property
    def stores(self) -> SealedStores:
        """The sealed stores, as a new process opens them."""
        return SealedStores(self.settings, self.history)

    def published(self, day: date = DAY) -> Publication | None:
        return self.stores.publications.latest(day)

    def snapshot(self, day: date = DAY) -> Snapshot | None:
        return self.stores.snapshots.latest(day)

    def entries(self) -> int:
        """Entries in the chain; it must verify."""
        found = self.stores.publications.verify()
        assert found.ok, found.faults
        return found.entries

    def opener(self) -> PrivateKeyEnvelope:
        return PrivateKeyEnvelope(load_private_key(self.home / "keys" / "demo-recipient.pem"))

    def report(self, day: date = DAY) -> dict[str, dict[str, str]]:
        """Rows of the date's published report by account id, opened with the recipient's key."""
        publication = self.published(day)
        assert publication is not None, "nothing is published"
        return self.read(publication)

    def read(self, publication: Publication) -> dict[str, dict[str, str]]:
        """Likewise, of any publication."""
        with self.stores.publications.open_report(publication, self.opener()) as source:
            text = source.read().decode()
        return {row["account_id"]: row for row in csv.DictReader(io.StringIO(text))}

    def checks(self, day: date = DAY) -> dict[str, dg.AssetCheckEvaluation]:
        """The latest evaluation of each check on that partition, as the UI shows them."""
        found: dict[str, dg.AssetCheckEvaluation] = {}
        for run in self.instance.get_runs():
            records = self.instance.get_records_for_run(
                run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION, ascending=False
            ).records
            for record in records:
                event = record.event_log_entry.dagster_event
                assert event is not None
                evaluation = event.asset_check_evaluation_data
                if evaluation.partition == day.isoformat():
                    found.setdefault(evaluation.check_name, evaluation)
        return found


@contextlib.contextmanager
def house_on_disk(folder: Path) -> Iterator[House]:
    """A house whose instance is on the disk as the project's dagster.yaml makes it, in `folder`/home."""
    home = folder / "home"
    home.mkdir(mode=0o700)
    with instance_of(home) as instance:
        yield new_house(home, instance)


def new_house(home: Path, instance: dg.DagsterInstance, count: int = 12) -> House:
    """A house in an empty folder, with that many accounts on every date that tests use."""
    settings = load_settings(environ=environment(home), dotenv=None)
    rows = accounts(count)
    past = {DAY - timedelta(days=1): rows, DAY: rows}
    return House(home, settings, instance, FakeAccountSource(rows, past=past))
