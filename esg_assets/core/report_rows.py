"""The rows of a report, read again from its CSV as it streams; writing it is `esg_assets.core.report`.

What differs between two reports is `esg_assets.core.row_changes`.
"""

import codecs
import csv
from collections.abc import Iterable, Iterator, Mapping

from esg_assets.core.errors import Tampered
from esg_assets.core.report_cells import TEXT_COLUMNS, unguard

Row = Mapping[str, str]
"""Cells by column, those of texts without the guard against formulas; empty where there is none."""

_LONGEST_CELL = (1 << 31) - 1
_EXPECTED = ("account_id", "processing_status", "reason")


def rows(chunks: Iterable[bytes]) -> Iterator[Row]:
    """The rows in the report's order: ascending by account_id, one for each account.

    Nothing but the current row and chunk is in memory. Chunks may end anywhere.

    Raises:
        Tampered: this is no report of ours.
    """
    csv.field_size_limit(_LONGEST_CELL)  # of the module as a whole; a name may be long
    reader = csv.reader(_lines(chunks), strict=True)
    last = None
    try:
        header = next(reader, [])
        if not set(_EXPECTED) <= set(header):
            raise _no_report("its first line does not name the columns of a report")
        guarded = [name for name in TEXT_COLUMNS if name in header]
        for number, cells in enumerate(reader, start=1):
            if len(cells) != len(header):
                raise _no_report(f"row {number:,} has {len(cells)} cells for {len(header)} columns")
            row = dict(zip(header, cells, strict=True))
            row.update((name, unguard(row[name])) for name in guarded)
            if last is not None and row["account_id"] <= last:
                raise _no_report(f"row {number:,} does not come after the row before it")
            last = row["account_id"]
            yield row
    except (csv.Error, UnicodeDecodeError):
        # The text of either can quote the report.
        raise _no_report("it is not CSV in UTF-8") from None


def _lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """Lines with their ends. Only LF ends one: what else Unicode calls a line end may be in a name."""
    decode = codecs.getincrementaldecoder("utf-8")().decode
    rest = ""
    for chunk in chunks:
        *whole, rest = (rest + decode(chunk)).split("\n")
        for line in whole:
            yield f"{line}\n"
    rest += decode(b"", final=True)
    if rest:
        yield rest


def _no_report(what: str) -> Tampered:
    return Tampered(f"Reading a report's CSV: {what}. Nothing of it is shown.")
