"""`esg-assets report list --as-of`: what was said about a date at an earlier moment, from chain and history.

The chain says which version stood, signed; the history says which figures were shown of it. Where one of
them had nothing then, that is the answer.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from esg_assets.cli.answers import Rows
from esg_assets.core.central_time import CENTRAL
from esg_assets.core.errors import SettingsWrong

if TYPE_CHECKING:
    from esg_assets.core.history import RunRecord, Said
    from esg_assets.core.ports import History
    from esg_assets.core.publication import Publication

Json = dict[str, object]
Part = str | Rows


def moment_of(text: str, now: datetime) -> datetime:
    """The moment that `--as-of` names, in UTC; of a day alone its end, in US Central time without a zone.

    Raises:
        SettingsWrong: it is none, or it has not come yet.
    """
    try:
        given = datetime.fromisoformat(text)
        begun = (given if given.tzinfo else given.replace(tzinfo=CENTRAL)).astimezone(UTC)
        end = _end_of(given.date()) if _is_a_day(text) else begun
    except (ValueError, OverflowError):
        raise SettingsWrong(
            "--as-of: wanted is YYYY-MM-DD, for the end of that day, or YYYY-MM-DDTHH:MM; both are US "
            "Central time, unless Z or +HH:MM stands behind the latter."
        ) from None
    if begun > now:
        raise SettingsWrong(f"--as-of: that moment has not come yet; it is {_at(now)}.")
    return min(end, now)


def _is_a_day(text: str) -> bool:
    """Whether it is a date alone, in whichever way ISO 8601 writes dates."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _end_of(day: date) -> datetime:
    following = datetime.combine(day + timedelta(days=1), time(), CENTRAL)
    return following.astimezone(UTC) - timedelta(microseconds=1)


def said_then(
    published: Sequence["Publication"], history: "History", day: date, moment: datetime
) -> tuple[Json, list[Part]]:
    """What was said about a date at that moment, as `--json` has it and as people read it.

    Args:
        published: every version in the chain, of any date.
        history: what remembers the figures.
        day: the report's date.
        moment: not later than now.

    Raises:
        StoreUnavailable: the history does not answer.
    """
    own = sorted((each for each in published if each.date == day), key=lambda each: each.version)
    stood = [each for each in own if each.recorded_at <= moment][-1:]
    later = [each for each in own if each.recorded_at > moment]
    said, latest = history.said_at(day, moment), history.latest(day)
    runs = [run for run in history.runs_of(day) if run.ended_at is not None and run.ended_at <= moment]
    shown: list[Part] = [f"As of {_at(moment)}, about {day}:"]
    shown += _version(day, stood, said, runs)
    if said is not None:
        same = latest is None or latest.published == said.past.published
        shown += _figures(said, None if same or latest is None else latest.figures)
    elif stood:
        shown.append(_no_figures(stood[0], history))
    shown += [f"Since then: version {e.version}, published {_at(e.recorded_at)}{_why(e)}." for e in later]
    told = {
        "version": said.past.published.version if said else None,
        "recorded_at": said.past.recorded_at.isoformat() if said else None,
        "lost": said.lost if said else False,
        "figures_removed_at": said.forgotten_at.isoformat() if said and said.forgotten_at else None,
        "figures": dict(said.past.figures) if said else {},
    }
    ends = [{"status": run.status, "ended_at": run.ended_at.isoformat()} for run in runs if run.ended_at]
    return {"as_of": moment.isoformat(), "said": told if said else None, "runs": ends}, shown


def _version(
    day: date, stood: Sequence["Publication"], said: "Said | None", runs: Sequence["RunRecord"]
) -> list[Part]:
    if stood:
        one = stood[0]
        since = f"published {_at(one.recorded_at)} (entry {one.sequence}){_why(one)}"
        counts = ", ".join(f"{count:,} {status}" for status, count in one.counts.items())
        return [f"Version {one.version} stood, {since}.", f"Accounts: {counts}."]
    if said is not None:
        lost = said.past.published
        gone = "the records store has lost it since, and only the history remembers it"
        return [f"Version {lost.version} stood (entry {lost.sequence}); {gone}."]
    last = max(runs, key=lambda run: run.ended_at or run.started_at, default=None)
    if last is None or last.ended_at is None:
        return [f"Nothing was said: no report of {day} was published, and no run of it had ended."]
    tried = f"{len(runs)} run{'s' if len(runs) > 1 else ''} of it had ended"
    how = f"the last one {last.status} at {_at(last.ended_at)}"
    return [f"Nothing was said: no report of {day} was published. {tried}, {how}."]


def _figures(said: "Said", now: Mapping[str, float | None] | None) -> list[Part]:
    past = said.past
    if said.forgotten_at is not None:
        return [f"Its figures were removed on {_at(said.forgotten_at)}, by their age (ESG_HISTORY_YEARS)."]
    if not past.figures:
        return ["No figures of it were kept then."]
    # For how many days a group has stood is our bookkeeping; --json has it.
    names = sorted(name for name in {*past.figures, *(now or {})} if not name.startswith("unchanged_days."))
    title = f"version {past.published.version}, then"
    if now is None:
        return [Rows(("figure", title), [(name, _number(past.figures, name)) for name in names])]
    rows = [(name, _number(past.figures, name), _number(now, name)) for name in names]
    return [Rows(("figure", title, "now"), rows)]


def _no_figures(stood: "Publication", history: "History") -> str:
    known = [past for past in history.versions(stood.date) if past.published.version == stood.version]
    if not known:
        return "This history does not know that version, so its figures cannot be told."
    later = _at(known[-1].recorded_at)
    return f"Its figures cannot be told: this history took that version in later, on {later}."


def _number(figures: Mapping[str, float | None], name: str) -> str:
    if name not in figures:
        return "-"
    value = figures[name]
    from esg_assets.core.summary_words import WITHHELD  # noqa: PLC0415 - slow to import

    return WITHHELD if value is None else f"{value:,.10g}"


def _why(one: "Publication") -> str:
    return f": {one.reason}" if one.reason else ""


def _at(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
