"""Every attack of docs/attacks.md: a seeded sample here, all of them in `make proof`."""

from pathlib import Path

import pytest

from esg_assets_tests.attacks import on_work, table
from esg_assets_tests.attacks.material import Attack, Ground
from esg_assets_tests.attacks.message import Message
from esg_assets_tests.attacks.on_reports import FLIPS
from esg_assets_tests.attacks.on_work import WorkAttack
from esg_assets_tests.attacks.trying import carry_out


@pytest.fixture(scope="module")
def grounds() -> dict[str, Ground]:
    return table.grounds()


@pytest.fixture(scope="module")
def work() -> on_work.Work:
    return on_work.Work()


def rows() -> "list[tuple[str, Attack | WorkAttack]]":
    return [(section.title, attack) for section in table.SECTIONS for attack in section.attacks]


@pytest.mark.parametrize(("title", "attack"), rows(), ids=[f"{t}: {a.what}" for t, a in rows()])
@pytest.mark.parametrize("full", [False, pytest.param(True, marks=pytest.mark.proof)], ids=["sample", "full"])
def test_every_attack_is_refused_and_leaves_nothing(
    title: str,
    attack: Attack | WorkAttack,
    full: bool,
    grounds: dict[str, Ground],
    work: on_work.Work,
    tmp_path: Path,
) -> None:
    if isinstance(attack, Attack):
        count = carry_out(attack, grounds[title], tmp_path, full=full)
    else:
        count = on_work.carry_out(attack, work, full=full)
    print(f"{title}: {attack.what}: {count.refused:,} of {count.tried:,} refused")  # noqa: T201  # its purpose
    assert count.tried == count.refused == (attack.tried if full else attack.sample)


def test_what_is_attacked_opens_when_nobody_attacks_it(
    grounds: dict[str, Ground], work: on_work.Work
) -> None:
    for ground in grounds.values():
        assert ground.house.publications().verify().ok
        assert Message.of(ground.report).with_frames(Message.of(ground.report).frames) == ground.report
    frames = {title: len(Message.of(ground.report).frames) for title, ground in grounds.items()}
    assert frames == {"a report of one frame": 1, "a report of four frames": 4, table.CHAIN: 1}
    assert len(work.read()) == 5
    assert sum(FLIPS.values()) == 1_000


def test_the_document_shows_these_attacks_and_that_each_was_refused() -> None:
    text = table.DOCUMENT.read_text(encoding="utf-8")
    assert table.put(text, table.expected()) == text, "python -m esg_assets_tests.attacks --write"
