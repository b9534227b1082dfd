"""What the body of each kind of chain entry holds, field by field.

Bodies stand in the clear: dates, counts, digests of ciphertext, salted commitments, object names and
why somebody did something; never an account, a name or a score.

A later version of this software reads every entry an earlier one wrote, so a field is never changed
here: a new field, or a new meaning, is a new schema version.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from esg_assets.core.errors import Refused
from esg_assets.core.object_keys import check_key


class Kind(StrEnum):
    """What an entry records."""

    PUBLISH = "publish"  # a version of a date's report
    SUMMARY = "summary"  # the sealed summary of a published version
    ARCHIVE = "archive"  # its snapshot and parts, re-sealed to the recipients after the working window
    RESEAL = "reseal"  # the same report, summary and archive for other recipients
    HOLD = "hold"  # a date must not expire
    RELEASE = "release"  # it may again
    EXPIRE = "expire"  # objects of a version were removed; its entries stay
    RESTORE = "restore"  # the store was restored and lags the head that was remembered


_HEX_64 = re.compile(r"[0-9a-f]{64}")
_COUNTS = ("SUCCESS", "NOT_RATED", "FAILED")

Check = Callable[[Any], bool]


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _number(value: Any) -> bool:
    return type(value) is int and value >= 0


def _from_one(value: Any) -> bool:
    return type(value) is int and value >= 1


def _date(value: Any) -> bool:
    try:
        return isinstance(value, str) and dt.date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _sha256(value: Any) -> bool:
    return isinstance(value, str) and _HEX_64.fullmatch(value) is not None


def _key(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        check_key(value)
    except Refused:
        return False
    return True


def _record(**fields: Check) -> Check:
    """An object of exactly these fields."""

    def check(value: Any) -> bool:
        return (
            isinstance(value, Mapping)
            and set(value) == set(fields)
            and all(good(value[name]) for name, good in fields.items())
        )

    return check


def _list(item: Check) -> Check:
    def check(value: Any) -> bool:
        return isinstance(value, list) and all(item(each) for each in value)

    return check


def _optional(item: Check) -> Check:
    """That, or null where there is none."""
    return lambda value: value is None or item(value)


_OBJECT = _record(key=_key, bytes=_from_one, sha256=_sha256)  # of ciphertext, in the records store
_PART = _record(key=_key, sha256=_sha256)  # of ciphertext, in the work store
_NAMES = _list(_text)
_WHO_AND_WHY: dict[str, Check] = {"requested_by": _text, "reason": _text}
_VERSION: dict[str, Check] = {"date": _date, "version": _from_one}
_TOTALS: dict[str, Check] = {"counts": _record(**dict.fromkeys(_COUNTS, _number)), "commitment": _sha256}

FIELDS: Mapping[Kind, Mapping[str, Check]] = {
    Kind.PUBLISH: {
        **_VERSION,
        **_TOTALS,
        **_WHO_AND_WHY,
        "as_of": _date,
        "accounts_as_of": _text,
        "run_id": _text,
        "rows": _number,
        "snapshot": _record(commitment=_sha256, generation=_from_one, key=_key, sha256=_sha256),
        "object": _OBJECT,
        "salt": _OBJECT,
        "recipients": _NAMES,
        "parts": _list(_PART),
    },
    Kind.SUMMARY: {**_VERSION, "object": _OBJECT, "recipients": _NAMES},
    Kind.ARCHIVE: {**_VERSION, "objects": _list(_OBJECT), "recipients": _NAMES},
    Kind.RESEAL: {
        **_VERSION,
        **_TOTALS,
        **_WHO_AND_WHY,
        "object": _OBJECT,
        "salt": _OBJECT,
        "summary": _optional(_OBJECT),
        "archived": _list(_OBJECT),
        "recipients": _NAMES,
    },
    Kind.HOLD: {"date": _date, **_WHO_AND_WHY},
    Kind.RELEASE: {"date": _date, **_WHO_AND_WHY},
    Kind.EXPIRE: {**_VERSION, **_WHO_AND_WHY, "keys": _list(_key), "retention_years": _from_one},
    Kind.RESTORE: {**_WHO_AND_WHY, "head": _record(sequence=_number, sha256=_sha256)},
}
"""The fields of each kind, all of them always present. A date's versions count from 1."""


def problem(kind: Kind, body: Any) -> str:
    """What is wrong with the body of an entry of `kind`, without any value of it; "" if nothing is."""
    fields = FIELDS[kind]
    if not isinstance(body, Mapping):
        return "it is not an object"
    missing, unknown = fields.keys() - body.keys(), body.keys() - fields.keys()
    if missing:
        return f"{', '.join(sorted(missing))} missing"
    if unknown:
        return f"{len(unknown)} unknown field(s)"
    bad = [name for name, good in fields.items() if not good(body[name])]
    if bad:
        return f"{', '.join(sorted(bad))} not as it must be"
    if kind is Kind.PUBLISH and body["rows"] != sum(body["counts"].values()):
        return "rows is not the sum of the counts"
    return ""
