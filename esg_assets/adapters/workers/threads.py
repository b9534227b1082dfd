"""The threads of one collection: those that call, and the one that keeps.

Why threads is said in the package; what they drive is `esg_assets.core.collection`.
"""

import threading
from collections.abc import Callable, Sequence
from datetime import date

from esg_assets.adapters.workers.clock import Clock
from esg_assets.adapters.workers.unsettled import Unsettled
from esg_assets.core.calls import Call, Done
from esg_assets.core.collection import Collection
from esg_assets.core.errors import EsgError, Stopped, StoreUnavailable
from esg_assets.core.ports import RatingsApi
from esg_assets.core.progress import Progress
from esg_assets.core.ratings import Outcome

FLUSH_SECONDS = 0.75  # with the time that sealing takes, what has arrived is safe within a second
FLUSH_OUTCOMES = 500  # one batch is filled while the other is sealed: 1,000 in memory at most
FLUSH_BYTES = 4 << 20
PROGRESS_SECONDS = 2.0
IDLE_SECONDS = 0.5  # an idle worker looks again at least this often: for a stop, and for the end of an outage
GRACE_SECONDS = 2.0  # a stopped run waits this long for calls in flight; SIGTERM must end within 5 s


class Workers:
    """Runs one collection to its end.

    Args:
        collection: the state machine.
        api: the provider.
        as_of: the date asked for.
        keep: seals outcomes; called from the thread that calls `run`, with those of at most 1 s, or
            some 500.
        report: called with the progress every few seconds and at the end, from the same thread.
        give_way: asked after each `keep`; True ends the run when calls in flight have ended.
        clock: what they sleep on.
    """

    def __init__(
        self,
        collection: Collection,
        api: RatingsApi,
        as_of: date,
        *,
        keep: Callable[[Sequence[Outcome]], None],
        report: Callable[[Progress], None],
        give_way: Callable[[], bool],
        clock: Clock,
    ) -> None:
        self._collection = collection
        self._api = api
        self._as_of = as_of
        self._keep = keep
        self._report = report
        self._give_way = give_way
        self._clock = clock
        self._unsettled = Unsettled()
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)  # workers with nothing to send
        self._kept = threading.Condition(self._lock)  # workers that wait for room in memory
        self._arrived = threading.Condition(self._lock)  # the thread that keeps
        self._results: list[Outcome] = []
        self._bytes = 0
        self._unkept: Sequence[Outcome] = ()  # taken to be kept, and not known to be kept yet
        self._crash: BaseException | None = None
        self._alive = 0
        self._told = 0  # accounts that had ended when the progress was told last

    def run(self) -> Progress:
        """Ask for every account; on return, or on any exception, everything that arrived is kept.

        Raises:
            EsgError: what ended the collection early (`Collection.error`).
        """
        count = min(self._api.policy.concurrency, max(1, self._collection.progress.wanted))
        threads = [threading.Thread(target=self._work, name=f"esg-{n}", daemon=True) for n in range(count)]
        self._alive = count
        for thread in threads:
            thread.start()
        try:
            self._gather()
        except StoreUnavailable:
            self._stop_calling()
            raise
        except BaseException:  # terminated from outside: keep what has arrived
            self._stop_calling()
            self._keep_rest()
            raise
        self._report(self._collection.progress)
        if self._crash is not None:
            raise self._crash
        if self._collection.error is not None:
            raise self._collection.error
        return self._collection.progress

    # --- the thread that keeps --------------------------------------------------------------------

    def _gather(self) -> None:
        flushed = told = self._clock.monotonic()
        while True:
            with self._lock:
                due = flushed + FLUSH_SECONDS - self._clock.monotonic()
                if self._alive and not self._full() and due > 0:
                    self._arrived.wait(due)
            self._settle()
            with self._lock:
                now = self._clock.monotonic()
                self._add(self._collection.tick(now))
                finished = not self._alive
                flush = finished or self._full() or now - flushed >= FLUSH_SECONDS
                if flush:
                    self._take()
            if flush:
                flushed = now
                self._keep_taken()
                self._stop_if_wanted()
            if finished:
                return
            if now - told >= PROGRESS_SECONDS:
                self._tell(now - told)
                told = now

    def _tell(self, seconds: float) -> None:
        progress = self._collection.progress
        ended = progress.ended.total()
        progress.speed = (ended - self._told) / seconds
        self._told = ended
        self._report(progress)

    def _take(self) -> None:
        self._unkept = [*self._unkept, *self._results]
        self._results, self._bytes = [], 0
        self._kept.notify_all()

    def _keep_taken(self) -> None:
        if self._unkept:
            self._keep(self._unkept)
            self._unkept = ()

    def _stop_if_wanted(self) -> None:
        if self._give_way() and not self._collection.stopping:
            with self._lock:
                self._collection.stop(
                    Stopped(
                        "A more urgent date waits for the provider, so this one gave way; nothing is lost."
                    )
                )
                self._idle.notify_all()

    def _stop_calling(self) -> None:
        until = self._clock.monotonic() + GRACE_SECONDS
        with self._lock:
            self._collection.stop()
            self._idle.notify_all()
            self._kept.notify_all()
        while True:
            self._settle()
            with self._lock:
                left = until - self._clock.monotonic()
                if not self._collection.in_flight or left <= 0:
                    return
                self._arrived.wait(min(left, 0.1))

    def _keep_rest(self) -> None:
        self._settle()
        with self._lock:
            self._take()
        self._keep_taken()

    def _full(self) -> bool:
        return len(self._results) >= FLUSH_OUTCOMES or self._bytes >= FLUSH_BYTES

    # --- the threads that call --------------------------------------------------------------------

    def _work(self) -> None:
        try:
            slot = self._reserve()
            while slot is not None:
                call = self._start_at(slot)
                following = None if call is None else self._make(call)
                slot = self._reserve() if following is None else following
        except BaseException as error:  # noqa: BLE001  # handed to the thread that runs the collection
            with self._lock:
                self._crash = self._crash or error
                self._collection.stop()
        finally:
            with self._lock:
                self._alive -= 1
                self._idle.notify_all()
                self._arrived.notify()

    def _reserve(self) -> float | None:
        """Wait for a slot; None when there will be none any more."""
        while True:
            with self._lock:
                slot = self._collection.slot(self._clock.monotonic())
                if isinstance(slot, float):
                    return slot
                if not self._unsettled:
                    if isinstance(slot, Done):
                        return None
                    self._idle.wait(IDLE_SECONDS if slot.seconds is None else min(slot.seconds, IDLE_SECONDS))
            self._settle()  # which may be all that was waited for

    def _start_at(self, slot: float) -> Call | None:
        """Sleep to a reserved slot, and to the next where it turns out to be no good."""
        while True:
            self._sleep_until(slot)
            with self._lock:
                started = self._collection.start(slot, self._clock.monotonic())
                self._idle.notify()  # a reservation is free: somebody may make the next
            if not isinstance(started, float):
                return started
            slot = started

    def _sleep_until(self, moment: float) -> None:
        # In pieces, so that a run that is stopped in a pause of many minutes ends soon.
        while (left := moment - self._clock.monotonic()) > 0 and not self._collection.stopping:
            self._clock.sleep(min(left, IDLE_SECONDS))

    def _make(self, call: Call) -> float | None:
        """Make a call and take its reply; gives the next slot, if there is one at once."""
        try:
            etag = self._collection.etag_of(call)
            reply = self._api.ask_many(call.account_ids, self._as_of, self._wait_for_slot, etag)
        except EsgError as error:  # no token to be had: nothing can be asked any more
            self._abandon(1, error)
            return None
        except BaseException:
            self._abandon(1, None)
            raise
        due = self._unsettled.add(call, reply, self._clock.monotonic())
        if due or not self._collection.settles_later(reply):
            self._settle()
        with self._lock:
            if self._full():
                self._arrived.notify()
                while self._full() and not self._collection.stopping:
                    self._kept.wait(IDLE_SECONDS)
                return None
            slot = self._collection.slot(self._clock.monotonic())
            return slot if isinstance(slot, float) else None

    def _settle(self) -> None:
        """Judge and end the answers that wait."""
        taken = self._unsettled.take()
        if not taken:
            return
        try:
            judged = [(call, reply, self._collection.judge(call, reply)) for call, reply in taken]
        except BaseException:
            self._abandon(len(taken), None)
            raise
        with self._lock:
            now = self._clock.monotonic()
            for call, reply, judgements in judged:
                self._add(self._collection.end(call, reply, now, judgements))
            # The workers that ended go on themselves; an idle one is wanted only if there is more to do.
            self._idle.notify(len(judged))

    def _add(self, outcomes: Sequence[Outcome]) -> None:
        self._results += outcomes
        self._bytes += sum(len(o.raw) for o in outcomes)

    def _wait_for_slot(self) -> None:
        """For the client, before each further request that one call takes: it counts against the rate."""
        with self._lock:
            slot = self._collection.another_slot(self._clock.monotonic())
        self._sleep_until(slot)

    def _abandon(self, calls: int, error: EsgError | None) -> None:
        with self._lock:
            self._collection.abandon(calls, error)
            self._idle.notify_all()
