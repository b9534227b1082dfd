"""`esg-assets report reproduce`: a past report made again from the kept raw answers, and what came of it.

Where its material is found is `esg_assets.reproducing`; the rules are `esg_assets.core.reproduction`.
"""

from typing import TYPE_CHECKING, Any

from esg_assets import __version__
from esg_assets.cli.answers import Answer
from esg_assets.cli.commands import Commands
from esg_assets.cli.options import Day, KeyringFile, OptionalKey, OptionalVersion
from esg_assets.cli.report_access import opener_of, verifying_settings
from esg_assets.core.errors import KeyMissing, Refused, SettingsWrong, Tampered

if TYPE_CHECKING:
    from esg_assets.core.publication import Publication
    from esg_assets.core.record_ports import OpeningEnvelope
    from esg_assets.core.reply_shapes import ReplyShape
    from esg_assets.core.reproduction import MadeAgain, Reproduction
    from esg_assets.core.row_changes import Tally
    from esg_assets.reproducing import Material, ReproducingStores
    from esg_assets.settings import Settings

_PLACES = {"work": "the working data of this host", "archive": "the archive of its working data"}


def register(commands: Commands) -> None:
    """Add the command."""
    commands.add("report reproduce", reproduce)


def reproduce(
    day: Day,
    key: OptionalKey = None,
    version: OptionalVersion = None,
    keyring: KeyringFile = None,
) -> Answer:
    """Make a report again from the provider's raw answers, and compare it with what was published.

    Within the working window on the host that made it; after the window with a recipient's --key. Every
    rating is judged again from its raw answer. Nothing is written. Exit 0: equal; 1: it differs.
    """
    from esg_assets.core.reproduction import make_again  # noqa: PLC0415 - slow to import
    from esg_assets.reproducing import ReproducingStores  # noqa: PLC0415

    settings = verifying_settings("report reproduce", keyring)
    stores = ReproducingStores(settings)
    opener = None if key is None else opener_of(key)
    publication = stores.published.version(day.date(), version)
    if publication.expired:
        raise Refused(
            f"{_making(publication)}: it expired; entry {publication.expired} says who and why. There is "
            "nothing left to make it from."
        )
    found = _material(settings, stores, publication, opener)
    salt = _salt(stores, publication, opener)
    software = stores.published.software_of(publication)
    made = make_again(found.snapshot, found.parts(), _shape(publication, found, software))
    result = made.compared(publication, salt)
    differing = None
    if opener is not None and not result.commitment_equal:
        differing = _compared_with_report(stores, publication, opener, made)
    told = {
        **_told(publication, found, result, differing),
        "software": {"then": software, "now": __version__},
    }
    words = _words(publication, found, result, differing)
    if not result.equal and software != __version__:
        words.append(
            f"It was published by esg_assets {software}, and this is {__version__}: repeat it with that one, "
            "which reads answers as it did then."
        )
    return Answer(told, words, status=0 if result.equal else 1)


def _shape(publication: "Publication", found: "Material", software: str) -> "ReplyShape":
    """How answers are read under the mapping that was frozen with the snapshot."""
    from esg_assets import composition  # noqa: PLC0415 - slow to import

    try:
        return composition.reply_shapes().of(found.snapshot.mapping)
    except SettingsWrong as error:
        raise Refused(
            f"{_making(publication)}: esg_assets {__version__} does not understand the mapping that was "
            f"frozen with its accounts ({error}). It was published by {software}: repeat it "
            "with that one. No setting of today matters."
        ) from None


def _material(
    settings: "Settings",
    stores: "ReproducingStores",
    publication: "Publication",
    opener: "OpeningEnvelope | None",
) -> "Material":
    from esg_assets import reproducing  # noqa: PLC0415 - slow to import
    from esg_assets.cli.reports import require_recipient  # noqa: PLC0415

    # Who reads elsewhere has no working key, and no work store either.
    found = reproducing.in_work(stores.kept, publication) if settings.working_key else None
    if found is None and opener is not None:
        try:
            found = reproducing.in_archive(stores.published, publication, opener)
        except Tampered:  # an archive can have other recipients than its report, which was sealed before
            require_recipient(publication, opener)
            raise
    if found is not None:
        return found
    archived = reproducing.archived(stores.published, publication)
    raise _not_found(publication, archived=archived, key=opener is not None, host=bool(settings.working_key))


def _not_found(publication: "Publication", *, archived: bool, key: bool, host: bool) -> Exception:
    if archived and not key:
        return Refused(
            f"{_making(publication)}: what it was made from is no longer open to this host, but sealed to "
            "its recipients. Give the --key of one."
        )
    if archived:
        return KeyMissing(
            f"{_making(publication)}: no archive of that date holds what it was made from. "
            "`esg-assets report verify` tells whether one is missing."
        )
    if not host:
        return SettingsWrong(
            f"{_making(publication)}: it is within its working window, so that what it was made from is open "
            "to the host alone that made it. Run this there; here ESG_WORKING_KEY is not set."
        )
    return KeyMissing(
        f"{_making(publication)}: the work store (ESG_WORK_URL) does not hold what it was made from, and no "
        "archive of it is published. Restore the work store from a copy."
    )


def _salt(stores: "ReproducingStores", publication: "Publication", opener: "OpeningEnvelope | None") -> bytes:
    from esg_assets.cli.reports import require_recipient  # noqa: PLC0415 - slow to import

    if opener is not None:
        require_recipient(publication, opener)
        return stores.published.open_salt(publication, opener)
    salt = stores.salts.of(publication)
    if salt is None:
        raise Refused(
            f"{_making(publication)}: the salt of its commitment is no longer in the working data, so that "
            "nothing can be compared here. Give the --key of a recipient."
        )
    return salt


def _compared_with_report(
    stores: "ReproducingStores", publication: "Publication", opener: "OpeningEnvelope", made: "MadeAgain"
) -> "Tally":
    """How many rows of the published report differ; known only once it was read to its verified end."""
    from esg_assets.core import report_rows, row_changes  # noqa: PLC0415 - slow to import

    published = stores.published.read_twice(publication, opener)
    tally = row_changes.Tally()
    for change in row_changes.changes(report_rows.rows(published.first()), report_rows.rows(made.chunks())):
        tally.add(change)
    return tally


def _making(publication: "Publication") -> str:
    return f"Making the report of {publication.date} version {publication.version} again"


def _told(
    publication: "Publication", found: "Material", result: "Reproduction", differing: "Tally | None"
) -> dict[str, Any]:
    return {
        "date": publication.date.isoformat(),
        "version": publication.version,
        "sequence": publication.sequence,
        "equal": result.equal,
        "commitment_equal": result.commitment_equal,
        "from": found.place,
        "parts": len(publication.parts),
        "parts_sealed_anew": found.sealed_anew,
        "rows": result.rows,
        "counts": {status.value: count for status, count in result.counts.items()},
        "published_counts": {status.value: count for status, count in publication.counts.items()},
        "judged_again": result.judged,
        "as_kept": result.as_kept,
        "answers_that_differ": {"rows": result.differing, **result.answers},
        "rows_that_differ": None if differing is None else _differing(differing),
    }


def _differing(tally: "Tally") -> dict[str, int]:
    kinds = {kind: count for kind, count in tally.kinds.items() if count}
    return {"rows": tally.changed + tally.only_details, **kinds}


def _words(
    publication: "Publication", found: "Material", result: "Reproduction", differing: "Tally | None"
) -> list[str]:
    anew = ""
    if found.sealed_anew:
        anew = f" ({found.sealed_anew:,} sealed anew since, with another working key)"
    name = f"Report of {publication.date}, version {publication.version} (entry {publication.sequence})"
    judged = f"{result.judged:,} raw answers judged again"
    lines = [
        f"{name}, made again from {_PLACES[found.place]}: {len(publication.parts):,} parts{anew}.",
        f"{result.rows:,} rows: {judged}, {result.as_kept:,} without a rating taken as they were kept.",
    ]
    if result.differing:
        lines.append(
            f"Answers that give something else than was kept: {result.differing:,} "
            f"({_kinds(result.answers)})."
        )
    then, now = dict(publication.counts), dict(result.counts)
    counted = ", ".join(f"{count:,} {status.value}" for status, count in now.items())
    if then == now:
        lines.append(f"Counts equal: {counted}.")
    else:
        entry = ", ".join(f"{count:,} {status.value}" for status, count in then.items())
        lines.append(f"Counts differ: {counted}; the entry says {entry}.")
    if result.commitment_equal:
        lines.append("Commitment equal: the CSV is, byte for byte, the one that was published.")
    else:
        lines.append("Commitment differs: this is not the CSV that was published.")
        lines.append(_rows_that_differ(differing))
    return lines


def _rows_that_differ(differing: "Tally | None") -> str:
    if differing is None:
        return "With the --key of a recipient it is compared row by row with the published report."
    found = _differing(differing)
    rows = found.pop("rows")
    if not rows:
        return "Read as numbers and texts, no row differs: the bytes do."
    return f"Rows that differ from the published report: {rows:,} ({_kinds(found)})."


def _kinds(counts: "dict[str, int] | Any") -> str:
    return ", ".join(f"{kind.replace('_', ' ')} {count:,}" for kind, count in counts.items())
