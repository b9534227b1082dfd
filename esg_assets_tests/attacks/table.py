"""The counts as the Markdown tables of docs/attacks.md."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from esg_assets_tests.attacks import on_chain, on_reports, on_work
from esg_assets_tests.attacks.material import Attack, Ground, ground
from esg_assets_tests.attacks.trying import Count, carry_out

DOCUMENT = Path(__file__).parents[2] / "docs" / "attacks.md"
BEGIN, END = "<!-- attacks:begin -->", "<!-- attacks:end -->"
ROWS = {"a report of one frame": 1_000, "a report of four frames": 250_000}
CHAIN = "a chain of six entries"
_HEAD = "| attack | tried | refused |\n|---|---:|---:|"


@dataclass(frozen=True)
class Section:
    """The attacks on one thing."""

    title: str
    attacks: "list[Attack] | list[on_work.WorkAttack]"


SECTIONS = [
    Section("a report of one frame", on_reports.attacks(1)),
    Section("a report of four frames", on_reports.attacks(4)),
    Section(CHAIN, on_chain.attacks()),
    Section(on_work.NAME, on_work.ATTACKS),
]


def grounds() -> dict[str, Ground]:
    """What the attacks on records are tried on, by the section's title."""
    made = {title: ground(title, rows) for title, rows in ROWS.items()}
    return {**made, CHAIN: made["a report of one frame"]}


def carried_out(folder: Path, *, full: bool) -> Iterator[tuple[str, Count]]:
    """Every attack, with its section's title; `folder` is empty and stays so."""
    on, work = grounds(), on_work.Work()
    for section in SECTIONS:
        for attack in section.attacks:
            if isinstance(attack, Attack):
                yield section.title, carry_out(attack, on[section.title], folder, full=full)
            else:
                yield section.title, on_work.carry_out(attack, work, full=full)


def expected() -> list[tuple[str, Count]]:
    """What `carried_out` gives in full, unless an attack succeeds."""
    return [
        (section.title, Count(attack.what, section.title, attack.tried, attack.tried))
        for section in SECTIONS
        for attack in section.attacks
    ]


def tables(counts: list[tuple[str, Count]]) -> str:
    """One table for each section, and the sum."""
    tried, refused = (sum(getattr(count, name) for _, count in counts) for name in ("tried", "refused"))
    parts = [f"{tried:,} attacks tried, {refused:,} refused."]
    for section in SECTIONS:
        rows = [count for title, count in counts if title == section.title]
        lines = [f"| {count.attack} | {count.tried:,} | {count.refused:,} |" for count in rows]
        parts.append(f"## On {section.title}\n\n{_HEAD}\n" + "\n".join(lines))
    return "\n\n".join(parts)


def put(text: str, counts: list[tuple[str, Count]]) -> str:
    """The document's text with these counts between its markers. ValueError without markers."""
    if BEGIN not in text or END not in text:
        raise ValueError(f"no {BEGIN} … {END}")
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n{tables(counts)}\n{END}{rest.partition(END)[2]}"
