"""Reading a firm's own CSV files: rows with their line numbers, numbers checked and kept as text."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from esg_assets.simulators.exchange import is_full_date

_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


class WrongInput(Exception):
    """An input file cannot be served; the message says where and what is wanted, without values."""


class Row:
    """One row, by column name; absent columns and empty cells are ""."""

    def __init__(self, cells: Mapping[str, str | None], where: str) -> None:
        self._cells = cells
        self.where = where

    def text(self, name: str) -> str:
        """The cell as it is."""
        return self._cells.get(name) or ""

    def needed(self, name: str) -> str:
        """The cell, which must not be empty."""
        if not (value := self.text(name)):
            raise WrongInput(f"{self.where}: {name} is empty")
        return value

    def number(self, name: str) -> str:
        """A number's text, fit for JSON as it stands; "" for an empty cell."""
        value = self.text(name)
        if value and not _JSON_NUMBER.fullmatch(value):
            raise WrongInput(f"{self.where}: {name} is not a number as JSON writes it, such as 52.50")
        return value

    def day(self, name: str) -> str:
        """A date's text; "" for an empty cell."""
        value = self.text(name)
        if value and not is_full_date(value):
            raise WrongInput(f"{self.where}: {name} is not a date such as 2026-01-14")
        return value


def read_rows(path: Path, needed: tuple[str, ...]) -> tuple[list[str], Iterator[Row]]:
    """The columns of a CSV file with a header row, and its rows in order.

    Raises:
        WrongInput: the file cannot be read, is not UTF-8, or lacks one of the `needed` columns.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise WrongInput(f"{path.name}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise WrongInput(f"{path.name}: is not UTF-8") from None
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    columns = list(reader.fieldnames or ())
    if missing := [name for name in needed if name not in columns]:
        raise WrongInput(f"{path.name}: has no column {', '.join(missing)}")
    return columns, _rows(reader, path.name)


def _rows(reader: "csv.DictReader[str]", name: str) -> Iterator[Row]:
    try:
        for cells in reader:
            where = f"{name} line {reader.line_num}"
            if None in cells or None in cells.values():
                raise WrongInput(f"{where}: has more or fewer cells than the header")
            yield Row(cells, where)
    except csv.Error as error:
        raise WrongInput(f"{name} line {reader.line_num}: {error}") from None
