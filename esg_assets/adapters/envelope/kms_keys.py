"""What sealing needs of a key in AWS KMS; `esg_assets.adapters.keys.kms` has it."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from esg_assets.core.errors import EsgError


class KmsKey(Protocol):
    """A symmetric key in AWS KMS."""

    @property
    def arn(self) -> str:
        """The key's ARN."""

    @property
    def name(self) -> str:
        """SHA-256 of the ARN, 64 hex digits."""

    @property
    def client(self) -> Any:
        """The boto3 client to ask it with. Raises SettingsWrong."""

    def take_failure(self) -> EsgError | None:
        """Why this thread's last call failed, None if it did not; forgets it."""


def failures_of(keys: Sequence[KmsKey]) -> Callable[[], EsgError | None]:
    """Tells the first failure among `keys`, and forgets all of them."""

    def first() -> EsgError | None:
        failures = [failure for key in keys if (failure := key.take_failure()) is not None]
        return failures[0] if failures else None

    return first
