"""One rated account as a row of figures' input, for tests that change a cell of it."""

from esg_assets.core.outcomes import OUTCOME_SCHEMA, SCORE_COLUMNS


def rated_row(**cells: object) -> dict[str, object]:
    """A row of OUTCOME_SCHEMA with `cells` changed or added."""
    return {
        **dict.fromkeys(OUTCOME_SCHEMA.names),
        **dict(zip(SCORE_COLUMNS, ("50", "40", "60", "70"), strict=True)),
        "status": "SUCCESS",
        "attempts": 1,
        "raw": b"",
        "rating": "A",
        "coverage_pct": "90",
        "rating_as_of": "2025-12-31",
        "methodology_version": "2",
        **cells,
    }
