"""The tables of docs/canaries.md: mode, places searched, hits."""

import re
from collections.abc import Mapping
from pathlib import Path

from esg_assets_tests.canaries.suite import MODES, SECTIONS

DOCUMENT = Path(__file__).parents[2] / "docs" / "canaries.md"
BEGIN, END = "<!-- canaries:begin -->", "<!-- canaries:end -->"
PLACES = {"Libraries, and what nobody catches": "all, children's output and command lines too"}
_ROW = re.compile(r"^\| (?P<mode>.+) \| (?P<places>.+) \| (?P<hits>\d+) \|$", re.MULTILINE)


def tables(hits: Mapping[str, int]) -> str:
    """One table for each section; `hits` by the mode's name."""
    parts = [f"{len(MODES)} modes, {sum(hits.values())} hits."]
    for title, modes in SECTIONS.items():
        places = PLACES.get(title, "all")
        rows = [f"| {_cell(mode.name)} | {places} | {hits.get(mode.name, 0)} |" for mode in modes]
        parts.append("\n".join([f"### {title}\n", "| mode | searched | hits |", "|---|---|---:|", *rows]))
    return "\n\n".join(parts)


def put(text: str, hits: Mapping[str, int]) -> str:
    """The document with the tables of today between its markers. Raises ValueError without markers."""
    if BEGIN not in text or END not in text:
        raise ValueError(f"no {BEGIN} … {END}")
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n{tables(hits)}\n{END}{rest.partition(END)[2]}"


def rows(text: str) -> dict[str, int]:
    """Hits by mode, as a document has them."""
    return {match["mode"]: int(match["hits"]) for match in _ROW.finditer(text)}


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
