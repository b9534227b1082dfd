"""How numbers are written on pages."""

from esg_assets.core.summary_words import WITHHELD as _WITHHELD

WITHHELD = _WITHHELD


def number(value: float | None) -> str:
    """With one decimal; a word for what is withheld."""
    return WITHHELD if value is None else f"{value:,.1f}"


def whole(value: float | None) -> str:
    """Without decimals; a word for what is withheld."""
    return WITHHELD if value is None else f"{value:,.0f}"


def signed(value: float, *, count: bool = False) -> str:
    """A change with its sign; the minus is the typographic one, as wide as the plus."""
    text = f"{value:+,.0f}" if count else f"{value:+,.1f}"
    if not text.strip("+-0."):
        return text[1:]
    return text.replace("-", "\N{MINUS SIGN}")


def share(part: float, total: float) -> str:
    """As a percentage; "" of nothing."""
    return f"{part / total:.1%}" if total else ""
