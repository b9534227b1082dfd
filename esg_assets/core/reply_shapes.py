"""Where the entries stand in a provider's JSON: the port for shapes, and the contract's own shape.

An entry is in the contract's words whatever the provider's are: EsgRating, or `account_id` with
`error: {status}`. Checking it is `esg_assets.core.rating_bodies`; shapes that ESG_API_MAPPING describes
are an adapter, since they need a library.
"""

from collections.abc import Sequence
from typing import Protocol

from esg_assets.core.rating_bodies import InvalidRating


class ReplyShape(Protocol):
    """How a decoded document becomes entries; safe to use from many threads."""

    @property
    def omits_unrated(self) -> bool:
        """Whether the provider leaves out the accounts that it has no rating of."""

    def entries(self, document: object) -> Sequence[object]:
        """The entries of a document of `rating_bodies.parse`, unchecked, in the contract's words.

        Never raises for one entry: one that cannot be read is given as whatever cannot be believed.

        Raises:
            InvalidRating: the document as a whole is not of this shape, with one of the codes
                not_an_object, entries_not_found.
        """


class ContractShape:
    """The shapes of esg_api.openapi.yaml: one rating, or `ratings`, a list with an entry per account."""

    omits_unrated = False

    def entries(self, document: object) -> Sequence[object]:
        """See ReplyShape."""
        if type(document) is not dict:
            raise InvalidRating("not_an_object")
        several = document.get("ratings")
        # A single rating may have a field of that name, which the contract does not know.
        return several if type(several) is list and "account_id" not in document else (document,)


CONTRACT_SHAPE = ContractShape()
