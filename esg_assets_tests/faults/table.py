"""The matrix as the Markdown tables of docs/fault_matrix.md."""

from pathlib import Path

from esg_assets.core.ratings import Status
from esg_assets_tests.faults.matrix import MATRIX, SECTIONS
from esg_assets_tests.faults.scenario import ANY, End, Scenario

DOCUMENT = Path(__file__).parents[2] / "docs" / "fault_matrix.md"
BEGIN, END = "<!-- faults:begin -->", "<!-- faults:end -->"
_HEAD = "| what goes wrong | when | how every account ends | calls |\n|---|---|---|---|"


def tables() -> str:
    """One table for each section."""
    parts = [f"{len(MATRIX)} scenarios."]
    for title, scenarios in SECTIONS.items():
        parts.append(f"## {title}\n\n{_HEAD}\n" + "\n".join(map(_row, scenarios)))
    return "\n\n".join(parts)


def put(text: str) -> str:
    """The document's text with the tables of today between its markers.

    Raises:
        ValueError: a marker is missing.
    """
    if BEGIN not in text or END not in text:
        raise ValueError(f"no {BEGIN} … {END}")
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n{tables()}\n{END}{rest.partition(END)[2]}"


def _row(scenario: Scenario) -> str:
    cells = (scenario.name, scenario.when, _ends(scenario), _calls(scenario))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _ends(scenario: Scenario) -> str:
    count = len(scenario.ids)
    named = [f"{_numbers(text)}: {_end(end)}" for text, end in scenario.ends.items()]
    covered = list(scenario.expected.values()) == [scenario.rest] * count
    others = f"all {count}: " if covered else f"the others of {count}: "
    if len(set(scenario.expected.values())) > len(set(scenario.ends.values())) or covered:
        named.append(others + _end(scenario.rest))
    if scenario.error is not None:
        named.append(f"the run ends with {scenario.error.__name__}")
    return "; ".join(named)


def _numbers(text: str) -> str:
    shown, _, step = text.partition("/")
    every = {"": "", "2": "every second of ", "4": "every fourth of "}[step]
    return every + shown.replace("-", " to ").replace(",", ", ")


def _end(end: End | None) -> str:
    if end is None:
        return "no outcome, open for the next run"
    words = [end.status.value if end.reason is None else f"{end.status.value} ({end.reason.value})"]
    words.append(
        {ANY: "any number of tries", 0: "never asked", 1: "1 try"}.get(end.tries, f"{end.tries} tries")
    )
    if end.status is not Status.SUCCESS and end.tries:
        words.append("no answer" if end.last_status is None else f"last status {end.last_status}")
    return ", ".join(words)


def _calls(scenario: Scenario) -> str:
    if scenario.most_calls is not None:
        return f"at most {scenario.most_calls}"
    return "" if scenario.expected_calls == ANY else str(scenario.expected_calls)
