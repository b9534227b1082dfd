"""Which field of the account system is which of ours, and which status values mean active.

Using it on rows lives in `esg_assets.core.account_rows`; reading ESG_ACCOUNTS_MAPPING's YAML text in
the settings.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from esg_assets.core.errors import SettingsWrong

STATUSES = frozenset({"active", "closed", "suspended"})
"""The contract's status values: without a mapping, any other is a problem."""

OUR_FIELDS = ("account_id", "status", "account_name", "account_type", "base_currency", "market_value")
_UNUSED_FIELDS = ("advisor_id", "opened_on")  # columns of the contract that the report doesn't hold
_REQUIRED = ("account_id", "status")


@dataclass(frozen=True)
class AccountMapping:
    """ESG_ACCOUNTS_MAPPING.

    Attributes:
        fields: source field -> ours; a field of ours that is not named keeps its own name.
        active: status values that mean active.
        known: every allowed status value, or None if any other value simply is not active.
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    active: frozenset[str] = frozenset({"active"})
    known: frozenset[str] | None = STATUSES

    def source_of(self, name: str) -> str | None:
        """The source's name of our field `name`, or None if it has none."""
        for source, ours in self.fields.items():
            if ours == name:
                return source
        # A name of ours that the source uses for something else is not ours any more.
        return None if name in self.fields else name


CONTRACT_MAPPING = AccountMapping()
"""The contract's names and status values."""


def parse_account_mapping(document: object) -> AccountMapping:
    """The mapping that ESG_ACCOUNTS_MAPPING's parsed YAML holds.

    Such as `{"fields": {"acct_no": "account_id"}, "active": ["A", "OPEN"]}`; either key may be missing,
    and None (an empty text) is the contract's mapping.

    Raises:
        SettingsWrong: another shape, an unknown name, or two fields for one of ours.
    """
    if document is None:
        return CONTRACT_MAPPING
    if not isinstance(document, Mapping) or not set(document) <= {"fields", "active"}:
        raise _wrong("has another shape", "a mapping with the keys fields and active, or one of them")
    fields = _fields(document.get("fields"))
    if "active" not in document:
        return AccountMapping(fields=fields)
    return AccountMapping(fields=fields, active=_active(document["active"]), known=None)


def _fields(fields: object) -> Mapping[str, str]:
    if fields is None:
        return {}
    if not isinstance(fields, Mapping) or not all(
        isinstance(name, str) and name for pair in fields.items() for name in pair
    ):
        raise _wrong(
            "has fields that are no texts", "`fields: {source field: our field}`, odd names in quotes"
        )
    unknown = sorted(set(fields.values()) - {*OUR_FIELDS, *_UNUSED_FIELDS})
    if unknown:
        raise _wrong(f"maps to {', '.join(unknown)}", f"our fields, {', '.join(OUR_FIELDS)}")
    ours = list(fields.values())
    twice = sorted({name for name in ours if ours.count(name) > 1})
    if twice:
        raise _wrong(f"maps two fields to {', '.join(twice)}", "one source field for each of ours")
    for name in _REQUIRED:
        if name in fields and name not in ours:
            raise _wrong(f"leaves no field for {name}", f"a source field for {name}")
    return dict(fields)


def _active(values: object) -> frozenset[str]:
    if isinstance(values, str) or not isinstance(values, list | tuple) or not values:
        raise _wrong("has no list under active", "`active: [A, OPEN]`, the status values that mean active")
    if not all(isinstance(value, str) and value for value in values):
        # YAML reads yes, no, on, off, true and numbers as something else than text.
        raise _wrong(
            "has an active value that is no text", 'texts, in quotes where YAML reads more: `["1", "yes"]`'
        )
    return frozenset(values)


def _wrong(holds: str, wanted: str) -> SettingsWrong:
    return SettingsWrong(f"ESG_ACCOUNTS_MAPPING {holds}. Wanted: {wanted}.")
