"""The process that draws a chart: Vega-Lite as JSON on standard input, a PNG on standard output.

It is started by path, by `chart_picture`, and imports nothing of ours: what draws takes a hundred megabytes,
which go when the process does.
"""

import json
import sys

import vl_convert

SCALE = 2
"""Pixels to a unit: sharp on the screens of phones."""


def main() -> None:
    """Draw what is on standard input."""
    sys.stdout.buffer.write(vl_convert.vegalite_to_png(json.load(sys.stdin), scale=SCALE))


if __name__ == "__main__":
    main()
