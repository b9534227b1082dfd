"""The table of docs/metrics.md, from the catalogue: `python -m esg_assets_tests.monitoring.table --write`."""

import sys
from pathlib import Path

from esg_assets.core.metrics.catalogue import table

DOCUMENT = Path(__file__).parents[2] / "docs" / "metrics.md"
BEGIN, END = "<!-- metrics:begin -->", "<!-- metrics:end -->"


def with_table(text: str) -> str:
    """The document's text with the table of today between its markers."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    made = with_table(DOCUMENT.read_text(encoding="utf-8"))
    if sys.argv[1:] == ["--write"]:
        DOCUMENT.write_text(made, encoding="utf-8")
    else:
        sys.stdout.write(made)
