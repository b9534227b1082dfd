"""Drive every failure mode and show the hits: `python -m esg_assets_tests.canaries [--write]`.

With `--write` the tables are put into docs/canaries.md. Takes about two minutes.
"""

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from esg_assets_tests.canaries import suite, table


def main(arguments: Sequence[str]) -> int:
    """Print the tables, or write them; 1 if there is a hit."""
    os.umask(0o077)
    with tempfile.TemporaryDirectory() as folder:
        hits = suite.drive(suite.MODES, Path(folder))
    counted = suite.by_mode(hits)
    if list(arguments) == ["--write"]:
        text = table.DOCUMENT.read_text(encoding="utf-8")
        table.DOCUMENT.write_text(table.put(text, counted), encoding="utf-8")
    else:
        sys.stdout.write(table.tables(counted) + "\n")
    sys.stderr.writelines(f"{hit}\n" for hit in hits)
    return 1 if hits else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
