"""What may be removed of the history, and when; removing it is the port `Pruning`'s business.

A report's figures go after their years, and not before the report itself has expired: while it can be
opened, it can be held against what was said of it. Pure functions over the chain's entries.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from esg_assets.core.chain import Entry
from esg_assets.core.chain_history import may_expire_from
from esg_assets.core.publication import expired_keys, named_objects, publications
from esg_assets.core.retention import held_by


@dataclass(frozen=True)
class Keeping:
    """How long what stays.

    Attributes:
        history_years: figures and details, from publication (ESG_HISTORY_YEARS).
        run_record_days: records of runs, from their start (ESG_RUN_RECORD_DAYS).
        alert_days: alerts, from their end (ESG_ALERT_DAYS).
    """

    history_years: int
    run_record_days: int
    alert_days: int


def figures_to_forget(
    entries: Sequence[Entry], wanted: Collection[str], *, now: dt.datetime, years: int
) -> Iterator[str]:
    """Those of `wanted` whose figures may go: old enough, of a date that expired whole and is under no hold.

    Args:
        entries: the whole chain, verified.
        wanted: SHA-256 of publish entries; one that is not in the chain stays.
        now: with a time zone.
        years: ESG_HISTORY_YEARS.
    """
    of_date: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        of_date[str(entry.body.get("date", ""))].append(entry)
    for each in publications(entries):
        if each.entry_sha256 not in wanted or now.date() < may_expire_from(each.recorded_at, years):
            continue
        own = of_date[each.date.isoformat()]
        if _is_expired(own) and held_by(own, each.date) is None:
            yield each.entry_sha256


def _is_expired(own: Sequence[Entry]) -> bool:
    """Whether every object that a date's entries name was removed."""
    named = {stored.key for entry in own for _, stored in named_objects(entry)}
    return named <= expired_keys(own)
