"""What `esg-assets report list|decrypt|verify|failures` do, as functions of ports with plain results.

Each returns the object that `--json` prints. Options, help and what people see are the commands'
business; how adapters are made of settings is `esg_assets.composition`'s.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Any

from esg_assets.adapters.decrypted_file import decrypt_to
from esg_assets.adapters.publications import PublishedReports
from esg_assets.core import outcomes
from esg_assets.core.errors import KeyMissing, Refused, SettingsWrong, Tampered
from esg_assets.core.examination import Head
from esg_assets.core.ports import RatingsParts, Snapshots
from esg_assets.core.publication import Publication
from esg_assets.core.ratings import Status
from esg_assets.core.record_ports import OpeningEnvelope
from esg_assets.core.summary import failed_accounts

_HEAD = re.compile(r"(\d{1,10}):([0-9a-f]{64})")
_SHOWN = 16  # digits of a key's name, as `report list` shows them
_FAILURE_COLUMNS = ("account_id", "status", "reason", "attempts", "last_status")

Json = dict[str, Any]


def listed(reports: PublishedReports, day: date | None = None, moment: datetime | None = None) -> Json:
    """Every published version, oldest date first: `report list`.

    Args:
        reports: what is published.
        day: only of that date.
        moment: only what was published by then.

    Raises:
        Tampered: the chain is not what was signed.
    """
    ordered = sorted(reports.list(), key=lambda each: (each.date, each.version))
    wanted = [each for each in ordered if day is None or each.date == day]
    return {"reports": [_told(each) for each in wanted if moment is None or each.recorded_at <= moment]}


def decrypted(
    reports: PublishedReports, opener: OpeningEnvelope, day: date, out: Path, version: int | None = None
) -> Json:
    """Open a report and write it to a new file: `report decrypt`.

    Args:
        reports: what is published; reading it verifies the chain.
        opener: the recipient's key.
        day: the report's date.
        out: a file that does not exist yet; made 0600, whole or not at all.
        version: the newest for None.

    Raises:
        KeyMissing: it is not published.
        Tampered: the chain or the report is not what was signed and sealed. There is no file then.
        Refused: the key is none of its recipients', or the file cannot be made.
    """
    publication = reports.version(day, version)
    require_recipient(publication, opener)
    size = decrypt_to(out, reports.open_report(publication, opener))
    return {**_told(publication), "rows": publication.rows, "bytes": size, "path": str(out)}


def verified(reports: PublishedReports, day: date | None = None, expect_head: str = "") -> Json:
    """Judge chain and objects: `report verify`; exit status 1 unless `ok`.

    Args:
        reports: what is published.
        day: one report only, as far as objects are concerned.
        expect_head: `SEQ:SHA256` as it was remembered elsewhere, "" for none.

    Raises:
        SettingsWrong: `expect_head` is not of that form.
    """
    result = reports.verify(day, _head(expect_head) if expect_head else None)
    return {
        "ok": result.ok,
        "entries": result.entries,
        "head": {"sequence": result.head.sequence, "sha256": result.head.sha256},
        "faults": [
            {"date": each.date, "version": each.version, "sequence": each.sequence, "what": each.what}
            for each in result.faults
        ],
    }


def failures_in_summary(reports: PublishedReports, opener: OpeningEnvelope, day: date) -> Json:
    """The failed accounts of the newest version, from its sealed summary: `report failures --key`.

    Raises:
        KeyMissing: the date is not published, or has no summary yet.
        Tampered: the chain or the summary is not what was signed and sealed.
        Refused: the key is none of the report's recipients', and does not open the summary either.
    """
    publication = reports.version(day)
    try:
        with reports.open_summary(publication, opener) as source:
            data = source.read()
    except Tampered:  # a summary can have other recipients than its report, which was sealed before it
        require_recipient(publication, opener)
        raise
    # Only now is it known to be the summary that was published.
    found = json.loads(data)["failed_accounts"]
    return _failures(day, publication.version, found)


def require_recipient(publication: Publication, opener: OpeningEnvelope) -> None:
    """Nothing, if the key is one of the report's recipients', as the verified chain names them.

    Raises:
        Refused: it is not; names the key, and those that are.
    """
    if opener.recipient in publication.recipients:
        return
    own, *names = (name[:_SHOWN] for name in (opener.recipient, *publication.recipients))
    raise Refused(
        f"Opening the report of {publication.date} version {publication.version}: the key {own} of --key is "
        f"none of its recipients. They are the keys {', '.join(names)}: SHA-256 of the public key, of a key "
        "in KMS of its ARN. Give --key one of these."
    )


def failures_in_work(snapshots: Snapshots, parts: RatingsParts, day: date) -> Json:
    """The accounts that are FAILED now, from the host's working data: `report failures`.

    Raises:
        KeyMissing: there is no working data of that date (any more).
        Tampered: it is not what was sealed.
    """
    snapshot = snapshots.latest(day)
    if snapshot is None:
        raise KeyMissing(
            f"Looking for the failures of {day}: no working data of that date is kept here. Give --key to "
            "read them from the sealed summary."
        )
    accounts = snapshot.accounts.column("account_id")
    table = outcomes.latest(accounts, parts.read(snapshot, _FAILURE_COLUMNS))
    found = [{**asdict(each), "reason": each.reason.value} for each in failed_accounts(table.to_batches())]
    return _failures(day, None, found)


def _failures(day: date, version: int | None, found: Sequence[Mapping[str, object]]) -> Json:
    """`version` is None where working data was read: it may be further than what is published."""
    return {"date": day.isoformat(), "version": version, "failures": [dict(each) for each in found]}


def _told(publication: Publication) -> Json:
    return {
        "date": publication.date.isoformat(),
        "version": publication.version,
        "sequence": publication.sequence,
        "counts": {status.value: publication.counts[status] for status in Status},
        "recipients": list(publication.recipients),
    }


def _head(text: str) -> Head:
    match = _HEAD.fullmatch(text)
    if match is None:
        raise SettingsWrong("--expect-head: wanted is SEQ:SHA256, a chain sequence and 64 hex digits.")
    return Head(int(match[1]), match[2])
