"""The settings that decisions need, as plain values: what the wiring hands to the assets."""

from dataclasses import dataclass, field
from datetime import date, timedelta

from esg_assets.core.account_mapping import CONTRACT_MAPPING, AccountMapping
from esg_assets.core.figures import FigureRules
from esg_assets.core.ratings import Metric
from esg_assets.core.verdicts import Limits


@dataclass(frozen=True)
class Rules:
    """How the day's report is made; each attribute is a setting of the contract.

    Attributes:
        as_of_lag_days: ESG_AS_OF_LAG_DAYS.
        accounts: ESG_ACCOUNTS_MAPPING.
        ratings_mapping: ESG_API_MAPPING's canonical text; "" for the contract's shape.
        metrics: ESG_METRICS.
        limits: the shares that warn, alert and stop.
        min_coverage_pct: ESG_MIN_COVERAGE_PCT.
        max_rating_age_days: ESG_MAX_RATING_AGE_DAYS.
        min_cell: ESG_MIN_CELL.
    """

    as_of_lag_days: int = 1
    accounts: AccountMapping = CONTRACT_MAPPING
    ratings_mapping: str = ""
    metrics: tuple[Metric, ...] = ()
    limits: Limits = field(default_factory=Limits)
    min_coverage_pct: float = 65.0
    max_rating_age_days: int = 366
    min_cell: int = 10

    def as_of(self, partition: date) -> date:
        """The date both systems are asked for, for the report dated `partition`."""
        return partition - timedelta(days=self.as_of_lag_days)

    def figures(self, as_of: date, metrics: tuple[Metric, ...]) -> FigureRules:
        """The rules for the figures of a report; metrics are those frozen with its snapshot."""
        return FigureRules(
            as_of=as_of,
            min_coverage_pct=self.min_coverage_pct,
            max_rating_age_days=self.max_rating_age_days,
            metrics=metrics,
        )
