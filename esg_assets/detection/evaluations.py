"""Evaluations of checks: what failed, at its own severity and on its own date, and what passes again."""

from collections.abc import Iterator
from datetime import date

import dagster as dg

from esg_assets.core import verdicts
from esg_assets.core.alerts.incidents import Observation, Recovery
from esg_assets.core.alerts.kinds import KINDS, Severity, kind_of_check
from esg_assets.core.alerts.ledger import BLOCKS
from esg_assets.detection.run_record import Looked
from esg_assets.detection.scene import Scene, Seen

_FACTS = {
    "accounts": "accounts",
    "failed": "failed",
    "failure_rate": "share",
    "not_rated": "not_rated",
    "not_rated_rate": "share",
    "change": "share",
    "limit": "limit",
}
"""Metadata of an evaluation that becomes a fact, and the fact's name; besides all of `reason.…`."""

_OF_ITS_DATE_ALONE = {verdicts.STILL_VERIFIES}
"""That a later report verifies says nothing of an earlier one."""


def look(scene: Scene, looked: Looked) -> Iterator[Seen]:
    """What every evaluation of a run says."""
    for one in looked.of_type(dg.DagsterEventType.ASSET_CHECK_EVALUATION):
        found = one.event.asset_check_evaluation_data
        kind, subject = kind_of_check(found.check_name)
        day = _day(looked, found)
        evidence = f"run:{looked.run_id}:event:{one.number}"
        if found.passed:
            yield Recovery(
                evidence,
                one.at,
                frozenset({kind.name}),
                day,
                subject or None,
                earlier_dates=kind.name not in _OF_ITS_DATE_ALONE,
                facts={} if day is None else scene.standing(day),
                run_id=looked.run_id,
            )
        else:
            facts = _facts(found)
            if facts[BLOCKS] and day is not None:
                facts |= scene.prospects(day)
            severity = Severity[found.severity.value]
            yield Observation(kind, evidence, one.at, day, subject, severity, facts, looked.run_id)


def _day(looked: Looked, found: dg.AssetCheckEvaluation) -> date | None:
    if found.partition:
        return date.fromisoformat(found.partition)
    return None if looked.days is None else looked.days[0]


def _facts(found: dg.AssetCheckEvaluation) -> dict[str, int | float | str]:
    facts: dict[str, int | float | str] = {"check": found.check_name, BLOCKS: 0}
    for name, held in found.metadata.items():
        value = getattr(held, "value", held)
        if name == BLOCKS:
            facts[BLOCKS] = int(bool(value))
        elif name in _FACTS and isinstance(value, int | float):
            facts[_FACTS[name]] = value
        elif name.startswith("reason.") and isinstance(value, int):
            facts[name] = value
    # The words of a check of the firm's own are the firm's, and may say anything.
    if found.check_name in KINDS and found.description:
        facts["note"] = found.description
    return facts
