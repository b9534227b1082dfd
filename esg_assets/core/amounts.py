"""Money amounts as exact plain decimal texts: no exponent, no binary rounding, no sign.

Sums and means over amounts live in `esg_assets.core.summary`.
"""

import math
import re
from decimal import Decimal

LONGEST_AMOUNT = 64
"""Characters of an amount's plain text at most: more is no amount of money, but could fill the memory."""

_PLAIN = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,6})?")
# ASCII digits only, both: float() and Decimal() would take any script's, and underscores.


class NotAnAmount(ValueError):
    """The value is no amount; the text says why, and never holds the value."""


def amount_text(value: object) -> str:
    """`value` as plain decimal text, exactly: digits, perhaps a point and digits.

    A text that is plain already stays as it is (52.50 stays 52.50). A float is taken as the shortest
    decimal number that reads back as it.

    Args:
        value: an int, float, Decimal, or a number's text.

    Raises:
        NotAnAmount: not a number, not finite, negative, or longer than LONGEST_AMOUNT in plain text.
    """
    if isinstance(value, str):
        text = value.strip()
        if _PLAIN.fullmatch(text) and len(text) <= LONGEST_AMOUNT:
            return text
        if not _NUMBER.fullmatch(text):
            raise NotAnAmount("is not a number")
        return _plain(Decimal(text))
    if isinstance(value, float):
        if not math.isfinite(value):
            raise NotAnAmount("is not a finite number")
        return _plain(Decimal(repr(float(value))))
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise NotAnAmount("is not a finite number")
        return _plain(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return _plain(Decimal(value))
    raise NotAnAmount("is not a number")


def _plain(number: Decimal) -> str:
    if number < 0:
        raise NotAnAmount("is negative")
    # Looked at before it is written out: 1E+999999 is a megabyte.
    if abs(number.adjusted()) > LONGEST_AMOUNT or len(number.as_tuple().digits) > LONGEST_AMOUNT:
        raise NotAnAmount(f"has more than {LONGEST_AMOUNT} digits")
    text = format(abs(number) if number.is_signed() else number, "f")
    if len(text) > LONGEST_AMOUNT:
        raise NotAnAmount(f"has more than {LONGEST_AMOUNT} digits")
    return text
