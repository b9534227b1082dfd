"""Every failure mode, driven one after the other on one ground; then one search for everything planted."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from esg_assets_tests.canaries import (
    account_modes,
    code_modes,
    command_modes,
    library_modes,
    page_modes,
    provider_modes,
    reader_modes,
)
from esg_assets_tests.canaries.ground import Ground, prepared
from esg_assets_tests.canaries.mode import Mode
from esg_assets_tests.canaries.planted import Canary
from esg_assets_tests.leak_search import Leak, find_leaks

SECTIONS: Mapping[str, Sequence[Mode]] = {
    "The account system": account_modes.MODES,
    "The provider and its token endpoint": provider_modes.MODES,
    "Unforeseen exceptions, and Dagster": code_modes.MODES,
    "Libraries, and what nobody catches": library_modes.MODES,
    "Commands and keys": command_modes.MODES,
    "Commands that read reports": reader_modes.MODES,
    "The readers' pages": page_modes.MODES,
}
MODES: Sequence[Mode] = [mode for modes in SECTIONS.values() for mode in modes]


KEYS = Mode("the installation's own keys, in whatever mode", lambda ground, canary: None)
"""Whose canaries are the key files that every run works with."""


@dataclass(frozen=True)
class Hit:
    """Something planted that was found.

    Attributes:
        mode: in which it was planted.
        kind: of KINDS.
        leak: where and in which form.
    """

    mode: Mode
    kind: str
    leak: Leak

    def __str__(self) -> str:
        return f"{self.mode.name}: {self.kind} as {self.leak.form} in {self.leak.where}"


def numbered(modes: Iterable[Mode]) -> Iterator[tuple[Mode, Canary]]:
    """Each with the canary that is its own in every run."""
    place = {mode.name: number for number, mode in enumerate(MODES)}
    yield from ((mode, Canary(place[mode.name])) for mode in modes)


def drive(modes: Iterable[Mode], folder: Path) -> list[Hit]:
    """Drive the modes in an empty folder, and search everything that was written."""
    driven = list(numbered(modes))
    with prepared(folder) as ground:
        for mode, canary in driven:
            try:
                mode.drive(ground, canary)
            except Exception as error:
                error.add_note(f"in the mode {mode.name!r}")
                raise
        return search(ground, driven)


def search(ground: Ground, driven: Iterable[tuple[Mode, Canary]]) -> list[Hit]:
    """What of the canaries stands anywhere that is searched."""
    owners = {
        needle: (mode, kind)
        for mode, canary in driven
        for kind, needles in canary.kinds.items()
        for needle in needles
    }
    owners |= dict.fromkeys(ground.key_needles(), (KEYS, "key"))
    found = find_leaks(owners, folders=ground.searched(), texts=ground.texts)
    return [Hit(*owners[leak.needle], leak) for leak in found]


def by_mode(hits: Iterable[Hit]) -> Counter[str]:
    """How many hits each mode had, by name."""
    return Counter(hit.mode.name for hit in hits)
