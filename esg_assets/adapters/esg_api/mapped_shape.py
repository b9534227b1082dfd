"""The shape of another provider's replies: each of its entries told in the contract's words.

It translates and believes nothing: what the entries come to is checked as the contract's own are, in
`esg_assets.core.rating_bodies`. Reading ESG_API_MAPPING into this is `mapping`'s.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from esg_assets.adapters.esg_api.json_paths import JsonPath
from esg_assets.adapters.esg_api.scales import Scale
from esg_assets.core.rating_bodies import InvalidRating, NumberText, number
from esg_assets.core.ratings import PILLARS


@dataclass(frozen=True)
class MappedNumber:
    """A score, a coverage or a metric.

    Attributes:
        path: finds it in an entry.
        scale: the provider's.
    """

    path: JsonPath
    scale: Scale = Scale()  # noqa: RUF009 - frozen

    def read(self, entry: object) -> object:
        """On our scale; whatever stands there if it is no number."""
        return self.scale.to_percent(self.path.find(entry))


@dataclass(frozen=True)
class MappedWord:
    """A rating, a focus or the status of an error.

    Attributes:
        path: finds it in an entry.
        values: the provider's word -> ours; a word that is not there stays as it is.
    """

    path: JsonPath
    values: Mapping[str, str] = field(default_factory=dict)

    def read(self, entry: object) -> object:
        """Our word for what stands there."""
        found = self.path.find(entry)
        return self.values.get(found, found) if isinstance(found, str) else found


@dataclass(frozen=True)
class MappedDate:
    """The date of a rating.

    Attributes:
        path: finds it in an entry.
        format: of `datetime.strptime`; "" for YYYY-MM-DD.
    """

    path: JsonPath
    format: str = ""

    def read(self, entry: object) -> object:
        """As YYYY-MM-DD; whatever stands there if it is not of that format."""
        found = self.path.find(entry)
        if not self.format or not isinstance(found, str):
            return found
        try:
            return datetime.strptime(found, self.format).date().isoformat()  # noqa: DTZ007 - only its date
        except ValueError:
            return found


@dataclass(frozen=True)
class MappedErrors:
    """Entries that say why an account has no rating.

    Attributes:
        entries: finds the list of them in a page.
        account_id: finds the account in one.
        status: an HTTP status that means the same.
    """

    entries: JsonPath
    account_id: JsonPath
    status: MappedWord

    def read(self, page: object) -> list[object]:
        """The entries, in the contract's words."""
        return [
            {
                "account_id": _text(self.account_id.find(one)),
                "error": {"status": _status(self.status.read(one))},
            }
            for one in _listed(self.entries.find(page)) or ()
        ]


@dataclass(frozen=True)
class MappedShape:
    """A shape that ESG_API_MAPPING describes; implements the port `ReplyShape`.

    Attributes:
        rows: finds the entries of a page: a list, or the only one.
        account_id: finds the account in an entry.
        as_of: the rating's date.
        scores: the four of the contract by name.
        focus: the primary focus; None where it follows from the pillars.
        columns: finds the column names, where entries are lists; then they become objects by these.
        rating, coverage, metrics: what the provider has besides.
        methodology: the version of its method of rating.
        errors: where it says why accounts have no rating.
        omits_unrated: whether it leaves out what it has no rating of.
        paged: whether a document may be a list of pages (`request_shape.merged`).
    """

    rows: JsonPath
    account_id: JsonPath
    as_of: MappedDate
    scores: Mapping[str, MappedNumber]
    focus: MappedWord | None = None
    columns: JsonPath | None = None
    rating: MappedWord | None = None
    coverage: MappedNumber | None = None
    metrics: Mapping[str, MappedNumber] = field(default_factory=dict)
    methodology: JsonPath | None = None
    errors: MappedErrors | None = None
    omits_unrated: bool = False
    paged: bool = False

    def entries(self, document: object) -> Sequence[object]:
        """See ReplyShape."""
        pages = document if self.paged and isinstance(document, list) else [document]
        return [entry for page in pages for entry in self._page(page)]

    def _page(self, page: object) -> Sequence[object]:
        errors = [] if self.errors is None else self.errors.read(page)
        found = _listed(self.rows.find(page))
        if found is None and not errors:
            raise InvalidRating("entries_not_found")
        return [*map(self._entry, self._named(page, found or ())), *errors]

    def _named(self, page: object, found: Sequence[object]) -> Sequence[object]:
        if self.columns is None:
            return found
        names = _listed(self.columns.find(page))
        if names is None or len(set(map(str, names))) < len(names):
            raise InvalidRating("entries_not_found")
        return [
            dict(zip(map(str, names), row, strict=True))
            if isinstance(row, list) and len(row) == len(names)
            else None
            for row in found
        ]

    def _entry(self, entry: object) -> object:
        scores = {name: score.read(entry) for name, score in self.scores.items()}
        told: dict[str, object] = {
            "account_id": _text(self.account_id.find(entry)),
            "as_of": self.as_of.read(entry),
            "primary_focus": _highest_pillar(scores) if self.focus is None else self.focus.read(entry),
            **scores,
        }
        metrics = {name: metric.read(entry) for name, metric in self.metrics.items()}
        optional = {
            "rating": None if self.rating is None else self.rating.read(entry),
            "coverage_pct": None if self.coverage is None else self.coverage.read(entry),
            "metrics": {name: value for name, value in metrics.items() if value is not None},
            "methodology_version": None if self.methodology is None else self.methodology.find(entry),
        }
        return told | {name: value for name, value in optional.items() if value is not None}


def _listed(found: object) -> Sequence[object] | None:
    """What was found as a list; one object alone is a list of one."""
    if isinstance(found, dict):
        return [found]
    return found if isinstance(found, list) else None


def _text(account_id: object) -> object:
    """An id that the provider sends as a number is the text of that number."""
    return str(account_id) if type(account_id) is NumberText else account_id


def _status(word: object) -> object:
    """A status from the mapping or in a JSON string is as good as a number."""
    return NumberText(word) if isinstance(word, str) and word.isdecimal() else word


def _highest_pillar(scores: Mapping[str, object]) -> str | None:
    """The pillar with the highest score, the first of them on a tie; None unless all have one."""
    levels = [number(scores[f"{pillar}_score"]) for pillar in PILLARS]
    known = [level for level in levels if level is not None]
    return PILLARS[known.index(max(known))] if len(known) == len(PILLARS) else None
