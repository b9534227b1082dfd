"""Show the fault matrix: `python -m esg_assets_tests.faults [--write]`.

With `--write` it is put into docs/fault_matrix.md; `test_fault_matrix.py` holds that it stands there.
"""

import sys
from collections.abc import Sequence

from esg_assets_tests.faults import table


def main(arguments: Sequence[str]) -> int:
    """Print the tables, or write them."""
    if list(arguments) == ["--write"]:
        table.DOCUMENT.write_text(table.put(table.DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
        return 0
    sys.stdout.write(table.tables() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
