"""What `esg-assets doctor` looks at in the stores beside reading them: their protection, and leftovers.

With `--repair` the leftovers go, under the lease of their date, so that no run is at work on what goes.
Which objects are leftovers is judged in `esg_assets.core.orphans`.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from esg_assets.cli.doctor_checks import Finding
from esg_assets.core.chain import Entry
from esg_assets.core.errors import LeaseBusy, Tampered
from esg_assets.core.orphans import date_in, records_orphans, work_orphans
from esg_assets.core.store_care import Leftover, StoredObject, TendedStore, objections
from esg_assets.settings import Settings

GRACE = dt.timedelta(days=1)
"""What is younger may belong to somebody who is at it, on a host that shares no leases with this one."""

_HOLDER = "esg-assets doctor --repair"


def records_protected(settings: Settings) -> Iterator[Finding]:
    """The bucket of the records is private and keeps versions; `prod` refuses another."""
    from esg_assets.store_choice import records_store  # noqa: PLC0415 - slow for remote stores

    protection = records_store(settings).protection()
    if not protection.bucket:
        yield Finding(
            "ok", "the records are in a folder: who may read and remove them is the host's business"
        )
        return
    found = objections(protection)
    for text in found:
        yield Finding("wrong" if settings.env == "prod" else "warning", text)
    kept = protection.retention or "none, so that versioning alone keeps what is deleted"
    if not found:
        yield Finding("ok", f"the bucket is private and keeps versions; retention: {kept}")


def leftovers(settings: Settings, *, repair: bool, any_age: bool) -> Iterator[Finding]:
    """What killed runs left in the stores: told, or with `repair` removed.

    Args:
        settings: in force.
        repair: remove it.
        any_age: also what is younger than a day.
    """
    now = dt.datetime.now(dt.UTC)
    survey = _Survey(settings)
    found = survey.found()
    old = [each for each in found if any_age or now - each.since >= GRACE]
    young = len(found) - len(old)
    note = f"; {young:,} younger than a day left alone (--any-age takes them too)" if young else ""
    if not old:
        yield Finding("ok", f"nothing was left behind by killed runs{note}")
        return
    if not repair:
        yield Finding("warning", f"{_counts(old)}{note}; `esg-assets doctor --repair` removes them")
        return
    by_date: defaultdict[dt.date | None, list[_Found]] = defaultdict(list)
    for each in old:
        by_date[date_in(each.name)].append(each)
    removed: list[_Found] = []
    for date, items in sorted(by_date.items(), key=lambda item: str(item[0])):
        try:
            removed += _removed(settings, survey, date, items)
        except LeaseBusy:
            yield Finding("skipped", f"{_counts(items)} of {date}: a run of that date is under way")
    if removed:
        yield Finding("ok", f"removed {_counts(removed)}{note}")


@dataclass(frozen=True)
class _Found:
    """One leftover: where it is, what it is, and how it is removed."""

    store: str
    kind: str
    name: str
    since: dt.datetime
    remove: Callable[[], None]


class _Survey:
    """What is in both stores, looked at once; the chain is read anew whenever it is judged."""

    def __init__(self, settings: Settings) -> None:
        from esg_assets.store_choice import records_store, work_store  # noqa: PLC0415 - slow for remote stores

        self._settings = settings
        self._records, self._work = records_store(settings), work_store(settings)
        # Listed before the chain is read: an entry that names one of these is then in what is read.
        self._in_records, self._in_work = [*self._records.listed("")], [*self._work.listed("")]
        self._unfinished = [_unfinished("records", self._records, each) for each in self._records.leftovers()]
        self._unfinished += [_unfinished("work", self._work, each) for each in self._work.leftovers()]

    def found(self) -> list[_Found]:
        """Every leftover, whatever its age. Raises Tampered: a faulty chain may not name all it should."""
        entries = self._entries()
        found = [*self._unfinished]
        if not entries:  # a store that lost its chain looks like one that never had an entry
            return found
        for name, store, orphans in (
            ("records", self._records, records_orphans(self._in_records, entries)),
            ("work", self._work, work_orphans(self._in_work, entries)),
        ):
            found += [_orphan(name, store, each) for each in orphans]
        return found

    def _entries(self) -> Sequence[Entry]:
        if not any(self._records.keys("chain/")):
            return ()  # the keys to verify with may not be there yet either
        from esg_assets.adapters.chain_log import ChainLog  # noqa: PLC0415 - slow to import
        from esg_assets.composition import history, keyring  # noqa: PLC0415 - slow to import

        entries = ChainLog(self._records, None, keyring(self._settings), self._settings.env).entries()
        remembered = history(self._settings).head()
        if remembered is not None and remembered.sequence > len(entries):
            raise Tampered(
                f"Looking for leftovers: the chain has {len(entries):,} entries, and {remembered.sequence:,} "
                "are remembered. Nothing was removed: what the missing ones name would be. Restore them."
            )
        return entries


def _removed(
    settings: Settings, survey: _Survey, date: dt.date | None, items: Sequence[_Found]
) -> list[_Found]:
    """Remove what is still a leftover now that nobody else is at the date. Raises LeaseBusy."""
    from esg_assets.composition import leases  # noqa: PLC0415 - slow to import
    from esg_assets.stale_runs import lease_name  # noqa: PLC0415 - dagster is slow to import

    with leases(settings).hold(lease_name("none" if date is None else date), _HOLDER):
        still = {(each.store, each.kind, each.name) for each in survey.found()}
        gone = [each for each in items if (each.store, each.kind, each.name) in still]
        for each in gone:
            each.remove()
    return gone


def _unfinished(name: str, store: TendedStore, leftover: Leftover) -> _Found:
    return _Found(
        name, leftover.kind, leftover.name, leftover.began_at, lambda: store.remove_leftover(leftover)
    )


def _orphan(name: str, store: TendedStore, stored: StoredObject) -> _Found:
    return _Found(name, "unnamed object", stored.key, stored.modified_at, lambda: store.delete(stored.key))


def _counts(found: Sequence[_Found]) -> str:
    """Such as "2 open uploads and 1 unnamed object in the records store"."""
    parts = []
    for store in ("records", "work"):
        kinds: defaultdict[str, int] = defaultdict(int)
        for each in found:
            if each.store == store:
                kinds[each.kind] += 1
        if kinds:
            told = " and ".join(f"{n:,} {kind}{'s' if n > 1 else ''}" for kind, n in sorted(kinds.items()))
            parts.append(f"{told} in the {store} store")
    return ", ".join(parts)
