"""Every change that mutmut makes to the modules of figures is noticed by a test, or changes no figure.

Six minutes on two idle cores, twelve on busy ones.
"""

from pathlib import Path

import pytest

from esg_assets_tests.proof.mutants import KILLED, REVIEWED, Mutant, hunted, printed, reviewed


@pytest.mark.proof
def test_no_mutant_of_the_figures_survives_that_nobody_has_looked_at(tmp_path: Path) -> None:
    known = reviewed(REVIEWED.read_text(encoding="utf-8"))
    found = hunted(tmp_path / "copy")
    told = list(printed(found, list(known)))
    print(told[0])  # noqa: T201 - `make proof` says how many
    assert found.counts[KILLED] > 2_000, told[0]
    assert told[1:] == [], "\n".join(told)
    gone = set(known) - set(found.left)
    assert not gone, "mutants_reviewed.txt names what is killed or is no more:\n" + "\n".join(map(str, gone))


@pytest.mark.proof
def test_every_reviewed_mutant_has_its_reason() -> None:
    for mutant, reason in reviewed(REVIEWED.read_text(encoding="utf-8")).items():
        assert len(reason) > 20, mutant


@pytest.mark.proof
def test_the_reviewed_list_is_read_by_blocks() -> None:
    text = "# Why\n# so.\n\nfigures.f\n- a\n+ b\n\nfigures.g\n+ c\n\n# Else\n\nfigures.h\n- d\n"
    assert reviewed(text) == {
        Mutant("figures.f", ("- a", "+ b")): "Why so.",
        Mutant("figures.g", ("+ c",)): "Why so.",
        Mutant("figures.h", ("- d",)): "Else",
    }
