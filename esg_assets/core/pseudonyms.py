"""Pseudonyms of accounts: how a log may name one without saying which it is.

Keyed, because account ids can be guessed: anybody could try them all against a bare hash.
"""

import hashlib
import hmac

from esg_assets.core.telling import Account

LENGTH = 16
"""Hexadecimal digits: 64 bits, so that two of a million accounts share one in one of 37 million books."""


class Pseudonyms:
    """Names accounts by HMAC-SHA256.

    Args:
        key: ESG_PSEUDONYM_KEY; "" names no account at all.
    """

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    def of(self, account: Account) -> str | None:
        """The same name for the same account as long as the key is; None without a key."""
        if not self._key:
            return None
        return hmac.new(self._key, account.reveal().encode(), hashlib.sha256).hexdigest()[:LENGTH]
