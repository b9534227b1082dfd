"""What pages are made of beside the figures: templates, software and links, as a digest.

Apart from `rendering`, because whoever only asks whether pages are out of date need not load what draws them.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

from esg_assets.core.history import PastReport

TEMPLATES = Path(__file__).with_name("templates")


def software() -> str:
    """Version of this package."""
    return version("esg_assets")


@cache
def digest() -> str:
    """Changes with every change of a template or of the software: pages are then made again."""
    found = hashlib.sha256(software().encode())
    here = Path(__file__).parent
    core = here.with_name("core")
    ours = (*here.glob("*.py"), *core.glob("page_*.py"), *core.glob("trend_*.py"))
    for path in sorted([*TEMPLATES.iterdir(), *ours]):
        found.update(path.read_bytes())
    return found.hexdigest()[:12]


@dataclass(frozen=True)
class Links:
    """Where pages lead; "" for nowhere. Runs: ESG_DAGSTER_URL; runbook: ESG_RUNBOOK_URL."""

    dagster: str = ""
    runbook: str = ""


def of_version(past: PastReport, *, bare: bool) -> str:
    """What stands in the head of a version's page, whatever software made it.

    Args:
        past: the publication.
        bare: nothing was kept beside its figures when the page was made.
    """
    published = past.published
    of = f"{published.report_date} v{published.version} {published.head_sha256[:16]}"
    return f"{of}{' bare' if bare else ''}"


def of_day(past: PastReport, links: Links, *, bare: bool) -> str:
    """The same with what else the page is made of: one with another marker is out of date."""
    return f"{of_version(past, bare=bare)} by {_short(digest(), repr(links))}"


def of_trend(reports: Sequence[PastReport], limit: float | None) -> str:
    """What a page of trends is made of: every figure on it."""
    told = [
        f"{past.published.report_date} {past.published.head_sha256} {sorted(past.figures.items())}"
        for past in reports
    ]
    return _short(digest(), str(limit), *told)


def _short(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]
