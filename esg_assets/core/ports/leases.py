"""Leases: mutual exclusion that ends with its holder."""

from contextlib import AbstractContextManager
from typing import Protocol, runtime_checkable


@runtime_checkable
class HeldLease(Protocol):
    """A lease that is held until its context ends or its process dies."""

    @property
    def previous_holder(self) -> str:
        """Who held it last ("" if nobody ever did): gone for certain, since it is held now."""


class Leases(Protocol):
    """Mutual exclusion over processes and hosts, released by kernel or server when the holder dies."""

    def hold(self, name: str, holder: str, *, wait_seconds: float = 0.0) -> AbstractContextManager[HeldLease]:
        """Hold the lease `name` as `holder` (a run id) for the length of the block.

        Raises:
            LeaseBusy: somebody else holds it and still does after `wait_seconds`; the message
            names the holder.
        """
