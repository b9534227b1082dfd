"""`esg-assets report archive|reseal|hold|release|expire` and `keys rotate`: reports after publication.

Options, settings and what people see; what they do is in `esg_assets.lifecycle` and below it. Whoever
removes, holds or reseals needs the records store and a signing key, and no other setting of the host.
"""

import getpass
import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from esg_assets.cli.answers import Answer
from esg_assets.cli.commands import Commands
from esg_assets.cli.options import Day, Key, KeyringFile, OptionalDay, OptionalKey, day_of, reason_option
from esg_assets.cli.reason_check import require_no_account
from esg_assets.cli.report_access import keys_in, opener_of
from esg_assets.core.errors import SettingsWrong

if TYPE_CHECKING:
    from esg_assets.core.chain import Entry
    from esg_assets.lifecycle import LifecycleStores
    from esg_assets.working_window import Turn

Reason = Annotated[str, reason_option("Why")]
Recipients = Annotated[
    str,
    typer.Option(
        "--recipients", metavar="LIST", help="The new recipients, as in ESG_REPORT_RECIPIENTS: all of them."
    ),
]
Version = Annotated[
    int | None, typer.Option(metavar="N", help="Which version; all of the date if not given.")
]
Superseded = Annotated[
    bool,
    typer.Option(
        "--superseded",
        help="Remove only what a reseal replaced, of any age; wants --key, to prove that the new ones open.",
    ),
]


def register(commands: Commands) -> None:
    """Add the commands."""
    commands.add("report archive", archive)
    commands.add("report reseal", reseal)
    commands.add("report hold", hold)
    commands.add("report release", release)
    commands.add("report expire", expire)
    commands.add("keys rotate", rotate)


def archive(day: OptionalDay = None) -> Answer:
    """Re-seal working data older than ESG_WORKING_DAYS to the recipients, and remove it from this host."""
    from esg_assets import composition  # noqa: PLC0415 - slow to import
    from esg_assets.lifecycle import LifecycleStores  # noqa: PLC0415
    from esg_assets.settings import dagster_home, load_settings  # noqa: PLC0415
    from esg_assets.working_window import close_windows  # noqa: PLC0415

    dagster_home()
    settings = load_settings("report archive")
    window, leases = LifecycleStores.guarded(settings).window, composition.leases(settings)
    chosen = day_of(day)
    dates = window.dates() if chosen is None else [chosen]
    holder = f"esg-assets report archive (process {os.getpid()})"
    turns = list(close_windows(window, leases, holder, dates))
    done = all(turn.closed is not None for turn in turns)
    shown = [str(turn) for turn in turns] or ["The work store keeps nothing."]
    return Answer({"dates": [_turn(turn) for turn in turns]}, shown, status=0 if done else 1)


def reseal(
    day: Day,
    key: Key,
    recipients: Recipients,
    reason: Reason = "",
    version: Version = None,
    keyring: KeyringFile = None,
) -> Answer:
    """Re-encrypt report, salt, summary and archive of a date for new recipients, as a custodian.

    Opens with --key, seals to --recipients, and signs a reseal entry with ESG_SIGNING_KEY, which here is
    the custodian's. The old objects stay; `report expire --superseded` removes them.
    """
    from esg_assets.cli.reports import require_recipient  # noqa: PLC0415 - cryptography is slow to import

    custody = _stores("report reseal", keyring, recipients, about=(day, reason)).resealing
    opener, resealed = opener_of(key), []
    for each in custody.versions(day.date(), version):
        changed = not custody.is_sealed_so(each)
        if changed:
            require_recipient(each, opener)
        after = custody.reseal(each, opener, requested_by=getpass.getuser(), reason=reason)
        resealed.append({"version": after.version, "resealed": changed, "recipients": list(after.recipients)})
    words = [
        f"{day.date()} version {each['version']}: "
        + ("sealed to the new recipients." if each["resealed"] else "was sealed to these already.")
        for each in resealed
    ]
    return Answer({"date": day.date().isoformat(), "versions": resealed}, words)


def hold(day: Day, reason: Reason, keyring: KeyringFile = None) -> Answer:
    """Keep a date's report whatever its age, until it is released."""
    expiry = _stores("report hold", keyring, about=(day, reason)).expiry
    entry = expiry.hold(day.date(), requested_by=getpass.getuser(), reason=_given(reason))
    return _entered(entry, "under hold: nothing of it is removed until `esg-assets report release`")


def release(day: Day, reason: Reason, keyring: KeyringFile = None) -> Answer:
    """End the hold of a date's report."""
    expiry = _stores("report release", keyring, about=(day, reason)).expiry
    entry = expiry.release(day.date(), requested_by=getpass.getuser(), reason=_given(reason))
    return _entered(entry, "released: it expires as any other")


def expire(
    day: Day,
    reason: Reason,
    *,
    superseded: Superseded = False,
    key: OptionalKey = None,
    keyring: KeyringFile = None,
) -> Answer:
    """Remove a date's sealed objects after ESG_RETENTION_YEARS; the chain's entries stay for ever.

    Refused while the date is under hold. A removal that broke off is finished by running it again.
    """
    if superseded != (key is not None):
        raise SettingsWrong(
            "--superseded and --key belong together: the key proves that the new objects open."
        )
    expiry = _stores("report expire", keyring, about=(day, reason)).expiry
    date, user, why = day.date(), getpass.getuser(), _given(reason)
    if key is None:
        done = expiry.expire(date, requested_by=user, reason=why)
    else:
        done = expiry.expire_superseded(date, opener_of(key), requested_by=user, reason=why)
    told = {"date": date.isoformat(), "versions": list(done.versions), "objects": done.objects}
    if not done.versions and not done.objects:
        return Answer(told, [f"{date}: there is nothing (more) to remove."])
    versions = ", ".join(map(str, done.versions)) or "none anew"
    return Answer(told, [f"{date}: {done.objects:,} objects removed, entered for versions: {versions}."])


def rotate() -> Answer:
    """Make a new working key, re-seal with it what the work store keeps, and remove the old one.

    A rotation that broke off is finished by running it again. With a KMS key, set ESG_WORKING_KEY to the
    new one and ESG_FORMER_WORKING_KEYS to the old one first; then this re-seals.
    """
    from esg_assets import composition, key_rotation  # noqa: PLC0415 - slow to import
    from esg_assets.settings import dagster_home, load_settings  # noqa: PLC0415

    dagster_home()
    settings = load_settings("keys rotate")
    done = key_rotation.rotate(settings, composition.leases(settings))
    count = sum(done.resealed.values())
    told = {
        "made": done.made,
        "resealed": count,
        "objects": done.objects,
        "dates": [date.isoformat() for date in done.resealed],
        "removed": [str(path) for path in done.removed],
    }
    first = "A new working key is in place" if done.made else "The current working key stays"
    shown = [f"{first}; {count:,} of {done.objects:,} objects of {len(done.resealed)} dates were re-sealed."]
    if settings.former_working_keys:
        shown.append(
            "Nothing is sealed with a key of ESG_FORMER_WORKING_KEYS any more. Empty it, and remove those "
            "keys: a file, or in KMS disable it."
        )
    shown += [f"Removed the former key {path}: nothing is sealed with it any more." for path in done.removed]
    return Answer(told, shown)


def _stores(
    command: str, keyring: Path | None, recipients: str | None = None, *, about: tuple[datetime, str]
) -> "LifecycleStores":
    """The stores as the options say; refuses a reason (`about` a date) that is known to name an account."""
    from esg_assets.lifecycle import LifecycleStores  # noqa: PLC0415
    from esg_assets.settings import load_settings, parse_key  # noqa: PLC0415

    settings = load_settings(command)
    require_no_account(settings, [about[0].date()], about[1])
    changed: dict[str, object] = {}
    if keyring is not None:
        changed["verify_keys"] = tuple(keys_in(keyring))
    elif recipients is not None and not settings.verify_keys:
        raise SettingsWrong(
            f"Preparing `{command}`: ESG_VERIFY_KEYS is not set. Set it, or give --keyring FILE: all keys "
            "that ever signed the chain, and with `custodian:` in front the one that signs here."
        )
    if recipients is not None:
        try:
            changed["report_recipients"] = tuple(parse_key(item.strip()) for item in recipients.split(","))
        except ValueError as error:
            raise SettingsWrong(f"--recipients: wanted is {error}.") from None
    return LifecycleStores.guarded(settings.model_copy(update=changed))


def _given(reason: str) -> str:
    if not reason.strip():
        raise SettingsWrong("--reason is empty; it says why, and stands in the chain for ever.")
    return reason


def _entered(entry: "Entry", what: str) -> Answer:
    told = {"date": entry.body["date"], "sequence": entry.sequence, "kind": entry.kind.value}
    return Answer(told, [f"{entry.body['date']}: {what} (entry {entry.sequence})."])


def _turn(turn: "Turn") -> dict[str, object]:
    closed = turn.closed
    return {
        "date": turn.date.isoformat(),
        "version": None if closed is None else closed.version,
        "outcome": "busy" if turn.busy else "failed" if closed is None else closed.outcome.value,
        "objects": 0 if closed is None else closed.objects,
        "until": None if closed is None or closed.until is None else closed.until.isoformat(),
        "fault": turn.fault,
    }
