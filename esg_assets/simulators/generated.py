"""Accounts and ratings made up from a seed: any number of them, the same in every process.

Nothing is stored: an account is computed from its position, a rating from account id and date.
"""

import math
import re
from datetime import UTC, date, datetime
from statistics import NormalDist

from esg_assets.simulators.accounts import Account, AccountBook, Life
from esg_assets.simulators.exchange import json_text
from esg_assets.simulators.ratings import FOCI, LETTERS, SCORES, Rating, rating_json
from esg_assets.simulators.seeded import draw, share

AWKWARD_IDS = (
    "=SUM(A1:A9)", "+1 555 0100", "-7", "@cmd", "'quoted", 'say "hi"', "O'Brien; DROP TABLE", "A/B/0001",
    "A/../B", "..%2Fx", "100% & more?a=b#c", "back\\slash", " lead and trail ", "a,b", "客户一号",
    "Ünïcødé-ß", "📈-9", "<b>bold</b>", "esg-rating", "x" * 64,
)  # fmt: skip
"""Ids that break careless code: URLs, CSV, spreadsheets, SQL, HTML. A generated book has them if it
has room (`ROOM_FOR_AWKWARD` accounts or more)."""

ROOM_FOR_AWKWARD = 100

FIRST_RATING = date(2012, 1, 1)
"""Nothing generated was rated before."""

_UPDATE_DAYS = 28
"""A rating is renewed every four weeks, on a day of the account's own."""

_SERIES = re.compile(r"A[0-9]{7}")
_TYPES = ("individual", "joint", "ira", "trust", "institutional")
_CURRENCIES = ("USD",) * 16 + ("EUR", "EUR", "GBP", "CHF", "JPY")
_FIRST = ("Ada", "Ben", "Chloé", "Dmitri", "Elena", "Farid", "Grace", "Hiro", "Ida", "José", "Kofi", "Léa")
_LAST = ("Abbott", "Baptiste", "Chen", "Dvořák", "Evans", "Fischer", "García", "Ito", "Jones", "Okafor")
_NORMAL = NormalDist()


class GeneratedAccounts:
    """`count` accounts; a share `inactive` of them is closed or suspended."""

    def __init__(self, count: int, seed: int = 0, inactive: float = 0.05, *, awkward: bool = True) -> None:
        ids = AWKWARD_IDS if awkward and count >= ROOM_FOR_AWKWARD else ()
        # The series A0000001, A0000002 … lies between these two halves.
        self._before = sorted(i for i in ids if i < "A0")
        self._after = sorted(i for i in ids if i >= "A0")
        self._awkward = frozenset(ids)
        self._count, self._seed, self._inactive = count, seed, inactive
        self._series = count - len(ids)

    def __len__(self) -> int:
        return self._count

    def account(self, position: int) -> Account:
        """The account at a position from 0."""
        account_id, life = self._id(position), self.life(position)
        return Account(account_id, life, self._fields(account_id, life.opened_on))

    def life(self, position: int) -> Life:
        """The life of the account at a position."""
        account_id = self._id(position)
        at = share(self._seed, "status", account_id)
        status, since = "active", ""
        if at < self._inactive:
            status = "closed" if at < self._inactive * 0.6 else "suspended"
            since = _day(2025, draw(self._seed, "since", account_id) % 540)
        return Life(status, _day(2004, draw(self._seed, "opened", account_id) % 6900), since)

    def knows(self, account_id: str) -> bool:
        """Whether there is such an account."""
        if account_id in self._awkward:
            return True
        return bool(_SERIES.fullmatch(account_id)) and 1 <= int(account_id[1:]) <= self._series

    def _id(self, position: int) -> str:
        if position < len(self._before):
            return self._before[position]
        position -= len(self._before)
        return f"A{position + 1:07d}" if position < self._series else self._after[position - self._series]

    def _fields(self, account_id: str, opened_on: str) -> str:
        dice = draw(self._seed, "fields", account_id)
        kind = _TYPES[dice % len(_TYPES)]
        currency = _CURRENCIES[(dice >> 8) % len(_CURRENCIES)]
        name = _name(kind, dice >> 16)
        z = _NORMAL.inv_cdf(0.0005 + 0.999 * share(self._seed, "value", account_id))
        value = math.exp((15.5 if kind == "institutional" else 11.8) + 1.3 * z)
        text = f"{value * 150:.0f}" if currency == "JPY" else f"{value:.2f}"
        return (
            f',"account_name":{json_text(name)},"account_type":"{kind}","base_currency":"{currency}"'
            f',"market_value":{text},"advisor_id":"ADV{(dice >> 40) % 120 + 1:03d}","opened_on":"{opened_on}"'
        )


class GeneratedRatings:
    """Ratings of the accounts of a book, drifting slowly from one update to the next.

    A share `unrated` has none at any date; one account in twenty has a coverage below 65 %.
    """

    def __init__(self, accounts: AccountBook, seed: int = 0, unrated: float = 0.01) -> None:
        self._accounts, self._seed, self._unrated = accounts, seed, unrated

    def rating(self, account_id: str, as_of: str | None) -> Rating | None:
        """The latest rating not after `as_of` (None: today in UTC); None if there is none."""
        if not self._accounts.knows(account_id):
            return None
        dice = draw(self._seed, "rating", account_id)
        if share(self._seed, "unrated", account_id) < self._unrated:
            return None
        day = self._update_day(dice, as_of)
        if day < FIRST_RATING.toordinal():
            return None
        return self._rating(account_id, dice, day)

    @staticmethod
    def _update_day(dice: int, as_of: str | None) -> int:
        if as_of is None:
            asked = datetime.now(UTC).date().toordinal()
        elif as_of < FIRST_RATING.isoformat():
            return 0
        else:
            asked = date.fromisoformat(as_of).toordinal()
        return asked - (asked + dice) % _UPDATE_DAYS

    def _rating(self, account_id: str, dice: int, day: int) -> Rating:
        update = (day + dice % _UPDATE_DAYS) // _UPDATE_DAYS
        pillars = [self._pillar(account_id, dice >> (8 * at), at, update) for at in range(3)]
        texts = [f"{pillar:.2f}" for pillar in pillars]
        overall = sum(pillars) / 3
        low = (dice >> 32) % 20 == 0
        coverage = 20 + (dice >> 40) % 450 / 10 if low else 65 + (dice >> 40) % 351 / 10
        letter = LETTERS[min(6, int((100 - overall) / (100 / 7)))]
        waci = 15 * math.exp(_NORMAL.inv_cdf(0.001 + 0.998 * ((dice >> 48) % 1000) / 1000) + 2)
        return rating_json(
            account_id,
            date.fromordinal(day).isoformat(),
            dict(zip(SCORES, [f"{overall:.2f}", *texts], strict=True)) | {"coverage_pct": f"{coverage:.1f}"},
            {"primary_focus": FOCI[pillars.index(max(pillars))], "rating": letter},
            {"waci_tco2e_per_musd_revenue": f"{waci:.1f}", "severe_controversies": str((dice >> 58) % 4)},
        )

    def _pillar(self, account_id: str, dice: int, pillar: int, update: int) -> float:
        """A score from 0 to 100: the account's own level and a walk between half-yearly points."""
        level = 20 + 60 * (dice % 256) / 255
        point, part = divmod(update, 6)
        here = share(self._seed, "walk", account_id, pillar, point)
        there = share(self._seed, "walk", account_id, pillar, point + 1)
        return min(100.0, max(0.0, level + 6 * (here + (there - here) * part / 6) - 3))


class EverybodyRated:
    """An account book that knows every id: for clients whose accounts come from elsewhere."""

    def __len__(self) -> int:
        return 0

    def account(self, position: int) -> Account:
        """There is none to list."""
        raise IndexError(position)

    def life(self, position: int) -> Life:
        """There is none to list."""
        raise IndexError(position)

    def knows(self, account_id: str) -> bool:
        """Every id but the empty one."""
        return account_id != ""


def _day(year: int, offset: int) -> str:
    return date.fromordinal(date(year, 1, 1).toordinal() + offset).isoformat()


def _name(kind: str, dice: int) -> str:
    first, last = _FIRST[dice % len(_FIRST)], _LAST[(dice >> 8) % len(_LAST)]
    other = _FIRST[(dice >> 16) % len(_FIRST)]
    if kind == "institutional":
        return f"{last} Pension Fund {dice % 900 + 100}"
    if kind == "trust":
        return f"The {last} Family Trust"
    return f"{first} & {other} {last}" if kind == "joint" else f"{first} {last}"
