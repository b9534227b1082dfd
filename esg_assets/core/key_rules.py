"""Which key may have signed which entry: how an item of ESG_VERIFY_KEYS is written, and what it allows.

    FILE[@FIRST[-LAST]]            signs entries of every kind
    custodian:FILE[@FIRST[-LAST]]  signs `reseal` entries alone
    revoked:FILE@SEQ               its entries are refused from SEQ on, whatever else is said of the key

FIRST, LAST and SEQ are sequences of the chain. A key may stand in several items. Only the standard
library is used, so that an auditor's one-file verifier can be made of it. Reading the files and
checking signatures is `esg_assets.adapters.keys.keyring`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

WANTED = "FILE[@FIRST[-LAST]], custodian:FILE[@FIRST[-LAST]] or revoked:FILE@SEQ, with chain sequences"
UNKNOWN_KEY = "the entry is signed by a key that is not in the keyring"
WRONG_SIGNATURE = "the entry's signature is wrong: its text was altered, or another key made it"
CUSTODIAN_KINDS = frozenset({"reseal"})
"""Kinds of entries that a custodian's key may sign."""

_ITEM = re.compile(r"(?:(custodian|revoked):)?(.+?)(?:@([0-9]{1,12})(?:-([0-9]{1,12}))?)?")


class Standing(StrEnum):
    """What an item says of its key."""

    TRUSTED = ""
    CUSTODIAN = "custodian"
    REVOKED = "revoked"


@dataclass(frozen=True)
class KeyRule:
    """What one item says of a key.

    Attributes:
        standing: whether it may sign everything, only reseal entries, or nothing any more.
        first: the first sequence that this is about.
        last: the last one, None without end.
    """

    standing: Standing = Standing.TRUSTED
    first: int = 0
    last: int | None = None

    def holds_at(self, sequence: int) -> bool:
        """Whether this is about the entry of that sequence."""
        return self.first <= sequence and (self.last is None or sequence <= self.last)


def parse_item(item: str) -> tuple[str, KeyRule]:
    """File and rule of an item. Raises ValueError, whose text is what is wanted."""
    match = _ITEM.fullmatch(item.strip())
    if match is None or "://" in item:
        raise ValueError(WANTED)
    standing, file, first, last = Standing(match[1] or ""), match[2], match[3], match[4]
    if standing is Standing.REVOKED and (first is None or last is not None):
        raise ValueError("revoked:FILE@SEQ with the one chain sequence from which it is refused")
    if last is not None and int(last) < int(first):
        raise ValueError(f"{WANTED}, the last one not before the first")
    return file, KeyRule(standing, int(first or 0), None if last is None else int(last))


def write_item(file: str, rule: KeyRule) -> str:
    """The item that `parse_item` reads as this."""
    prefix = f"{rule.standing.value}:" if rule.standing else ""
    if rule.first == 0 and rule.last is None and rule.standing is not Standing.REVOKED:
        return f"{prefix}{file}"
    return f"{prefix}{file}@{rule.first}" + ("" if rule.last is None else f"-{rule.last}")


def objection(rules: Iterable[KeyRule], kind: str, sequence: int) -> str:
    """Why a key may not have signed an entry, "" if it may.

    Args:
        rules: everything that is said of the key.
        kind: of the entry.
        sequence: of the entry.
    """
    every = list(rules)
    revoked = [rule.first for rule in every if rule.standing is Standing.REVOKED]
    if revoked and sequence >= min(revoked):
        return f"the entry is signed by a key that was revoked from entry {min(revoked)} on"
    now = [rule for rule in every if rule.standing is not Standing.REVOKED and rule.holds_at(sequence)]
    if not now:
        return "the entry is signed by a key that is not valid at this sequence"
    if all(rule.standing is Standing.CUSTODIAN for rule in now) and kind not in CUSTODIAN_KINDS:
        return "the entry is signed by a custodian's key, which may sign reseal entries alone"
    return ""
