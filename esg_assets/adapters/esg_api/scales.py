"""Bringing a provider's scores to 0-100, higher is better, without losing a digit."""

from dataclasses import dataclass
from decimal import Context, Decimal, Inexact
from functools import cached_property

from esg_assets.core.rating_bodies import NumberText, number

HUNDRED = Decimal(100)


def _context() -> Context:
    """Room for every product of two numbers that are believed; the thread's own context is not used."""
    return Context(prec=120, Emin=-9999, Emax=9999, traps=[])


_EXACT = _context()
_MILLIONTH = Decimal("0.000001")


@dataclass(frozen=True)
class Scale:
    """A provider's scale.

    Attributes:
        low, high: its ends; `low` is below `high`.
        lower_is_better: as for a risk score.
    """

    low: Decimal = Decimal(0)
    high: Decimal = HUNDRED
    lower_is_better: bool = False

    def to_percent(self, value: object) -> object:
        """`value` on 0-100 as a NumberText, out of range if it was; unchanged if it is no number.

        A number that is on that scale already keeps its text. Others are exact, without an exponent;
        only where a hundredth of the scale's width has no end in decimals (as for 0-30), they are
        rounded to six of them, half to even.
        """
        if self == Scale():
            return value
        exact = number(value)
        return value if exact is None else NumberText(f"{self._scaled(exact):f}")

    @cached_property
    def _factor(self) -> Decimal | None:
        """A hundredth of the width, upside down; None if it has no end in decimals."""
        context = _context()
        factor = context.divide(HUNDRED, context.subtract(self.high, self.low))
        # Such as 1E+1, which moves the point and adds no digit: 7.5 becomes 75.
        return None if context.flags[Inexact] else context.normalize(factor)

    def _scaled(self, exact: Decimal) -> Decimal:
        above = _EXACT.subtract(exact, self.low)
        if self._factor is not None:
            percent = _EXACT.multiply(above, self._factor)
        else:
            width = _EXACT.subtract(self.high, self.low)
            percent = _EXACT.quantize(_EXACT.divide(_EXACT.multiply(above, HUNDRED), width), _MILLIONTH)
        if self.lower_is_better:
            return _EXACT.subtract(HUNDRED, percent)
        return percent or abs(percent)  # no "-0"
