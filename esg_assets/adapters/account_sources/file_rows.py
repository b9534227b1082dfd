"""Rows out of a CSV or Parquet file that is open already. Finding and opening it lives in `file`.

What the columns must hold is judged in `esg_assets.core.account_rows`; here a file is refused that is no
CSV or Parquet, or whose rows don't fit its header.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from esg_assets.core.account_rows import MOST_PROBLEMS
from esg_assets.core.errors import AccountsRefused, RowProblem

Rows = Sequence[Mapping[str, object]]

_BATCH = 10_000
_LONGEST_FIELD = 128 * 1024
"""Characters. The csv module's own limit is one for the whole process; whoever reads reports raises it."""


def csv_rows(stream: BinaryIO, doing: str) -> Iterator[Rows]:
    """Rows of an RFC 4180 CSV in UTF-8, with or without BOM; every value is a text, exactly as it stands.

    Raises:
        AccountsRefused: not UTF-8, no header, a name twice in it, a quote out of place, or rows with
            more or fewer fields than the header (all of them counted, the first ones named).
    """
    reading = _CsvReading()
    try:
        yield from reading.batches(stream)
    except UnicodeDecodeError:
        reading.problem("the text is not UTF-8 from here on; save the file as CSV UTF-8")
    except csv.Error:
        reading.problem("a quote is out of place or never closed, or a field is longer than 128 KiB")
    if reading.count:
        raise _refused(doing, reading.count, reading.problems)


class _CsvReading:
    """One reading of a CSV, with the rows counted and the problems found so far."""

    def __init__(self) -> None:
        self.row = 0
        self.count = 0
        self.problems: list[RowProblem] = []

    def problem(self, reason: str, row: int | None = None) -> None:
        self.count += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(RowProblem(self.row + 1 if row is None else row, "", reason))

    def batches(self, stream: BinaryIO) -> Iterator[Rows]:
        lines = _bounded(csv.reader(io.TextIOWrapper(stream, encoding="utf-8-sig", newline=""), strict=True))
        header = next(lines, None)
        if not self._is_header(header):
            return
        assert header is not None
        batch: list[Mapping[str, object]] = []
        for values in lines:
            if not values:  # an empty line is no row
                continue
            self.row += 1
            if len(values) != len(header):
                reason = f"it has {len(values)} fields, the header has {len(header)}"
                self.problem(reason, self.row)
                continue
            batch.append(dict(zip(header, values, strict=True)))
            if len(batch) == _BATCH:
                yield batch
                batch = []
        if batch:
            yield batch

    def _is_header(self, header: list[str] | None) -> bool:
        names = [name for name in header or [] if name]
        if not names:
            self.problem("the file has no header row", 0)
        elif len(set(names)) != len(names):
            self.problem("a name stands twice in the header", 0)
        elif len(names) == 1 and (";" in names[0] or "\t" in names[0]):
            self.problem("the header is separated by semicolons or tabs; commas are wanted", 0)
        return not self.count


def _bounded(lines: Iterable[list[str]]) -> Iterator[list[str]]:
    for values in lines:
        if max(map(len, values), default=0) > _LONGEST_FIELD:
            raise csv.Error
        yield values


def parquet_rows(source: pa.NativeFile | BinaryIO, doing: str) -> Iterator[Rows]:
    """Rows of a Parquet file; dates and nested columns are left out, the report has none.

    Raises:
        AccountsRefused: not a Parquet file, a damaged one, or a column name twice.
    """
    try:
        with pq.ParquetFile(source) as file:
            schema = file.schema_arrow
            if len(set(schema.names)) == len(schema.names):
                names = [
                    f.name for f in schema if not (pa.types.is_temporal(f.type) or pa.types.is_nested(f.type))
                ]
                for batch in file.iter_batches(batch_size=_BATCH, columns=names):
                    columns = [column.to_pylist() for column in batch.columns]
                    yield [
                        dict(zip(batch.schema.names, row, strict=True)) for row in zip(*columns, strict=True)
                    ]
                return
            reason = "a column name stands twice"
    except OSError as error:
        if error.errno is not None:
            raise  # of the disk, and `file` says what that means; Arrow's own have no number
        reason = "it is no Parquet file, or a damaged one"
    except (pa.ArrowException, UnicodeDecodeError):
        reason = "it is no Parquet file, or a damaged one"
    raise _refused(doing, 1, [RowProblem(0, "", reason)])


def _refused(doing: str, count: int, problems: Sequence[RowProblem]) -> AccountsRefused:
    more = f" (the first {len(problems)} are listed)" if count > len(problems) else ""
    found = "1 problem" if count == 1 else f"{count:,} problems"
    listed = "; ".join(str(problem) for problem in problems)
    return AccountsRefused(
        f"{doing}: {found}{more}: {listed}. Nothing was stored. "
        "Have the file made again and run the date again.",
        problems,
    )
