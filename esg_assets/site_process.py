"""The process that makes the readers' pages: `python -m esg_assets.site_process [SECONDS]`.

A process of its own, because what draws the charts takes a hundred megabytes, and a fault in it must not
touch a run. Prints one JSON line; what went wrong is on standard error, and it exits with SAID_WHY.
"""

import json
import sys
from pathlib import Path

from esg_assets import composition
from esg_assets.core.errors import EsgError
from esg_assets.settings import Settings, load_settings

SAID_WHY = 3
"""Exit status where standard error holds one of our messages; a traceback has Python's."""


def main(seconds: float | None) -> int:
    """Bring the site of the settings in force up to date."""
    try:
        settings = load_settings(tolerant=True)
        sys.stdout.write(json.dumps(build(settings, seconds)) + "\n")
    except EsgError as error:
        sys.stderr.write(f"{error}\n")
        return SAID_WHY
    return 0


def build(settings: Settings, seconds: float | None) -> dict[str, object]:
    """Make what is out of date; see `esg_assets.site.building`."""
    from esg_assets.site.building import build as build_site  # noqa: PLC0415 - altair takes seconds to import
    from esg_assets.site.made_of import Links  # noqa: PLC0415 - as above

    links = Links(settings.dagster_url or "", settings.runbook_url or "")
    built = build_site(composition.history(settings), Path(settings.site_folder), links, seconds=seconds)
    latest = None if built.latest is None else built.latest.isoformat()
    return {
        "path": str(built.path),
        "pages": built.pages,
        "reports": built.reports,
        "waiting": built.waiting,
        "latest": latest,
    }


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else None))
