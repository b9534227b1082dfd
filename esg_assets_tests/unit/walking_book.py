"""A book of accounts whose ratings walk from night to night, as the sides that changes are made of."""

import random
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from esg_assets.core.change import Side
from esg_assets.core.outcomes import SCORE_COLUMNS
from esg_assets.core.rating_bodies import RATINGS


@dataclass(frozen=True)
class Account:
    """One account: pillar scores, market value, share of holdings that is rated, and how it ended."""

    name: str
    pillars: tuple[float, float, float]
    value: float | None
    coverage: float
    status: str = "SUCCESS"
    stale: bool = False
    methodology: str = ""

    @property
    def overall(self) -> float:
        return round(sum(self.pillars) / 3, 2)

    @property
    def letter(self) -> str:
        return RATINGS[max(0, 6 - int(self.overall * 7 / 100))]


def drawn(dice: random.Random, name: str) -> Account:
    """An account of a book like a wealth manager's: scores are means over holdings, so they lie close."""
    environmental, social, governance = (min(max(dice.gauss(mean, 6), 0), 100) for mean in (61, 58, 54))
    value = None if dice.random() < 0.02 else round(dice.lognormvariate(11, 1), 2)
    status = dice.choices(("SUCCESS", "NOT_RATED", "FAILED"), (97, 2, 1))[0]
    pillars = (environmental, social, governance)
    return Account(name, pillars, value, dice.uniform(55, 100), status, stale=dice.random() < 0.02)


def walked(dice: random.Random, book: list[Account], night: int) -> list[Account]:
    """The next night's book: a few accounts come and go, holdings change, ratings are renewed."""
    kept = [account for account in book if dice.random() > 0.001]
    come = [drawn(dice, f"N{night}-{n}") for n in range(dice.randint(0, 4))]
    moved = []
    for account in kept:
        step = 2.0 if dice.random() < 0.05 else 0.15  # now and then a holding's rating is renewed
        pillars = tuple(min(max(p + dice.gauss(0, step), 0), 100) for p in account.pillars)
        value = None if account.value is None else account.value * dice.lognormvariate(0, 0.01)
        status = account.status
        if dice.random() < 0.005:
            status = dice.choices(("SUCCESS", "NOT_RATED", "FAILED"), (97, 2, 1))[0]
        moved.append(replace(account, pillars=pillars, value=value, status=status))  # type: ignore[arg-type]  # three of them
    return moved + come


def side_of(book: list[Account], currency: str = "USD") -> Side:
    """The book as one side of a comparison."""
    rated = [account.status == "SUCCESS" for account in book]
    scores = [(a.overall, *a.pillars) if ok else (np.nan,) * 4 for a, ok in zip(book, rated, strict=True)]
    frame = pd.DataFrame(scores, columns=list(SCORE_COLUMNS), index=[account.name for account in book])
    frame["status"] = [account.status for account in book]
    frame["counted"] = [ok and a.coverage >= 65 for a, ok in zip(book, rated, strict=True)]
    frame["letter"] = [a.letter if ok else "" for a, ok in zip(book, rated, strict=True)]
    frame["weight"] = [np.nan if account.value is None else account.value for account in book]
    frame["stale"] = [ok and a.stale for a, ok in zip(book, rated, strict=True)]
    frame["methodology"] = [
        account.methodology if ok else "" for account, ok in zip(book, rated, strict=True)
    ]
    return Side(frame, currency)
