"""One way in which something goes wrong, and how it is told in the table."""

from collections.abc import Callable
from dataclasses import dataclass

from esg_assets_tests.canaries.ground import Ground
from esg_assets_tests.canaries.planted import Canary


@dataclass(frozen=True)
class Mode:
    """One failure mode.

    Attributes:
        name: what goes wrong, in words.
        drive: makes it go wrong on the ground with the canary in whatever it touches, and asserts that
            it did.
    """

    name: str
    drive: Callable[[Ground, Canary], None]
