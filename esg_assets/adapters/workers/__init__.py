"""The threads that drive `esg_assets.core.collection`: sleep to the slot, call, keep what came back.

Threads over a synchronous client, because under a rate limit the cost of a call is its wake-ups,
and a thread that sleeps to its slot has the fewest (docs/adr/0004). What to ask, when and how often
is the state machine's; sealing is the caller's `keep`.
"""

from esg_assets.adapters.workers.gathering import ThreadedGathering
from esg_assets.adapters.workers.threads import FLUSH_OUTCOMES

__all__ = ["FLUSH_OUTCOMES", "ThreadedGathering"]
