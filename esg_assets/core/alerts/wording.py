"""The words of an alert: for developers the cause and the next command, for business what it means.

What a kind means and what to do stands in `developer_words` and `business_words`; how facts are shown in
`shown_facts`. Here the parts become one `Words`, the same for every channel, and its plain text.

Facts that are known here; any other is never shown:

| name | holds |
|---|---|
| accounts, failed, not_rated | counts of the date |
| reason.<reason> | count of FAILED accounts by a reason of `ratings.Reason` |
| share, limit | what was compared, 0 to 1 |
| check | a check's name |
| note | a verdict's note, or the text of an error of ours; for developers alone |
| error | type of the error that ended the run, of `core.errors` or Python's |
| attempts, max_attempts | runs of the date that the schedule asked for, and how many it makes |
| tries_again | 1: the schedule tries the date again by itself; 0: it does not |
| published, version | 1: a version of the report stands, and which; 0: none does |
| blocks_publication | 1: nothing was published because of it; 0: it was published all the same |
| deadline, expected_end, last_tick | ISO texts with a zone |
| minutes | how long something has been so |
| channel, pending | a channel's name; messages that wait |
| head | `SEQ:SHA256` of the chain's newest entry |
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from esg_assets.core.alerts import business_words, developer_words, shown_facts
from esg_assets.core.alerts.incidents import Incident, Message, State
from esg_assets.core.alerts.kinds import DRILL, GIVEN_UP, Severity
from esg_assets.core.alerts.routes import BUSINESS
from esg_assets.core.alerts.times import day

_DRILL_TITLE = "nothing is wrong, and nobody has to act"


@dataclass(frozen=True)
class Places:
    """Where links lead; "" for a link that is not to be had.

    Attributes:
        dagster: ESG_DAGSTER_URL.
        site: ESG_SITE_URL.
        runbook: ESG_RUNBOOK_URL.
    """

    dagster: str = ""
    site: str = ""
    runbook: str = ""


@dataclass(frozen=True)
class Link:
    """A link and what it leads to."""

    text: str
    url: str


@dataclass(frozen=True)
class Step:
    """Something to do.

    Attributes:
        text: what, and why.
        command: to be typed as it is, "" if there is none.
    """

    text: str
    command: str = ""


@dataclass(frozen=True)
class Words:
    """What is told to one audience, for any channel to lay out.

    Attributes:
        label: DRILL, ERROR, WARN, INFO or RESOLVED: the state in one word.
        state: the same, with what got worse: `WORSE, now ERROR`.
        environment: as it is named in settings.
        title: what is the matter, without the state.
        about: the report that it is about, "" for none.
        subject: of a mail; at most 150 characters. State, environment, title and date are in it.
        paragraphs: what happened and what it means.
        facts: label and value, in order.
        what_to_do: steps, in order.
        links: where to look.
        footer: why this message came, and from where.
    """

    label: Literal["DRILL", "ERROR", "WARN", "INFO", "RESOLVED"]
    state: str
    environment: str
    title: str
    about: str
    subject: str
    paragraphs: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    what_to_do: tuple[Step, ...]
    links: tuple[Link, ...]
    footer: str

    @property
    def headline(self) -> str:
        """The first line of a text: a sentence."""
        return f"{self.state}: {self.title}{f', {self.about}' if self.about else ''}."

    def text(self) -> str:
        """All of it as plain text, lines of any length."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield self.headline
        for paragraph in self.paragraphs:
            yield from ("", paragraph)
        if self.what_to_do:
            yield from ("", "What to do:", *self._steps())
        if self.links:
            yield ""
            yield from (f"{link.text}: {link.url}" for link in self.links)
        if self.facts:
            wide = max(len(label) for label, _ in self.facts)
            yield ""
            yield from (f"{label + ':':<{wide + 1}} {value}" for label, value in self.facts)
        yield from ("", "-- ", self.footer)

    def _steps(self) -> Iterator[str]:
        for number, step in enumerate(self.what_to_do, 1):
            yield step.text if len(self.what_to_do) == 1 else f"{number}. {step.text}"
            if step.command:
                yield f"       {step.command}"


def words_of(message: Message, places: Places) -> Words:
    """What a message says to its audience; `monitors` are told what developers are."""
    if message.audience == BUSINESS:
        return _business(message, places)
    return _developers(message, places)


def label_of(incident: Incident, state: State) -> Literal["DRILL", "ERROR", "WARN", "INFO", "RESOLVED"]:
    """The state in one word, for subjects and banners: never colour alone."""
    if incident.kind == DRILL:
        return "DRILL"
    if state is State.RESOLVED:
        return "RESOLVED"
    return incident.severity.value


def _developers(message: Message, places: Places) -> Words:
    incident, state = message.incident, message.state
    title = _DRILL_TITLE if incident.kind == DRILL else developer_words.title(incident, state)
    over = state is State.RESOLVED
    return Words(
        label=label_of(incident, state),
        state=_state(incident, state),
        environment=incident.environment,
        title=title,
        about=_about(incident),
        subject=_subject(incident, state, title),
        paragraphs=tuple(developer_words.paragraphs(incident, state)),
        facts=tuple(shown_facts.for_developers(incident, state)),
        what_to_do=() if over else tuple(Step(*each) for each in developer_words.steps(incident)),
        links=tuple(_developer_links(incident, places)),
        footer=(
            f"Sent to the developers by esg_assets in {incident.environment}. Incident {incident.key}."
            + ("" if places.runbook else f" Runbook: docs/operations.md#{_section(incident)}.")
        ),
    )


def _section(incident: Incident) -> str:
    """The anchor of what is to be read in docs/operations.md."""
    return (GIVEN_UP if GIVEN_UP.name in incident.unwell else incident.kind).anchor


def _business(message: Message, places: Places) -> Words:
    incident, state = message.incident, message.state
    title = _DRILL_TITLE if incident.kind == DRILL else business_words.title(incident, state)
    links = (Link("Reports and figures", places.site),) if places.site else ()
    return Words(
        label=label_of(incident, state),
        state=_state(incident, state),
        environment=incident.environment,
        title=title,
        about=_about(incident),
        subject=_subject(incident, state, title),
        paragraphs=tuple(business_words.paragraphs(incident, state, message.queued_at)),
        facts=tuple(shown_facts.for_business(incident, state)),
        what_to_do=tuple(Step(text) for text in business_words.steps(incident, state)),
        links=links,
        footer=f"Sent to the readers of the ESG report. {environment_note(incident)}",
    )


def environment_note(incident: Incident) -> str:
    """Which environment this is, as somebody who does not know of environments has to read it."""
    if incident.environment == "prod":
        return "Environment: prod (the real reports)."
    return f"Environment: {incident.environment} (not the real reports; nothing in prod is affected)."


def _state(incident: Incident, state: State) -> str:
    label = label_of(incident, state)
    if label == "DRILL":
        return "DRILL over" if state is State.RESOLVED else "DRILL"
    return f"WORSE, now {label}" if state is State.WORSE else label


def _about(incident: Incident) -> str:
    return f"report of {day(incident.date)}" if incident.date else ""


def _subject(incident: Incident, state: State, title: str) -> str:
    date = f", {incident.date.isoformat()}" if incident.date else ""
    return f"[ESG report {incident.environment}] {_state(incident, state)}: {title}{date}"[:150]


def _developer_links(incident: Incident, places: Places) -> Iterator[Link]:
    if incident.run_id and places.dagster:
        yield Link("Run", f"{places.dagster}/runs/{incident.run_id}")
    if places.runbook:
        yield Link("Runbook", f"{places.runbook}#{_section(incident)}")
    if places.site and incident.date is not None:
        yield Link("Reports and figures", places.site)


def heartbeat_text(message: Message) -> str:
    """What the outside service keeps with a ping: short, and nothing but dates, versions and the head."""
    incident = message.incident
    version = shown_facts.count(incident, "version")
    parts = [
        f"{label_of(incident, message.state)} {incident.kind.name}",
        f"environment {incident.environment}",
    ]
    if incident.date:
        parts.append(f"report {incident.date.isoformat()}")
    if incident.severity is Severity.INFO and version:
        parts.append(f"version {version}")
    head = shown_facts.head(incident)
    return "\n".join([*parts, *([f"head {head}"] if head else [])])
