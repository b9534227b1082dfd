"""Carry out every attack in full and show the counts: `python -m esg_assets_tests.attacks [--write]`.

With `--write` they are put into docs/attacks.md; `test_attacks.py` holds that its rows stand there.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from esg_assets_tests.attacks import table


def main(arguments: Sequence[str]) -> int:
    """Print the tables, or write them; ends with an AssertionError where an attack succeeds."""
    counts = []
    with tempfile.TemporaryDirectory() as folder:
        for title, count in table.carried_out(Path(folder), full=True):
            sys.stderr.write(f"{title}: {count.attack}: {count.refused:,} of {count.tried:,} refused\n")
            counts.append((title, count))
    if list(arguments) == ["--write"]:
        text = table.DOCUMENT.read_text(encoding="utf-8")
        table.DOCUMENT.write_text(table.put(text, counts), encoding="utf-8")
        return 0
    sys.stdout.write(table.tables(counts) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
