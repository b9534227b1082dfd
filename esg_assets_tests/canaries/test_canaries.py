"""No canary is found anywhere after any failure mode: a sample with every run, all of them as proof."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from esg_assets_tests.canaries import table
from esg_assets_tests.canaries.suite import MODES, SECTIONS, Hit, drive

SEED = 4
SHARE, LESS = 0.3, {"Commands that read reports": 0.15, "The readers' pages": 0.2}
"""Of the modes of a section; less of those that publish a report each."""

LEAST, FEWER = 3, {"The readers' pages": 1}
"""Modes of a section at least."""


def sample() -> Iterator[str]:
    """Of each section some modes, always the same."""
    draw = random.Random(SEED)
    for section, modes in SECTIONS.items():
        count = max(FEWER.get(section, LEAST), round(LESS.get(section, SHARE) * len(modes)))
        yield from draw.sample([mode.name for mode in modes], count)


def told(hits: list[Hit]) -> str:
    return "\n".join(map(str, hits[:20]))


def test_a_sample_of_failure_modes_leaves_nothing_in_the_clear(tmp_path: Path) -> None:
    chosen = set(sample())
    hits = drive([mode for mode in MODES if mode.name in chosen], tmp_path)
    assert len(chosen) >= 40
    assert not hits, told(hits)


@pytest.mark.proof
def test_no_failure_mode_leaves_anything_in_the_clear(tmp_path: Path) -> None:
    hits = drive(MODES, tmp_path)
    assert not hits, told(hits)


def test_the_table_has_every_mode_and_no_hit() -> None:
    shown = table.rows(table.DOCUMENT.read_text(encoding="utf-8"))
    names = [mode.name for mode in MODES]
    assert len(names) == len(set(names)) >= 100
    assert list(shown) == names, "run `python -m esg_assets_tests.canaries --write`"
    assert not any(shown.values())
