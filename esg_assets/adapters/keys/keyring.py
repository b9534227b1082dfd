"""Public keys that entries of the chain may be signed by (port Keyring).

How an item is written and what it allows is `esg_assets.core.key_rules`; signing is in `signing`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from esg_assets.adapters.keys.loading import load_verify_key
from esg_assets.adapters.keys.verifying import VerifyingKey, fingerprint, verifies
from esg_assets.core import key_rules
from esg_assets.core.errors import SettingsWrong
from esg_assets.core.key_rules import KeyRule, Standing


@dataclass(frozen=True)
class VerifyKey:
    """A public key and what one item says of it.

    Attributes:
        key: the public key.
        first: the first sequence that this is about.
        last: the last one, None without end.
        standing: trusted, a custodian's, or revoked.
    """

    key: VerifyingKey
    first: int = 0
    last: int | None = None
    standing: Standing = Standing.TRUSTED

    def __post_init__(self) -> None:
        if self.last is not None and self.last < self.first:
            raise SettingsWrong(f"A key that is valid from {self.first} to {self.last} is never valid.")

    @property
    def rule(self) -> KeyRule:
        """What it says of the key."""
        return KeyRule(self.standing, self.first, self.last)


class PublicKeyring:
    """Who may have signed what (port Keyring)."""

    def __init__(self, keys: Iterable[VerifyKey]) -> None:
        self._keys: dict[str, VerifyingKey] = {}
        self._rules: dict[str, list[KeyRule]] = {}
        for key in keys:
            name = fingerprint(key.key)
            self._keys[name] = key.key
            self._rules.setdefault(name, []).append(key.rule)
        if not self.names:
            raise SettingsWrong("There is no key to verify signatures with: ESG_VERIFY_KEYS is empty.")

    @classmethod
    def from_items(cls, items: Iterable[str]) -> "PublicKeyring":
        """The keyring of ESG_VERIFY_KEYS.

        Args:
            items: each as `esg_assets.core.key_rules` says. A file may stand in several.

        Raises:
            SettingsWrong: an item is none, or its file holds no public key that verifies.
        """
        return cls(_parsed(item) for item in items)

    @property
    def names(self) -> frozenset[str]:
        """Fingerprints of all keys that may sign or could once sign something."""
        return frozenset(
            name
            for name, rules in self._rules.items()
            if any(r.standing is not Standing.REVOKED for r in rules)
        )

    def objection(self, key_name: str, kind: str, sequence: int, statement: bytes, signature: bytes) -> str:
        """Why an entry that is signed so must not be believed, "" if it may be."""
        key = self._keys.get(key_name)
        if key is None:
            return key_rules.UNKNOWN_KEY
        if not verifies(key, statement, signature):
            return key_rules.WRONG_SIGNATURE
        return key_rules.objection(self._rules[key_name], kind, sequence)


def _parsed(item: str) -> VerifyKey:
    try:
        file, rule = key_rules.parse_item(item)
    except ValueError as error:
        raise SettingsWrong(f"An item of ESG_VERIFY_KEYS is not as it must be; wanted is {error}.") from None
    key = load_verify_key(Path(file).expanduser())
    return VerifyKey(key, rule.first, rule.last, rule.standing)
