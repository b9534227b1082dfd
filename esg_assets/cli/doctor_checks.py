"""What `esg-assets doctor` looks at, one function each over the settings.

Each returns what it found and makes no more than one call to an outside system, or one to each of the two
where a provider's mapping is tried on an account. The records are listed and never written to. Running
them and printing belongs to `esg_assets.cli.doctor`.
"""

import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from esg_assets.core.central_time import central_date
from esg_assets.core.errors import EsgError, KeyMissing, LeaseBusy, NoHistory
from esg_assets.settings import Settings, dagster_home

State = Literal["ok", "warning", "wrong", "skipped"]


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Attributes:
        state: ok; warning or wrong, then the text says what to do; skipped, then it says why.
        text: for people; never a secret, an account or a score.
    """

    state: State
    text: str


def settings_complete(settings: Settings) -> Iterator[Finding]:
    """Nothing is wrong, and nothing that a run needs is missing."""
    faults = [*settings.faults, *settings.missing_for("run")]
    for fault in faults:
        yield Finding("wrong", str(fault))
    for name in settings.unknown:
        yield Finding(
            "wrong" if "did you mean" in name else "ok", f"{name} is no setting of ours and is not read"
        )
    if not faults:
        yield Finding("ok", f"nothing is missing; ESG_ENV is {settings.env}")


def home_usable(settings: Settings) -> Iterator[Finding]:
    """DAGSTER_HOME is there and can be written, with a dagster.yaml in force."""
    del settings  # the home that Dagster sees is the environment's
    home = dagster_home()
    if not os.access(home, os.W_OK | os.X_OK):
        yield Finding(
            "wrong", f"{home} cannot be written; give it to the user who runs this, or set DAGSTER_HOME"
        )
    elif not (home / "dagster.yaml").is_file():
        yield Finding(
            "wrong", f"{home} has no dagster.yaml; put the project's there, or dead workers hold their slots"
        )
    else:
        yield Finding("ok", str(home))


def keys_usable(settings: Settings) -> Iterator[Finding]:
    """Every key loads and is kept as it must be, or KMS does with it what is wanted of it."""
    from esg_assets.cli import key_checks  # noqa: PLC0415 - cryptography is slow to import

    for check in key_checks.checks(settings):
        yield from _each(check)


def records_readable(settings: Settings) -> Iterator[Finding]:
    """The store of the records can be listed."""
    from esg_assets.adapters.stores import open_store  # noqa: PLC0415 - slow for remote stores

    newest = max(open_store(settings.store_url.get_secret_value()).keys("chain/"), default="")
    entries = f"newest chain entry: {newest}" if newest else "no report was published yet"
    yield Finding("ok", f"{settings.store_url}: {entries}")


def work_writable(settings: Settings) -> Iterator[Finding]:
    """An object can be put into the work store, read and removed."""
    from esg_assets.adapters.stores import open_store  # noqa: PLC0415 - slow for remote stores

    store, key, data = (
        open_store(settings.work_url.get_secret_value()),
        f"doctor/{secrets.token_hex(8)}",
        b"doctor",
    )
    store.create(key, data)
    try:
        same = store.read(key) == data
    except KeyMissing:
        same = False
    finally:
        store.delete(key)
    if same:
        yield Finding("ok", str(settings.work_url))
    else:
        yield Finding("wrong", f"{settings.work_url} does not give back what was written; use another store")


def database_migrates(settings: Settings) -> Iterator[Finding]:
    """The database opens and is at, or can be brought to, the newest revision."""
    from esg_assets.adapters.database.opening import open_database  # noqa: PLC0415 - SQLAlchemy is slow to import

    open_database(settings.database_url.get_secret_value())
    yield Finding("ok", f"{settings.database_url} is at the newest revision")


def account_system_answers(settings: Settings) -> Iterator[Finding]:
    """The account system sends its first rows."""
    if settings.accounts_url is None:
        yield Finding("skipped", "ESG_ACCOUNTS_URL is not set")
        return
    rows, note = _first_rows(settings)
    if rows:
        yield Finding("ok", f"{settings.accounts_url}: {len(rows):,} rows in the first page{note}")
    else:
        yield Finding(
            "wrong", f"{settings.accounts_url} sent no account{note}; see its filters and ESG_ACCOUNTS_QUERY"
        )


def provider_answers(settings: Settings) -> Iterator[Finding]:
    """The ESG API accepts our credentials and answers one call, unless a run has its turn there."""
    needed = [fault for fault in settings.missing_for("run") if fault.setting.startswith("ESG_API_")]
    if needed:
        yield Finding("skipped", f"{needed[0].setting} is not set")
        return
    from esg_assets.composition import leases  # noqa: PLC0415 - slow to import

    try:
        with leases(settings).hold("esg_api", "esg-assets doctor"):
            yield _one_rating(settings)
    except LeaseBusy:
        yield Finding("skipped", "a run is calling it just now, and the rate limit is for all together")


CHECKS: Mapping[str, tuple[Callable[[Settings], Iterator[Finding]], bool]] = {
    "settings": (settings_complete, False),
    "home": (home_usable, False),
    "keys": (keys_usable, False),
    "records": (records_readable, True),
    "work": (work_writable, True),
    "database": (database_migrates, True),
    "account system": (account_system_answers, True),
    "ESG API": (provider_answers, True),
}
"""By name; True for those that go to a system of its own, and so only with settings that are right."""


def _each(check: Callable[[], tuple[State, str]]) -> Iterator[Finding]:
    """One finding; an error is one too, so that the next key is looked at as well."""
    try:
        yield Finding(*check())
    except EsgError as error:
        yield Finding("wrong", str(error))


def _as_of(settings: Settings) -> date:
    today = central_date(datetime.now(UTC))
    return today - timedelta(days=settings.as_of_lag_days)


def _first_rows(settings: Settings) -> tuple[list[Mapping[str, object]], str]:
    from esg_assets.composition import account_source  # noqa: PLC0415 - slow to import

    source = account_source(settings)
    try:
        return list(next(iter(source.read(_as_of(settings))), ())), ""
    except NoHistory:
        return list(next(iter(source.read(None)), ())), "; it keeps no history, so that it serves today only"


def _one_rating(settings: Settings) -> Finding:
    from esg_assets.cli.provider_check import NOBODY, ask_once  # noqa: PLC0415 - slow to import

    # Whether a mapping fits shows only on an account that the provider knows.
    account_id = NOBODY if settings.api_mapping is None else _one_account(settings) or NOBODY
    well, text = ask_once(settings, account_id, _as_of(settings))
    return Finding("ok" if well else "wrong", text)


def _one_account(settings: Settings) -> str:
    """The id of the first account that the account system sends; "" if there is none to be had."""
    from esg_assets.composition import rules  # noqa: PLC0415 - slow to import

    if settings.accounts_url is None:
        return ""
    try:
        rows, _ = _first_rows(settings)
    except EsgError:  # a finding of its own
        return ""
    name = rules(settings).accounts.source_of("account_id")
    found = rows[0].get(name) if rows and name is not None else None
    return found if isinstance(found, str) else ""
