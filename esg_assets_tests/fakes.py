"""Hand-written stand-ins for ports. Each passes the contract suite of its port (contract/).

One class per port, named Memory… for what keeps its state, Scripted… for what answers by a script.
"""

import collections
import contextlib
import io
import json
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from esg_assets.core.errors import EsgError, KeyExists, KeyMissing, LeaseBusy, NoHistory, Tampered
from esg_assets.core.history import (
    ChainHead,
    ClearFigures,
    PastReport,
    PublishedReport,
    RunRecord,
    RunTotals,
    Said,
)
from esg_assets.core.object_keys import check_key, check_prefix
from esg_assets.core.ports import CallPolicy, HeldLease, Sink, Source
from esg_assets.core.ratings import Reply


class MemoryStore:
    """ObjectStore in a dict; `objects` may be looked at and altered by a test."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def create(self, key: str, data: bytes) -> None:
        with self._lock:
            if check_key(key) in self.objects:
                raise KeyExists(f"{key} is in the store already.")
            self.objects[key] = bytes(data)

    @contextlib.contextmanager
    def writer(self, key: str) -> Iterator[Sink]:
        if check_key(key) in self.objects:
            raise KeyExists(f"{key} is in the store already.")
        written = io.BytesIO()
        yield written
        self.create(key, written.getvalue())

    def read(self, key: str) -> bytes:
        try:
            return self.objects[check_key(key)]
        except KeyError:
            raise KeyMissing(f"There is no {key} in the store.") from None

    @contextlib.contextmanager
    def open(self, key: str) -> Iterator[Source]:
        yield io.BytesIO(self.read(key))

    def keys(self, prefix: str) -> Iterator[str]:
        check_prefix(prefix)
        yield from sorted(key for key in list(self.objects) if key.startswith(prefix))

    def delete(self, key: str) -> None:
        self.objects.pop(check_key(key), None)

    def replace(self, key: str, data: bytes) -> None:
        with self._lock:
            if check_key(key) not in self.objects:
                raise KeyMissing(f"There is no {key} in the store.")
            self.objects[key] = bytes(data)


class MemoryLeases:
    """Leases within this process."""

    def __init__(self) -> None:
        self._holders: dict[str, str] = {}
        self._held: set[str] = set()
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def hold(self, name: str, holder: str, *, wait_seconds: float = 0.0) -> Iterator[HeldLease]:
        with self._changed:
            if not self._changed.wait_for(lambda: name not in self._held, timeout=wait_seconds):
                raise LeaseBusy(f"{name} is held by {self._holders[name]}.")
            self._held.add(name)
            previous, self._holders[name] = self._holders.get(name, ""), holder
        try:
            yield MemoryLease(previous)
        finally:
            with self._changed:
                self._held.remove(name)
                self._changed.notify_all()


class MemoryLease:
    """What MemoryLeases gives."""

    def __init__(self, previous_holder: str) -> None:
        self._previous_holder = previous_holder

    @property
    def previous_holder(self) -> str:
        return self._previous_holder


class FakeRatingsApi:
    """RatingsApi by a script: the n-th try of an account gets its n-th reply, the last one for ever.

    Args:
        script: replies by account id; an exception among them is raised.
        otherwise: the reply for accounts without a script; a valid rating by default.
        policy: the policy in force.
        accounts_per_call: the most accounts of one call; `many` lists what each call asked for.
        during: called in each call, while it counts as in flight (to wait, or to stop the run), with
            the first of its accounts.
    """

    def __init__(
        self,
        script: Mapping[str, Sequence[Reply | Exception]] | None = None,
        *,
        otherwise: Callable[[str, date], Reply] | None = None,
        policy: CallPolicy | None = None,
        accounts_per_call: int = 1,
        during: Callable[[str], None] | None = None,
    ) -> None:
        self.policy = policy or CallPolicy()
        self.accounts_per_call = accounts_per_call
        self.calls: list[tuple[str, date]] = []
        self.etags: list[str] = []
        self.many: list[tuple[str, ...]] = []
        self.most_in_flight = 0
        self._script = dict(script or {})
        self._otherwise = otherwise or rating_reply
        self._during = during
        self._tries: collections.Counter[str] = collections.Counter()
        self._in_flight = 0
        self._lock = threading.Lock()

    def ask(self, account_id: str, as_of: date) -> Reply:
        return self.ask_many([account_id], as_of)

    def ask_many(
        self,
        account_ids: Sequence[str],
        as_of: date,
        wait_for_slot: Callable[[], None] | None = None,
        etag: str = "",
    ) -> Reply:
        with self._lock:
            self.etags.append(etag)
            self.many.append(tuple(account_ids))
            self.calls += [(account_id, as_of) for account_id in account_ids]
            nth = {account_id: self._tries[account_id] for account_id in account_ids}
            self._tries.update(account_ids)
            self._in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self._in_flight)
        try:
            if self._during is not None:
                self._during(account_ids[0])
        finally:
            with self._lock:
                self._in_flight -= 1
        replies = {account_id: self._reply(account_id, nth[account_id], as_of) for account_id in account_ids}
        return next(iter(replies.values())) if len(replies) == 1 else _together(replies)

    def close(self) -> None:
        pass

    def _reply(self, account_id: str, nth: int, as_of: date) -> Reply:
        replies = self._script.get(account_id)
        if not replies:
            return self._otherwise(account_id, as_of)
        reply = replies[min(nth, len(replies) - 1)]
        if isinstance(reply, Exception):
            raise reply
        return reply


_OF_ONE_ACCOUNT = frozenset({403, 404, 422})


def _together(replies: Mapping[str, Reply]) -> Reply:
    """One reply of the several-accounts endpoint; the first that no entry can hold is the whole call's."""
    whole = next((r for r in replies.values() if r.status not in {200, *_OF_ONE_ACCOUNT}), None)
    if whole is not None:
        return whole
    entries = [
        reply.body.decode()
        if reply.status == 200
        else json.dumps({"account_id": account_id, "error": {"status": reply.status, "code": "scripted"}})
        for account_id, reply in replies.items()
    ]
    return Reply(200, f'{{"ratings": [{", ".join(entries)}]}}'.encode())


def rating_reply(account_id: str, as_of: date, **fields: object) -> Reply:
    """A 200 with a valid rating of the account; `fields` replaces or adds some of its own."""
    rating = {
        "account_id": account_id,
        "as_of": as_of.isoformat(),
        "overall_score": 52.5,
        "environmental_score": 50,
        "social_score": 60.25,
        "governance_score": 40,
        "primary_focus": "social",
    }
    return Reply(200, json.dumps(rating | fields).encode())


class FakeAuthorization:
    """Authorization whose tokens are numbered; renewable unless `fixed`."""

    def __init__(self, *, fixed: bool = False) -> None:
        self.renewals = 0
        self._fixed = fixed
        self._lock = threading.Lock()

    def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer token-{self.renewals}"}

    def renew(self, refused: Mapping[str, str]) -> bool:
        with self._lock:
            if self._fixed:
                return False
            if refused == self.headers():
                self.renewals += 1
            return True


def _name_of(published: PublishedReport) -> tuple[date, int, str]:
    return published.report_date, published.version, published.head_sha256


class MemoryHistory:
    """History in lists; `publications` and `runs` may be looked at by a test."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.publications: list[PastReport] = []
        self.runs: list[RunRecord] = []
        self._details: dict[tuple[date, int, str], str] = {}
        self._head: ChainHead | None = None
        self._restores: list[tuple[int, datetime]] = []
        self._figures_later: dict[tuple[date, int, str], datetime] = {}
        self._clock = clock
        self._lock = threading.Lock()

    def record_publication(self, published: PublishedReport, figures: ClearFigures) -> None:
        with self._lock:
            for number, past in enumerate(self.publications):
                if _name_of(past.published) == _name_of(published):
                    if not past.figures:
                        self.publications[number] = replace(past, figures=dict(figures))
                        if figures:
                            self._figures_later[_name_of(published)] = self._clock()
                    return
            self.publications.append(PastReport(published, dict(figures), self._clock()))

    def record_details(self, published: PublishedReport, details: Mapping[str, object]) -> None:
        with self._lock:
            if _name_of(published) in {_name_of(past.published) for past in self.publications}:
                self._details.setdefault(_name_of(published), json.dumps(details))

    def details(self, published: PublishedReport) -> dict[str, Any] | None:
        kept = self._details.get(_name_of(published))
        return None if kept is None else dict(json.loads(kept))

    def versions(self, report_date: date) -> list[PastReport]:
        found = [past for past in self._standing() if past.published.report_date == report_date]
        return sorted(found, key=lambda past: past.published.version)

    def said_at(self, report_date: date, moment: datetime) -> Said | None:
        def lost(past: PastReport, by: datetime) -> bool:
            restores = [n for n, at in self._restores if past.recorded_at < at <= by]
            return any(n <= past.published.sequence for n in restores)

        own = [past for past in self.publications if past.published.report_date == report_date]
        past = self._newest(p for p in own if p.recorded_at <= moment and not lost(p, moment))
        if past is None:
            return None
        if self._figures_later.get(_name_of(past.published), moment) > moment:
            past = replace(past, figures={})
        return Said(past, lost=lost(past, datetime.max.replace(tzinfo=UTC)))

    def runs_of(self, report_date: date) -> list[RunRecord]:
        return [
            run for run in self.runs_since(datetime.min.replace(tzinfo=UTC)) if run.report_date == report_date
        ]

    def trend(self, names: Collection[str], since: date) -> list[PastReport]:
        newest = [past for day in self.published_dates(since) if (past := self.latest(day))]
        return [replace(p, figures={n: v for n, v in p.figures.items() if n in names}) for p in newest]

    def recorded_publications(self) -> dict[str, tuple[date, int]]:
        found = [past.published for past in self.publications]
        return {each.head_sha256: (each.report_date, each.version) for each in found}

    def latest(self, report_date: date) -> PastReport | None:
        return self._newest(past for past in self._standing() if past.published.report_date == report_date)

    def latest_before(self, report_date: date) -> PastReport | None:
        return self._newest(past for past in self._standing() if past.published.report_date < report_date)

    def record_run(self, run: RunRecord) -> None:
        def key(one: RunRecord) -> tuple[str, date, str]:
            return one.run_id, one.report_date, one.status

        with self._lock:
            if key(run) not in map(key, self.runs):
                self.runs.append(run)

    def runs_since(self, moment: datetime) -> list[RunRecord]:
        with self._lock:
            return sorted((r for r in self.runs if r.started_at >= moment), key=lambda r: r.started_at)

    def run_totals(self) -> RunTotals:
        with self._lock:
            runs = list(self.runs)
        return RunTotals(
            runs=collections.Counter(run.status for run in runs),
            calls=sum(run.calls for run in runs),
            retries=sum(run.retries for run in runs),
            refusals=sum(run.refusals for run in runs),
            seconds=sum(run.seconds for run in runs),
        )

    def head(self) -> ChainHead | None:
        return self._head

    def remember_head(self, head: ChainHead, *, restored: bool = False) -> None:
        with self._lock:
            known = self._head
            if known is None or restored or head.sequence > known.sequence:
                self._head = head
                if restored:
                    self._restores.append((head.sequence, self._clock()))
            elif head.sequence == known.sequence and head != known:
                raise Tampered(f"entry {head.sequence} is not the one that was seen before")

    def first_publication_date(self) -> date | None:
        return min((past.published.report_date for past in self._standing()), default=None)

    def published_dates(self, since: date) -> list[date]:
        return sorted({day for past in self._standing() if (day := past.published.report_date) >= since})

    def recorded_since(self, moment: datetime) -> list[PastReport]:
        found = [replace(past, figures={}) for past in self._standing() if past.recorded_at >= moment]
        return sorted(found, key=lambda past: past.recorded_at)

    def _standing(self) -> Iterator[PastReport]:
        """Without what a restore has lost."""
        for past in self.publications:
            lost = (n <= past.published.sequence and past.recorded_at < at for n, at in self._restores)
            if not any(lost):
                yield past

    def _newest(self, pasts: Iterable[PastReport]) -> PastReport | None:
        newest = None
        for past in pasts:
            order = (past.published.report_date, past.published.version)
            if newest is None or order >= (newest.published.report_date, newest.published.version):
                newest = past
        return newest


class FakeAccountSource:
    """AccountSource over rows in memory.

    `rows` may be altered by a test; `past` holds the lists of past dates and is None for a source that
    keeps no history; `error`, if set, is raised instead of an answer. `asked` tells what was asked for.
    """

    def __init__(
        self,
        rows: Sequence[Mapping[str, object]] = (),
        past: Mapping[date, Sequence[Mapping[str, object]]] | None = None,
        kind: str = "file",
    ) -> None:
        self.rows = rows
        self.past = past
        self.error: EsgError | None = None
        self.asked: list[date | None] = []
        self._kind = kind

    @property
    def kind(self) -> str:
        return self._kind

    def read(self, as_of: date | None) -> Iterator[Sequence[Mapping[str, object]]]:
        self.asked.append(as_of)
        if self.error is not None:
            raise self.error
        if as_of is not None and self.past is None:
            raise NoHistory(f"Reading the accounts as of {as_of}: this source keeps no history.")
        rows = self.rows if as_of is None or self.past is None else self.past.get(as_of, ())
        for start in range(0, len(rows), 10_000):
            yield rows[start : start + 10_000]
