"""What a run's calls took, and what software it is, as tags on the run: for the record of it afterwards.

A tag is there whatever becomes of the run: it is renewed while the run asks, so that of a run that is
killed at most the last seconds are missing. Written by `asking` and `run_lease`, read by `run_records`.
"""

import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field

import dagster as dg

import esg_assets
from esg_assets.core.latencies import Latencies
from esg_assets.core.progress import Progress
from esg_assets.core.sealed_ratings import Effort

EFFORT_TAG = "esg/effort"
SOFTWARE_TAG = "esg/software"


@dataclass(frozen=True)
class Spent:
    """What one run's calls took so far.

    Attributes:
        asked: accounts that it asked for.
        effort: calls, and the time from first to last of each turn at the provider.
        latencies: seconds that every call took.
        received_bytes: of the provider's answers that were kept.
    """

    asked: int = 0
    effort: Effort = field(default_factory=Effort)
    latencies: Latencies = field(default_factory=Latencies)
    received_bytes: int = 0

    def plus(self, progress: Progress, seconds: float, received_bytes: int) -> "Spent":
        """With one more turn at the provider."""
        effort = Effort(progress.calls, progress.retries, progress.refusals, round(seconds, 3))
        return Spent(
            asked=self.asked,
            effort=self.effort + effort,
            latencies=self.latencies + progress.latencies,
            received_bytes=self.received_bytes + received_bytes,
        )

    def as_tag(self, run_id: str) -> str:
        """For EFFORT_TAG: counts and times, nothing of an account."""
        told = {
            "asked": self.asked,
            "calls": self.effort.calls,
            "retries": self.effort.retries,
            "refusals": self.effort.refusals,
            "seconds": round(self.effort.seconds, 3),
            "received_bytes": self.received_bytes,
            **self.latencies.percentiles(),
        }
        return _tag(run_id, told)


def effort_of(run: dg.DagsterRun) -> dict[str, float]:
    """What EFFORT_TAG says of the run, by name; empty if it says nothing."""
    return {
        name: value
        for name, value in _told(run, EFFORT_TAG).items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def software() -> dict[str, str]:
    """What makes the reports here, with versions."""
    return {
        "esg_assets": esg_assets.__version__,
        "dagster": dg.__version__,
        "python": platform.python_version(),
    }


def software_tag(run_id: str) -> str:
    """For SOFTWARE_TAG."""
    return _tag(run_id, software())


def software_of(run: dg.DagsterRun) -> dict[str, str]:
    """What SOFTWARE_TAG says of the run; empty if it says nothing."""
    told = _told(run, SOFTWARE_TAG)
    return {name: str(told[name]) for name in software() if name in told}


def _tag(run_id: str, told: Mapping[str, object]) -> str:
    return json.dumps({"run": run_id, **told}, separators=(",", ":"))


def _told(run: dg.DagsterRun, tag: str) -> dict[str, object]:
    """Only what a run says of itself: one that is executed again starts with its parent's tags."""
    try:
        found = json.loads(run.tags.get(tag, "{}"))
    except ValueError:  # somebody launched a run with a tag of that name of his own
        return {}
    return found if isinstance(found, dict) and found.get("run") == run.run_id else {}
