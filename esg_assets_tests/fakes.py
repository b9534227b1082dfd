"""Hand-written stand-ins for ports. Each passes the contract suite of its port (contract/).

One class per port, named Memory… for what keeps its state, Scripted… for what answers by a script.
"""

import collections
import contextlib
import io
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date

from esg_assets.core.errors import EsgError, KeyExists, KeyMissing, LeaseBusy, NoHistory
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
