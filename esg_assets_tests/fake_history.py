"""The history in memory; it passes the contract suite of its port (contract/test_history*.py)."""

import collections
import json
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from esg_assets.core.errors import Tampered
from esg_assets.core.history import (
    ChainHead,
    ClearFigures,
    PastReport,
    PublishedReport,
    RunRecord,
    RunTotals,
    Said,
)


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
