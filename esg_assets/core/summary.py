"""The sealed summary: exact figures, the failed accounts, and how the run went, as one JSON object.

Only recipients open it, so it may hold account ids and exact figures. What everybody may see is told
in `esg_assets.core.summary_words`.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import pyarrow as pa
import pyarrow.compute as pc

from esg_assets.core.figures import Figures
from esg_assets.core.history import PublishedReport, RunRecord
from esg_assets.core.rating_bodies import RATINGS
from esg_assets.core.ratings import Reason, Status

SCHEMA_VERSION = 1
ACCOUNTS_PER_CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class FailedAccount:
    """An account without a rating, for those who have to do something about it.

    Attributes:
        last_status: the last HTTP status seen, None if no answer came.
    """

    account_id: str
    reason: Reason
    attempts: int
    last_status: int | None


def failed_accounts(batches: Iterable[pa.RecordBatch]) -> Iterator[FailedAccount]:
    """The FAILED ones, in the order given; one batch in memory at a time.

    Args:
        batches: account_id, status, reason, attempts and last_status as in OUTCOME_SCHEMA; further
            columns are ignored.
    """
    wanted = ["account_id", "reason", "attempts", "last_status"]
    for batch in batches:
        failed = batch.filter(pc.equal(batch.column("status"), Status.FAILED.value)).select(wanted)
        for row in failed.to_pylist():
            yield FailedAccount(row["account_id"], Reason(row["reason"]), row["attempts"], row["last_status"])


def accounts_note(published: PublishedReport) -> str:
    """One sentence that must be read when the accounts are not as of the date asked for; else ""."""
    if not published.current_accounts:
        return ""
    return (
        f"The accounts are those active at {published.accounts_as_of}, not at the end of "
        f"{published.as_of}: the account system keeps no history or was asked for current accounts."
    )


def summary_document(
    published: PublishedReport,
    figures: Figures,
    run: RunRecord,
    *,
    recipients: Sequence[str],
    software: Mapping[str, str],
) -> dict[str, object]:
    """All of the summary but the failed accounts, which `summary_chunks` appends.

    Args:
        published: the publication that it sums up.
        figures: exact.
        run: the run that made it.
        recipients: names of the public keys it is sealed to.
        software: versions by name (esg_assets, dagster, python …).

    Raises:
        ValueError: figures and publication disagree on how many accounts ended how.
    """
    if dict(published.counts) != dict(figures.by_status):
        raise ValueError(
            f"figures of {published.report_date} count other accounts than version {published.version}"
        )
    return {
        "schema_version": SCHEMA_VERSION,
        "report_date": published.report_date.isoformat(),
        "version": published.version,
        "sequence": published.sequence,
        "head_sha256": published.head_sha256,
        "as_of": published.as_of.isoformat(),
        "accounts_as_of": published.accounts_as_of,
        "current_accounts": published.current_accounts,
        "note": accounts_note(published),
        "requested_by": published.requested_by,
        "reason": published.reason,
        "recipients": list(recipients),
        "software": dict(software),
        "counts": dict(published.counts),
        "figures": _exact(figures),
        "run": _run(run),
    }


def summary_chunks(document: Mapping[str, object], failed: Iterable[FailedAccount]) -> Iterator[bytes]:
    """The summary as UTF-8 JSON, failed accounts last and one a line; nothing grows with their number.

    Args:
        document: what `summary_document` gave.
        failed: the failed accounts, in the report's order.
    """
    head = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    lines = [head.removesuffix("\n}") + ',\n  "failed_accounts": [']
    separator = "\n    "
    for account in failed:
        lines.append(separator + json.dumps(asdict(account), ensure_ascii=False))
        separator = ",\n    "
        if len(lines) >= ACCOUNTS_PER_CHUNK:
            yield "".join(lines).encode()
            lines.clear()
    lines.append("\n  ]\n}\n" if separator.startswith(",") else "]\n}\n")
    yield "".join(lines).encode()


def _exact(figures: Figures) -> dict[str, object]:
    rules = figures.rules
    metrics = {
        m.name: {"unit": m.unit, "better": m.better, **asdict(figures.metrics[m.name])} for m in rules.metrics
    }
    return {
        "accounts": figures.accounts,
        "success_rate": figures.success_rate,
        "failures": dict(figures.failures),
        "coverage": {
            "minimum_pct": rules.min_coverage_pct,
            "enough": figures.enough_coverage,
            "unknown": figures.unknown_coverage,
            "below": figures.below_coverage,
        },
        "scored_accounts": figures.scored_accounts,
        "scales": {
            "scores": {"lowest": 0, "highest": 100, "better": "higher"},
            "rating_letters": list(RATINGS),  # the best first
        },
        "scores": {name: asdict(spread) for name, spread in figures.scores.items()},
        "weighting": asdict(figures.weighting),
        "unknown_market_value": figures.unknown_market_value,
        "primary_focus": dict(figures.focus),
        "rating_letters": dict(figures.letters),
        "rating_age": {
            "maximum_days": rules.max_rating_age_days,
            "current": figures.current_ratings,
            "stale": figures.stale_ratings,
            "undated": figures.undated_ratings,
        },
        "metrics": metrics,
        "methodology_versions": dict(figures.methodologies),
    }


def _run(run: RunRecord) -> dict[str, object]:
    return {
        "run_id": run.run_id,
        "status": run.status,
        "started_at": run.started_at.isoformat(),
        "ended_at": None if run.ended_at is None else run.ended_at.isoformat(),
        "calls": run.calls,
        "retries": run.retries,
        "refusals": run.refusals,
        "seconds": run.seconds,
        "requested_by": run.requested_by,
        **({"figures": dict(run.figures)} if run.figures else {}),
    }
