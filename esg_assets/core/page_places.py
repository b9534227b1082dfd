"""Where pages are within the site: for whoever writes them, and whoever links to them."""

from datetime import date

INDEX = "index.html"
"""The list of all reports."""


def report_file(day: date) -> str:
    """Where a report's page is, that of its newest version."""
    return f"reports/{day.isoformat()}/index.html"


def version_file(day: date, version: int) -> str:
    """Where the page of one version is, for good."""
    return f"reports/{day.isoformat()}/v{version}.html"
