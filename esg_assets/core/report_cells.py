"""Cells of the report's text columns: guarded, so that no spreadsheet runs one as a formula.

The file as a whole is written in `esg_assets.core.report` and read in `esg_assets.core.report_rows`.
"""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "'")

TEXT_COLUMNS = ("account_id", "account_name", "account_type", "base_currency")
"""Columns of texts that others wrote: their cells are guarded."""


def guard(text: str) -> str:
    """`text` as a cell that no spreadsheet takes for a formula; `unguard` gives it back."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def unguard(cell: str) -> str:
    """The text that `guard` made `cell` from."""
    return cell.removeprefix("'")
