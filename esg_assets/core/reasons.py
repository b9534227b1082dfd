"""Why somebody did something, and who: what people type, and what stands in the chain in the clear for ever.

Everybody who verifies the chain reads it, so it is short, printable and names no account.
"""

import re
from collections.abc import Iterable

LONGEST = 500
"""Characters."""

HELP = f"stands in the clear in the chain, for every auditor: no client data, at most {LONGEST} characters"

_SHORTEST_ID = 4
_WORD = re.compile(r"[^\W_]")


def problem(text: str) -> str:
    """What is wrong with a reason or a name as a text, without any of it; "" if nothing is."""
    if len(text) > LONGEST:
        return f"it has {len(text):,} characters; at most {LONGEST} are wanted"
    if not text.isprintable():
        return "it holds a line break or another character that is not printed"
    return ""


def names_account(text: str, account_ids: Iterable[str]) -> bool:
    """Whether one of these ids stands in `text` as a word of its own.

    Ids of fewer than four characters are not looked for: `3 accounts` would name account 3.
    """
    return any(len(each) >= _SHORTEST_ID and each in text and _alone(each, text) for each in account_ids)


def _alone(word: str, text: str) -> bool:
    """Whether it occurs with no letter or digit directly before or after it."""
    start = text.find(word)
    while start >= 0:
        before, after = text[start - 1 : start], text[start + len(word) : start + len(word) + 1]
        if not _WORD.match(before) and not _WORD.match(after):
            return True
        start = text.find(word, start + 1)
    return False
