"""What passes between the collection and its workers: calls, and what to do when there is none."""

from dataclasses import dataclass

from esg_assets.core.backlog import Ask


@dataclass(frozen=True, slots=True)
class Call:
    """One call on its way.

    Attributes:
        asks: the accounts it asks for.
        renewed: whether a 401 to it has already been answered with a new token.
    """

    asks: tuple[Ask, ...]
    renewed: bool = False

    @property
    def account_ids(self) -> list[str]:
        """What to ask for."""
        return [ask.account_id for ask in self.asks]

    @property
    def retry(self) -> bool:
        """Whether any of its accounts was asked for before."""
        return self.renewed or any(ask.tries for ask in self.asks)


@dataclass(frozen=True)
class Wait:
    """Nothing to send now; look again after `seconds`, or when a call ends if that is None."""

    seconds: float | None


class Done:
    """Nothing will be sent any more and nothing is in flight."""
