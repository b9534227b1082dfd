"""Unforeseen exceptions with everything in their texts: in each port and asset, and on Dagster's paths."""

import importlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from dagster._grpc import impl  # private: what the code server answers daemon and webserver with
from dagster._serdes import serialize_value

from esg_assets.core.accounts import Snapshot
from esg_assets.core.ports import Snapshots
from esg_assets_tests.canaries.ground import Ground
from esg_assets_tests.canaries.mode import Mode
from esg_assets_tests.canaries.planted import COUNT, Blow, Canary
from esg_assets_tests.fakes import FakeAccountSource
from esg_assets_tests.pipeline.house import Ran


class Breaking:
    """A port whose method `name` breaks; the rest is the real one's.

    Args:
        inner: the real one.
        name: of the method.
        blow: is called instead.
    """

    def __init__(self, inner: Any, name: str, blow: Blow) -> None:
        self._inner = inner
        self._broken = name
        self._blow = blow

    def __getattr__(self, name: str) -> Any:
        return self._blow if name == self._broken else getattr(self._inner, name)


class _Source(FakeAccountSource):
    """Gives its rows, then breaks."""

    def __init__(self, rows: Any, blow: Blow) -> None:
        super().__init__(rows)
        self._blow = blow

    def read(self, as_of: date | None) -> Iterator[Any]:
        yield self.rows
        self._blow()


def _failed(ground: Ground, ran: Ran, error: str = "ValueError") -> None:
    """The run failed, and its log names the error that was planted."""
    assert not ran.success
    told = [str(entry.dagster_event) for entry in ground.house.instance.all_logs(ran.run.run_id)]
    assert any(error in each for each in told), told


def _ports(ground: Ground) -> dict[str, Any]:
    """The house's real ports by resource key."""
    stores, house = ground.house.stores, ground.house
    from esg_assets import composition  # noqa: PLC0415  # built when a mode is driven
    from esg_assets.adapters.workers import ThreadedGathering  # noqa: PLC0415  # likewise

    return {
        "snapshots": stores.snapshots,
        "ratings_parts": stores.parts,
        "sealed_ratings": stores.ratings,
        "publications": stores.publications,
        "history": composition.history(house.settings),
        "leases": house.leases,
        "reply_shapes": composition.reply_shapes(),
        "gathering": ThreadedGathering(),
    }


def _port(key: str, method: str) -> Mode:
    def drive(ground: Ground, canary: Canary) -> None:
        port: Any = {key: Breaking(_ports(ground)[key], method, canary.blow)}
        _failed(ground, ground.run(canary, **port))

    return Mode(f"an exception of {key}.{method}", drive)


PORTS = [
    _port(key, method)
    for key, method in (
        ("snapshots", "latest"),
        ("snapshots", "save"),
        ("ratings_parts", "append"),
        ("ratings_parts", "refs"),
        ("ratings_parts", "read"),
        ("sealed_ratings", "get"),
        ("sealed_ratings", "put"),
        ("publications", "draft"),
        ("publications", "reads_back"),
        ("publications", "publish"),
        ("publications", "publish_summary"),
        ("publications", "latest"),
        ("publications", "verify"),
        ("history", "latest_before"),
        ("history", "record_publication"),
        ("history", "latest"),
        ("leases", "hold"),
        ("reply_shapes", "of"),
        ("gathering", "gather"),
    )
]


def _breaking_source(ground: Ground, canary: Canary) -> None:
    source = _Source(canary.rows(), canary.blow)
    now = {"active_accounts": {"current_accounts": True}}
    _failed(ground, ground.run(canary, account_source=source, config=now))


def _breaking_client(ground: Ground, canary: Canary) -> None:
    _failed(ground, ground.run(canary, script=canary.script(a3=ValueError(canary.text))))


def _patched(place: str, *, how: str = "blow") -> Mode:
    """`place`, module:name or module:class.name, raises when the job comes by."""

    def drive(ground: Ground, canary: Canary) -> None:
        module, _, name = place.partition(":")
        holder: Any = importlib.import_module(module)
        *outer, last = name.split(".")
        for each in outer:
            holder = getattr(holder, each)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(holder, last, getattr(canary, how))
            _failed(ground, ground.run(canary, **_real_for(place)), _ERRORS[how])

    words = {"blow": "an exception", "exit": "an exit with a text", "several": "an exception group"}[how]
    return Mode(f"{words} of {place.removeprefix('esg_assets.')}", drive)


_ERRORS = {"blow": "ValueError", "exit": "SystemExit", "several": "ExceptionGroup"}


def _real_for(place: str) -> dict[str, Any]:
    """Ports that must be the settings' own for a place in their construction to be passed."""
    made = {
        "account_source": "account_source",
        "ratings_api": "esg_api",
        "leases": "leases",
        "load_settings": "settings",
    }
    return {made[name]: None for name in made if place.endswith(f":{name}")}


PATCHED = [
    _patched("esg_assets.assets.active_accounts:freeze"),
    _patched("esg_assets.assets.esg_ratings:accounts_to_ask"),
    _patched("esg_assets.assets.esg_ratings:_metadata"),
    _patched("esg_assets.assets.encrypted_report_csv:report.render"),
    _patched("esg_assets.assets.daily_summary:figures"),
    _patched("esg_assets.summary_metadata:summary_markdown"),
    _patched("esg_assets.assets.active_accounts:freeze", how="exit"),
    _patched("esg_assets.assets.active_accounts:freeze", how="several"),
    _patched("esg_assets.summary_metadata:summary_text", how="several"),
    _patched("esg_assets.core.verdicts:on_ratings"),
    _patched("esg_assets.io_managers:PublicationIO.handle_output"),
    _patched("esg_assets.io_managers:_accounts"),
    _patched("esg_assets.composition:account_source"),
    _patched("esg_assets.composition:ratings_api"),
    _patched("esg_assets.composition:leases"),
    _patched("esg_assets.composition:history"),
    _patched("esg_assets.composition:rules"),
    _patched("esg_assets.resources:load_settings"),
    _patched("esg_assets.adapters.stores.local:LocalStore.create"),
    _patched("esg_assets.adapters.envelope:WorkingEnvelope.seal"),
    _patched("esg_assets.adapters.envelope:RecipientEnvelope.seal"),
    _patched("esg_assets.adapters.database.history:SqlHistory.record_publication"),
    _patched("esg_assets.adapters.chain_log:ChainLog.append"),
    _patched("esg_assets.adapters.working_data.snapshots:SealedSnapshots.latest"),
]


class _OtherTypes:
    """Snapshots whose accounts come back with numbers where texts belong."""

    def __init__(self, inner: Snapshots, canary: Canary) -> None:
        self.generation, self.save = inner.generation, inner.save
        self._latest = inner.latest
        self._canary = canary

    def latest(self, partition: date) -> Snapshot | None:
        found = self._latest(partition)
        if found is None:
            return None
        column = pa.array([float(score) for score in self._canary.scores[: found.count]])
        return replace(found, accounts=found.accounts.set_column(2, "account_type", column))


def _type_violation(ground: Ground, canary: Canary) -> None:
    ran = ground.run(canary, snapshots=_OtherTypes(ground.house.stores.snapshots, canary))
    assert "A batch is not what the type AccountsBatch says" in ran.failure


def _tick(ground: Ground, canary: Canary, kind: str) -> None:
    """A tick as the daemon asks the code server for it; what is answered is what it stores."""
    house = ground.house
    key, method = ("history", "published_dates") if kind == "schedule" else ("leases", "hold")
    house.overrides = {key: Breaking(_ports(ground)[key], method, canary.blow)}
    repository = house.defs().get_repository_def()
    reference = house.instance.get_ref()
    if kind == "schedule":
        at = 1_770_000_000.0
        found: Any = impl.get_external_schedule_execution(
            repository, reference, "nightly_esg_report_schedule", at, "America/Chicago", None
        )
    else:
        run = house.instance.create_run_for_job(
            repository.get_job("nightly_esg_report"),
            status=dg.DagsterRunStatus.STARTED,
            tags={"dagster/partition": str(ground.day(canary))},
        )
        nobody: Any = None  # its origin is only passed on
        found = impl.get_external_sensor_execution(
            repository, nobody, reference, "stale_runs_sensor", None, None, None, None, None
        )
        house.instance.report_run_canceled(run)
    ground.texts[f"the {kind}'s tick {canary.number}"] = serialize_value(found)
    assert found.error.cls_name in {"ScheduleExecutionError", "SensorExecutionError"}
    assert found.error.cause.cls_name == "ValueError"


def _small_book(ground: Ground, canary: Canary) -> None:
    """A book of five with a letter each: nothing of them may show in figures, metadata or history."""
    ran = ground.run(canary, rows=canary.rows(5))
    assert ran.success
    assert not any(key.startswith("overall_score") for key in ran.metadata("daily_summary"))


def _good_night(ground: Ground, canary: Canary) -> None:
    ran = ground.run(canary)
    assert ran.success
    assert len(ground.house.report(ground.day(canary))) == COUNT


def _blocked(ground: Ground, canary: Canary) -> None:
    from esg_assets.core.ratings import Reply  # noqa: PLC0415  # one use

    script: dict[str, Any] = {i: [Reply(422, canary.body)] for i in canary.ids}
    assert "Nothing was published" in ground.run(canary, script=script).failure


MODES = [
    Mode("a night on which all goes well, every logger at DEBUG", _good_night),
    Mode("a book of five accounts, in figures and metadata", _small_book),
    Mode("verdicts that block the publication", _blocked),
    Mode("an exception of account_source.read, amid rows", _breaking_source),
    Mode("an exception of esg_api.ask_many", _breaking_client),
    *PORTS,
    *PATCHED,
    Mode("a batch that is not what its dagster-pandas type says", _type_violation),
    Mode("a schedule's tick that breaks", lambda ground, canary: _tick(ground, canary, "schedule")),
    Mode("a sensor's tick that breaks", lambda ground, canary: _tick(ground, canary, "sensor")),
]
