"""The ports: what the rules need of the world, as Protocols.

Assets and the collection engine receive these; adapters implement them; fakes in the tests do too,
and one contract suite per port runs against every implementation and its fake.

`accounts` is the firm's account system, `ratings_api` the provider's, and `authorization` the credentials of
either. `stores` keep named bytes and `envelopes` seal them, both over `streams`. `working_data` is what was
gathered for a date, `leases` who may work on it, `keys` whom a report is sealed to and who signs it, and
`history` the database of what was published. Everybody imports from here. The ports of the records, which
need the chain of entries, are in `esg_assets.core.record_ports`; those of alerting are in
`esg_assets.core.alerts.ports`.
"""

from esg_assets.core.ports.accounts import AccountSource
from esg_assets.core.ports.authorization import Authorization
from esg_assets.core.ports.envelopes import Context, Envelope
from esg_assets.core.ports.history import History, Pruning
from esg_assets.core.ports.keys import Keyring, RecipientKey, RecipientPrivateKey, Signer
from esg_assets.core.ports.leases import HeldLease, Leases
from esg_assets.core.ports.ratings_api import CallPolicy, RatingsApi, ReplyShapes
from esg_assets.core.ports.stores import ObjectStore
from esg_assets.core.ports.streams import Sink, Source
from esg_assets.core.ports.working_data import PartRef, RatingsParts, Snapshots

__all__ = [
    "AccountSource",
    "Authorization",
    "CallPolicy",
    "Context",
    "Envelope",
    "HeldLease",
    "History",
    "Keyring",
    "Leases",
    "ObjectStore",
    "PartRef",
    "Pruning",
    "RatingsApi",
    "RatingsParts",
    "RecipientKey",
    "RecipientPrivateKey",
    "ReplyShapes",
    "Signer",
    "Sink",
    "Snapshots",
    "Source",
]
