"""ESG_VERIFY_KEYS: public keys in files that entries of the chain may be signed by (port Keyring).

How an item is written and what it allows is `esg_assets.core.key_rules`, verifying itself is in
`verifying`.
"""

from collections.abc import Iterable
from pathlib import Path

from esg_assets.adapters.keys.loading import load_verify_key
from esg_assets.adapters.keys.verifying import KnownKeys, VerifyKey
from esg_assets.core import key_rules
from esg_assets.core.errors import SettingsWrong

__all__ = ["PublicKeyring", "VerifyKey"]


class PublicKeyring(KnownKeys):
    """The keys of ESG_VERIFY_KEYS (port Keyring)."""

    @classmethod
    def from_items(cls, items: Iterable[str]) -> "PublicKeyring":
        """The keyring of ESG_VERIFY_KEYS.

        Args:
            items: each as `esg_assets.core.key_rules` says. A file may stand in several.

        Raises:
            SettingsWrong: an item is none, or its file holds no public key that verifies.
        """
        return cls(_parsed(item) for item in items)


def _parsed(item: str) -> VerifyKey:
    try:
        file, rule = key_rules.parse_item(item)
    except ValueError as error:
        raise SettingsWrong(f"An item of ESG_VERIFY_KEYS is not as it must be; wanted is {error}.") from None
    key = load_verify_key(Path(file).expanduser())
    return VerifyKey(key, rule.first, rule.last, rule.standing)
