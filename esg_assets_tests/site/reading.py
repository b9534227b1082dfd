"""A page as its reader has it: tables by caption, tiles and paragraphs, from the HTML alone."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path


@dataclass
class Read:
    """What stands on a page.

    Attributes:
        tables: by caption their rows, the head first.
        tiles: by label their value, what it is of, and changes.
        text: all of it, one line for each element.
    """

    tables: dict[str, list[list[str]]] = field(default_factory=dict)
    tiles: dict[str, list[str]] = field(default_factory=dict)
    text: list[str] = field(default_factory=list)

    def table(self, beginning: str) -> list[list[str]]:
        """The rows below the head of the one table whose caption begins so."""
        (found,) = [rows for caption, rows in self.tables.items() if caption.startswith(beginning)]
        return found[1:]

    def line(self, beginning: str) -> str:
        """The first line that begins so; "" for none."""
        return next((line for line in self.text if line.startswith(beginning)), "")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found = Read()
        self._words: list[str] = []
        self._rows: list[list[str]] = []
        self._caption = ""
        self._tile: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"caption", "th", "td", "p", "h1", "h2", "h3", "dt", "dd"}:
            self._words = []
        elif tag == "table":
            self._rows, self._caption = [], ""
        elif tag == "tr":
            self._rows.append([])
        elif tag == "li":
            self._words, self._tile = [], [] if ("class", "tile") in attrs else None
        elif tag == "span" and self._tile is not None:
            self._words = []

    def handle_data(self, data: str) -> None:
        self._words.append(data)

    def handle_endtag(self, tag: str) -> None:
        text = " ".join("".join(self._words).split())
        if tag == "caption":
            self._caption = text
        elif tag in {"th", "td"}:
            self._rows[-1].append(text)
        elif tag == "table":
            assert self._caption not in self.found.tables or self._caption.startswith("Mean"), self._caption
            self.found.tables.setdefault(self._caption, self._rows)
        elif tag == "span" and self._tile is not None:
            self._tile.append(text)
        elif tag == "li" and self._tile:
            label, *rest = self._tile
            self.found.tiles[label] = rest
        elif tag in {"p", "li", "h1", "h2", "h3", "dd"}:
            self.found.text.append(text)


def read_page(path: Path) -> Read:
    """The page in a file."""
    reader = _Reader()
    reader.feed(path.read_text("utf-8"))
    return reader.found
